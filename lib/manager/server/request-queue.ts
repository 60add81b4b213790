/**
 * RequestQueue: requests that wait for the same thing, in the order of their arrival.
 *
 * A request leaves the queue once: it is granted, it fails, or it is cancelled by its timeout or its client. A grant belongs to the client
 * even before the reply has arrived.
 */
import { managerError } from '../../errors/manager-messages.ts'
import type { ShareError } from '../../errors/share-error.ts'
import { Cancelled, type Client, type Request } from './request.ts'

/** A timer of more than 24 days would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** A request in a queue. */
export class WaitingRequest<T, D> {
  readonly request: Request
  /** The specific target of this request, in addition to the common target of the queue. */
  readonly demand: D
  readonly resolve: (value: T | PromiseLike<T>) => void
  readonly reject: (reason: unknown) => void
  timer: NodeJS.Timeout | undefined
  previous: WaitingRequest<T, D> | undefined
  next: WaitingRequest<T, D> | undefined
  isQueued = true

  constructor(
    request: Request,
    demand: D,
    resolve: (value: T | PromiseLike<T>) => void,
    reject: (reason: unknown) => void,
  ) {
    this.request = request
    this.demand = demand
    this.resolve = resolve
    this.reject = reject
  }
}

/** Ends a request that was cancelled; it has left the queue. */
export type Cancel<T, D> = (waiting: WaitingRequest<T, D>, reason: unknown) => void

/** The text in which a type shows the number of waiting requests; empty for none. */
export function showWaiting(count: number): string {
  return count === 0 ? '' : `, waiting=${count}`
}

export class RequestQueue<T, D = undefined> {
  readonly #type: string
  readonly #cancel: Cancel<T, D>
  #first: WaitingRequest<T, D> | undefined
  #last: WaitingRequest<T, D> | undefined
  #size = 0

  /**
   * @param type - of the object for which the requests wait
   * @param cancel - ends a cancelled request; by default, rejects it with the reason
   */
  constructor(type: string, cancel: Cancel<T, D> = (waiting, reason) => waiting.reject(reason)) {
    this.#type = type
    this.#cancel = cancel
  }

  get size(): number {
    return this.#size
  }

  get first(): WaitingRequest<T, D> | undefined {
    return this.#first
  }

  /** Iterates from the first to the last request. Requests that leave during the iteration are skipped. */
  *[Symbol.iterator](): Generator<WaitingRequest<T, D>> {
    for (let waiting = this.#first, next: typeof waiting; waiting !== undefined; waiting = next) {
      next = waiting.next
      if (waiting.isQueued) yield waiting
    }
  }

  /** Appends a request. @throws {@link ShareError} `ERR_TIMEOUT` when its timeout is 0. */
  wait(request: Request, demand: D, timeoutMs = Infinity): Promise<T> {
    if (timeoutMs === 0) throw this.#timeoutError(0)
    return new Promise<T>((resolve, reject) => {
      const waiting = new WaitingRequest(request, demand, resolve, reject)
      if (timeoutMs < Infinity) {
        const onTime = () => this.#end(waiting, this.#timeoutError(timeoutMs))
        waiting.timer = setTimeout(onTime, Math.min(Math.ceil(timeoutMs), MAX_TIMER_MS)).unref()
      }
      request.onCancel(() => this.#end(waiting, new Cancelled()))
      this.#append(waiting)
    })
  }

  /** Appends a request that is not cancelled by time or signal: only {@link cancelAllOf} removes it before its turn. */
  waitPatiently(request: Request, demand: D): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      request.onCancel(() => {})
      this.#append(new WaitingRequest(request, demand, resolve, reject))
    })
  }

  /** Grants a request. */
  grant(waiting: WaitingRequest<T, D>, value: T | PromiseLike<T>): void {
    this.#remove(waiting)
    waiting.resolve(value)
  }

  failAll(error: () => unknown): void {
    for (const waiting of this) {
      this.#remove(waiting)
      waiting.reject(error())
    }
  }

  /** Cancels the requests of a client that has no proxy of the object any more, or is gone. */
  cancelAllOf(client: Client, mine: (demand: D) => boolean = () => true): void {
    for (const waiting of this) {
      if (waiting.request.client !== client || !mine(waiting.demand)) continue
      this.#end(waiting, managerError('ERR_CLOSED', { type: this.#type }))
    }
  }

  #end(waiting: WaitingRequest<T, D>, reason: unknown): void {
    if (!waiting.isQueued) return
    this.#remove(waiting)
    this.#cancel(waiting, reason)
  }

  #append(waiting: WaitingRequest<T, D>): void {
    waiting.previous = this.#last
    if (this.#last === undefined) this.#first = waiting
    else this.#last.next = waiting
    this.#last = waiting
    this.#size++
  }

  #remove(waiting: WaitingRequest<T, D>): void {
    if (!waiting.isQueued) return
    if (waiting.previous === undefined) this.#first = waiting.next
    else waiting.previous.next = waiting.next
    if (waiting.next === undefined) this.#last = waiting.previous
    else waiting.next.previous = waiting.previous
    waiting.isQueued = false
    this.#size--
    clearTimeout(waiting.timer)
  }

  #timeoutError(timeoutMs: number): ShareError {
    return managerError('ERR_TIMEOUT', { type: this.#type, timeoutMs })
  }
}
