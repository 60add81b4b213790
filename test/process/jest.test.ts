/** The package under Jest as it comes: CommonJS, and each file of tests in a realm and with modules of its own. */
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const JEST = createRequire(import.meta.url).resolve('jest/bin/jest')
const project = mkdtempSync(path.join(tmpdir(), 'procshare-jest-'))

beforeAll(() => {
  cpSync(path.join(ROOT, 'test/fixtures/jest'), project, { recursive: true })
  cpSync(path.join(project, 'every-object.test.js'), path.join(project, 'again.test.js'))
  writeFileSync(path.join(project, 'package.json'), '{ "jest": { "testTimeout": 60000 } }')
  mkdirSync(path.join(project, 'node_modules'))
  symlinkSync(ROOT, path.join(project, 'node_modules/procshare'))
})
afterAll(() => rmSync(project, { recursive: true }))

it('works in two test files of one Jest process, which can end', { timeout: 240_000 }, async () => {
  const args = [JEST, '--runInBand', '--silent', `--cacheDirectory=${path.join(project, 'cache')}`]
  const { stderr } = await promisify(execFile)(process.execPath, args, { cwd: project, timeout: 200_000 })
  expect(stderr).toContain('Tests:       12 passed, 12 total')
  expect(stderr).not.toContain('did not exit')
})
