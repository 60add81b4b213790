import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Manager } from 'procshare'
import { expect, it } from 'vitest'

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
