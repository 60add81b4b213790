/** The directories of servers that were not told where to listen: under any TMPDIR, and after a server that was killed. */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'

const FIXTURE = new URL('../fixtures/managed-directory.mjs', import.meta.url).pathname
const LONG_AGO = new Date(Date.now() - 3_600_000)
let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'private-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** Starts a server in a process that has this TMPDIR: its address, or the code and message of the error. */
const start = (TMPDIR: string, how = 'shut down') => {
  const text = execFileSync(process.execPath, [FIXTURE, how], {
    cwd: directory,
    env: { ...process.env, TMPDIR },
    timeout: 60_000,
  })
  return JSON.parse(text.toString()) as { address?: string; name?: string; code?: string; message?: string }
}

it('a server under a relative TMPDIR has an absolute address', () => {
  mkdirSync(join(directory, 'sub'))
  const { address } = start('sub')
  expect(address?.startsWith(join(directory, 'sub', 'procshare-manager-'))).toBe(true)
  expect(readdirSync(join(directory, 'sub'))).toEqual([])
})

it('a TMPDIR that is missing is an error with a code and advice', () => {
  expect(start(join(directory, 'none'))).toMatchObject({
    name: 'ShareError',
    code: 'ENOENT',
    message: expect.stringContaining('TMPDIR'),
  })
})

it('a TMPDIR that is too long for a socket is not used', () => {
  const long = join(directory, 'x'.repeat(120))
  mkdirSync(long)
  expect(start(long).address?.startsWith('/tmp/procshare-manager-')).toBe(true)
})

it('a server that was killed with who had started it leaves nothing beyond the next start', () => {
  const { address } = start(directory, 'kill')
  expect(existsSync(address!)).toBe(true)
  expect(start(directory).code).toBe(undefined)
  expect(readdirSync(directory)).toEqual([])
})

it('what a killed server left goes with the next start, but not through a link, nor with a foreign file', () => {
  const left = join(directory, 'procshare-manager-aaaaaa')
  const target = join(directory, 'elsewhere')
  const foreign = join(directory, 'procshare-manager-bbbbbb')
  for (const path of [left, target, foreign]) {
    mkdirSync(path)
    chmodSync(path, 0o700)
    writeFileSync(join(path, 'key'), 'k')
  }
  writeFileSync(join(foreign, 'mine'), '')
  symlinkSync(target, join(directory, 'procshare-manager-cccccc'))
  const open = join(directory, 'procshare-manager-dddddd')
  mkdirSync(open)
  chmodSync(open, 0o755) // none of ours
  writeFileSync(join(open, 'key'), 'k')
  for (const path of [left, target, foreign, open]) utimesSync(path, LONG_AGO, LONG_AGO)
  expect(start(directory).code).toBe(undefined)
  expect(existsSync(left)).toBe(false)
  expect(existsSync(join(target, 'key'))).toBe(true)
  expect(readdirSync(open)).toEqual(['key'])
  expect(readdirSync(foreign).sort()).toEqual(['key', 'mine'])
})
