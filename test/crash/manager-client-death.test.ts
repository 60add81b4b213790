/** Clients of a manager that end in each state, in each way, while others wait for what they have. */
import { type ManagedProxy, Manager } from 'procshare'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { shareError } from '../helpers/error-matchers.ts'
import { eventually } from '../helpers/eventually.ts'
import { type FixtureProcess, type FixtureWorker, spawnFixture, startWorker } from '../helpers/fixture.ts'

type Peer = FixtureProcess | FixtureWorker

const WAYS = {
  'is killed': { start: spawnFixture, end: (peer: Peer) => (peer as FixtureProcess).kill() },
  exits: {
    start: spawnFixture,
    end: async (peer: Peer) => {
      void peer.call('exit').catch(() => {})
      await (peer as FixtureProcess).ended()
    },
  },
  'is a worker that is terminated': { start: startWorker, end: (peer: Peer) => (peer as FixtureWorker).terminate() },
} as const
const FORMS = { 'asynchronous form': false, 'blocking form': true } as const

// A thread that is blocked cannot exit.
const cases = Object.entries(FORMS)
  .flatMap(([form, isBlocking]) => Object.entries(WAYS).map(([way, does]) => ({ form, isBlocking, way, ...does })))
  .filter(({ isBlocking, way }) => !(isBlocking && way === 'exits'))
const IN_TIME = { timeoutMs: 20_000 }

let manager: Manager
let name: string
let lastName = 0

beforeAll(async () => {
  manager = await Manager.start()
})
afterAll(() => manager.shutdown())
beforeEach(() => {
  name = `object ${++lastName}`
})

const isShown = (proxy: ManagedProxy, text: string) => eventually(async () => (await proxy.show()).includes(text))

