import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, expect, it } from 'vitest'
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
  const expected = /no binary for .* came with binaries for plan9-mips, vms-vax\). To build one, run `npm rebuild/
  await expect(importWith('other', ['vms-vax/procshare.node', 'plan9-mips/procshare.node'])).rejects.toEqual(
    withMessage(expected),
  )
  await expect(importWith('none', [])).rejects.toEqual(withMessage(/came with no binaries\)/))
})

it('with a binary that does not load the error contains the message of the system', async () => {
  const own = `${process.platform}-${process.arch}/procshare.node`
  await expect(importWith('broken', [own])).rejects.toEqual(withMessage(/The loader reports: \S/))
})

/** Of a copy of the package, whose ShareError is another class of the same name. */
function withMessage(message: RegExp): unknown {
  return shareError('ERR_NATIVE', message)
}
