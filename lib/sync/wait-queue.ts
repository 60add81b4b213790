/**
 * WaitQueue: the asynchronous waiters of one environment for one native wait, in the order of their arrival.
 *
 *   L1  Only the head makes attempts. It is served or cancelled, or a call of pump() is scheduled. The call comes from the wake-up that
 *       armWait() has requested, or from the poll in the next turn of the event loop. When an attempt returns LATER, the owner of the queue
 *       calls pump(). An attempt may serve another queue, whose attempts call pump() of this one. That call must not attempt for the same
 *       head again, which would be served twice. The running loop goes on anyway.
 *   L2  A successful attempt resolves its waiter at once; a cancelled waiter makes no more attempts.
 *
 * A wait is hot when the last one was short. A hot wait polls in each turn of the event loop for a while before it hands over to a waiting
 * thread. Two such hand-overs would take longer than a whole exchange. The more often polling was enough, the longer the wait polls. With a
 * fixed time, an interruption of one of two processes that answer each other would make the other one hand over. The hand-over takes so
 * long that the first process would hand over as well, and so on for ever.
 */
import { offAbort, onAbort } from '../abort-registry.ts'
import { fromNative, type Subject, segmentError } from '../errors/segment-messages.ts'
import type { ShareError } from '../errors/share-error.ts'
import { withRoom } from '../memory/room.ts'
import { native } from '../native.ts'
import { refEventLoop, unrefEventLoop } from './keep-alive.ts'
import type { WaitOptions } from './wait-options.ts'

/** The result of an attempt that cannot succeed now. */
export const NOT_NOW: unique symbol = Symbol('not now')
/** The same result, but the owner of the queue calls pump() when a further attempt may succeed. */
export const LATER: unique symbol = Symbol('later')
export type Attempt<T> = () => T | typeof NOT_NOW | typeof LATER

/** The object of the program that a wait belongs to. */
export interface Waiter {
  /** The name of its segment. */
  readonly name: string
  /** Its name in messages. */
  readonly subject: Subject
  readonly keepsAlive: boolean
}

const ARMED: unique symbol = Symbol.for('procshare.armed') as never

/** A wait that ended within this time makes the next wait hot. */
const HOT_MS = 0.4
/** The minimum time for which a hot wait polls. The time grows by one step for each recent wait that was shorter. */
const MIN_POLL_MS = 0.1
const POLL_STEP_MS = 0.03
const MAX_SHORT_WAITS = 16
/** How long the only polling queue spins at the beginning of each turn. */
const SPIN_MS = 0.008
/** A timer of more than 24 days would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * Queues whose head has armed its wait, by the id of the wait. The map keeps them from being collected: a pending promise does not. An id
 * may belong to another wait by the time a wake-up for it arrives; one attempt too many does no harm. A test runner may load several copies
 * of this module, and the native part calls the handler that was set last. So the map has the queues of all copies.
 */
const armed = armedBy(native as object)
native.onWake((id) => pump(armed.get(id)))

function armedBy(addon: object & { [ARMED]?: Map<number, WaitQueue> }): Map<number, WaitQueue> {
  addon[ARMED] ??= new Map()
  return addon[ARMED]
}

function pump(waitQueue: WaitQueue | undefined): void {
  waitQueue?.pump()
}

/** How many queues poll in the next turn of the event loop. */
let pollingQueues = 0

/** A turn of the event loop may take longer than the wait, so the only polling queue spins for a while in each turn. */
function nextTurn(waitQueue: WaitQueue): void {
  pollingQueues--
  if (pollingQueues === 0) waitQueue.spin()
  waitQueue.poll()
}

class Pending<T = unknown> {
  previous: Pending | undefined
  next: Pending | undefined
  keepsAlive: boolean
  readonly waiter: Waiter
  readonly attempt: Attempt<T>
  readonly argument: number
  readonly since: number
  readonly resolve: (value: T) => void
  readonly reject: (reason: unknown) => void
  timer: NodeJS.Timeout | undefined
  signal: AbortSignal | undefined
  unsubscribe: (() => void) | undefined

