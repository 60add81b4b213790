// Runs the test suite on Linux with the fallback implementations that macOS uses: waits poll, locks record their owners
// themselves, and sidecar files keep names.
//
//   node scripts/fallback-tests.mjs [VITEST_ARGUMENT…]
//
// The addon has its own copy of the package, build/fallbacks, so the loader needs no option.

import { execFileSync, spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
} from 'node:fs'
import path from 'node:path'
import { FALLBACKS } from './native-sources.mjs'

// The tests that do not apply to this addon, and the reasons.
const FILES = 'it looks at the files that names are on Linux'
const USERS = 'the sidecars of another user lie in another folder, and holds of strangers do not count'
const EXCEPTIONS = {
  'what finds no room says so, with advice, and leaves nothing; what is smaller works': FILES,
  'no room for one more name is no room': FILES,
  'the one too many is refused with advice, and after a close() it works again':
    'making and attaching take a second descriptor for a moment',
  'a read-only one is told as such': FILES,
  'cannot remove the name when he is the last; the owner can take it again': USERS,
  'has the permissions that were asked for, whatever the umask': FILES,
}

process.chdir(path.join(import.meta.dirname, '..'))
const tree = path.resolve('build/fallbacks')

const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], { encoding: 'utf8' })
const files = new Set(listed.split('\0').filter((name) => name !== '' && existsSync(name)))
for (const file of files) copy(file, path.join(tree, file))
// Files of an earlier run that the package no longer has.
for (const folder of ['lib', 'native', 'test']) {
  for (const entry of readdirSync(path.join(tree, folder), { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name)
    if (!entry.isDirectory() && !files.has(path.relative(tree, file))) rmSync(file)
  }
}
const modules = path.join(tree, 'node_modules')
if (lstatSync(modules, { throwIfNoEntry: false }) === undefined) symlinkSync(path.resolve('node_modules'), modules)

const switches = Object.entries(FALLBACKS).map(([name, value]) => `-D${name}=${value}`)
run('npx', ['node-gyp', 'configure', '--', ...switches])
// Its speed is of no interest.
run('npx', ['node-gyp', 'build'], { CXXFLAGS: '-O1 -fno-lto' })
run('npm', ['run', '--silent', 'build'])
const suites = ['test/unit', 'test/conformance', 'test/crash', 'test/process']
const given = process.argv.slice(2)
const chosen = given.some((argument) => !argument.startsWith('-')) ? given : [...suites, ...given]
const skipped = Object.keys(EXCEPTIONS).map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
const pattern = `^(?!.*(?:${skipped.join('|')}))`
for (const [name, reason] of Object.entries(EXCEPTIONS)) console.log(`skipped: "${name}": ${reason}`)
run('npx', ['vitest', 'run', `--testNamePattern=${pattern}`, ...chosen], { TEST_FALLBACKS: '1' })
// The next process with this build removes the remains of killed processes. After the tests there is none, so this script does it.
run('node', ['--input-type=module', '-e', "import { Value } from './dist/index.js'; new Value('i').close()"])
// Only this build uses the folder.
try {
  rmdirSync(`/dev/shm/.procshare-${process.geteuid()}`)
} catch (error) {
  console.log(`The folder of sidecars stays: ${error.code}`)
}

// With its time stamp, so that only changed files are compiled again.
function copy(from, to) {
  const { mtime, mtimeMs } = statSync(from)
  if (statSync(to, { throwIfNoEntry: false })?.mtimeMs === mtimeMs) return
  mkdirSync(path.dirname(to), { recursive: true })
  rmSync(to, { force: true })
  copyFileSync(from, to)
  utimesSync(to, mtime, mtime)
}

function run(command, args, env = {}) {
  const { status } = spawnSync(command, args, { cwd: tree, stdio: 'inherit', env: { ...process.env, ...env } })
  if (status !== 0) process.exit(status ?? 1)
}
