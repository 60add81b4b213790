/** Waiting for a lock: timeouts, signals, invalid options, and locks that another thread holds. */
import { getEventListeners } from 'node:events'
import { Lock, RLock } from 'procshare'
import { describe, expect, it } from 'vitest'
import { rangeError, shareError, typeError, valueError } from '../helpers/error-matchers.ts'
import { startWorker } from '../helpers/fixture.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { isPending, turns } from '../helpers/turns.ts'

expectNoLeftovers()

const timedOut = (ms: number) => shareError('ERR_TIMEOUT', new RegExp(ms === 0 ? 'timeoutMs is 0$' : `\\b${ms} ms$`))

describe.each([
  ['Lock', Lock],
  ['RLock', RLock],
] as const)('waiting for a %s', (kind, AnyLock) => {
  describe('with timeoutMs', () => {
    it('0 makes one attempt, which succeeds if the lock is free and otherwise fails at once', async () => {
      using lock = new AnyLock()
      const guard = await lock.acquire({ timeoutMs: 0 })
      await expect(lock.acquire({ timeoutMs: 0 })).rejects.toEqual(timedOut(0))
      await expect(lock.run(() => {}, { timeoutMs: 0 })).rejects.toEqual(timedOut(0))
      guard.release()
      expect(await lock.run(() => 5, { timeoutMs: 0 })).toBe(5)
      lock.acquireSync({ timeoutMs: 0 }).release()
    })

    it('waits for that time, then rejects, and the lock stays usable', async () => {
      using lock = new AnyLock()
      const guard = await lock.acquire()
      const start = performance.now()
      await expect(lock.acquire({ timeoutMs: 10 })).rejects.toEqual(timedOut(10))
      expect(performance.now() - start).toBeGreaterThanOrEqual(9)
      await expect(lock.run(() => {}, { timeoutMs: 10 })).rejects.toEqual(timedOut(10))
      guard.release()
      expect(lock.locked).toBe(false)
      await turns()
      expect(lock.locked).toBe(false)
      lock.acquireSync().release()
    })

    it('names the lock in the error', async () => {
      using lock = new AnyLock()
      const guard = await lock.acquire()
      await expect(lock.acquire({ timeoutMs: 1 })).rejects.toMatchObject({
        message: expect.stringContaining(`${kind} "${lock.name}"`),
        segment: lock.name,
      })
      guard.release()
    })

    it('removes waiters that have timed out from the queue', async () => {
      using lock = new AnyLock()
      const guard = await lock.acquire()
      const first = lock.acquire({ timeoutMs: 5 })
      const second = lock.acquire()
      const third = lock.acquire({ timeoutMs: 5 })
      await expect(first).rejects.toEqual(timedOut(5))
      await expect(third).rejects.toEqual(timedOut(5))
      guard.release()
      ;(await second).release()
      expect(lock.locked).toBe(false)
    })

    it('Infinity, undefined and values beyond the range of a timer keep the wait pending', async () => {
      using lock = new AnyLock()
      const guard = await lock.acquire()
      const waits = [Infinity, undefined, 2 ** 31, 1e300].map((timeoutMs) => lock.acquire({ timeoutMs }))
      for (const wait of waits) expect(await isPending(wait)).toBe(true)
      guard.release()
      for (const wait of waits) (await wait).release()
    })

    it('has no effect once the lock is granted, not even on other waiters', async () => {
      using lock = new AnyLock()
      const held = await lock.acquire()
      const granted = lock.acquire({ timeoutMs: 20 })
      held.release()
      const guard = await granted
      const waiting = lock.acquire()
      await expect(lock.acquire({ timeoutMs: 40 })).rejects.toEqual(timedOut(40))
      expect(guard.released).toBe(false)
      guard.release()
      ;(await waiting).release()
    })

    it.each([Number.NaN, -1, -Infinity, -0.001])('refuses %d', async (timeoutMs) => {
      using lock = new AnyLock()
      const error = rangeError(/^options\.timeoutMs must be a number of milliseconds of at least 0, got /)
      await expect(lock.acquire({ timeoutMs })).rejects.toEqual(error)
      await expect(lock.run(() => {}, { timeoutMs })).rejects.toEqual(error)
      expect(() => lock.acquireSync({ timeoutMs })).toThrow(error)
      expect(() => lock.runSync(() => {}, { timeoutMs })).toThrow(error)
      expect(lock.locked).toBe(false)
    })

    it.each(['10', null, true, 10n, {}])('refuses %o', async (timeoutMs) => {
      using lock = new AnyLock()
      const error = typeError(/^options\.timeoutMs must be a number of milliseconds, got /)
      const options = { timeoutMs } as never
      await expect(lock.acquire(options)).rejects.toEqual(error)
      await expect(lock.run(() => {}, options)).rejects.toEqual(error)
      expect(() => lock.acquireSync(options)).toThrow(error)
      expect(() => lock.runSync(() => {}, options)).toThrow(error)
      expect(lock.locked).toBe(false)
    })

    it('applies to the blocking forms too, while another thread holds the lock', async () => {
      using lock = new AnyLock()
      await using other = await startWorker('lock-user')
      await other.call('hold', lock.handle)
      expect(() => lock.acquireSync({ timeoutMs: 0 })).toThrow(timedOut(0))
      const start = performance.now()
      expect(() => lock.acquireSync({ timeoutMs: 10 })).toThrow(timedOut(10))
      expect(() => lock.runSync(() => {}, { timeoutMs: 10 })).toThrow(timedOut(10))
      expect(performance.now() - start).toBeGreaterThanOrEqual(19)
      await expect(lock.acquire({ timeoutMs: 10 })).rejects.toEqual(timedOut(10))
      expect(lock.tryAcquire()).toBeUndefined()
      expect(lock.owner).toEqual({ pid: process.pid, threadId: other.worker.threadId })
      await other.call('release', lock.handle)
      lock.acquireSync({ timeoutMs: 0 }).release()
    })
  })

  describe('with a signal', () => {
    it('that is already aborted rejects with its reason, even when the lock is free', async () => {
      using lock = new AnyLock()
      const reason = new Error('mine')
      const signal = AbortSignal.abort(reason)
      await expect(lock.acquire({ signal })).rejects.toBe(reason)
      await expect(lock.run(() => {}, { signal })).rejects.toBe(reason)
      expect(lock.locked).toBe(false)
      await expect(lock.acquire({ signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' })
    })

    it('that aborts later rejects with its reason, and the next waiter gets the lock', async () => {
      using lock = new AnyLock()
      const guard = await lock.acquire()
      const controller = new AbortController()
      const { signal } = controller
      const aborted = [lock.acquire({ signal }), lock.run(() => {}, { signal })]
      const next = lock.acquire()
      expect(await isPending(aborted[0]!)).toBe(true)
      controller.abort('enough')
      for (const attempt of aborted) await expect(attempt).rejects.toBe('enough')
      expect(await isPending(next)).toBe(true)
      guard.release()
      ;(await next).release()
      expect(lock.locked).toBe(false)
    })

    it('that aborts after the grant changes nothing', async () => {
      using lock = new AnyLock()
      const controller = new AbortController()
      const { signal } = controller
      const guard = await lock.acquire({ signal })
      const waiting = lock.acquire({ signal })
      guard.release()
      const second = await waiting
      controller.abort()
      await turns()
      expect(second.released).toBe(false)
      expect(lock.locked).toBe(true)
      second.release()
    })

    it('leaves no listener behind, however the wait ends', async () => {
      using lock = new AnyLock()
      using same = AnyLock.attach(lock.handle)
      const { signal } = new AbortController()
      const listeners = () => getEventListeners(signal, 'abort').length
      const guard = await lock.acquire({ signal })
      expect(listeners()).toBe(0)
      const granted = lock.acquire({ signal, timeoutMs: 60_000 })
      const late = lock.acquire({ signal, timeoutMs: 5 })
      const closed = same.acquire({ signal })
      expect(listeners()).toBe(1) // one listener for all waits
      await expect(late).rejects.toEqual(timedOut(5))
      same.close()
      await expect(closed).rejects.toEqual(shareError('ERR_CLOSED'))
      guard.release()
      ;(await granted).release()
      expect(listeners()).toBe(0)
    })

    it('from AbortSignal.timeout rejects with its TimeoutError', async () => {
      using lock = new AnyLock()
      const guard = await lock.acquire()
      await expect(lock.acquire({ signal: AbortSignal.timeout(5) })).rejects.toMatchObject({ name: 'TimeoutError' })
      guard.release()
    })

    it.each([null, 5, 'abort', {}, { aborted: false }, new EventTarget()])('refuses %o as a signal', async (signal) => {
      using lock = new AnyLock()
      const error = typeError(/^options\.signal must be an AbortSignal, got /)
      await expect(lock.acquire({ signal } as never)).rejects.toEqual(error)
      await expect(lock.run(() => {}, { signal } as never)).rejects.toEqual(error)
      expect(lock.locked).toBe(false)
    })

    it('is refused by the blocking forms, which cannot be aborted', () => {
      using lock = new AnyLock()
      const { signal } = new AbortController()
      const error = valueError(/^options\.signal is not a known option: use timeoutMs$/)
      expect(() => lock.acquireSync({ signal } as never)).toThrow(error)
      expect(() => lock.runSync(() => {}, { signal } as never)).toThrow(error)
    })
  })

  it('refuses unknown options, and options that are not an object', async () => {
    using lock = new AnyLock()
    const misspelt = valueError(/^options\.timeoutMS is not a known option: use timeoutMs or signal$/)
    await expect(lock.acquire({ timeoutMS: 5 } as never)).rejects.toEqual(misspelt)
    await expect(lock.run(() => {}, { timeoutMS: 5 } as never)).rejects.toEqual(misspelt)
    expect(() => lock.acquireSync({ timeout: 5 } as never)).toThrow(
      valueError(/^options\.timeout is not a known option/),
    )
    for (const options of [null, 5, 'now', []]) {
      const wrong = typeError(/^options must be an object, got /)
      await expect(lock.acquire(options as never)).rejects.toEqual(wrong)
      await expect(lock.run(() => {}, options as never)).rejects.toEqual(wrong)
      expect(() => lock.acquireSync(options as never)).toThrow(wrong)
      expect(() => lock.runSync(() => {}, options as never)).toThrow(wrong)
    }
    expect(lock.locked).toBe(false)
  })

  it('that another thread holds works in both forms', async () => {
    using lock = new AnyLock()
    await using other = await startWorker('lock-user')
    await other.call('hold', lock.handle)
    const waiting = lock.acquire()
    expect(await isPending(waiting)).toBe(true)
    await other.call('release', lock.handle)
    ;(await waiting).release()
    const visits = other.call('visit', lock.handle, 'sync')
    lock.acquireSync().release()
    await visits
  })
})
