import { AsyncLocalStorage } from 'node:async_hooks'
import fc from 'fast-check'
import { Lock, type LockGuard, RLock, SharedArray, Value } from 'procshare'
import { describe, expect, it } from 'vitest'
import { shareError, typeError, valueError } from '../helpers/error-matchers.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'
import { isPending, turns } from '../helpers/turns.ts'

expectNoLeftovers()

const deadlock = shareError('ERR_DEADLOCK', /^The lock of segment ".*" is already held by this thread or task/)

/** What is the same for Lock and RLock. */
describe.each([
  ['Lock', Lock],
  ['RLock', RLock],
] as const)('%s', (kind, AnyLock) => {
  it('is free at first', () => {
    using lock = new AnyLock()
    expect(lock.locked).toBe(false)
    expect(lock.owner).toBeUndefined()
  })

  it('is held from acquireSync until the guard is released', () => {
    using lock = new AnyLock()
    const guard = lock.acquireSync()
    expect(lock.locked).toBe(true)
    expect(lock.owner).toEqual({ pid: process.pid, threadId: 0 })
    expect([guard.abandoned, guard.released]).toEqual([false, false])
    guard.release()
    expect(guard.released).toBe(true)
    expect(lock.locked).toBe(false)
    expect(lock.owner).toBeUndefined()
  })

  it('is held from acquire until the guard is released', async () => {
    using lock = new AnyLock()
    const guard = await lock.acquire()
    expect(lock.locked).toBe(true)
    expect(guard.abandoned).toBe(false)
    guard.release()
    expect(lock.locked).toBe(false)
  })

  it('is taken at once by acquire when it is free, before the promise is awaited', async () => {
    using lock = new AnyLock()
    const granted = lock.acquire()
    expect(lock.locked).toBe(true)
    ;(await granted).release()
  })

  it('is taken by tryAcquire when it is free, which says no when it is held', async () => {
    using lock = new AnyLock()
    const guard = lock.tryAcquire()
    expect(guard?.abandoned).toBe(false)
    guard?.release()
    const held = await lock.acquire()
    expect(lock.tryAcquire()).toBeUndefined()
    held.release()
    lock.tryAcquire()?.release()
    expect(lock.locked).toBe(false)
  })

  it('is one lock, however many objects there are', async () => {
    using lock = new AnyLock()
    using same = AnyLock.attach(lock.handle)
    const guard = await lock.acquire()
    expect(same.locked).toBe(true)
    expect(same.tryAcquire()).toBeUndefined()
    guard.release()
    const second = same.acquireSync()
    expect(lock.locked).toBe(true)
    second.release()
  })

  it('is found by name: create, attach, open', () => {
    const name = uniqueName()
    expect(() => AnyLock.attach(name)).toThrow(shareError('ENOENT'))
    using created = AnyLock.create(name)
    expect(() => AnyLock.create(name)).toThrow(shareError('EEXIST'))
    using attached = AnyLock.attach(name)
    using opened = AnyLock.open(name)
    const guard = created.acquireSync()
    expect([attached.locked, opened.locked]).toEqual([true, true])
    guard.release()
    using fresh = AnyLock.open(uniqueName())
    expect(fresh.locked).toBe(false)
  })

  it('refuses the name of an object of another kind', () => {
    using value = new Value('i')
    using other = kind === 'Lock' ? new RLock() : new Lock()
    expect(() => AnyLock.attach(value.name)).toThrow(shareError('ERR_KIND', new RegExp(`a Value, not an? ${kind}`)))
    expect(() => AnyLock.open(other.name)).toThrow(shareError('ERR_KIND', new RegExp(`not an? ${kind}`)))
  })

  it('refuses options that it does not have', () => {
    expect(() => new AnyLock({ timeoutMs: 5 } as never)).toThrow(
      valueError(/^options\.timeoutMs is not a known option/),
    )
    expect(() => new AnyLock('name' as never)).toThrow(typeError(/^options must be an object, got 'name'/))
    expect(() => new AnyLock(null as never)).toThrow(typeError(/^options must be an object, got null/))
    expect(() => AnyLock.create(uniqueName(), { persist: 'yes' } as never)).toThrow(typeError(/^options\.persist/))
  })

  describe('its guard', () => {
    const acquisitions: [string, (lock: Lock | RLock) => LockGuard | Promise<LockGuard>][] = [
      ['acquireSync', (lock) => lock.acquireSync()],
      ['acquire', (lock) => lock.acquire()],
      ['tryAcquire', (lock) => lock.tryAcquire()!],
    ]

    it.each(acquisitions)('of %s is good for one release', async (_how, take) => {
      using lock = new AnyLock()
      const guard = await take(lock)
      guard.release()
      const next = await take(lock)
      expect(() => guard.release()).toThrow(shareError('ERR_NOT_OWNER', /This guard does not hold the lock any more/))
      guard[Symbol.dispose]()
      expect(lock.locked).toBe(true)
      next.release()
      expect(lock.locked).toBe(false)
    })

    it.each(acquisitions)('of %s releases when it is disposed, once', async (_how, take) => {
      using lock = new AnyLock()
      {
        using guard = await take(lock)
        expect(lock.locked).toBe(true)
        expect(guard.released).toBe(false)
      }
      expect(lock.locked).toBe(false)
      const guard = await take(lock)
      guard[Symbol.dispose]()
      expect(guard.released).toBe(true)
      guard[Symbol.dispose]()
      expect(() => guard.release()).toThrow(shareError('ERR_NOT_OWNER'))
      expect(lock.locked).toBe(false)
    })

    it('releases when the block is left by an error', () => {
      using lock = new AnyLock()
      const error = new Error('mine')
      expect(() => {
        using _guard = lock.acquireSync()
        throw error
      }).toThrow(error)
      expect(lock.locked).toBe(false)
    })
  })

  describe('run', () => {
    it('holds the lock until fn has settled, and gives its result', async () => {
      using lock = new AnyLock()
      const result = await lock.run(async (guard) => {
        expect(guard).toEqual({ abandoned: false })
        expect(lock.locked).toBe(true)
        await turns()
        expect(lock.locked).toBe(true)
        return 'result'
      })
      expect(result).toBe('result')
      expect(lock.locked).toBe(false)
    })

    it('takes functions that are not asynchronous, and thenables', async () => {
      using lock = new AnyLock()
      expect(await lock.run(() => 5)).toBe(5)
      // biome-ignore lint/suspicious/noThenProperty: what is tested
      const thenable = { then: (resolve: (value: number) => void) => setImmediate(resolve, 6) }
      expect(await lock.run(() => thenable as unknown as PromiseLike<number>)).toBe(6)
      expect(lock.locked).toBe(false)
    })

    it('releases when fn throws or rejects, and passes the error on', async () => {
      using lock = new AnyLock()
      const error = new Error('mine')
      const throwing = () => {
        throw error
      }
      await expect(lock.run(throwing)).rejects.toBe(error)
      expect(lock.locked).toBe(false)
      await expect(lock.run(() => Promise.reject(error))).rejects.toBe(error)
      expect(lock.locked).toBe(false)
    })

    it('keeps the context of its caller', async () => {
      using lock = new AnyLock()
      const storage = new AsyncLocalStorage<string>()
      const guard = lock.acquireSync()
      const seen = storage.run('mine', () => lock.run(() => storage.getStore()))
      guard.release()
      expect(await seen).toBe('mine')
    })

    it.each([undefined, null, 5, 'fn', {}])('refuses %o for a function, and takes nothing', async (fn) => {
      using lock = new AnyLock()
      await expect(lock.run(fn as never)).rejects.toEqual(typeError(/^fn must be a function, got /))
      expect(() => lock.runSync(fn as never)).toThrow(typeError(/^fn must be a function, got /))
      expect(lock.locked).toBe(false)
    })

    it('survives that fn closes the lock', async () => {
      const lock = new AnyLock()
      expect(
        await lock.run(async () => {
          lock.close()
          await turns()
          return 'done'
        }),
      ).toBe('done')
    })
  })

  describe('runSync', () => {
    it('holds the lock while fn runs, and gives its result', () => {
      using lock = new AnyLock()
      const result = lock.runSync((guard) => {
        expect(guard).toEqual({ abandoned: false })
        expect(lock.locked).toBe(true)
        return 'result'
      })
      expect(result).toBe('result')
      expect(lock.locked).toBe(false)
    })

    it('releases when fn throws, and passes the error on', () => {
      using lock = new AnyLock()
      const error = new Error('mine')
      const throwing = () => {
        throw error
      }
      expect(() => lock.runSync(throwing)).toThrow(error)
      expect(lock.locked).toBe(false)
    })

    it('refuses a function that gives a promise, and has released', () => {
      using lock = new AnyLock()
      expect(() => lock.runSync(async () => 5)).toThrow(
        valueError(/^fn must be a function that does not return a promise \(use run\), got /),
      )
      expect(lock.locked).toBe(false)
    })

    it('survives that fn closes the lock', () => {
      const lock = new AnyLock()
      expect(
        lock.runSync(() => {
          lock.close()
          return 'done'
        }),
      ).toBe('done')
    })
  })

  describe('pending acquisitions', () => {
    it('are granted in the order of the calls, in every form and from every task', async () => {
      using lock = new AnyLock()
      using same = AnyLock.attach(lock.handle)
      const held = lock.acquireSync()
      const order: number[] = []
      const work = Array.from({ length: 100 }, async (_, i) => {
        const chosen = i % 3 === 0 ? same : lock
        if (i % 2 === 0) {
          const guard = await chosen.acquire()
          order.push(i)
          if (i % 4 === 0) await turns(1)
          guard.release()
        } else {
          await chosen.run(async () => {
            order.push(i)
            if (i % 5 === 0) await turns(1)
          })
        }
      })
      await turns()
      expect(order).toEqual([])
      held.release()
      await Promise.all(work)
      expect(order).toEqual(Array.from({ length: 100 }, (_, i) => i))
      expect(lock.locked).toBe(false)
    })

    it('exclude each other', async () => {
      using lock = new AnyLock()
      let inside = 0
      let total = 0
      const enter = () =>
        lock.run(async () => {
          expect(++inside).toBe(1)
          const before = total
          await turns(1)
          total = before + 1
          inside--
        })
      await Promise.all(Array.from({ length: 50 }, enter))
      expect(total).toBe(50)
    })

    it('get the lock after a synchronous owner has released it', async () => {
      using lock = new AnyLock()
      const held = lock.acquireSync()
      const granted = lock.acquire()
      expect(await isPending(granted)).toBe(true)
      held.release()
      ;(await granted).release()
    })

    it('are not lost when another owner is faster', async () => {
      using lock = new AnyLock()
      const held = lock.acquireSync()
      const granted = lock.acquire()
      held.release()
      const quicker = lock.tryAcquire()
      expect(quicker).toBeDefined()
      expect(await isPending(granted)).toBe(true)
      quicker?.release()
      ;(await granted).release()
    })

    it('let the event loop go round between two of them', async () => {
      using lock = new AnyLock()
      const held = lock.acquireSync()
      let rounds = 0
      let granted = 0
      const tick = () => {
        rounds++
        if (granted < 50) setImmediate(tick)
      }
      setImmediate(tick)
      const count = () => {
        granted++
      }
      const work = Array.from({ length: 50 }, () => lock.run(count))
      held.release()
      await Promise.all(work)
      expect(rounds).toBeGreaterThan(25)
    })
  })

  describe('a synchronous acquisition that could never be granted', () => {
    it('is refused at once while an asynchronous guard is out', async () => {
      using lock = new AnyLock()
      const guard = await lock.acquire()
      expect(() => lock.acquireSync()).toThrow(deadlock)
      expect(() => lock.acquireSync({ timeoutMs: 1_000 })).toThrow(deadlock)
      expect(() => lock.acquireSync({ timeoutMs: 0 })).toThrow(deadlock)
      expect(() => lock.runSync(() => {})).toThrow(deadlock)
      expect(lock.tryAcquire()).toBeUndefined()
      guard.release()
      lock.acquireSync().release()
    })

    it('is refused at once while a task holds the lock in run, from outside of that task', async () => {
      using lock = new AnyLock()
      let finish = () => {}
      const running = lock.run(
        () =>
          new Promise<void>((resolve) => {
            finish = resolve
          }),
      )
      await turns()
      expect(() => lock.acquireSync()).toThrow(deadlock)
      expect(() => lock.runSync(() => {})).toThrow(deadlock)
      expect(lock.tryAcquire()).toBeUndefined()
      finish()
      await running
      lock.acquireSync().release()
    })

    it('is refused also when the task had to wait for the lock', async () => {
      using lock = new AnyLock()
      const held = lock.acquireSync()
      const acquired = lock.acquire()
      held.release()
      const guard = await acquired
      expect(() => lock.acquireSync()).toThrow(deadlock)
      expect(lock.tryAcquire()).toBeUndefined()
      let finish = () => {}
      const running = lock.run(
        () =>
          new Promise<void>((resolve) => {
            finish = resolve
          }),
      )
      guard.release()
      await turns()
      expect(() => lock.runSync(() => {})).toThrow(deadlock)
      finish()
      await running
    })

    it('is refused for a task that has ended, when another one holds the lock', async () => {
      using lock = new AnyLock()
      let late: () => unknown = () => {}
      await lock.run(() => {
        late = AsyncLocalStorage.bind(() => lock.acquireSync())
      })
      const guard = await lock.acquire()
      expect(late).toThrow(deadlock)
      guard.release()
      ;(late() as LockGuard).release()
    })
  })

  it('makes asynchronous acquisitions wait while a task holds it', async () => {
    using lock = new AnyLock()
    const first = await lock.acquire()
    const second = lock.acquire()
    const third = lock.run(() => 'third')
    expect(await isPending(second)).toBe(true)
    expect(await isPending(third)).toBe(true)
    first.release()
    ;(await second).release()
    expect(await third).toBe('third')
  })

  it('does what a model does, for any sequence of synchronous steps', () => {
    const step = fc.oneof(
      fc.constant('acquireSync' as const),
      fc.constant('tryAcquire' as const),
      fc.nat(20).map((which) => ({ release: which })),
    )
    const property = fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      using lock = new AnyLock()
      const guards: LockGuard[] = []
      const mayEnter = () => kind === 'RLock' || guards.length === 0
      for (const now of steps) {
        if (now === 'acquireSync') {
          if (mayEnter()) guards.push(lock.acquireSync())
          else expect(() => lock.acquireSync()).toThrow(deadlock)
        } else if (now === 'tryAcquire') {
          const expected = mayEnter()
          const guard = lock.tryAcquire()
          expect(guard !== undefined).toBe(expected)
          if (guard !== undefined) guards.push(guard)
        } else if (guards.length > 0) {
          const [guard] = guards.splice(now.release % guards.length, 1)
          guard!.release()
          expect(() => guard!.release()).toThrow(shareError('ERR_NOT_OWNER'))
        }
        expect(lock.locked).toBe(guards.length > 0)
      }
      for (const guard of guards) guard.release()
    })
    fc.assert(property, { numRuns: 60 })
  })
})

