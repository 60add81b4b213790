// Builds the documentation site in build/site: the API reference and the pages of docs/. A dead link or an undocumented name is an error.
//
//   node scripts/docs.mjs
//
// TypeDoc has a folder of its own, site/, with a lock file of its own: it needs an older TypeScript than the library, and only this script needs it.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'

const root = path.join(import.meta.dirname, '..')
const site = path.join(root, 'site')

if (!existsSync(path.join(site, 'node_modules/typedoc')))
  run('npm', ['ci', '--prefix', site, '--no-audit', '--no-fund'])
run(process.execPath, [
  path.join(site, 'node_modules/typedoc/bin/typedoc'),
  '--options',
  path.join(site, 'typedoc.json'),
])

function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' })
  if (status !== 0) process.exit(status ?? 1)
}
