// Checks the Spin models in test/models. The protocols must hold, and each deliberate mistake must violate the property
// that it breaks.
//
//   node scripts/check-models.mjs [--filter=NAME]

import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, freemem, tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs, promisify } from 'node:util'

const DEADLINE_MS = 300_000
const MEMORY_MB = 2000
const DEEPEST = 100_000
const COMPILER = process.env.CC ?? 'cc'

// The checker's message when a property fails; the letters are those of the models.
const EVIDENCE = {
  X1: /assertion violated .*inside/,
  X2: /assertion violated .*news/,
  X3: /invalid end state/,
  Q1: /assertion violated .*truth/,
  Q2: /assertion violated .*len\(order\)/,
  Q3: /assertion violated .*delivered/,
  Q4: /assertion violated .*asleep/,
  Q5: /assertion violated .*(toldEnd|\(produced==consumed\))/,
  Q6: /invalid end state/,
  Q7: /assertion violated .*to>=from/,
  Q8: /assertion violated .*saw\[/,
  J1: /assertion violated .*reported/,
  J2: /assertion violated .*asleep/,
  T1: /assertion violated .*state\[0\]\+state\[1\]/,
  T2: /assertion violated .*state\[1\]==units/,
  T3: /assertion violated .*asleep/,
  T4: /invalid end state/,
}

// [model, options, the property that fails]
const CHECKS = [
  ['lock', 'ASYNC=2 BLOCKING=1 KILLS=2 BEATS ROUNDS=1'],
  ['lock', 'ASYNC=3 BLOCKING=0'],
  ['lock', 'ASYNC=2 BLOCKING=1'],
  ['lock', 'ASYNC=2 BLOCKING=0 KILLS=2 BEATS'],
  ['lock', 'BREAK_NO_RETRY', 'X3'],
  ['lock', 'BREAK_EXPECTED_LATE', 'X3'],
  ['lock', 'BREAK_LOOK_FIRST', 'X3'],
  ['lock', 'BREAK_BUMP_FIRST', 'X3'],
  ['lock', 'BREAK_NO_BUMP', 'X3'],
  ['lock', 'BREAK_WAKE_GRANTS', 'X1'],
  ['lock', 'BREAK_KEEP_NEWS', 'X2'],
  ['lock', 'KILLS=1 ROUNDS=1', 'X3'],
  ['lock', 'BREAK_BLIND_BEAT KILLS=1 BEATS ROUNDS=1', 'X3'],
  ['lock', 'BREAK_SILENT_BEAT KILLS=1 BEATS ROUNDS=1', 'X3'],

  ['queue', 'PRODUCERS=1 CONSUMERS=2'],
  ['queue', 'PRODUCERS=1 CONSUMERS=2 CONSUMED_FIRST'],
  ['queue', 'PRODUCERS=2 CONSUMERS=1 ITEMS=2'],
  ['queue', 'PRODUCERS=2 CONSUMERS=1 ITEMS=1 SLOTS=1 CONSUMED_FIRST'],
  ['queue', 'PRODUCERS=2 CONSUMERS=2 ITEMS=1 SLOTS=1'],
  ['queue', 'PRODUCERS=1 CONSUMERS=1 KILLS=2 BEATS SLOTS=3 ITEMS=4'],
  ['queue', 'PRODUCERS=1 CONSUMERS=2 KILLS=2 BEATS ITEMS=2'],
  ['queue', 'PRODUCERS=1 CONSUMERS=2 KILLS=1 BEATS ITEMS=2 SLOTS=1'],
  ['queue', 'PRODUCERS=2 CONSUMERS=1 KILLS=2 BEATS ITEMS=1 SLOTS=1'],
  ['queue', 'PRODUCERS=2 CONSUMERS=1 ITEMS=1 SLOTS=1 CLOSE'],
  ['queue', 'PRODUCERS=1 CONSUMERS=2 ITEMS=2 CLOSE'],
  ['queue', 'PRODUCERS=1 CONSUMERS=1 KILLS=1 BEATS ITEMS=2 CLOSE'],
  ['queue', 'PRODUCERS=1 CONSUMERS=1 VIEWER'],
  ['queue', 'BREAK_POSITION_FIRST', 'Q1'],
  ['queue', 'BREAK_POSITION_BETWEEN', 'Q1'],
  ['queue', 'BREAK_COPY_LAST', 'Q1'],
  ['queue', 'BREAK_TWO_STORES KILLS=1 BEATS ITEMS=2', 'Q1'],
  ['queue', 'BREAK_DELIVER_FIRST KILLS=1 BEATS ITEMS=2', 'Q3'],
  ['queue', 'BREAK_NO_MUTEX PRODUCERS=2 CONSUMERS=1 ITEMS=1', 'Q2'],
  ['queue', 'BREAK_WAKE_FIRST', 'Q4'],
  ['queue', 'BREAK_NO_LOOK', 'Q4'],
  ['queue', 'BREAK_LOOK_FIRST', 'Q4'],
  ['queue', 'BREAK_EXPECTED_LATE', 'Q4'],
  ['queue', 'BREAK_BUMP_FIRST', 'Q4'],
  ['queue', 'BREAK_NO_BUMP', 'Q4'],
  ['queue', 'BREAK_CLOSE_SILENT CLOSE ITEMS=1 CONSUMERS=1', 'Q4'],
  ['queue', 'BREAK_CLOSE_ALONE CLOSE ITEMS=1 CONSUMERS=1', 'Q5'],
  ['queue', 'BREAK_CLOSED_LATE CLOSE ITEMS=2 CONSUMERS=2', 'Q5'],
  ['queue', 'BREAK_NOT_ROBUST KILLS=1 BEATS ITEMS=2', 'Q6'],
  ['queue', 'BREAK_SIZE_PRODUCED_FIRST VIEWER CONSUMERS=1', 'Q7'],
  ['queue', 'BREAK_SIZE_ONE_LOOK VIEWER CONSUMERS=1', 'Q7'],
  ['queue', 'BREAK_SAW_UNLOCKED CONSUMERS=2', 'Q8'],
  ['queue', 'KILLS=1 ITEMS=2', 'Q4'],
  ['queue', 'BREAK_BLIND_BEAT KILLS=1 BEATS ITEMS=2', 'Q4'],
  ['queue', 'BREAK_SILENT_BEAT KILLS=1 BEATS PRODUCERS=2 CONSUMERS=1 ITEMS=2 SLOTS=1', 'Q4'],

  ['join', 'PUTTERS=2 WORKERS=1'],
  ['join', 'PUTTERS=1 WORKERS=2 ROUNDS=3'],
  ['join', 'PUTTERS=2 WORKERS=1 KILLS=2 BEATS ROUNDS=1'],
  ['join', 'PUTTERS=1 WORKERS=2 KILLS=1 BEATS'],
  ['join', 'BREAK_GENERATIONS ROUNDS=1', 'J1'],
  ['join', 'BREAK_COMPLETED_LATE', 'J1'],
  ['join', 'BREAK_PRODUCED_FIRST WORKERS=2 ROUNDS=1', 'J1'],
  ['join', 'BREAK_NO_LOOK', 'J2'],
  ['join', 'KILLS=1', 'J2'],

  ['transaction', 'PROCESSES=3 ROUNDS=1'],
  ['transaction', 'PROCESSES=2 KILLS=1 BEATS'],
  ['transaction', 'PROCESSES=3 KILLS=2 BEATS ROUNDS=1'],
  ['transaction', 'PROCESSES=3 UNITS=2 KILLS=1 BEATS ROUNDS=1'],
  ['transaction', 'BREAK_COUNT_FIRST KILLS=1 BEATS', 'T1'],
  ['transaction', 'BREAK_WORD_FIRST KILLS=1 BEATS', 'T1'],
  ['transaction', 'BREAK_EARLY_COMMIT KILLS=1 BEATS', 'T1'],
  ['transaction', 'BREAK_NO_UNDO KILLS=1 BEATS', 'T1'],
  ['transaction', 'BREAK_UNDO_FORWARD KILLS=1 BEATS', 'T1'],
  ['transaction', 'BREAK_UNDO_FORGETS KILLS=2 BEATS', 'T1'],
  ['transaction', 'BREAK_NO_COMMIT', 'T2'],
  ['transaction', 'BREAK_NO_LOOK', 'T3'],
  ['transaction', 'BREAK_NO_TEND KILLS=1 BEATS', 'T3'],
  ['transaction', 'KILLS=1', 'T3'],
  ['transaction', 'BREAK_NOT_ROBUST KILLS=1 BEATS', 'T4'],
]

const { values: options } = parseArgs({ options: { filter: { type: 'string', default: '' } } })
const modelFolder = path.join(import.meta.dirname, '..', 'test', 'models')

const checks = CHECKS.filter(([model, settings]) => `${model} ${settings}`.includes(options.filter))
if (checks.length === 0) {
  console.error(`No check matches "${options.filter}"`)
  process.exit(1)
}
await demand('spin', ['-V'], 'It is in the package "spin" of Debian, Ubuntu and Homebrew: apt-get install spin')
await demand(COMPILER, ['--version'], 'Spin writes a C program: install a C compiler, or name one in CC')

// Two at a time, if there are enough processors, and each has MEMORY_MB.
const lanes = Math.max(1, Math.min(2, availableParallelism(), Math.floor(freemem() / 2 ** 20 / MEMORY_MB)))
const folder = mkdtempSync(path.join(tmpdir(), 'procshare-models-'))
const waiting = checks.entries()
const started = performance.now()
let failed = 0
try {
  await Promise.all(Array.from({ length: lanes }, work))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
console.log(`${checks.length - failed} passed, ${failed} failed (${secondsSince(started)} s)`)
process.exitCode = failed === 0 ? 0 : 1

async function work() {
  for (const [index, check] of waiting) {
    if (!(await report(check, path.join(folder, `${index}`)))) failed++
  }
}

async function report([model, settings, broken], outDir) {
  const started = performance.now()
  const output = await explore(model, settings, broken, outDir)
  const states = Number(/(\d+) states, stored/.exec(output)?.[1] ?? 0)
  const ok = broken ? EVIDENCE[broken].test(output) : holds(output)
  const verdict = broken ? `${ok ? 'breaks' : 'does not break'} ${broken}` : ok ? 'holds' : 'does not hold'
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${model} ${settings}: ${verdict} (${states} states, ${secondsSince(started)} s)`)
  if (!ok) console.log(output.trimEnd())
  return ok
}

function secondsSince(started) {
  return ((performance.now() - started) / 1000).toFixed(1)
}

// A search that ran out of depth, memory or time proves nothing.
function holds(output) {
  return /errors: 0\b/.test(output) && !/search not completed|too small|MEMLIM|failed/i.test(output)
}

async function explore(model, settings, broken, outDir) {
  mkdirSync(outDir)
  const source = path.join(modelFolder, `${model}.pml`)
  const defines = settings.split(' ').map((setting) => `-D${setting}`)
  try {
    await run('spin', ['-a', ...defines, source], outDir)
    // A mistake is found quickly; compiling takes longer than the search.
    const flags = [broken ? '-O0' : '-O1', '-w', '-DSAFETY', `-DMEMLIM=${MEMORY_MB}`]
    await run(COMPILER, [...flags, '-o', 'pan', 'pan.c'], outDir)
    return await run(path.join(outDir, 'pan'), ['-n', `-m${DEEPEST}`], outDir)
  } catch (error) {
    return `${error.stdout ?? ''}${error.stderr ?? ''}\nfailed: ${error.message}`
  }
}

async function run(command, args, cwd) {
  const { stdout, stderr } = await promisify(execFile)(command, args, { cwd, timeout: DEADLINE_MS })
  return stdout + stderr
}

async function demand(command, args, advice) {
  try {
    await promisify(execFile)(command, args)
  } catch (error) {
    console.error(`Cannot run ${command} (${error.code}). ${advice}`)
    process.exit(1)
  }
}
