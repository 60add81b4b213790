/** The links between the pages of the repository, and from the pages to its files. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
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
  if (!existsSync(path.join(ROOT, target))) return true
  return anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).includes(anchor)
}

it.each(pages)('%s has no link to a file or heading that does not exist', (page) => {
  const links = [...textOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!)
  const local = links.filter((link) => !/^[a-z]+:/.test(link))
  expect(local.filter((link) => isBroken(page, link))).toEqual([])
})

it('finds pages, and links in them', () => {
  expect(pages).toContain('README.md')
  expect(isBroken('README.md', 'docs/internals/architecture.md')).toBe(false)
  expect(isBroken('README.md', 'docs/nowhere.md')).toBe(true)
  expect(isBroken('README.md', '#no-such-heading')).toBe(true)
})
