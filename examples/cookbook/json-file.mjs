// Guard a JSON file: read, change and write it under a lock, so that no change is lost and no reader sees half a file.
//
//   node json-file.mjs theme dark

import { readFile, rename, writeFile } from 'node:fs/promises'
import { Lock } from 'procshare'

const FILE = 'settings.json'
const lock = Lock.open('my-app-settings')

async function readSettings() {
  try {
    return JSON.parse(await readFile(FILE, 'utf8'))
  } catch (error) {
    if (error.code === 'ENOENT') return {}
    throw error
  }
}

async function changeSettings(change) {
  await lock.run(async () => {
    const settings = await readSettings()
    change(settings)
    await writeFile(`${FILE}.new`, JSON.stringify(settings, undefined, 2))
    await rename(`${FILE}.new`, FILE) // the old file or the new one, never a part of it
  })
}

const [key, value] = process.argv.slice(2)
await changeSettings((settings) => {
  settings[key] = value
})
console.log(await readSettings())