  constructor(
    waiter: Waiter,
    attempt: Attempt<T>,
    argument: number,
    resolve: (value: T) => void,
    reject: (reason: unknown) => void,
  ) {
    this.waiter = waiter
    this.attempt = attempt
    this.argument = argument
    this.since = performance.now()
    this.resolve = resolve
    this.reject = reject
    this.keepsAlive = waiter.keepsAlive
  }
}

export class WaitQueue {
  readonly #id: number
  #first: Pending | undefined
  #last: Pending | undefined
  #size = 0
  /** How long to poll before handing over. */
  #pollMs = 0
  #shortWaits = 0
  #isPolling = false
  #isPumping = false

  /** @param id - of the native wait */
  constructor(id: number) {
    this.#id = id
  }

  get size(): number {
    return this.#size
  }

  /**
   * Waits for `attempt` to succeed. Before the call, an attempt of the caller has failed, or the queue is not empty.
   * @param argument - of the native wait: the amount that the waiter needs
   * @param options - `askedMs`: the timeout for the error message, when part of it has passed
   * @param onFailure - called when the wait ends without success; may still return a result
   */
  wait<T>(
    waiter: Waiter,
    attempt: Attempt<T>,
    argument: number,
    { timeoutMs = Infinity, signal, askedMs = timeoutMs }: WaitOptions & { readonly askedMs?: number },
    onFailure?: (reason: unknown) => T | undefined,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const end =
        onFailure === undefined
          ? reject
          : (reason: unknown) => {
              const result = onFailure(reason)
              if (result === undefined) reject(reason)
              else resolve(result)
            }
      const pending = new Pending(waiter, attempt, argument, resolve, end) as Pending
      if (pending.keepsAlive) refEventLoop()
      if (timeoutMs < Infinity) {
        // The timer does not keep the process alive: refEventLoop() does, which ref() and unref() may change while the wait is pending.
        const onTime = () => this.#fail(pending, timeoutError(waiter, askedMs))
        pending.timer = setTimeout(onTime, Math.min(timeoutMs, MAX_TIMER_MS)).unref()
      }
      if (signal !== undefined) {
        const fail = () => this.#fail(pending, signal.reason)
        onAbort(signal, fail)
        pending.signal = signal
        pending.unsubscribe = () => offAbort(signal, fail)
      }
      this.#append(pending)
      // The signal may have aborted since the caller checked it; then there is no event.
      if (signal?.aborted) this.#fail(pending, signal.reason)
      else if (this.#first === pending) this.pump()
    })
  }

  /** Serves waiters until an attempt fails; see L1. */
  pump(): void {
    if (this.#isPumping) return
    this.#isPumping = true
    try {
      this.#serveAll()
    } finally {
      this.#isPumping = false
    }
  }

  #serveAll(): void {
    for (let pending = this.#first; pending !== undefined; pending = this.#first) {
      try {
        // Several waiters may share the signal, and the first of them has just failed.
        pending.signal?.throwIfAborted()
        const answer = pending.attempt()
        if (answer === LATER) return
        if (answer !== NOT_NOW) {
          this.#serve(pending, answer)
        } else if (this.#isPolling) {
          return
        } else if (this.#pollMs > 0 && performance.now() - pending.since < this.#pollMs) {
          this.#isPolling = true
          pollingQueues++
          setImmediate(nextTurn, this)
          return
        } else if (withRoom(() => native.armWait(this.#id, pending.argument))) {
          armed.set(this.#id, this)
          return
        }
      } catch (error) {
        // The object is damaged, no thread could be started, or the signal has aborted.
        const { signal, waiter } = pending
        this.#fail(pending, signal?.aborted ? signal.reason : fromNative(error, waiter.name))
      }
    }
  }

  /** The next turn of a hot wait. */
  poll(): void {
    this.#isPolling = false
    this.pump()
  }

  /** Spins for a few microseconds, or until an attempt may succeed. */
  spin(): void {
    if (this.#first !== undefined) native.spinWait(this.#id, this.#first.argument, SPIN_MS)
  }

  /** Fails all waits of one object. */
  failWaiter(waiter: Waiter, error: unknown): void {
    const first = this.#first
    for (let pending = first; pending !== undefined; pending = pending.next) {
      if (pending.waiter !== waiter) continue
      this.#remove(pending)
      pending.reject(error)
    }
    if (this.#first !== first) this.pump() // only now: an earlier call could have served a wait that is to fail
  }

  /** Fails all waits: the object has ended. */
  failAll(error: unknown): void {
    for (let pending = this.#first; pending !== undefined; pending = this.#first) {
      this.#remove(pending)
      pending.reject(error)
    }
  }

  /** Updates which waits keep the process alive, after `keepsAlive` of a waiter has changed. */
  refreshKeepAlive(): void {
    for (let pending = this.#first; pending !== undefined; pending = pending.next) {
      const { keepsAlive } = pending.waiter
      if (pending.keepsAlive === keepsAlive) continue
      pending.keepsAlive = keepsAlive
      if (keepsAlive) refEventLoop()
      else unrefEventLoop()
    }
  }

  #serve(pending: Pending, value: unknown): void {
    const waitedMs = performance.now() - pending.since
    this.#shortWaits = waitedMs < MIN_POLL_MS ? Math.min(this.#shortWaits + 1, MAX_SHORT_WAITS) : this.#shortWaits >> 1
    this.#pollMs = waitedMs < HOT_MS || this.#shortWaits > 0 ? MIN_POLL_MS + this.#shortWaits * POLL_STEP_MS : 0
    this.#remove(pending)
    pending.resolve(value)
  }

  #fail(pending: Pending, reason: unknown): void {
    const wasFirst = this.#first === pending
    this.#remove(pending)
    pending.reject(reason)
    if (wasFirst) this.pump() // the next waiter may need less
  }

  #append(pending: Pending): void {
    pending.previous = this.#last
    if (this.#last === undefined) this.#first = pending
    else this.#last.next = pending
    this.#last = pending
    this.#size++
  }

  #remove(pending: Pending): void {
    if (pending.previous === undefined) this.#first = pending.next
    else pending.previous.next = pending.next
    if (pending.next === undefined) this.#last = pending.previous
    else pending.next.previous = pending.previous
    this.#size--
    clearTimeout(pending.timer)
    pending.unsubscribe?.()
    if (pending.keepsAlive) unrefEventLoop()
    if (this.#size === 0 && armed.delete(this.#id)) native.disarmWait(this.#id)
  }
}

/** The error of a wait whose time has passed. */
export function timeoutError({ subject }: Pick<Waiter, 'subject'>, timeoutMs: number): ShareError {
  return segmentError('ERR_TIMEOUT', { ...subject, timeoutMs })
}

/**
 * The blocking form: makes attempts until one succeeds, and sleeps in between; NOT_NOW after the timeout.
 * Blocks the thread for a tenth of a second at a time, because V8 can end a worker only between two native calls.
 */
export function block<T>(id: number, attempt: Attempt<T>, argument: number, timeoutMs: number): T | typeof NOT_NOW {
  let answer = attempt()
  if (answer !== NOT_NOW || timeoutMs === 0) return answer as T | typeof NOT_NOW
  const deadline = performance.now() + timeoutMs
  for (let left = timeoutMs; answer === NOT_NOW && left > 0; left = deadline - performance.now()) {
    native.sleepWait(id, argument, Math.min(left, MAX_TIMER_MS))
    answer = attempt()
  }
  return answer as T | typeof NOT_NOW
}
