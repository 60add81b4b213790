/** docs/internals/adding-a-kind.md: its files, put into a copy of the project, make a kind of object that works as the page says. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ROOT } from '../helpers/documentation.ts'
import { DEADLINE_MS } from '../helpers/fixture.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

const page = readFileSync(path.join(ROOT, 'docs/internals/adding-a-kind.md'), 'utf8')
const blocks = [...page.matchAll(/^<!-- (?<what>[\w ]+): (?<which>.+?) -->\n```\w+\n(?<code>[\s\S]*?)^```/gm)].map(
  ({ groups }) => ({ what: groups!.what!, which: groups!.which!, code: groups!.code! }),
)

mkdirSync(path.join(ROOT, 'build'), { recursive: true })
const copy = mkdtempSync(path.join(ROOT, 'build', 'adding-a-kind-'))
afterAll(() => rmSync(copy, { recursive: true, force: true }))

function run(file: string, args: readonly string[]) {
  return spawnSync(process.execPath, [file, ...args], { cwd: copy, encoding: 'utf8', timeout: DEADLINE_MS })
}

beforeAll(() => {
  for (const item of ['lib', 'scripts', 'package.json', 'tsconfig.json', 'tsconfig.build.json']) {
    cpSync(path.join(ROOT, item), path.join(copy, item), { recursive: true })
  }
  for (const item of ['node_modules', 'build/Release']) {
    mkdirSync(path.dirname(path.join(copy, item)), { recursive: true })
    symlinkSync(path.join(ROOT, item), path.join(copy, item), 'junction')
  }
  for (const { what, which, code } of blocks) {
    const file = path.join(copy, which)
    if (what === 'new file') writeFileSync(file, code, { flag: 'wx' })
    if (what === 'add to') writeFileSync(file, code, { flag: 'a' })
  }
})

it('the page has a new file, an addition to the index, and a program', () => {
  expect(blocks.map(({ what }) => what)).toEqual(['new file', 'add to', 'not run'])
})

it('the new kind compiles, and its program does what the page says', { timeout: 4 * DEADLINE_MS }, () => {
  const compiler = path.join(path.dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
  const compiled = run(compiler, ['-p', 'tsconfig.build.json', '--pretty', 'false'])
  expect([compiled.stdout, compiled.status]).toEqual(['', 0])
  const bundled = run('scripts/bundle.mjs', [])
  expect([bundled.stderr, bundled.status]).toEqual(['', 0])

  const program = blocks.at(-1)!.code.replaceAll("'start'", `'${uniqueName()}'`)
  writeFileSync(path.join(copy, 'program.mjs'), program)
  const { stdout, stderr, status } = run('program.mjs', [])
  expect([stderr, status]).toEqual(['', 0])
  expect(stdout).toMatch(/^Latch "procshare-.+" { count: 1 } true\n$/)
})
