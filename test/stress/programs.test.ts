/**
 * Random programs of four processes, all at once and at full speed, over all objects; in every other program one process is
 * killed in the middle. What must be true afterwards whoever came first: see `judge`.
 */
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import {
  Barrier,
  Condition,
  Event,
  JoinableQueue,
  Lock,
  Pipe,
  Queue,
  RawValue,
  RLock,
  Semaphore,
  SharedArray,
} from 'procshare'
import { afterAll, expect, it } from 'vitest'
import { type FixtureProcess, spawnFixture, within } from '../helpers/fixture.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { announce, STRESS_TIMEOUT_MS, settings } from './settings.ts'

const PROCESSES = 4
/** Behind the players sit one who consumes, works, echoes and responds, and one who collects tokens. */
const CONSUMER = PROCESSES
const UNITS = 2
const LOCKS = 2
const PUTS = PROCESSES * LOCKS
const TOKEN = 2
const PUT = 3
const JOB = 4
const SIGNAL = 6
const VERBS = 8
/** Programs have this length; and parts, at the beginning of which all players meet. */
const LENGTH = 120
const PART = 20
/** Nothing takes longer, so what does hangs. */
const DEADLINE_MS = 30_000

interface Act {
  readonly verb: number
  readonly n: number
}

interface Plan {
  readonly programs: readonly Act[][]
  /** Who is killed, and after how many turns of this event loop; nobody. */
  readonly victim: number | undefined
  readonly turns: number
  readonly blocking: boolean
}

const act = fc.record<Act>({ verb: fc.nat(VERBS - 1), n: fc.nat(1000) }, { noNullPrototype: true })
const plan = fc.record<Plan>(
  {
    programs: fc.array(fc.array(act, { minLength: LENGTH, maxLength: LENGTH }), {
      minLength: PROCESSES,
      maxLength: PROCESSES,
    }),
    victim: fc.option(fc.nat(PROCESSES - 1), { nil: undefined, freq: 1 }),
    turns: fc.nat(400),
    blocking: fc.boolean(),
  },
  { noNullPrototype: true },
)

function makeObjects() {
  return {
    lock: new Lock(),
    rlock: new RLock(),
    counters: new SharedArray('i', LOCKS, { lock: false }),
    present: new SharedArray('i', LOCKS, { lock: false }),
    done: new SharedArray('i', PUTS + PROCESSES, { lock: false }),
    violations: new RawValue('i', 0),
    slots: new Semaphore(UNITS, { recoverable: true }),
    busy: new SharedArray('i', PROCESSES, { lock: false }),
    condition: new Condition(),
    tokens: new SharedArray('i', PROCESSES, { lock: false }),
    queue: new Queue<unknown>({ byteLength: 1024 }),
    received: new SharedArray('i', PROCESSES, { lock: false }),
    jobs: new JoinableQueue<number>(),
    worked: new SharedArray('i', PROCESSES, { lock: false }),
    answers: new SharedArray('i', PROCESSES, { lock: false }),
    signals: new SharedArray('i', PROCESSES, { lock: false }),
    event: new Event(),
    barrier: new Barrier(PROCESSES),
    // How often each place at the barrier was taken, a byte for each.
    trips: new RawValue('I', 0),
  }
}

type Objects = ReturnType<typeof makeObjects>

const countOf = (program: readonly Act[], verb: number) => program.filter((one) => one.verb === verb).length

/** Players, and the two others. They outlive a program, unless it kills them. */
class Company implements AsyncDisposable {
  readonly #players: FixtureProcess[] = []

