// The native tests with musl instead of glibc, on any Linux x64: compiled by zig, linked statically. And whether a process
// with the one and a process with the other, whose mutexes look different, stay apart.
//
//   node scripts/musl-tests.mjs [PART_OF_NAME…]

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { readTarget } from './prebuilds/gyp.mjs'
import { ZIG_ENVIRONMENT, zig } from './prebuilds/toolchains.mjs'

const DEADLINE_MS = 240_000
/** The same as for the prebuilt binaries, so that zig has its C++ library ready. */
const AS_PREBUILT = ['-O3', '-flto', '-fno-exceptions', '-fno-rtti', '-fPIC', '-pthread']
const MUSL = { triple: 'x86_64-linux-musl', link: ['-static'] }
const GLIBC = { triple: 'x86_64-linux-gnu.2.28', link: [] }
/** What does not apply: the tests that kill a process after each of its steps look for code in libraries that are loaded. */
const NOT_APPLICABLE = new Map()

process.chdir(path.join(import.meta.dirname, '..'))
const out = path.resolve('build/musl-tests')
mkdirSync(out, { recursive: true })
const filters = process.argv.slice(2)
const sources = readTarget('binding.gyp', { OS: 'linux', target_arch: 'x64' }).sources.filter((file) =>
  /^native\/(shm|platform)\//.test(file),
)

let failed = 0
for (const file of readdirSync('test/native').filter((name) => name.endsWith('_test.cc'))) {
  const name = path.basename(file, '.cc')
  if (filters.length > 0 && !filters.some((filter) => name.includes(filter))) continue
  if (NOT_APPLICABLE.has(name)) {
    console.log(`skip ${name}: ${NOT_APPLICABLE.get(name)}`)
    continue
  }
  await check(name, async () => {
    const program = await compile(`test/native/${file}`, MUSL)
    await promisify(execFile)(program, { timeout: DEADLINE_MS, killSignal: 'SIGKILL' })
  })
}
if (filters.length === 0 || filters.includes('abi')) {
  const peers = { musl: MUSL, glibc: GLIBC }
  for (const [creator, attacher] of Object.keys(peers).flatMap((one) =>
    Object.keys(peers).map((other) => [one, other]),
  )) {
    await check(`abi: ${attacher} attaches to a segment of ${creator}`, async () => {
      const answer = await meet(
        await compile('test/native/programs/segment_peer.cc', peers[creator]),
        await compile('test/native/programs/segment_peer.cc', peers[attacher]),
      )
      const expected = creator === attacher ? 'attached' : 'other ABI'
      if (answer !== expected) throw new Error(`"${answer}" instead of "${expected}"`)
    })
  }
}
process.exitCode = failed === 0 ? 0 : 1

async function compile(file, { triple, link }) {
  const program = path.join(out, `${path.basename(file, '.cc')}-${triple}`)
  const flags = [...AS_PREBUILT, '-std=c++17', '-Inative', '-Itest/native']
  const args = ['c++', '-target', triple, ...flags, file, ...sources, ...link, '-lrt', '-o', program]
  await promisify(execFile)(zig(), args, { env: ZIG_ENVIRONMENT })
  return program
}

/** What the second says to a segment that the first holds. */
async function meet(creator, attacher) {
  const name = `musl-tests-${process.pid}`
  const holder = spawn(creator, ['create', name], { stdio: ['pipe', 'pipe', 'inherit'] })
  try {
    const signal = AbortSignal.timeout(10_000)
    await once(holder.stdout, 'data', { signal })
    const { stdout } = await promisify(execFile)(attacher, ['attach', name], { timeout: 10_000 })
    holder.stdin.end()
    await once(holder, 'exit', { signal })
    return stdout.trim()
  } finally {
    holder.kill('SIGKILL')
  }
}

async function check(name, test) {
  const started = performance.now()
  try {
    await test()
    console.log(`ok   ${name} (${Math.round((performance.now() - started) / 100) / 10} s)`)
  } catch (error) {
    failed++
    console.log(`FAIL ${name}\n${error.message}\n${error.stdout ?? ''}${error.stderr ?? ''}`.slice(0, 3000))
  }
}
