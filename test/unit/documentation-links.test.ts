/** The links between the pages of the repository, from the pages to its files, and the paths that the pages name. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { ROOT } from '../helpers/documentation.ts'

const pages = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], { cwd: ROOT, encoding: 'utf8' })
  .split('\n')
  .filter((page) => page !== '' && existsSync(path.join(ROOT, page)))

function textOf(page: string): string {
  return readFileSync(path.join(ROOT, page), 'utf8')
}

/** The names of a page's headings in links, as GitHub makes them. */
function anchorsOf(page: string): string[] {
  return [...textOf(page).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-'),
  )
}

function isBroken(page: string, link: string): boolean {
  const [file = '', anchor] = link.split('#')
  const target = file === '' ? page : path.join(path.dirname(page), file)
  // A folder is no page: the documentation site could not link to it.
  if (!statSync(path.join(ROOT, target), { throwIfNoEntry: false })?.isFile()) return true
  return anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).includes(anchor)
}

it.each(pages)('%s has no link to a file or heading that does not exist', (page) => {
  const links = [...textOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!)
  const local = links.filter((link) => !/^[a-z]+:/.test(link))
  expect(local.filter((link) => isBroken(page, link))).toEqual([])
})

const packed = (JSON.parse(textOf('package.json')).files as string[]).concat('package.json')

function isPacked(file: string): boolean {
  return packed.some((entry) => file === entry || file.startsWith(`${entry}/`))
}

it.each(pages.filter(isPacked))('%s, which is published, links only to files that are published', (page) => {
  const links = [...textOf(page).matchAll(/\]\(([^)\s#]+)/g)].map(([, link]) => link!)
  const local = links.filter((link) => !/^[a-z]+:/.test(link))
  expect(
    local.map((link) => path.posix.join(path.posix.dirname(page), link)).filter((file) => !isPacked(file)),
  ).toEqual([])
})

/** The paths from the root of the repository that a page names as code, up to a wildcard. */
function pathsIn(page: string): string[] {
  const code = textOf(page).matchAll(/`((?:lib|native|test|docs|scripts|bench|examples|site)\/[^\s`]*)`/g)
  return [...code]
    .map(([, file]) => file!.replace(/(?<=\/)[^/]*[*{<…].*$/, ''))
    .map((file) => file.replace(/[.,]$/, ''))
}

it.each(pages)('%s names no file that does not exist', (page) => {
  expect(pathsIn(page).filter((file) => !existsSync(path.join(ROOT, file)))).toEqual([])
})

it('site/typedoc.json lists every page of docs/, and no other page of docs/', () => {
  const { projectDocuments } = JSON.parse(textOf('site/typedoc.json')) as { projectDocuments: string[] }
  const listed = projectDocuments
    .map((file) => path.posix.join('site', file))
    .filter((file) => file.startsWith('docs/'))
  expect(listed.sort()).toEqual(pages.filter((page) => page.startsWith('docs/')).sort())
})

it('finds pages, and links in them', () => {
  expect(pages).toContain('README.md')
  expect(isBroken('README.md', 'docs/internals/architecture.md')).toBe(false)
  expect(isBroken('README.md', 'docs/nowhere.md')).toBe(true)
  expect(isBroken('README.md', 'docs/guide')).toBe(true)
  expect(isBroken('README.md', '#no-such-heading')).toBe(true)
  expect(isPacked('docs/guide/locks.md')).toBe(true)
  expect(isPacked('test/unit/lock.test.ts')).toBe(false)
  expect(pathsIn('docs/internals/architecture.md')).toContain('lib/native.ts')
})