  async gather(): Promise<readonly FixtureProcess[]> {
    while (this.#players.length < PROCESSES + 2) this.#players.push(await spawnFixture('stress-player'))
    return [...this.#players]
  }

  async kill(player: FixtureProcess): Promise<void> {
    this.#players.splice(this.#players.indexOf(player), 1)
    await player.kill()
  }

  /** After a failure nobody knows what they are at. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#players.splice(0).map((player) => player[Symbol.asyncDispose]()))
  }
}

async function play({ programs, victim, turns, blocking }: Plan, objects: Objects, company: Company): Promise<void> {
  const handles = Object.fromEntries(Object.entries(objects).map(([key, object]) => [key, object.handle]))
  const all = await company.gather()
  const lines = programs.map(() => new Pipe({ byteLength: 256 }))
  const config = (seat: number) => ({
    objects: handles,
    line: lines[seat]?.[0].handle,
    echoes: seat === CONSUMER ? lines.map(([, end]) => end.handle) : [],
    seat,
    victim,
    units: UNITS,
    puts: PUTS,
    part: PART,
  })
  try {
    await Promise.all(all.map((player, seat) => player.call('join', config(seat))))
  } finally {
    for (const line of lines) line[Symbol.dispose]()
  }
  const [consumer, collector] = all.slice(CONSUMER) as [FixtureProcess, FixtureProcess]
  const consuming = Promise.all([consumer.call('consume'), consumer.call('work')])
  const echoing = consumer.call('echo')
  const counts = (verb: number) => programs.map((program, seat) => (seat === victim ? 0 : countOf(program, verb)))
  const collecting = [collector.call('collect', counts(TOKEN), blocking), consumer.call('respond', counts(SIGNAL))]
  const playing = programs.map((program, seat) => {
    const played = all[seat]!.call('play', program)
    return seat === victim ? played.catch(() => {}) : played // it may be killed before it can answer
  })
  if (victim !== undefined) {
    for (let i = 0; i < turns; i++) await turn()
    await company.kill(all[victim]!)
  }
  await Promise.all([...playing, ...collecting])
  objects.queue.end()
  objects.jobs.end()
  await consuming
  await judge(programs, victim, objects)
  await Promise.all(all.filter((_, seat) => seat !== victim).map((player) => player.call('part')))
  await echoing
}

async function judge(programs: Plan['programs'], victim: number | undefined, objects: Objects): Promise<void> {
  const { lock, rlock, counters, done, violations, slots, received, tokens, worked, signals } = objects
  expect(violations.value, 'a critical section was entered twice, or a queue was out of order').toBe(0)
  for (const [i, one] of [lock, rlock].entries()) {
    // One who dies between the two writes has counted and not noted it.
    const noted = programs.map((_, seat) => done[seat * LOCKS + i]!).reduce((sum, n) => sum + n, 0)
    const lost = counters[i]! - noted
    expect(victim === undefined ? [0] : [0, 1], `updates of lock ${i}`).toContain(lost)
    one.tryAcquire()!.release()
  }
  // Units of the dead come back by themselves.
  for (let i = 0; i < UNITS; i++) await slots.acquire({ timeoutMs: 10_000 })
  expect(slots.tryAcquire()).toBe(false)
  if (victim === undefined) expect(objects.trips.value, 'places at the barrier').toBe((LENGTH / PART) * 0x01010101)
  for (const [seat, program] of programs.entries()) {
    const puts = done[PUTS + seat]!
    if (seat === victim) {
      // It may have put one that it has not noted.
      expect([puts, puts + 1], 'items of the dead').toContain(received[seat])
    } else {
      expect([puts, received[seat], tokens[seat], worked[seat], signals[seat]]).toEqual(
        [PUT, PUT, TOKEN, JOB, SIGNAL].map((verb) => countOf(program, verb)),
      )
    }
  }
}

expectNoLeftovers()
const company = new Company()
afterAll(() => company[Symbol.asyncDispose]())

it(
  'random programs of processes, with and without a kill, agree with the models',
  async () => {
    const parameters = settings(15)
    announce('Programs', parameters)
    await fc.assert(
      fc.asyncProperty(plan, async (one) => {
        const objects = makeObjects()
        try {
          await within(play(one, objects, company), DEADLINE_MS, () => 'a program has not ended')
        } catch (error) {
          await company[Symbol.asyncDispose]()
          throw error
        } finally {
          for (const object of Object.values(objects)) object.close()
        }
      }),
      parameters,
    )
  },
  STRESS_TIMEOUT_MS,
)
