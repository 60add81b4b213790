// A demonstration that ends by itself and checks what it shows (`npm run demo`):
//
//   1. the example of Python's documentation;
//   2. four processes that count together in shared memory. One of them hangs while it holds the lock, halfway through a
//      change, and is killed. The next owner of the lock learns of it, repairs the data and continues.

import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import colors from 'picocolors'
import { isMainProcess, Process, RawValue, SharedArray } from 'procshare'

const WORKERS = 4
const ROUNDS = 120
const STEPS_PER_ROUND = 500
const STEPS = ROUNDS * STEPS_PER_ROUND
const PAUSE_MS = 20

const VICTIM = 2
const LAST_STEP_OF_VICTIM = STEPS / 2

/** Positions in the array of counts: one per worker, followed by the number of all steps. */
const TOTAL = WORKERS

const HANGS_FOR_MS = 600
const FRAME_MS = 50
const LINE_MS = 1000
const DEADLINE_MS = 60_000

const PYTHON_EXPECTED = '3.1415927\n[0, -1, -2, -3, -4, -5, -6, -7, -8, -9]\n'

/** The function of each worker. Both counts of a step change together, under the lock. */
export async function work(me, counts, isStuck, repairs) {
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; i < STEPS_PER_ROUND; i++) {
      counts.lock.runSync(({ abandoned }) => {
        if (abandoned) {
          counts[TOTAL] = counts.subarray(0, WORKERS).reduce((sum, count) => sum + count, 0)
          repairs.add(1)
        }
        counts[me]++
        if (me === VICTIM && counts[me] === LAST_STEP_OF_VICTIM) hang(isStuck)
        counts[TOTAL]++
      })
    }
    await sleep(PAUSE_MS)
  }
}

function hang(isStuck) {
  isStuck.value = true
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}

async function main() {
  const failures = [...runPythonExample(), ...(await runWorkers())]
  for (const failure of failures) console.error(colors.red(`wrong: ${failure}`))
  process.exitCode = failures.length === 0 ? 0 : 1
}

function runPythonExample() {
  console.log(colors.bold("The example of Python's documentation"))
  const program = fileURLToPath(new URL('python-docs.mjs', import.meta.url))
  const output = execFileSync(process.execPath, [program], { encoding: 'utf8', timeout: DEADLINE_MS })
  console.log(output)
  return output === PYTHON_EXPECTED ? [] : [`the output of python-docs.mjs, which should be\n${PYTHON_EXPECTED}`]
}

async function runWorkers() {
  console.log(colors.bold(`${WORKERS} processes, ${STEPS.toLocaleString('en')} steps each, one lock`))
  const counts = new SharedArray('i', WORKERS + 1)
  const isStuck = new RawValue('?')
  const repairs = new RawValue('i')
  const workers = Array.from({ length: WORKERS }, (_, me) =>
    new Process(import.meta.url, {
      export: 'work',
      args: [me, counts, isStuck, repairs],
      name: `worker ${me + 1}`,
    }).start(),
  )
  const screen = new Screen(workers, counts)
  const started = performance.now()
  let stuckSince = 0
  while (workers.some((worker) => worker.isAlive)) {
    await sleep(FRAME_MS)
    const now = performance.now()
    if (now - started > DEADLINE_MS) {
      for (const worker of workers) worker.kill()
      return [`not done after ${DEADLINE_MS / 1000} seconds`]
    }
    if (isStuck.value && stuckSince === 0) {
      stuckSince = now
      screen.say(colors.yellow(`${workers[VICTIM].name} hangs in the middle of a step, with the lock; all wait for it`))
    }
    if (stuckSince > 0 && now - stuckSince > HANGS_FOR_MS && workers[VICTIM].isAlive) {
      workers[VICTIM].kill()
      stuckSince = Infinity
      screen.say(colors.red(`${workers[VICTIM].name} killed (SIGKILL): the lock goes to the next one`))
    }
    screen.draw()
  }
  const exitCodes = await Promise.all(workers.map((worker) => worker.join()))
  screen.draw(true)
  return check(counts, repairs.value, exitCodes)
}

function check(counts, repairs, exitCodes) {
  const failures = []
  const expect = (what, actual, expected) => {
    if (actual !== expected) failures.push(`${what} is ${actual}, not ${expected}`)
  }
  for (let me = 0; me < WORKERS; me++) {
    expect(`the count of worker ${me + 1}`, counts[me], me === VICTIM ? LAST_STEP_OF_VICTIM : STEPS)
    expect(`the exit code of worker ${me + 1}`, exitCodes[me], me === VICTIM ? -9 : 0)
  }
  const expected = (WORKERS - 1) * STEPS + LAST_STEP_OF_VICTIM
  expect('the number of all steps', counts[TOTAL], expected)
  expect('the number of repairs', repairs, 1)
  if (failures.length === 0) {
    console.log(
      colors.green(
        `${counts[TOTAL].toLocaleString('en')} steps counted, as many as were made; one process was told of the death`,
      ),
    )
  }
  return failures
}

/** Bars that are redrawn on a terminal; without a terminal, one line per second. */
class Screen {
  #workers
  #counts
  #isTerminal = process.stdout.isTTY === true
  #rows = 0
  #lastLine = Number.NEGATIVE_INFINITY

  constructor(workers, counts) {
    this.#workers = workers
    this.#counts = counts
  }

  /** Prints a line above the bars. */
  say(text) {
    this.#erase()
    console.log(text)
  }

  /** Reads the counts from memory without the lock: the display need not be exact, and must not wait. */
  draw(isLast = false) {
    const shares = this.#workers.map((_, me) => this.#counts[me] / STEPS)
    const total = this.#counts[TOTAL].toLocaleString('en')
    if (!this.#isTerminal) {
      const now = performance.now()
      if (!isLast && now - this.#lastLine < LINE_MS) return
      this.#lastLine = now
      console.log(`${shares.map((share) => `${Math.floor(share * 100)}%`.padStart(4)).join(' ')}   ${total} steps`)
      return
    }
    this.#erase()
    const lines = this.#workers.map((worker, me) => this.#bar(worker, shares[me]))
    console.log([...lines, `${total} steps`].join('\n'))
    this.#rows = lines.length + 1
  }

  #bar(worker, share) {
    const width = 40
    const done = Math.round(share * width)
    const state = worker.isAlive ? 'running' : worker.exitCode === 0 ? colors.green('done') : colors.red('killed')
    const bar = colors.cyan('█'.repeat(done)) + colors.dim('░'.repeat(width - done))
    return `${worker.name}  ${bar} ${`${Math.floor(share * 100)}%`.padStart(4)}  ${state}`
  }

  #erase() {
    if (this.#rows > 0) process.stdout.write(`\x1b[${this.#rows}A\x1b[J`)
    this.#rows = 0
  }
}

// At the end, where the class above is defined.
if (isMainProcess) await main()