describe.each(cases)('when a client of the $form $way', ({ isBlocking, start, end }) => {
  const user = () => start('managed-user', { address: manager.address, isBlocking }) as Promise<Peer>

  it.each(['Lock', 'RLock'] as const)('a %s that it holds goes to the next one, as abandoned', async (kind) => {
    const lock = await manager[kind]({ name })
    await using peer = await user()
    expect(await peer.call('do', kind, name, 'acquire')).toEqual({ abandoned: false })
    const waiting = lock.acquire(IN_TIME)
    await isShown(lock, 'waiting=1')
    await end(peer)
    const guard = await waiting
    expect(guard.abandoned).toBe(true)
    await guard.release()
    expect((await lock.acquire(IN_TIME)).abandoned).toBe(false)
  })

  it('a lock that it waits for goes to those behind it', async () => {
    const lock = await manager.Lock({ name })
    const guard = await lock.acquire()
    await using peer = await user()
    await peer.call('begin', 'Lock', name, 'acquire')
    await isShown(lock, 'waiting=1')
    const waiting = lock.acquire(IN_TIME)
    await end(peer)
    await eventually(async () => (await lock.show()) === 'Lock(locked, waiting=1)')
    await guard.release()
    expect((await waiting).abandoned).toBe(false)
  })

  it('the units that it has come back, and the one that it waits for is not lost', async () => {
    const semaphore = await manager.Semaphore(2, { name })
    await using peer = await user()
    await peer.call('do', 'Semaphore', name, 'acquire')
    expect(await peer.call('do', 'Semaphore', name, 'tryAcquire')).toBe(true)
    await peer.call('begin', 'Semaphore', name, 'acquire')
    await isShown(semaphore, 'waiting=1')
    const waiting = [semaphore.acquire(IN_TIME), semaphore.acquire(IN_TIME)]
    await isShown(semaphore, 'waiting=3')
    await end(peer)
    await Promise.all(waiting)
    expect(await semaphore.value).toBe(0)
    await semaphore.release(2)
    expect(await semaphore.value).toBe(2)
  })

  it('a notification that it has been given and has not answered goes to the next', async () => {
    const condition = await manager.Condition({ name })
    await using peer = await user()
    await peer.call('beginWait', name)
    await isShown(condition, 'waiting=1')
    const waiting = condition.run(() => condition.wait(IN_TIME))
    await isShown(condition, 'waiting=2')
    await condition.run(async () => {
      expect(await condition.notify()).toBe(1)
      await end(peer)
      await eventually(async () => (await condition.show()) === 'Condition(locked)')
    })
    expect(await waiting).toBe(true)
  })

  it('the wait for a condition ends with it, and nobody is told that the lock was abandoned', async () => {
    const condition = await manager.Condition({ name })
    await using peer = await user()
    await peer.call('beginWait', name)
    await isShown(condition, 'waiting=1')
    await end(peer)
    await eventually(async () => (await condition.show()) === 'Condition(free)')
    const guard = await condition.acquire(IN_TIME)
    expect([guard.abandoned, await condition.notify(1, { guard })]).toEqual([false, 0])
  })

  it('the lock of a condition that it holds goes to the next one, as abandoned', async () => {
    const condition = await manager.Condition({ name })
    await using peer = await user()
    await peer.call('do', 'Condition', name, 'acquire')
    const waiting = condition.acquire(IN_TIME)
    await end(peer)
    expect((await waiting).abandoned).toBe(true)
  })

  it('the barrier that it waits at is broken', async () => {
    const barrier = await manager.Barrier(3, { name })
    const waiting = barrier.wait(IN_TIME)
    waiting.catch(() => {})
    await isShown(barrier, 'waiting=1')
    await using peer = await user()
    await peer.call('begin', 'Barrier', name, 'wait')
    await isShown(barrier, 'waiting=2')
    await end(peer)
    await expect(waiting).rejects.toThrow(shareError('ERR_BROKEN_BARRIER'))
    expect(await barrier.broken).toBe(true)
  })

  it('the barrier for which it acts is broken', async () => {
    const barrier = await manager.Barrier(2, { name })
    const waiting = barrier.wait(IN_TIME)
    waiting.catch(() => {})
    await isShown(barrier, 'waiting=1')
    await using peer = await user()
    await peer.call('act', name)
    await peer.event('acting')
    await end(peer)
    await expect(waiting).rejects.toThrow(shareError('ERR_BROKEN_BARRIER'))
  })

  it('a queue loses nothing to its waits, for items, room or the end of the work', async () => {
    const queue = await manager.JoinableQueue<number>({ name, maxSize: 1 })
    {
      await using peer = await user()
      await peer.call('begin', 'JoinableQueue', name, 'get')
      await isShown(queue, 'waiting=1')
      await end(peer)
      await eventually(async () => (await queue.show()) === 'JoinableQueue(size=0/1)')
    }
    await queue.put(1)
    {
      await using peer = await user()
      await peer.call('begin', 'JoinableQueue', name, 'put', 2)
      await isShown(queue, 'waiting=1')
      await end(peer)
      await eventually(async () => (await queue.show()) === 'JoinableQueue(size=1/1)')
    }
    {
      await using peer = await user()
      await peer.call('begin', 'JoinableQueue', name, 'join')
      await isShown(queue, 'waiting=1')
      await end(peer)
      await eventually(async () => (await queue.show()) === 'JoinableQueue(size=1/1)')
    }
    expect(await queue.get()).toBe(1)
    expect([await queue.isEmpty, await queue.unfinished]).toEqual([true, 1])
  })
})

describe('when the server ends', () => {
  it.each(Object.entries(FORMS))('those who wait in the %s are told', async (_form, isBlocking) => {
    const doomed = await Manager.start()
    const lock = await doomed.Lock('held')
    await lock.acquire()
    const waiting = lock.acquire()
    waiting.catch(() => {})
    await using peer = await spawnFixture('managed-user', { address: doomed.address, isBlocking })
    await peer.call('begin', 'Lock', 'held', 'acquire')
    await isShown(lock, 'waiting=2')
    process.kill(doomed.pid!, 'SIGKILL')
    await expect(waiting).rejects.toThrow(shareError('ERR_DISCONNECTED'))
    expect(await peer.event('failed')).toBe('ERR_DISCONNECTED')
    await expect(lock.locked).rejects.toThrow(shareError('ERR_DISCONNECTED'))
    await doomed.shutdown()
  })
})
