// Checks the Spin models in test/models: the protocols as they are have to hold, each mistake built into them has to be
// found, and by the property that it breaks.
//
//   node scripts/check-models.mjs [--filter=NAME]

import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs, promisify } from 'node:util'

const DEADLINE_MS = 180_000
const MEMORY_MB = 2000
const COMPILER = process.env.CC ?? 'cc'

// What the checker says when a property fails; the letters are those of the models.
const EVIDENCE = {
  X1: /assertion violated .*inside/,
  X2: /assertion violated .*news/,
  X3: /invalid end state/,
  Q1: /assertion violated .*truth/,
  Q2: /assertion violated .*state\[3\]/,
  Q4: /assertion violated .*asleep/,
}

// [model, options, the property that fails]
const CHECKS = [
  ['lock', 'ASYNC=2 BLOCKING=1'],
  ['lock', 'ASYNC=3 BLOCKING=0'],
  ['lock', 'ASYNC=2 BLOCKING=0 KILLS=2 BEATS'],
  ['lock', 'ASYNC=2 BLOCKING=1 KILLS=2 BEATS ROUNDS=1'],
  ['lock', 'ASYNC=3 BLOCKING=0 KILLS=2 BEATS ROUNDS=1'],
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
  ['queue', 'PRODUCERS=2 CONSUMERS=1 ITEMS=2'],
  ['queue', 'PRODUCERS=1 CONSUMERS=2 SLOTS=3 ITEMS=4'],
  ['queue', 'PRODUCERS=1 CONSUMERS=2 ATTEMPT'],
  ['queue', 'PRODUCERS=1 CONSUMERS=1 KILLS=2 BEATS'],
  ['queue', 'PRODUCERS=1 CONSUMERS=1 KILLS=2 BEATS SLOTS=3 ITEMS=4'],
  ['queue', 'PRODUCERS=1 CONSUMERS=2 KILLS=2 BEATS ITEMS=2'],
  ['queue', 'PRODUCERS=2 CONSUMERS=1 KILLS=2 BEATS ITEMS=1'],
  ['queue', 'PRODUCERS=2 CONSUMERS=1 KILLS=1 BEATS ITEMS=1 SLOTS=1'],
  ['queue', 'PRODUCERS=1 CONSUMERS=2 KILLS=1 BEATS ITEMS=2 ATTEMPT'],
  ['queue', 'PRODUCERS=1 CONSUMERS=2 KILLS=1 BEATS ITEMS=2 SLOTS=1 MORE_BEATS'],
  ['queue', 'PRODUCERS=1 CONSUMERS=2 KILLS=1 BEATS ITEMS=2 SLOTS=1 ALSO_WAKE_AFTER_ROLLBACK'],
  ['queue', 'ALSO_BYTES_BEFORE_COMMIT KILLS=1 BEATS ITEMS=2'],
  ['queue', 'ALSO_COPY_BEFORE_UNLOCK KILLS=1 BEATS ITEMS=2'],
  ['queue', 'ALSO_WAKE_BEFORE_UNLOCK KILLS=1 BEATS ITEMS=2'],
  ['queue', 'BREAK_NO_LOOK', 'Q4'],
  ['queue', 'BREAK_BUSY_IS_EMPTY', 'Q4'],
  ['queue', 'BREAK_WAKE_FIRST', 'Q4'],
  ['queue', 'BREAK_COPY_LAST', 'Q1'],
  ['queue', 'BREAK_NO_COMMIT', 'Q2'],
  ['queue', 'BREAK_BYTES_LAST KILLS=1 BEATS ITEMS=2', 'Q1'],
  ['queue', 'BREAK_EARLY_COMMIT KILLS=1 BEATS ITEMS=2', 'Q2'],
  ['queue', 'BREAK_WORD_FIRST KILLS=1 BEATS ITEMS=2', 'Q2'],
  ['queue', 'BREAK_NO_ROLLBACK KILLS=1 BEATS ITEMS=2', 'Q2'],
  ['queue', 'BREAK_ROLLBACK_FORGETS KILLS=2 BEATS ITEMS=2', 'Q2'],
  ['queue', 'BREAK_BLIND_TO_DEATH KILLS=1 BEATS ITEMS=2 MORE_BEATS', 'Q4'],
  ['queue', 'KILLS=1 ITEMS=2', 'Q4'],
  ['queue', 'KILLS=1 BEATS ITEMS=2 SLOTS=1', 'Q4'],
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

const folder = mkdtempSync(path.join(tmpdir(), 'procshare-models-'))
let failed = 0
try {
  for (const [index, check] of checks.entries()) {
    if (!(await report(check, path.join(folder, `${index}`)))) failed++
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
console.log(`${checks.length - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

// One after the other: a check may need all of MEMORY_MB.
async function report([model, settings, broken], outDir) {
  const started = performance.now()
  const output = await explore(model, settings, outDir)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  const states = Number(/(\d+) states, stored/.exec(output)?.[1] ?? 0)
  const ok = broken ? EVIDENCE[broken].test(output) : holds(output)
  const verdict = broken ? `${ok ? 'breaks' : 'does not break'} ${broken}` : ok ? 'holds' : 'does not hold'
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${model} ${settings}: ${verdict} (${states} states, ${seconds} s)`)
  if (!ok) console.log(output.trimEnd())
  return ok
}

// A search that ran out of depth, memory or time has shown nothing.
function holds(output) {
  return /errors: 0\b/.test(output) && !/search not completed|too small|MEMLIM|failed/i.test(output)
}

async function explore(model, settings, outDir) {
  mkdirSync(outDir)
  const source = path.join(modelFolder, `${model}.pml`)
  const defines = settings.split(' ').map((setting) => `-D${setting}`)
  try {
    await run('spin', ['-a', ...defines, source], outDir)
    await run(COMPILER, ['-O2', '-w', '-DSAFETY', `-DMEMLIM=${MEMORY_MB}`, '-o', 'pan', 'pan.c'], outDir)
    return await run(path.join(outDir, 'pan'), ['-n'], outDir)
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
