import { AsyncLocalStorage } from 'node:async_hooks'
import { RLock, SharedArray, Value } from 'procshare'
import { describe, expect, it } from 'vitest'
import { shareError } from '../helpers/error-matchers.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { isPending, turns } from '../helpers/turns.ts'

expectNoLeftovers()

const deadlock = shareError('ERR_DEADLOCK')

describe('a thread that holds an RLock', () => {
  it('can acquire it any number of times, and releases it as often', () => {
    using lock = new RLock()
    const guards = [lock.acquireSync(), lock.tryAcquire()!, lock.acquireSync({ timeoutMs: 0 })]
    expect(lock.runSync(() => lock.runSync(() => 'inner'))).toBe('inner')
    for (const guard of guards) {
      expect(lock.locked).toBe(true)
      guard.release()
    }
    expect(lock.locked).toBe(false)
  })

  it('can acquire it again through any object', () => {
    using value = new Value('i', 1)
    using same = Value.attach(value.handle, 'i')
    value.lock.runSync(() => {
      same.lock.runSync(() => same.update((n) => value.add(n) + 5))
    })
    expect(value.value).toBe(6)
    expect(value.lock.locked).toBe(false)
  })

  it('makes asynchronous acquisitions wait, because they belong to tasks', async () => {
    using lock = new RLock()
    const held = lock.acquireSync()
    const acquired = lock.acquire()
    const ran = lock.run(() => 'ran')
    expect(await isPending(acquired)).toBe(true)
    const again = lock.acquireSync()
    held.release()
    expect(await isPending(acquired)).toBe(true)
    again.release()
    ;(await acquired).release()
    expect(await ran).toBe('ran')
  })

  it('may call run, which begins after the thread has released it', async () => {
    using lock = new RLock()
    let result: Promise<string> | undefined
    lock.runSync(() => {
      result = lock.run(() => 'later')
    })
    expect(await result).toBe('later')
  })
})

describe('a task that holds an RLock in run', () => {
  it('can acquire it again in every form, across awaits', async () => {
    using lock = new RLock()
    await lock.run(async () => {
      await turns(1)
      const guard = await lock.acquire()
      await turns(1)
      expect(await lock.run(async () => lock.run(() => 'inner'))).toBe('inner')
      expect(lock.runSync(() => lock.acquireSync().release())).toBeUndefined()
      lock.tryAcquire()!.release()
      ;(await lock.acquire({ timeoutMs: 0 })).release()
      expect(lock.locked).toBe(true)
      guard.release()
      expect(lock.locked).toBe(true)
    })
    expect(lock.locked).toBe(false)
  })

  it('is recognised also when it had to wait for the lock', async () => {
    using lock = new RLock()
    const held = lock.acquireSync()
    const running = lock.run(async () => {
      await turns(1)
      expect(lock.runSync(() => 'inner')).toBe('inner')
      return await lock.run(() => 'nested')
    })
    held.release()
    expect(await running).toBe('nested')
  })

  it('is recognised in timers, callbacks and parallel branches that it has started', async () => {
    using lock = new RLock()
    await lock.run(async () => {
      const inTimer = new Promise((resolve) => setTimeout(() => resolve(lock.runSync(() => 'timer')), 1))
      const inTick = new Promise((resolve) => process.nextTick(() => resolve(lock.runSync(() => 'tick'))))
      const branches = Array.from({ length: 3 }, (_, i) => lock.run(async () => turns(1).then(() => i)))
      expect(await Promise.all([inTimer, inTick, ...branches])).toEqual(['timer', 'tick', 0, 1, 2])
    })
    expect(lock.locked).toBe(false)
  })

  it('does not make other tasks owners: they wait, or are refused', async () => {
    using lock = new RLock()
    let finish = () => {}
    const running = lock.run(
      () =>
        new Promise<void>((resolve) => {
          finish = resolve
        }),
    )
    await turns()
    const other = lock.acquire()
    expect(await isPending(other)).toBe(true)
    expect(() => lock.acquireSync()).toThrow(deadlock)
    expect(lock.tryAcquire()).toBeUndefined()
    finish()
    await running
    ;(await other).release()
  })

  it('keeps it until the last of its nested runs has settled, in any order', async () => {
    using lock = new RLock()
    let finishInner = () => {}
    let inner: Promise<void> | undefined
    await lock.run(() => {
      inner = lock.run(
        () =>
          new Promise<void>((resolve) => {
            finishInner = resolve
          }),
      )
    })
    expect(lock.locked).toBe(true)
    const other = lock.acquire()
    expect(await isPending(other)).toBe(true)
    finishInner()
    await inner
    ;(await other).release()
    expect(lock.locked).toBe(false)
  })

  it('is no longer recognised when its run has ended', async () => {
    using lock = new RLock()
    let late: () => Promise<unknown> = async () => {}
    await lock.run(() => {
      late = AsyncLocalStorage.bind(() => lock.acquire())
    })
    const guard = await lock.acquire()
    const waiting = late()
    expect(await isPending(waiting)).toBe(true)
    guard.release()
    ;((await waiting) as Disposable)[Symbol.dispose]()
  })

  it('is recognised inside the run of another lock, and the other way round', async () => {
    using outer = new RLock()
    using inner = new RLock()
    await outer.run(() =>
      inner.run(async () => {
        await turns(1)
        outer.acquireSync().release()
        inner.acquireSync().release()
        await outer.run(() => inner.run(() => outer.runSync(() => {})))
      }),
    )
    expect([outer.locked, inner.locked]).toEqual([false, false])
  })

  it('may use the values that the lock guards', async () => {
    using lock = new RLock()
    using value = new Value('i', 1, { lock })
    using array = new SharedArray('i', [1, 2], { lock })
    await lock.run(async () => {
      value.value += 1
      await turns(1)
      array.assign([value.value])
      expect([...array.snapshot()]).toEqual([2, 2])
      value.update((n) => n * 10)
    })
    expect(value.value).toBe(20)
    expect(() => lock.runSync(() => value.add(1))).not.toThrow()
  })
})

describe('the guard of acquire on an RLock', () => {
  it('belongs to no task, so no acquisition is recursive under it', async () => {
    using lock = new RLock()
    const guard = await lock.acquire()
    expect(() => lock.acquireSync()).toThrow(deadlock)
    expect(() => lock.runSync(() => {})).toThrow(deadlock)
    expect(lock.tryAcquire()).toBeUndefined()
    const second = lock.acquire()
    const third = lock.run(() => {})
    expect(await isPending(second)).toBe(true)
    guard.release()
    ;(await second).release()
    await third
  })

  it('may be released after the run in which it was acquired', async () => {
    using lock = new RLock()
    const guard = await lock.run(() => lock.acquire())
    expect(lock.locked).toBe(true)
    expect(() => lock.acquireSync()).toThrow(deadlock)
    guard.release()
    expect(lock.locked).toBe(false)
  })
})
