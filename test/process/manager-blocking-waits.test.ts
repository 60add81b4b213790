/** The blocking form of what clients wait for, through a server of its own, with others that wait meanwhile. */
import { type BlockingObjects, Manager } from 'procshare'
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest'
import { shareError, typeError, valueError } from '../helpers/error-matchers.ts'
import { eventually } from '../helpers/eventually.ts'
import { spawnFixture } from '../helpers/fixture.ts'

let manager: Manager
let sync: BlockingObjects

beforeAll(async () => {
  manager = await Manager.start()
  sync = manager.sync
})
afterAll(() => manager.shutdown())

describe('the blocking form', () => {
  it.each(['Lock', 'RLock'] as const)('takes and releases a %s for the thread', (kind) => {
    const lock = sync[kind]()
    const guard = lock.acquire()
    expectTypeOf(guard.release()).toEqualTypeOf<void>()
    expect(() => guard.release()).toThrow(shareError('ERR_NOT_OWNER'))
    expect(lock.run(({ abandoned }) => [abandoned, lock.locked])).toEqual([false, true])
    expect(() => lock.run(async () => {})).toThrow(valueError())
    expect(() =>
      lock.run(() => {
        throw new RangeError('as asked')
      }),
    ).toThrow(new RangeError('as asked'))
    expect(lock.locked).toBe(false)
    {
      using _guard = lock.acquire({ timeoutMs: 100 })
      expect(lock.locked).toBe(true)
    }
    lock.acquire()
    lock.release()
    expect(lock.locked).toBe(false)
    expect(() => lock.release()).toThrow(shareError('ERR_NOT_OWNER'))
    expect(() => lock.acquire({ signal: AbortSignal.abort() } as never)).toThrow(valueError())
  })

  it('refuses a Lock to the thread that holds it, and grants it an RLock again', () => {
    const lock = sync.Lock()
    lock.acquire()
    expect(() => lock.acquire()).toThrow(shareError('ERR_DEADLOCK'))
    expect(lock.tryAcquire()).toBeUndefined()
    const recursive = sync.RLock()
    const guards = [recursive.acquire(), recursive.tryAcquire()!, recursive.acquire()]
    for (const guard of guards) {
      expect(recursive.locked).toBe(true)
      guard.release()
    }
    expect(recursive.locked).toBe(false)
  })

  it('is another client than the asynchronous form', async () => {
    const lock = await manager.RLock('of both forms')
    const blocking = sync.RLock('of both forms')
    const guard = blocking.acquire()
    expect(await lock.tryAcquire()).toBeUndefined()
    await expect(lock.release()).rejects.toThrow(shareError('ERR_NOT_OWNER'))
    guard.release()
    await lock.run(() => expect(() => blocking.acquire({ timeoutMs: 5 })).toThrow(shareError('ERR_TIMEOUT')))
    expect(sync.of(lock).locked).toBe(false)
  })

  it('waits while other clients continue, and ends in time', async () => {
    const lock = await manager.Lock('busy')
    const guard = await lock.acquire()
    const started = performance.now()
    expect(() => sync.Lock('busy').acquire({ timeoutMs: 30 })).toThrow(shareError('ERR_TIMEOUT', /30 ms/))
    expect(performance.now() - started).toBeGreaterThan(29)
    await using peer = await spawnFixture('managed-user', { address: manager.address, isBlocking: true })
    await peer.call('begin', 'Lock', 'busy', 'acquire')
    await eventually(async () => (await lock.show()) === 'Lock(locked, waiting=1)')
    await guard.release()
    expect(await peer.event('done')).toEqual({ abandoned: false })
    expect(sync.Lock('busy').locked).toBe(true)
  })

  it('counts with semaphores, sets events, meets at barriers', async () => {
    const semaphore = sync.BoundedSemaphore(1)
    semaphore.acquire()
    expect([semaphore.tryAcquire(), semaphore.value]).toEqual([false, 0])
    expect(() => semaphore.acquire({ timeoutMs: 1 })).toThrow(shareError('ERR_TIMEOUT'))
    semaphore.release()
    expect(() => semaphore.release()).toThrow(shareError('ERR_OVER_RELEASE'))
    const event = sync.Event('ready')
    await using peer = await spawnFixture('managed-user', { address: manager.address, isBlocking: true })
    await peer.call('begin', 'Event', 'ready', 'wait')
    await eventually(() => event.show() === 'Event(unset, waiting=1)')
    event.set()
    expect(await peer.event('done')).toBe(true)
    expect([event.isSet, event.wait()]).toEqual([true, true])
    let acted = 0
    const barrier = sync.Barrier(2, { name: 'meeting', action: () => acted++ })
    await peer.call('begin', 'Barrier', 'meeting', 'wait')
    await eventually(() => barrier.waiting === 1)
    expect([barrier.wait(), acted]).toEqual([1, 1])
    expect(await peer.event('done')).toBe(0)
    expect(() => barrier.wait({ timeoutMs: 1 })).toThrow(shareError('ERR_TIMEOUT'))
    expect(() => barrier.wait()).toThrow(shareError('ERR_BROKEN_BARRIER'))
    barrier.reset()
    const alone = sync.Barrier(1, { action: () => Promise.resolve() })
    expect(() => alone.wait()).toThrow(valueError())
    expect(alone.broken).toBe(true)
  })

  it('waits for conditions, over a lock of the same form', async () => {
    const lock = sync.Lock()
    const condition = sync.Condition({ lock, name: 'changed' })
    expect(() => condition.notify()).toThrow(shareError('ERR_NOT_OWNER'))
    lock.run(() => expect(condition.notifyAll()).toBe(0))
    expect(() => condition.run(() => condition.wait({ timeoutMs: 5 }))).toThrow(shareError('ERR_TIMEOUT'))
    expect(condition.locked).toBe(false)
    let asked = 0
    const late = () => condition.run(() => condition.waitFor(() => ++asked > 9, { timeoutMs: 5 }))
    expect(late).toThrow(shareError('ERR_TIMEOUT', /5 ms/))
    expect(asked).toBe(2)
    expect(condition.run(() => condition.waitFor(() => 'at once'))).toBe('at once')
    await using peer = await spawnFixture('managed-user', { address: manager.address, isBlocking: true })
    await peer.call('beginWait', 'changed')
    await eventually(() => condition.show() === 'Condition(free, waiting=1)')
    const guard = condition.acquire()
    expect(condition.notify(5, { guard })).toBe(1)
    guard.release()
    await peer.event('done')
  })

  it('puts, gets, and iterates to the end of a queue', async () => {
    const queue = sync.JoinableQueue<number>({ name: 'jobs', maxSize: 2 })
    queue.putMany([1, 2])
    expect([queue.size, queue.isFull, queue.tryPut(3)]).toEqual([2, true, false])
    expect(() => queue.put(3, { timeoutMs: 1 })).toThrow(shareError('ERR_TIMEOUT'))
    await using peer = await spawnFixture('managed-user', { address: manager.address, isBlocking: true })
    await peer.call('begin', 'JoinableQueue', 'jobs', 'put', 3)
    await eventually(() => queue.show() === 'JoinableQueue(size=2/2, waiting=1)')
    expect([queue.get(), queue.tryGet(), queue.getMany(5)]).toEqual([1, { value: 2 }, [3]])
    await peer.event('done')
    await peer.call('begin', 'JoinableQueue', 'jobs', 'join')
    await eventually(() => queue.show().includes('waiting=1'))
    queue.taskDone(3)
    await peer.event('done')
    expect([queue.unfinished, queue.isEmpty, queue.tryGet()]).toEqual([0, true, undefined])
    queue.putMany([4, 5])
    queue.end()
    expect([...queue]).toEqual([4, 5])
    expect(() => queue.get()).toThrow(shareError('ERR_ENDED'))
    expect(() => queue.getMany('1' as never)).toThrow(typeError())
  })

  it('has its own types', async () => {
    const lock = await manager.Lock()
    expectTypeOf(sync.of(lock).acquire).returns.not.toExtend<Promise<unknown>>()
    expectTypeOf(sync.of(lock).run(() => 3)).toEqualTypeOf<number>()
    const queue = await manager.Queue<string>()
    await queue.put('x')
    const got = sync.of(queue).get()
    expectTypeOf(got).toEqualTypeOf<string>()
    expect(got).toBe('x')
  })
})
