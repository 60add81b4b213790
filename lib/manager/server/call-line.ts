/**
 * CallLine: calls that wait for the same thing, in the order in which they came.
 *
 * A call leaves the line once: it is granted what it waits for, or it fails, or it gives up, because its time has passed or its client
 * does not want it any more. Who was granted something has it, also while the answer is still under way.
 */
import { managerError } from '../../errors/manager-messages.ts'
import type { ShareError } from '../../errors/share-error.ts'
import { type Call, Cancelled } from './call.ts'
import type { Session } from './session.ts'

/** A timer that is further away than 24 days would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** A call in line. */
export class WaitingCall<T, D> {
  readonly call: Call
  /** What it waits for, beyond what all in the line do. */
  readonly demand: D
  readonly resolve: (value: T | PromiseLike<T>) => void
  readonly reject: (reason: unknown) => void
  timer: NodeJS.Timeout | undefined
  previous: WaitingCall<T, D> | undefined
  next: WaitingCall<T, D> | undefined
  isInLine = true

  constructor(call: Call, demand: D, resolve: (value: T | PromiseLike<T>) => void, reject: (reason: unknown) => void) {
    this.call = call
    this.demand = demand
    this.resolve = resolve
    this.reject = reject
  }
}

/** What becomes of a call that has given up; it is not in line any more. */
export type GiveUp<T, D> = (waiting: WaitingCall<T, D>, reason: unknown) => void

/** How a type shows how many calls wait: nothing for none. */
export function showWaiting(count: number): string {
  return count === 0 ? '' : `, waiting=${count}`
}

export class CallLine<T, D = undefined> {
  readonly #type: string
  readonly #giveUp: GiveUp<T, D>
  #first: WaitingCall<T, D> | undefined
  #last: WaitingCall<T, D> | undefined
  #size = 0

  /**
   * @param type - of the object that is waited for
   * @param giveUp - by default the call is rejected with the reason
   */
  constructor(type: string, giveUp: GiveUp<T, D> = (waiting, reason) => waiting.reject(reason)) {
    this.#type = type
    this.#giveUp = giveUp
  }

  get size(): number {
    return this.#size
  }

  get first(): WaitingCall<T, D> | undefined {
    return this.#first
  }

  /** From the first to the last; what is granted or fails meanwhile is left out. */
  *[Symbol.iterator](): Generator<WaitingCall<T, D>> {
    for (let waiting = this.#first, next: typeof waiting; waiting !== undefined; waiting = next) {
      next = waiting.next
      if (waiting.isInLine) yield waiting
    }
  }

  /** Puts a call at the end of the line. @throws {@link ShareError} `ERR_TIMEOUT` when it has no time at all. */
  wait(call: Call, demand: D, timeoutMs = Infinity): Promise<T> {
    if (timeoutMs === 0) throw this.#timeoutError(0)
    return new Promise<T>((resolve, reject) => {
      const waiting = new WaitingCall(call, demand, resolve, reject)
      if (timeoutMs < Infinity) {
        const onTime = () => this.#end(waiting, this.#timeoutError(timeoutMs))
        waiting.timer = setTimeout(onTime, Math.min(Math.ceil(timeoutMs), MAX_TIMER_MS)).unref()
      }
      call.onCancel(() => this.#end(waiting, new Cancelled()))
      this.#append(waiting)
    })
  }

  /** Puts a call at the end that does not give up: only {@link endSession} takes it away before its turn. */
  waitPatiently(call: Call, demand: D): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      call.onCancel(() => {})
      this.#append(new WaitingCall(call, demand, resolve, reject))
    })
  }

  /** Gives a call what it waits for. */
  grant(waiting: WaitingCall<T, D>, value: T | PromiseLike<T>): void {
    this.#remove(waiting)
    waiting.resolve(value)
  }

  failAll(error: () => unknown): void {
    for (const waiting of this) {
      this.#remove(waiting)
      waiting.reject(error())
    }
  }

  /** The client has let go of the object, or is gone: its calls give up. */
  endSession(session: Session, mine: (demand: D) => boolean = () => true): void {
    for (const waiting of this) {
      if (waiting.call.session !== session || !mine(waiting.demand)) continue
      this.#end(waiting, managerError('ERR_CLOSED', { type: this.#type }))
    }
  }

  #end(waiting: WaitingCall<T, D>, reason: unknown): void {
    if (!waiting.isInLine) return
    this.#remove(waiting)
    this.#giveUp(waiting, reason)
  }

  #append(waiting: WaitingCall<T, D>): void {
    waiting.previous = this.#last
    if (this.#last === undefined) this.#first = waiting
    else this.#last.next = waiting
    this.#last = waiting
    this.#size++
  }

  #remove(waiting: WaitingCall<T, D>): void {
    if (!waiting.isInLine) return
    if (waiting.previous === undefined) this.#first = waiting.next
    else waiting.previous.next = waiting.next
    if (waiting.next === undefined) this.#last = waiting.previous
    else waiting.next.previous = waiting.previous
    waiting.isInLine = false
    this.#size--
    clearTimeout(waiting.timer)
  }

  #timeoutError(timeoutMs: number): ShareError {
    return managerError('ERR_TIMEOUT', { type: this.#type, timeoutMs })
  }
}
