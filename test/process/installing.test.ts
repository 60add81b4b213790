// What `npm install` runs of the package: the script that is named in package.json, in a copy of the package.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { ROOT } from '../helpers/documentation.ts'

const DEADLINE_MS = 60_000
const SCREEN_LINES = 40

mkdirSync(path.join(ROOT, 'build'), { recursive: true })
const folder = mkdtempSync(path.join(ROOT, 'build', 'installing-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Installs a copy without prebuilt binaries. @param built - whether it has one that fits */
function install(title: string, built: boolean, PATH: string) {
  const root = path.join(folder, title)
  for (const file of ['package.json', 'binding.gyp', 'native', ...(built ? ['build/Release/procshare.node'] : [])]) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true })
    cpSync(path.join(ROOT, file), path.join(root, file), { recursive: true })
  }
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(root, 'node_modules'), 'junction')
  const script = path.join(root, 'native/install.mjs')
  const env = { ...process.env, PATH, npm_config_loglevel: 'notice' }
  return spawnSync(process.execPath, [script], { cwd: root, encoding: 'utf8', env, timeout: DEADLINE_MS })
}

it.skipIf(process.platform === 'win32')(
  'installing without a fitting binary and without a compiler fails, and says in one screen what to do',
  () => {
    mkdirSync(path.join(folder, 'bin'))
    const { status, stdout, stderr } = install('bare', false, path.join(folder, 'bin'))
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr.split('\n').length).toBeLessThan(SCREEN_LINES)
    expect(stderr).toMatch(/no binary for \S+-\S+ in this package/)
    expect(stderr).toMatch(/Could not find any Python/)
    for (const advice of [
      'npm rebuild procshare',
      'pnpm approve-builds',
      'yarn rebuild',
      'bun pm trust',
      '--ignore-scripts',
    ]) {
      expect(stderr).toContain(advice)
    }
  },
  DEADLINE_MS,
)

it(
  'installing with a binary that loads does nothing',
  () => {
    const bin = path.join(ROOT, 'node_modules/.bin')
    const { status, stdout, stderr } = install('built', true, [bin, process.env.PATH].join(path.delimiter))
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' })
  },
  DEADLINE_MS,
)
