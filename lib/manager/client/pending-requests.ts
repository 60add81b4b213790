/**
 * PendingRequests: the calls of a connection that have not been answered, by their numbers.
 *
 * The client keeps the time and the signal of each call itself. A call that it has given up stays here as a late one, until the server
 * answers it: what was granted too late is given back.
 */
import { offAbort, onAbort } from '../../abort-registry.ts'
import type { Remote } from './remote.ts'

/** So long a server that was told that a call is given up, or that keeps its time as well, may take to say what became of it. */
export const GRACE_MS = 100
/** A timer that is further away would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

export interface PendingRequest {
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

export class PendingRequests {
  readonly #pending = new Map<number, PendingRequest>()
  readonly #late = new Map<number, Undo>()

  /** Whether one of the calls is to keep the process alive. */
  get keeps(): boolean {
    for (const { target } of this.#pending.values()) if (target?.isRef !== false) return true
    return false
  }

  get size(): number {
    return this.#pending.size
  }

  has(id: number): boolean {
    return this.#pending.has(id) || this.#late.has(id)
  }

  add(id: number, request: PendingRequest): void {
    if (request.signal !== undefined) onAbort(request.signal, request.onAbort!)
    this.#pending.set(id, request)
  }

  /** Calls `onTime` when the call is still pending after so long. An answer that has arrived by then counts. */
  limit(id: number, timeoutMs: number, onTime: () => void): void {
    const request = this.#pending.get(id)
    if (request === undefined || timeoutMs === Infinity) return
    clearTimeout(request.timer)
    const look = () => this.#pending.get(id) === request && onTime()
    request.timer = setTimeout(() => setImmediate(look), Math.min(Math.ceil(timeoutMs), MAX_TIMER_MS)).unref()
  }

  /** The call, which is not pending any more; undefined for a number of none. */
  take(id: number): PendingRequest | undefined {
    const request = this.#pending.get(id)
    if (request === undefined) return undefined
    this.#pending.delete(id)
    clearTimeout(request.timer)
    if (request.signal !== undefined) offAbort(request.signal, request.onAbort!)
    return request
  }

  /** Rejects a call although the server has not answered it. */
  cancel(id: number, reason: unknown): void {
    const request = this.take(id)
    if (request === undefined) return
    this.#late.set(id, request.undo)
    request.reject(reason)
  }

  /** What to do with the answer to a call that was given up; undefined for a number of none. */
  takeLate(id: number): { readonly undo: Undo } | undefined {
    if (!this.#late.has(id)) return undefined
    const undo = this.#late.get(id)
    this.#late.delete(id)
    return { undo }
  }

  /** Rejects all, each with an error of its own. */
  rejectAll(makeError: () => unknown): void {
    this.#late.clear()
    for (const id of [...this.#pending.keys()]) this.take(id)?.reject(makeError())
  }
}

/** What a call is rejected with: the signal's reason, when it was given up because of it. */
export function reasonOf(error: unknown, { signal }: PendingRequest): unknown {
  return signal?.aborted && (error as Error | undefined)?.name === 'Cancelled' ? signal.reason : error
}
