// Builds the documentation site in build/site: the API reference and the pages of docs/. A dead link or an undocumented name is an error.
//
//   node scripts/docs.mjs
//
// TypeDoc has a folder of its own, site/, with a lock file of its own: it needs an older TypeScript than the library, and only this script
// needs it.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

const root = path.join(import.meta.dirname, '..')
const tools = path.join(root, 'site')
const output = path.join(root, 'build/site')

if (!existsSync(path.join(tools, 'node_modules/typedoc')))
  run('npm', ['ci', '--prefix', tools, '--no-audit', '--no-fund'])
run(process.execPath, [
  path.join(tools, 'node_modules/typedoc/bin/typedoc'),
  ...['--options', path.join(tools, 'typedoc.json')],
])

const dead = deadLinks()
for (const link of dead) console.error(`Dead link: ${link}`)
process.exitCode = dead.length === 0 ? 0 : 1

function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' })
  if (status !== 0) process.exit(status ?? 1)
}

/** The links between the pages of the site that lead nowhere. TypeDoc itself does not find all of them. */
function deadLinks() {
  const files = readdirSync(output, { recursive: true }).filter((file) => file.endsWith('.html'))
  const pages = new Map(files.map((file) => [file, readFileSync(path.join(output, file), 'utf8')]))
  const anchors = new Map(
    [...pages].map(([file, text]) => [file, new Set([...text.matchAll(/\bid="([^"]+)"/g)].map((m) => m[1]))]),
  )
  return [...pages].flatMap(([file, text]) =>
    [...text.matchAll(/\bhref="([^"]+)"/g)]
      .map(([, link]) => link.replaceAll('&amp;', '&'))
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => {
        const [target, anchor] = link.split('#').map(decodeURIComponent)
        const page = target === '' ? file : path.join(path.dirname(file), target)
        if (!existsSync(path.join(output, page))) return true
        return Boolean(anchor) && anchors.has(page) && !anchors.get(page).has(anchor)
      })
      .map((link) => `${file}: ${link}`),
  )
}
