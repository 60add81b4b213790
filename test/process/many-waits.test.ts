import {
  Condition,
  Event,
  type Handle,
  listSegments,
  notify,
  Queue,
  Semaphore,
  SharedArray,
  SharedState,
} from 'procshare'
import { describe, expect, it } from 'vitest'
import { now, StallWatch } from '../helpers/clock.ts'
import { ENDLESS_WAITS } from '../helpers/endless-waits.mjs'
import { eventually } from '../helpers/eventually.ts'
import { FixtureProcess, FixtureWorker, spawnFixture } from '../helpers/fixture.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'

expectNoLeftovers()

const COUNT = 10_000
/** What a machine that is busy with other things may add; nobody's timers are better than those of the test. */
const STALLED_MS = 25
const LATE_MS = 150

/** What is waited for, and how all those who wait get it. */
interface Targets extends Disposable {
  readonly handles: Handle[]
  /** Grants each of `count` waits, as `begin` of the fixture has spread them. */
  grant(count: number): void
}

function disposing(objects: (Disposable & { readonly handle: Handle })[], grant: Targets['grant']): Targets {
  const dispose = () => {
    for (const object of objects) object[Symbol.dispose]()
  }
  return { handles: objects.map(({ handle }) => handle), grant, [Symbol.dispose]: dispose }
}

type Granting = (share: number) => void

/** Objects of five kinds in turn. */
function mixed(count: number): Targets {
  const grants: Granting[] = []
  const objects = Array.from({ length: count }, (_, i) => {
    if (i % 5 === 0) return granting(new Event(), (event) => event.set())
    if (i % 5 === 1) return granting(new Semaphore(0), (semaphore, share) => semaphore.release(share))
    if (i % 5 === 2) return granting(new Queue<number>(), (queue, share) => queue.putManySync(Array(share).fill(0)))
    if (i % 5 === 3) return granting(new Condition(), (condition) => condition.runSync(() => condition.notifyAll()))
    return granting(new SharedArray('i', 1), (words) => notify(words, 0))
  })
  function granting<T>(object: T, grant: (object: T, share: number) => unknown): T {
    grants.push((share) => void grant(object, share))
    return object
  }
  return disposing(objects, (total) => {
    for (const grant of grants) grant(total / count)
  })
}

function states(count: number, members: number): Targets {
  const made = Array.from(
    { length: count },
    () => new SharedState(Object.fromEntries(Array.from({ length: members }, (_, i) => [`event${i}`, Event()]))),
  )
  return disposing(made as never, () => {
    for (const state of made) for (const event of Object.values(state) as unknown as Event[]) event.set()
  })
}

it.each<[string, number, () => Targets]>([
  ['one event', 1, () => mixed(1)],
  ['fifty objects of five kinds', 50, () => mixed(50)],
  ['three hundred events in three states', 300, () => states(3, 100)],
])(
  'ten thousand waits for %s are pending beside files and timers, on few threads, until all are granted',
  async (_title, targetCount, make) => {
    using targets = make()
    await using child = await spawnFixture('many-waits')
    await child.call('work', 10) // what starting up has left to do; the pool has its threads
    const before = await child.call<number>('threads')
    expect(await child.call('begin', targets.handles, COUNT)).toBe(targetCount)
    const waiting = Math.ceil(targetCount / 127) + 1
    using watch = new StallWatch()
    const { worstMs, threads } = await child.call<{ worstMs: number; threads: number }>('work', 100)
    if (watch.worstMs() < STALLED_MS) expect(worstMs).toBeLessThan(LATE_MS)
    expect(threads - before).toBeLessThanOrEqual(waiting)
    expect(await child.call('settled')).toBe(0)
    expect(await child.call('processorTime', 1_000)).toBeLessThan(60)
    targets.grant(COUNT)
    expect(await child.call('granted')).toBe(COUNT)
  },
)

const KINDS = Object.keys(ENDLESS_WAITS)
const BLOCKING = KINDS.filter((kind) => ENDLESS_WAITS[kind]!.waitSync !== undefined)

/** Words have no object that could be unref'd: each call says whether its wait keeps the process alive. */
const OBJECTS = KINDS.filter((kind) => kind !== 'word')

const ownSegmentsOf = (pid: unknown) => listSegments().filter(({ creatorPid }) => creatorPid === pid)

describe.each(OBJECTS)('a process that only waits (%s)', (kind) => {
  const start = (form: string) => new FixtureProcess('endless-wait', { kinds: [kind], form }, {})

  it('stays until the timeout, or without limit, and also after unref() and ref() during the wait', async () => {
    await using child = start('kept alive')
    if (ENDLESS_WAITS[kind]!.hasTimeout !== false) expect(await child.event('failed')).toBe('ERR_TIMEOUT')
    await child.event('stayed')
    await child.event('stayed after ref()')
    expect(await child.ended()).toEqual({ code: 13, signal: null })
  })

  it('ends by itself with code 13 after unref() and leaves nothing behind', async () => {
    await using child = start('unref, await')
    const pid = await child.event('waiting')
    expect(await child.ended()).toEqual({ code: 13, signal: null })
    expect(ownSegmentsOf(pid)).toEqual([])
  })
})

it.each([
  ['unref, await with a timeout', 13],
  ['unref, let be', 0],
])('a process that waits for objects of all kinds ends by itself after unref() (%s: code %i)', async (form, code) => {
  await using child = new FixtureProcess('endless-wait', { kinds: OBJECTS, form }, {})
  const pid = await child.event('waiting')
  expect(await child.ended()).toEqual({ code, signal: null })
  expect(ownSegmentsOf(pid)).toEqual([])
})

it('a process that waits for a word stays until the wait has ended, unless every wait has ref: false', async () => {
  await using child = new FixtureProcess('endless-wait', { kinds: [], form: 'words' }, {})
  const pid = await child.event('waiting')
  expect([await child.event('ended'), await child.event('ended'), await child.event('ended')]).toEqual([
    'timed-out',
    'timed-out',
    'ok',
  ])
  expect(await child.ended()).toEqual({ code: 13, signal: null })
  expect(ownSegmentsOf(pid)).toEqual([])
})

describe('a worker that waits is terminated at once', () => {
  const ROUNDS = 3
  const SOON_MS = 2_000

  it.each([...KINDS.map((kind) => [kind, 'let be'] as const), ...BLOCKING.map((kind) => [kind, 'sync'] as const)])(
    '%s (%s)',
    async (kind, form) => {
      for (let round = 0; round < ROUNDS; round++) {
        await using worker = new FixtureWorker('endless-wait', { kinds: [kind], form }, {})
        await worker.event('waiting')
        using watch = new StallWatch()
        const start = now()
        expect(await worker.terminate()).toBe(1)
        if (watch.worstMs() < STALLED_MS) expect(now() - start).toBeLessThan(SOON_MS)
        expect(worker.failure).toBeUndefined()
      }
    },
  )
})

it('process.exit() at once ends a process with pending waits of every kind', async () => {
  for (let round = 0; round < 5; round++) {
    await using child = new FixtureProcess('endless-wait', { kinds: [], form: 'exit' }, {})
    expect(await child.ended()).toEqual({ code: 7, signal: null })
    expect(child.stderr).toBe('')
    const mine = () => listSegments().filter(({ creatorPid }) => creatorPid === child.pid)
    await eventually(() => mine().length === 0)
  }
})
