/**
 * PendingCalls: the calls of a connection that have not been answered, by their numbers.
 *
 * The client keeps the time and the signal of each call itself. A call that it has given up stays here as a late one, until the server
 * answers it: what was granted too late is given back.
 */
import { offAbort, onAbort } from '../../abort-registry.ts'
import type { Remote } from './channel.ts'

/** So long a server that was told that a call is given up, or that keeps its time as well, may take to say what became of it. */
export const GRACE_MS = 100
/** A timer that is further away would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

export interface PendingCall {
  resolve(value: unknown): void
  reject(reason: unknown): void
  /** The object, for calls of one. */
  readonly target: Remote | undefined
  readonly signal: AbortSignal | undefined
  readonly onAbort: (() => void) | undefined
  /** What to do with a result that comes too late. */
  readonly undo: ((value: unknown) => void) | undefined
  /** Kept: an object that nobody else needs while it is waited for would end. */
  readonly caller: object | undefined
  timer?: NodeJS.Timeout
}

type Undo = ((value: unknown) => void) | undefined

export class PendingCalls {
  readonly #calls = new Map<number, PendingCall>()
  readonly #late = new Map<number, Undo>()

  /** Whether one of the calls is to keep the process alive. */
  get keeps(): boolean {
    for (const { target } of this.#calls.values()) if (target?.isRef !== false) return true
    return false
  }

  get size(): number {
    return this.#calls.size
  }

  has(number: number): boolean {
    return this.#calls.has(number) || this.#late.has(number)
  }

  add(number: number, call: PendingCall): void {
    if (call.signal !== undefined) onAbort(call.signal, call.onAbort!)
    this.#calls.set(number, call)
  }

  /** Calls `onTime` when the call is still pending after so long. An answer that has arrived by then counts. */
  limit(number: number, timeoutMs: number, onTime: () => void): void {
    const call = this.#calls.get(number)
    if (call === undefined || timeoutMs === Infinity) return
    clearTimeout(call.timer)
    const look = () => this.#calls.get(number) === call && onTime()
    call.timer = setTimeout(() => setImmediate(look), Math.min(Math.ceil(timeoutMs), MAX_TIMER_MS)).unref()
  }

  /** The call, which is not pending any more; undefined for a number of none. */
  take(number: number): PendingCall | undefined {
    const call = this.#calls.get(number)
    if (call === undefined) return undefined
    this.#calls.delete(number)
    clearTimeout(call.timer)
    if (call.signal !== undefined) offAbort(call.signal, call.onAbort!)
    return call
  }

  /** Rejects a call although the server has not answered it. */
  giveUp(number: number, reason: unknown): void {
    const call = this.take(number)
    if (call === undefined) return
    this.#late.set(number, call.undo)
    call.reject(reason)
  }

  /** What to do with the answer to a call that was given up; undefined for a number of none. */
  takeLate(number: number): { readonly undo: Undo } | undefined {
    if (!this.#late.has(number)) return undefined
    const undo = this.#late.get(number)
    this.#late.delete(number)
    return { undo }
  }

  /** Rejects all, each with an error of its own. */
  rejectAll(makeError: () => unknown): void {
    this.#late.clear()
    for (const number of [...this.#calls.keys()]) this.take(number)?.reject(makeError())
  }
}

/** What a call is rejected with: the signal's reason, when it was given up because of it. */
export function reasonOf(error: unknown, { signal }: PendingCall): unknown {
  return signal?.aborted && (error as Error | undefined)?.name === 'Cancelled' ? signal.reason : error
}
