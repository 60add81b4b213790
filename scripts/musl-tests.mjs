// Runs the native tests with musl instead of glibc, on any Linux x64: compiled by zig and linked statically. Also checks that
// processes with different C libraries, whose mutexes differ in memory, refuse each other's segments.
//
//   node scripts/musl-tests.mjs [--filter=PART_OF_NAME]        `abi` selects the latter

import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { nativeSources } from './native-sources.mjs'
import { ZIG_ENVIRONMENT, zig } from './prebuilds/toolchains.mjs'

const COMPILER_DEADLINE_MS = 900_000
const ANSWER_DEADLINE_MS = 10_000
const TRIPLES = { musl: 'x86_64-linux-musl', glibc: 'x86_64-linux-gnu.2.28' }

const { values: options } = parseArgs({ options: { filter: { type: 'string', default: '' } } })
process.chdir(path.join(import.meta.dirname, '..'))
const out = path.resolve('build/musl-tests')
mkdirSync(out, { recursive: true })

let failed = 0
if ('abi'.includes(options.filter)) {
  const peers = {}
  for (const [libc, triple] of Object.entries(TRIPLES)) peers[libc] = await compilePeer(triple)
  for (const creator of Object.keys(peers)) {
    for (const attacher of Object.keys(peers)) {
      const answer = await meet(peers[creator], peers[attacher])
      const isRight = answer === (creator === attacher ? 'attached' : 'other ABI')
      console.log(`${isRight ? 'ok  ' : 'FAIL'} ${attacher} attaches to a segment of ${creator}: ${answer}`)
      if (!isRight) failed++
    }
  }
}
if (options.filter !== 'abi') {
  // g++ checks warnings, in the other native tests.
  const CXX = `${zig()} c++ -target ${TRIPLES.musl} -w`
  const args = ['scripts/native-tests.mjs', '--variant=musl', `--filter=${options.filter}`]
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit', env: { ...ZIG_ENVIRONMENT, CXX } })
  if (status !== 0) failed++
}
process.exitCode = failed === 0 ? 0 : 1

async function compilePeer(triple) {
  const program = path.join(out, `segment_peer-${triple}`)
  const sources = nativeSources('linux').filter((file) => /^native\/(shm|platform)\//.test(file))
  const flags = ['-target', triple, '-O1', '-std=c++17', '-fno-exceptions', '-pthread', '-Inative']
  const args = ['c++', ...flags, 'test/native/programs/segment_peer.cc', ...sources, '-lrt', '-o', program]
  const limits = { timeout: COMPILER_DEADLINE_MS, killSignal: 'SIGKILL' }
  await promisify(execFile)(zig(), args, { env: ZIG_ENVIRONMENT, ...limits })
  return program
}

/** The answer of the second process for a segment of the first. */
async function meet(creator, attacher) {
  const name = `musl-tests-${process.pid}`
  const holder = spawn(creator, ['create', name], { stdio: ['pipe', 'pipe', 'inherit'] })
  try {
    const signal = AbortSignal.timeout(ANSWER_DEADLINE_MS)
    await once(holder.stdout, 'data', { signal })
    const { stdout } = await promisify(execFile)(attacher, ['attach', name], { timeout: ANSWER_DEADLINE_MS })
    holder.stdin.end()
    await once(holder, 'exit', { signal })
    return stdout.trim()
  } finally {
    holder.kill('SIGKILL')
  }
}
