// Compiles each test/native/*.cc with the portable and the POSIX part of the addon, without Node, and runs it.
//
//   node scripts/native-tests.mjs [--sanitize=address,undefined | --sanitize=thread] [--filter=NAME] [--platform=fallback]
//                                 [--variant=NAME]
//
// `--platform=fallback` uses the fallback implementations of other systems on Linux (see binding.gyp). CXX is the compiler, with
// arguments if necessary; `--variant` gives its objects a folder of their own.

import { execFile, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { FALLBACKS, nativeSources } from './native-sources.mjs'

const { values: options } = parseArgs({
  options: {
    sanitize: { type: 'string', default: '' },
    filter: { type: 'string', default: '' },
    platform: { type: 'string', default: 'system' },
    variant: { type: 'string', default: '' },
  },
})
const isFallback = options.platform === 'fallback'
const DEADLINE_MS = isFallback ? 360_000 : 180_000
const COMPILER_DEADLINE_MS = 900_000 // zig compiles the C++ library first

process.chdir(path.join(import.meta.dirname, '..'))
const variant = [options.sanitize.replaceAll(',', '-') || 'plain', isFallback ? 'fallback' : '', options.variant]
const outDir = path.join('build', `native-tests-${variant.filter((part) => part !== '').join('-')}`)
const [compiler, ...compilerFlags] = (process.env.CXX ?? 'g++').split(' ')
const flags = [
  ...compilerFlags,
  '-std=c++17',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-fno-exceptions',
  '-pthread',
  '-g1',
  '-O1',
]
flags.push('-Inative', '-Itest/native', '-Itest/native/posix')
if (isFallback) flags.push('-DPROCSHARE_TEST_FALLBACKS')
if (options.sanitize) {
  flags.push(`-fsanitize=${options.sanitize}`, '-fno-sanitize-recover=all', '-fno-omit-frame-pointer')
}
const libraries = process.platform === 'linux' ? ['-lrt'] : []

const gypName = process.platform === 'darwin' ? 'mac' : 'linux'
const sources = nativeSources(gypName, isFallback ? FALLBACKS : {}).filter((file) =>
  /native\/(shm|platform)\//.test(file),
)
const tests = filesIn('test/native', /\.cc$/).filter((file) => path.basename(file).includes(options.filter))
if (tests.length === 0) {
  console.error(`No test/native/*.cc matches "${options.filter}"`)
  process.exit(1)
}

// An object that is older than its source or any header is compiled again.
const modified = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
const headers = ['native', 'test/native'].flatMap((folder) =>
  readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.h'))
    .map((name) => path.join(folder, name)),
)
const newestHeader = Math.max(...[...headers, import.meta.filename].map(modified))

await inParallel([...sources, ...tests], compile)
const objects = sources.map(objectOf)
await inParallel(tests, (test) =>
  run(compiler, [...flags, objectOf(test), ...objects, '-o', programOf(test), ...libraries]),
)

// Tests of objects with mutexes run for both kinds of mutex (native/platform/robust_mutex.h). The tests that kill at each instruction
// do so only for the lock, which is little more than its mutex. They do not run under a sanitizer, which multiplies the instructions that
// ask the kernel for an owner.
const runs = tests.flatMap((test) => {
  const name = path.basename(test)
  const isStepwise = options.sanitize !== '' && /(_kill|interleaving)/.test(name)
  const isOfBothKinds = /^(lock|creation|.*contention|hostile|guarded)/.test(name) && !isFallback && gypName === 'linux'
  return isOfBothKinds && !isStepwise ? [{ test }, { test, mutex: 'members' }] : [{ test }]
})

let failed = 0
await inParallel(runs, async ({ test, mutex }) => {
  const started = performance.now()
  const { outcome, output } = await execute(programOf(test), mutex)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  const name = `${path.basename(test, '.cc')}${mutex === undefined ? '' : `, mutexes of ${mutex}`}`
  console.log(`${outcome === 'ok' ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`)
  if (outcome === 'ok') return
  failed++
  console.log(`${output.trimEnd()}\n     ${outcome}`)
})
console.log(`${runs.length - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

function filesIn(folder, pattern) {
  const names = readdirSync(folder).filter((name) => pattern.test(name))
  return names.sort().map((name) => path.join(folder, name))
}

function objectOf(source) {
  return path.join(outDir, source.replace(/\.cc$/, '.o'))
}

function programOf(test) {
  return path.resolve(outDir, path.basename(test, '.cc'))
}

async function compile(source) {
  const object = objectOf(source)
  if (modified(object) > Math.max(modified(source), newestHeader)) return
  mkdirSync(path.dirname(object), { recursive: true })
  await run(compiler, [...flags, '-c', source, '-o', object])
}

async function run(command, args) {
  try {
    await promisify(execFile)(command, args, { timeout: COMPILER_DEADLINE_MS, killSignal: 'SIGKILL' })
  } catch (error) {
    console.error(`${error.killed ? `not done after ${COMPILER_DEADLINE_MS / 1000} s: ` : ''}${error.message}\n`)
    process.exit(1)
  }
}

async function inParallel(items, action) {
  const queue = [...items]
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await action(item)
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
}

// A test may fork, so it has a process group of its own, and the deadline ends the whole group.
function execute(program, mutex = '') {
  return new Promise((resolve) => {
    const child = spawn(program, {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PROCSHARE_TEST_MUTEX: mutex },
    })
    const chunks = []
    let late = false
    const timer = setTimeout(() => {
      late = true
      process.kill(-child.pid, 'SIGKILL')
    }, DEADLINE_MS)
    child.stdout.on('data', (chunk) => chunks.push(chunk))
    child.stderr.on('data', (chunk) => chunks.push(chunk))
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      const end = signal === null ? `exit code ${code}` : `killed by ${signal}`
      const outcome = late ? `not done after ${DEADLINE_MS / 1000} s` : code === 0 ? 'ok' : end
      resolve({ outcome, output: Buffer.concat(chunks).toString() })
    })
  })
}
