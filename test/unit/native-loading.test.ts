import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'rolldown'
import { afterAll, expect, it, vi } from 'vitest'
import { Event } from '../../lib/index.ts'
import { native } from '../../lib/native.ts'
import { ROOT } from '../helpers/documentation.ts'
import { shareError } from '../helpers/error-matchers.ts'

// Inside the project, so that the dependencies are found.
mkdirSync(path.join(ROOT, 'build'), { recursive: true })
const folder = mkdtempSync(path.join(ROOT, 'build', 'native-loading-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The package as it would be with these files in prebuilds/, and without what was built here. */
async function importWith(title: string, prebuilds: string[]): Promise<unknown> {
  const root = path.join(folder, title)
  cpSync(path.join(ROOT, 'dist'), path.join(root, 'dist'), { recursive: true })
  cpSync(path.join(ROOT, 'package.json'), path.join(root, 'package.json'))
  for (const file of prebuilds) {
    mkdirSync(path.dirname(path.join(root, 'prebuilds', file)), { recursive: true })
    writeFileSync(path.join(root, 'prebuilds', file), 'not a library')
  }
  return await import(pathToFileURL(path.join(root, 'dist/index.js')).href)
}

it('without a binary the error lists the platforms of the package, and how to build one', async () => {
  const expected = /no binary for .* has binaries for plan9-mips, vms-vax\)\. To build one, run `npm rebuild/
  await expect(importWith('other', ['vms-vax/procshare.node', 'plan9-mips/procshare.node'])).rejects.toEqual(
    withMessage(expected),
  )
  await expect(importWith('none', [])).rejects.toEqual(withMessage(/has no binaries\)/))
})

it('with a binary that does not load the error contains the message of the system', async () => {
  const own = `${process.platform}-${process.arch}/procshare.node`
  await expect(importWith('broken', [own])).rejects.toEqual(withMessage(/The loader reports: \S/))
})

it.each([
  ['an addon of an older version, which has no stamp', 'undefined'],
  ['an addon of another version', "'0123456789abcdef'"],
])('with %s the error states the cause, and what to do', async (_title, stamp) => {
  const root = path.join(folder, `other-version-${stamp.length}`)
  cpSync(path.join(ROOT, 'dist'), path.join(root, 'dist'), { recursive: true })
  cpSync(path.join(ROOT, 'package.json'), path.join(root, 'package.json'))
  // In place of the loader, one that gives this addon another stamp.
  const loader = path.join(root, 'node_modules/node-gyp-build')
  mkdirSync(loader, { recursive: true })
  const addon = JSON.stringify(createRequire(import.meta.url)('node-gyp-build').resolve(ROOT))
  writeFileSync(
    path.join(loader, 'index.js'),
    `module.exports = () => ({ ...require(${addon}), interface: ${stamp} })\n`,
  )
  await expect(import(pathToFileURL(path.join(root, 'dist/index.js')).href)).rejects.toEqual(
    withMessage(/another version than its JavaScript: .*`npm rebuild procshare --build-from-source`/),
  )
})

it('in a bundled file the error states how to exclude the package', async () => {
  const file = path.join(folder, 'bundled', 'dist', 'program.cjs')
  await build({
    input: path.join(ROOT, 'dist/index.js'),
    platform: 'node',
    logLevel: 'silent',
    output: { format: 'cjs', file },
  })
  await expect(import(pathToFileURL(file).href)).rejects.toEqual(
    withMessage(/bundler.*esbuild.*webpack.*Rollup.*Next\.js/),
  )
})

it('an unexpected error of the native part is not reported as damaged memory', () => {
  const mistake = new TypeError('native.bindEvent is not a function')
  vi.spyOn(native, 'bindEvent').mockImplementation(() => {
    throw mistake
  })
  try {
    expect(() => new Event()).toThrow(mistake)
  } finally {
    vi.restoreAllMocks()
  }
})

/** Of a copy of the package, whose ShareError is another class of the same name. */
function withMessage(message: RegExp): unknown {
  return shareError('ERR_NATIVE', message)
}
