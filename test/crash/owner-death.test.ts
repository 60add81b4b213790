import { Lock } from 'procshare'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { now, StallWatch } from '../helpers/clock.ts'
import { type FixtureProcess, type FixtureWorker, type Peer, spawnFixture, startWorker } from '../helpers/fixture.ts'
import { uniqueName } from '../helpers/segment-names.ts'
import { untilAsleep } from '../helpers/sleepers.ts'

/** What the library promises, for a waiter of any kind. */
const NOTICED_WITHIN_MS = 100
/** A machine whose timers are this late proves nothing about 100 ms: the round is repeated. */
const STALLED_MS = 25
const MAX_REPEATS = 40
/** A blocked worker looks at this interval whether it is to be terminated. */
const TERMINATION_MS = 100

interface Visit {
  readonly at: number
  readonly abandoned: boolean
}

/** Who waits for the lock. */
interface Waiter {
  readonly pid: number
  visit(lock: Lock): Promise<Visit>
}

interface Death {
  readonly rounds: number
  readonly patienceMs?: number
  start(): Promise<FixtureProcess | FixtureWorker>
  /** Ends the owner and says when: at which moment it was killed, or, if its end takes Node some time, was gone. */
  cause(owner: FixtureProcess & FixtureWorker): Promise<number>
}

const process_ = () => spawnFixture('lock-user')
const worker = () => startWorker('lock-user')

async function endItself(owner: FixtureProcess | FixtureWorker, how: string, ...params: unknown[]): Promise<number> {
  owner.call(how, ...params).catch(() => {})
  await owner.ended()
  return now()
}

async function terminate(owner: FixtureWorker): Promise<number> {
  const time = now()
  void owner.terminate()
  return time
}

let elsewhere: FixtureProcess
let inTasks: FixtureProcess
let inWorker: FixtureWorker
let bystander: FixtureProcess
let watch: StallWatch
/** A lock that no death has to do with: the bystander holds it all the time, and a task of this process waits for it. */
let others: Lock
let disturbed = false
const enough = new AbortController()

beforeAll(async () => {
  elsewhere = await process_()
  inTasks = await process_()
  inWorker = await worker()
  bystander = await process_()
  others = Lock.create(uniqueName('others'))
  await bystander.call('hold', others.handle)
  void others.acquire({ signal: enough.signal }).then(
    () => {
      disturbed = true
    },
    () => {},
  )
  watch = new StallWatch()
})

afterEach(() => {
  expect(disturbed).toBe(false)
  expect(others.owner).toEqual({ pid: bystander.pid, threadId: 0 })
})

afterAll(async () => {
  enough.abort()
  await bystander.call('release', others.handle)
  expect(others.acquireSync({ timeoutMs: 1_000 }).abandoned).toBe(false)
  await Promise.all([elsewhere, inTasks, inWorker, bystander].map((peer) => peer[Symbol.asyncDispose]()))
  others.close()
  watch[Symbol.dispose]()
})

const deaths: Record<string, Death> = {
  'is killed': {
    rounds: 20,
    start: process_,
    async cause(owner) {
      const time = now()
      owner.child.kill('SIGKILL')
      return time
    },
  },
  'calls process.exit()': { rounds: 5, start: process_, cause: (owner) => endItself(owner, 'exit', 0) },
  'throws an uncaught error': { rounds: 5, start: process_, cause: (owner) => endItself(owner, 'throw') },
  'is a worker that is terminated': { rounds: 10, start: worker, cause: terminate },
  'is a worker that calls process.exit()': {
    rounds: 5,
    start: worker,
    cause: (owner) => endItself(owner, 'exit', 0),
  },
  'is a worker that throws an uncaught error': {
    rounds: 5,
    start: worker,
    cause: (owner) => endItself(owner, 'throw'),
  },
  'is a worker that is terminated while it blocks': {
    rounds: 10,
    patienceMs: TERMINATION_MS,
    start: worker,
    async cause(owner) {
      owner.call('block', others.handle).catch(() => {})
      await untilAsleep(process.pid, others.name)
      return await terminate(owner)
    },
  },
}

const waiters: Record<string, () => Waiter[]> = {
  'a blocked process': () => [blocked(elsewhere, elsewhere.pid)],
  'a blocked worker': () => [blocked(inWorker, process.pid)],
  'a task of this process': () => [here],
  'a task of another process': () => [tasks],
  'all of these': () => [blocked(elsewhere, elsewhere.pid), blocked(inWorker, process.pid), here, tasks],
}

const here: Waiter = {
  pid: process.pid,
  async visit(lock) {
    const guard = await lock.acquire()
    const at = now()
    guard.release()
    return { at, abandoned: guard.abandoned }
  },
}

const tasks: Waiter = {
  get pid() {
    return inTasks.pid
  },
  visit: (lock) => inTasks.call('visit', lock.handle, 'async'),
}

function blocked(peer: Peer, pid: number): Waiter {
  return { pid, visit: (lock) => peer.call('visit', lock.handle, 'sync') }
}

describe.each(Object.entries(deaths))('when the owner %s', (_how, death) => {
  it.each(Object.entries(waiters))('%s has the lock at once, and is told', async (_who, makeWaiters) => {
    using lock = Lock.create(uniqueName('lock'))
    const limit = NOTICED_WITHIN_MS + (death.patienceMs ?? 0)
    let repeats = 0
    for (let round = 0; round < death.rounds; round++) {
      const took = await loseOwner(death, lock, makeWaiters(), round % 2 === 0 ? 'sync' : 'async')
      if (took > limit && watch.worstMs() > STALLED_MS && ++repeats < MAX_REPEATS) round--
      else expect(took).toBeLessThan(limit)
    }
  })
})

/** One round: an owner dies while others wait. Gives the time from its end to the next owner's beginning. */
async function loseOwner(death: Death, lock: Lock, visitors: Waiter[], how: 'sync' | 'async'): Promise<number> {
  await using owner = await death.start()
  expect(await owner.call('hold', lock.handle, how)).toBe(false)
  const visits = visitors.map((waiter) => waiter.visit(lock))
  for (const { pid } of visitors) {
    await untilAsleep(pid, lock.name, visitors.filter((waiter) => waiter.pid === pid).length)
  }
  watch.worstMs()
  const died = await death.cause(owner as FixtureProcess & FixtureWorker)
  const granted = (await Promise.all(visits)).sort((a, b) => a.at - b.at)
  expect(granted.map(({ abandoned }) => abandoned)).toEqual(granted.map((_visit, place) => place === 0))
  using free = lock.tryAcquire()
  expect(free?.abandoned).toBe(false)
  return granted[0]!.at - died
}
