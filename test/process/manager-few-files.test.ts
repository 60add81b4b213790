import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Manager } from 'procshare'
import { expect, it } from 'vitest'
import { makeBox, ringsOf, startManager } from '../helpers/managed-server.ts'

const FIXTURE = fileURLToPath(new URL('../fixtures/managed-few-files.mjs', import.meta.url))

it.skipIf(process.platform === 'win32')(
  'a blocking call for which there is no room says so, and the next one works',
  async () => {
    await using manager = await Manager.start()
    const command = 'ulimit -n 256; exec "$0" "$1" "$2"'
    const args = ['-c', command, process.execPath, FIXTURE, String(manager.address)]
    expect(execFileSync('sh', args, { stdio: 'pipe', timeout: 30_000 }).toString()).toBe('')
  },
)

it.skipIf(process.platform !== 'linux')('a server that has no room for rings is spoken to without', async () => {
  const manager = await startManager()
  const box = await makeBox(manager, 1)
  execFileSync('prlimit', ['--nofile=3:3', '--pid', String(manager.pid)])
  const before = ringsOf()
  for (let i = 0; i < 300; i++) expect(await box.get()).toBe(1)
  expect(ringsOf()).toBe(before)
  await manager.shutdown()
  expect(existsSync(dirname(manager.address as string))).toBe(false)
})