describe('Lock, which is not recursive,', () => {
  it('refuses its owner a second time: the thread', () => {
    using lock = new Lock()
    const guard = lock.acquireSync()
    expect(() => lock.acquireSync()).toThrow(deadlock)
    expect(() => lock.acquireSync({ timeoutMs: 10 })).toThrow(deadlock)
    expect(() => lock.runSync(() => {})).toThrow(deadlock)
    expect(lock.tryAcquire()).toBeUndefined()
    guard.release()
    expect(() => lock.runSync(() => lock.runSync(() => {}))).toThrow(deadlock)
    expect(() => lock.runSync(() => lock.acquireSync())).toThrow(deadlock)
    expect(lock.locked).toBe(false)
  })

  it('refuses its owner a second time: the task', async () => {
    using lock = new Lock()
    using same = Lock.attach(lock.handle)
    await lock.run(async () => {
      await turns(1)
      for (const again of [lock, same]) {
        await expect(again.acquire()).rejects.toEqual(deadlock)
        await expect(again.acquire({ timeoutMs: 0 })).rejects.toEqual(deadlock)
        await expect(again.run(() => {})).rejects.toEqual(deadlock)
        expect(() => again.acquireSync()).toThrow(deadlock)
        expect(() => again.runSync(() => {})).toThrow(deadlock)
        expect(again.tryAcquire()).toBeUndefined()
      }
    })
    expect(lock.locked).toBe(false)
  })

  it('lets a task that its owner has started wait, once the owner is done', async () => {
    using lock = new Lock()
    let begin = () => {}
    let later: Promise<string> | undefined
    const begun = new Promise<void>((resolve) => {
      begin = resolve
    })
    await lock.run(() => {
      later = begun.then(() => lock.run(() => 'later'))
    })
    const other = await lock.acquire()
    begin()
    expect(await isPending(later!)).toBe(true)
    other.release()
    expect(await later).toBe('later')
  })

  it('refuses what a value or array that it guards would do under it', () => {
    using lock = new Lock()
    using value = new Value('i', 5, { lock })
    using array = new SharedArray('i', [1, 2], { lock })
    lock.runSync(() => {
      expect(() => value.value).toThrow(deadlock)
      expect(() => value.add(1)).toThrow(deadlock)
      expect(() => array.snapshot()).toThrow(deadlock)
      expect(array[0]).toBe(1)
    })
    expect(value.value).toBe(5)
  })
})

it('runs that begin one another, each after the one before, do not make asking slower', async () => {
  using lock = new Lock()
  using _guard = await lock.acquire()
  using other = new Lock()
  const ROUNDS = 5
  const ASKS = 200
  /** The best of some rounds: others may have the processor in the rest of them. */
  const ask = async () => {
    let best = Infinity
    for (let round = 0; round < ROUNDS; round++) {
      const start = performance.now()
      for (let i = 0; i < ASKS; i++) await lock.acquire({ timeoutMs: 0 }).catch(() => {})
      best = Math.min(best, performance.now() - start)
    }
    return best
  }
  await ask()
  const before = await ask()
  const after = await new Promise<number>((resolve) => {
    let left = 100_000
    const next = () => (left-- > 0 ? void other.run(() => void setImmediate(next)) : resolve(ask()))
    next()
  })
  expect(after).toBeLessThan(10 * before)
})
