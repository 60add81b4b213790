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
/**
 * Where the system has no robust mutexes, a lock is its owner's until the whole process has ended. How long the kernel takes to
 * end one that is killed is not the library's: seconds, on a machine that is busy enough.
 */
const OWNER_IS_THE_PROCESS = process.env.TEST_FALLBACKS === '1' || process.platform === 'darwin'
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
      if (!OWNER_IS_THE_PROCESS) return time
      await owner.ended()
      return now()
    },
  },
  'calls process.exit()': { rounds: 6, start: process_, cause: (owner) => endItself(owner, 'exit', 0) },
  'throws an uncaught error': { rounds: 6, start: process_, cause: (owner) => endItself(owner, 'throw') },
  'is a worker that is terminated': { rounds: 10, start: worker, cause: terminate },
  'is a worker that calls process.exit()': {
    rounds: 6,
    start: worker,
    cause: (owner) => endItself(owner, 'exit', 0),
  },
  'is a worker that throws an uncaught error': {
    rounds: 6,
    start: worker,
    cause: (owner) => endItself(owner, 'throw'),
  },
  'is a worker that is terminated while it blocks': {
    rounds: 10,
    patienceMs: TERMINATION_MS,
    start: worker,
    async cause(owner) {
      owner.call('block', others.handle).catch(() => {})
      await untilAsleep(process.pid, others.name, 2) // beside the task of this process
      return await terminate(owner)
    },
  },
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

/** A process and a worker that block, and a task of this and of another process. */
const waiters = (): Waiter[] => [blocked(elsewhere, elsewhere.pid), blocked(inWorker, process.pid), here, tasks]

describe.each(Object.entries(deaths))('when the owner %s', (_how, death) => {
  it('each of its locks goes at once to its blocking or asynchronous waiter, with abandoned: true', async () => {
    const locks = waiters().map(() => Lock.create(uniqueName('lock')))
    await inTime(death, death.rounds, async (owner, round) => {
      for (const lock of locks) await hold(owner, lock, round)
      const visits = await Promise.all(waiters().map((waiter, i) => arrive(locks[i]!, [waiter])))
      return { visits, locks }
    })
    for (const lock of locks) lock.close()
  })

  it('a lock with many waiters goes at once to one of them, the only one with abandoned: true, and then to the others', async () => {
    using lock = Lock.create(uniqueName('lock'))
    await inTime(death, death.rounds / 2, async (owner, round) => {
      await hold(owner, lock, round)
      return { visits: [await arrive(lock, waiters())], locks: [lock] }
    })
  })
})

async function hold(owner: Peer, lock: Lock, round: number): Promise<void> {
  expect(await owner.call('hold', lock.handle, round % 2 === 0 ? 'sync' : 'async')).toBe(false)
}

/** Lets visitors wait for a lock; they wait when the promise is fulfilled. */
async function arrive(lock: Lock, visitors: Waiter[]): Promise<{ granted: Promise<Visit[]> }> {
  const granted = Promise.all(visitors.map((visitor) => visitor.visit(lock)))
  for (const { pid } of visitors) {
    await untilAsleep(pid, lock.name, visitors.filter((visitor) => visitor.pid === pid).length)
  }
  return { granted }
}

/** Rounds in each of which an owner dies and all locks that it held go to those who wait, in time. */
async function inTime(
  death: Death,
  rounds: number,
  prepare: (owner: Peer, round: number) => Promise<{ visits: { granted: Promise<Visit[]> }[]; locks: Lock[] }>,
): Promise<void> {
  const limit = NOTICED_WITHIN_MS + (death.patienceMs ?? 0)
  let repeats = 0
  for (let round = 0; round < rounds; round++) {
    await using owner = await death.start()
    const { visits, locks } = await prepare(owner, round)
    watch.worstMs()
    const died = await death.cause(owner as FixtureProcess & FixtureWorker)
    const firstOnes = []
    for (const { granted } of visits) {
      const inOrder = (await granted).sort((a, b) => a.at - b.at)
      expect(inOrder.map(({ abandoned }) => abandoned)).toEqual(inOrder.map((_visit, place) => place === 0))
      firstOnes.push(inOrder[0]!.at - died)
    }
    for (const lock of locks) {
      using free = lock.tryAcquire()
      expect(free?.abandoned).toBe(false)
    }
    const took = Math.max(...firstOnes)
    if (took > limit && watch.worstMs() > STALLED_MS && ++repeats < MAX_REPEATS) round--
    else expect(took).toBeLessThan(limit)
  }
}
