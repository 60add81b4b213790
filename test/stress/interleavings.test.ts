/**
 * Random programs of three processes, one step at a time, against sequential models; now and then a process is killed,
 * sometimes with something in hand.
 */
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { within } from '../helpers/fixture.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { BarrierModel } from './barrier-model.ts'
import { Cast, type Seat } from './cast.ts'
import { ConditionModel } from './condition-model.ts'
import { EventModel } from './event-model.ts'
import { JoinableQueueModel } from './joinable-queue-model.ts'
import { LockModel } from './lock-model.ts'
import { type Model, type Move, VERBS } from './model.ts'
import { PipeModel } from './pipe-model.ts'
import { QueueModel } from './queue-model.ts'
import { SemaphoreModel } from './semaphore-model.ts'
import { announce, STRESS_TIMEOUT_MS, settings } from './settings.ts'
import { WordsModel } from './words-model.ts'

const PROCESSES = 3
const PROGRAM_DEADLINE_MS = 60_000
/** One who was stopped inside a transaction holds up the others: they go on when it is killed. */
const STOPPED_MS = 1_000
const MODELS: readonly (() => Model)[] = [
  () => new LockModel(false),
  () => new LockModel(true),
  () => new SemaphoreModel(false),
  () => new SemaphoreModel(true),
  () => new EventModel(),
  () => new ConditionModel(),
  () => new BarrierModel(),
  () => new QueueModel(),
  () => new JoinableQueueModel(),
  () => new PipeModel(),
  () => new WordsModel(),
]

interface Turn extends Move {
  readonly seat: number
  /** Which of the program's objects, counted round. */
  readonly model: number
  readonly kill: boolean
}

/** A few objects at a time: then there is more going on at each. */
interface Program {
  readonly models: readonly number[]
  readonly turns: readonly Turn[]
}

const turn = fc.record<Turn>(
  {
    seat: fc.nat(PROCESSES - 1),
    model: fc.nat(MODELS.length - 1),
    verb: fc.nat(VERBS - 1),
    blocking: fc.boolean(),
    count: fc.integer({ min: 1, max: 3 }),
    kill: fc.nat(24).map((n) => n === 24),
  },
  { noNullPrototype: true },
)

const program = fc.record<Program>(
  {
    models: fc.uniqueArray(fc.nat(MODELS.length - 1), { minLength: 1, maxLength: 2 }),
    turns: fc.array(turn, { minLength: 5, maxLength: 50 }),
  },
  { noNullPrototype: true },
)

let cast: Cast
beforeAll(async () => {
  cast = await Cast.of(PROCESSES)
})
afterAll(() => cast[Symbol.asyncDispose]())
expectNoLeftovers()

async function end(seat: Seat, models: readonly Model[]): Promise<void> {
  await cast.kill(seat)
  for (const model of models) await model.lost(seat)
}

/** The same with what the process is given in its last moments. */
async function endAmid(seat: Seat, model: Model, models: readonly Model[]): Promise<void> {
  const free = cast.seats.find((one) => one !== seat && !one.blocked)
  // Windows stops nobody from outside.
  if (free === undefined || model.give === undefined || process.platform === 'win32') return end(seat, models)
  process.kill(seat.party.pid, 'SIGSTOP')
  const given = model.give(free, seat)
  await Promise.race([given, delay(STOPPED_MS)])
  await cast.kill(seat)
  await given
  for (const one of models) await one.lost(seat)
}

/** Until nobody waits any more: programs end in the middle of things, some of them in a deadlock. */
async function drain(models: readonly Model[]): Promise<void> {
  for (;;) {
    let moved = false
    for (const model of models) {
      const free = cast.seats.find(({ blocked }) => !blocked)
      if (free !== undefined && (await model.drain(free))) moved = true
    }
    if (moved) continue
    const blocked = cast.seats.find((seat) => seat.blocked)
    if (blocked === undefined) return
    await end(blocked, models)
  }
}

async function play(program: Program): Promise<void> {
  const models = program.models.map((i) => MODELS[i]!())
  let failed = true
  try {
    for (const { seat: place, model, kill, ...move } of program.turns) {
      const seat = cast.seats[place]!
      const target = models[model % models.length]!
      if (kill && move.blocking) await endAmid(seat, target, models)
      else if (kill) await end(seat, models)
      else if (!seat.blocked) await target.move(seat, move)
      for (const one of models) await one.check()
    }
    await drain(models)
    for (const one of models) await one.finish(cast.seats[0]!)
    failed = false
  } finally {
    await cast.reset(failed)
    for (const one of models) one.close()
  }
}

it(
  'every step of a random program has the result of a sequential model',
  async () => {
    const parameters = settings(30)
    announce('Interleavings', parameters)
    let programs = 0
    await fc.assert(
      fc.asyncProperty(program, async (one) => {
        programs++
        await within(play(one), PROGRAM_DEADLINE_MS, () => 'the program has not ended')
      }),
      parameters,
    )
    expect(programs).toBeGreaterThan(0)
  },
  STRESS_TIMEOUT_MS,
)
