// A migration once: every process starts with this, one migrates, and the others wait until it is done.
//
//   node migration.mjs        in several terminals

import { readFile, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { Lock } from 'procshare'

const [workMs = 2_000] = process.argv.slice(2)
const lock = Lock.open('shop-migration')

const migrations = [() => writeFile('users.json', '[]'), () => writeFile('orders.json', '[]')]

async function currentVersion() {
  const text = await readFile('version', 'utf8').catch(() => '0')
  return Number(text)
}

await lock.run(async () => {
  for (let version = await currentVersion(); version < migrations.length; version++) {
    console.log(`migrating to version ${version + 1}`)
    await migrations[version]()
    await sleep(Number(workMs))
    await writeFile('version', `${version + 1}`)
  }
})
console.log(`version ${await currentVersion()}: ready`)
