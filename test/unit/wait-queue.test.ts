// Waiters in one queue that need different amounts: when the head is cancelled, the next waiter makes an attempt.
import { getEventListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import {
  Barrier,
  Condition,
  Event,
  JoinableQueue,
  Lock,
  Pipe,
  Queue,
  Semaphore,
  SharedArray,
  waitAsync,
} from 'procshare'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { PendingRequests } from '../../lib/manager/client/pending-requests.ts'
import { shareError } from '../helpers/error-matchers.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { startManager } from '../helpers/managed-server.ts'
import { isPending } from '../helpers/turns.ts'

expectNoLeftovers()

const LARGE = new Uint8Array(40)
const SMALL = 1

/** A ring with room for the small item, not for the large one. */
interface Tight extends Disposable {
  /** Through the handle that is closed, or through another one. */
  put(item: unknown, options?: { timeoutMs?: number; signal?: AbortSignal }): Promise<void>
  putElsewhere(item: unknown, options?: { signal?: AbortSignal }): Promise<void>
  closeHandle(): void
}

function tightQueue(): Tight {
  const queue = new Queue({ byteLength: 64 })
  const same = Queue.attach(queue.handle)
  queue.putSync('x'.repeat(10))
  return {
    put: (item, options) => queue.put(item, options),
    putElsewhere: (item, options) => same.put(item, options),
    closeHandle: () => queue.close(),
    [Symbol.dispose]() {
      queue.close()
      same.close()
    },
  }
}

function tightPipe(): Tight {
  const [ours, theirs] = new Pipe({ byteLength: 64 })
  const same = (ours.constructor as unknown as { attach(handle: unknown): typeof ours }).attach(ours.handle)
  ours.trySend('x'.repeat(10))
  return {
    put: (item, options) => ours.send(item, options),
    putElsewhere: (item, options) => same.send(item, options),
    closeHandle: () => ours.close(),
    [Symbol.dispose]() {
      for (const end of [ours, theirs, same]) end.close()
    },
  }
}

const reason = new Error('enough')

/** How the wait of the large item ends. */
const ENDS: [string, (tight: Tight) => { failing: Promise<void>; end: () => void; error: unknown }][] = [
  [
    'by its timeout',
    (tight) => ({ failing: tight.put(LARGE, { timeoutMs: 300 }), end() {}, error: shareError('ERR_TIMEOUT') }),
  ],
  [
    'by its signal',
    (tight) => {
      const controller = new AbortController()
      const failing = tight.put(LARGE, { signal: controller.signal })
      return { failing, end: () => controller.abort(reason), error: reason }
    },
  ],
  [
    'by the close of its handle',
    (tight) => ({ failing: tight.put(LARGE), end: () => tight.closeHandle(), error: shareError('ERR_CLOSED') }),
  ],
]

describe.each([
  ['queue', tightQueue],
  ['pipe', tightPipe],
])('in a queue for room in a %s,', (_kind, make) => {
  it.each(ENDS)('a small item is put when the large one before it has given up %s', async (_how, begin) => {
    using tight = make()
    const { failing, end, error } = begin(tight)
    const ended = expect(failing).rejects.toEqual(error)
    const small = tight.putElsewhere(SMALL)
    expect(await isPending(small)).toBe(true) // puts of one process keep their order
    end()
    await ended
    await small
  })

  it('several waits give up in turn until an item fits', async () => {
    using tight = make()
    const large = [1, 2, 3].map(() => expect(tight.put(LARGE)).rejects.toThrow(shareError('ERR_CLOSED')))
    const small = tight.putElsewhere(SMALL)
    tight.closeHandle()
    await Promise.all(large)
    await small
  })

  it('a signal of several waits ends them all, and serves none of them', async () => {
    using tight = make()
    const controller = new AbortController()
    const { signal } = controller
    const waits = [tight.put(LARGE, { signal }), tight.putElsewhere(SMALL, { signal })]
    controller.abort(reason)
    for (const wait of waits) await expect(wait).rejects.toBe(reason)
    await tight.putElsewhere(SMALL) // the room is still there
  })
})

describe('one AbortSignal for thousands of waits', () => {
  const listeners = (signal: AbortSignal) => getEventListeners(signal, 'abort').length
  const warnings: Error[] = []
  const onWarning = (warning: Error) => void warnings.push(warning)
  afterEach(() => {
    process.off('warning', onWarning)
    warnings.length = 0
  })

  it('has one listener, without a warning of Node, and none when they have ended', async () => {
    process.on('warning', onWarning)
    using lock = new Lock()
    using guard = lock.acquireSync()
    using semaphore = new Semaphore(0)
    using event = new Event()
    using queue = new Queue({ maxSize: 1 })
    using jobs = new JoinableQueue()
    using barrier = new Barrier(10_000)
    using words = new SharedArray('i', 1)
    queue.putSync(1)
    jobs.putSync(1)
    const controller = new AbortController()
    const { signal } = controller
    const waits = Array.from({ length: 300 }, () => [
      lock.acquire({ signal }),
      semaphore.acquire({ signal }),
      event.wait({ signal }),
      queue.put(2, { signal }),
      jobs.join({ signal }),
      barrier.wait({ signal }),
      waitAsync(words, 0, 0, { signal }).value as Promise<unknown>,
    ]).flat()
    expect(listeners(signal)).toBe(1)
    event.set()
    await waits[2]
    expect(listeners(signal)).toBe(1)
    const settled = Promise.allSettled(waits)
    controller.abort(reason)
    for (const [index, outcome] of (await settled).entries()) {
      if (index % 7 === 2) expect(outcome).toEqual({ status: 'fulfilled', value: true })
      else if (index % 7 !== 5) expect(outcome).toEqual({ status: 'rejected', reason })
      else expect(outcome.status).toBe('rejected') // the first who gives up breaks the barrier for the others
    }
    expect(listeners(signal)).toBe(0)
    await delay(1) // warnings come with the next tick
    expect(warnings).toEqual([])
    guard.release()
  })

  it('has no listener of waits that were served', async () => {
    using queue = new Queue<number>()
    const { signal } = new AbortController()
    const gets = Array.from({ length: 100 }, () => queue.get({ signal }))
    expect(listeners(signal)).toBe(1)
    queue.putManySync(Array.from(gets.keys()))
    expect(await Promise.all(gets)).toEqual(Array.from(gets.keys()))
    expect(listeners(signal)).toBe(0)
  })

  it('has one listener for all calls of a manager, and none when they were answered', async () => {
    const calls = new PendingRequests()
    const { signal } = new AbortController()
    const call = { resolve() {}, reject() {}, signal, caller: undefined, target: undefined, undo: undefined }
    for (let number = 1; number <= 100; number++) calls.add(number, { ...call, onAbort() {} })
    expect(listeners(signal)).toBe(1)
    for (let number = 1; number < 100; number++) calls.take(number)
    expect(listeners(signal)).toBe(1)
    calls.rejectAll(() => reason)
    expect(listeners(signal)).toBe(0)

    await using manager = await startManager()
    const locks = await Promise.all(Array.from({ length: 20 }, () => manager.Lock()))
    const guards = await Promise.all(locks.map((lock) => lock.acquire({ signal })))
    expect(listeners(signal)).toBe(0)
    const waits = locks.map((lock) => lock.acquire({ signal }))
    expect(listeners(signal)).toBe(1)
    for (const guard of guards) guard.release()
    await Promise.all(waits)
    expect(listeners(signal)).toBe(0)
  })
})

describe('a wait of two phases has one timeout:', () => {
  afterEach(() => void vi.restoreAllMocks())
  const TIMEOUT_MS = 20_000
  const PHASE_MS = 30

  /** The delays of the timers of the waits that begin from now on. */
  function timerDelays(): number[] {
    const spy = vi.spyOn(globalThis, 'setTimeout')
    return new Proxy([] as number[], {
      get: (_target, key) =>
        Reflect.get(
          spy.mock.calls.map(([, ms]) => ms!).filter((ms) => ms > TIMEOUT_MS / 2),
          key,
        ),
    })
  }

  it('the wait for the entry of a barrier, during an action, counts', async () => {
    let finish = () => {}
    using barrier = new Barrier(1, { action: () => new Promise<void>((resolve) => (finish = resolve)) })
    const acting = barrier.wait()
    using other = Barrier.attach(barrier.handle, { action: () => delay(1) })
    const delays = timerDelays()
    const newcomer = other.wait({ timeoutMs: TIMEOUT_MS })
    expect(await isPending(newcomer)).toBe(true)
    await delay(PHASE_MS)
    finish()
    await Promise.all([acting, newcomer])
    expect(delays.length).toBe(1)
  })

  it('the wait for the entry of a barrier and then for the others ends after one timeout', async () => {
    let finish = () => {}
    using barrier = new Barrier(2, { action: () => new Promise<void>((resolve) => (finish = resolve)) })
    const both = [barrier.wait(), barrier.wait()]
    const delays = timerDelays()
    const controller = new AbortController()
    const newcomer = barrier.wait({ timeoutMs: TIMEOUT_MS, signal: controller.signal })
    expect(await isPending(newcomer)).toBe(true)
    await delay(PHASE_MS)
    finish()
    await Promise.all(both)
    await expect.poll(() => delays.length).toBe(2)
    expect(delays[0]).toBe(TIMEOUT_MS)
    expect(delays[1]).toBeLessThanOrEqual(TIMEOUT_MS - PHASE_MS + 1)
    controller.abort(reason)
    await expect(newcomer).rejects.toBe(reason)
  })

  it('a notification after which the condition of waitFor is still false does not restart the timeout', async () => {
    using condition = new Condition()
    const delays = timerDelays()
    const controller = new AbortController()
    const options = { timeoutMs: TIMEOUT_MS, signal: controller.signal }
    const waiting = condition.run(() => condition.waitFor(() => false, options))
    const failed = expect(waiting).rejects.toBe(reason)
    await expect.poll(() => delays.length).toBe(1)
    await delay(PHASE_MS)
    await condition.run(() => condition.notifyAll())
    await expect.poll(() => delays.length).toBe(2)
    expect(delays[1]).toBeLessThanOrEqual(TIMEOUT_MS - PHASE_MS + 1)
    controller.abort(reason)
    await failed
  })
})
