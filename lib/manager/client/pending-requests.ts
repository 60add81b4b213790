/**
 * PendingRequests: the requests of a connection that have not been answered, by their ids.
 *
 * The client itself handles the timeout and the signal of each request. A cancelled request stays here as a late one until the server
 * answers it. A result that was granted too late is returned to the server.
 */
import { offAbort, onAbort } from '../../abort-registry.ts'
import type { Remote } from './remote.ts'

/** How long the client waits for the reply to a wait that was cancelled, or whose time has passed, before it ends the wait itself. */
export const GRACE_MS = 100
/** A longer timer would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

export interface PendingRequest {
  resolve(value: unknown): void
  reject(reason: unknown): void
  /** The object; undefined for the server itself. */
  readonly target: Remote | undefined
  readonly signal: AbortSignal | undefined
  readonly onAbort: (() => void) | undefined
  /** Handles a result that comes too late. */
  readonly undo: ((value: unknown) => void) | undefined
  /** The proxy. It is kept here, because an object without other references would end during the wait. */
  readonly caller: object | undefined
  timer?: NodeJS.Timeout
}

type Undo = ((value: unknown) => void) | undefined

export class PendingRequests {
  readonly #pending = new Map<number, PendingRequest>()
  readonly #late = new Map<number, Undo>()

  /** Whether one of the requests keeps the process alive. */
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

  /** Calls `onTime` if the request is still pending after `timeoutMs`. A reply that has arrived in time counts. */
  limit(id: number, timeoutMs: number, onTime: () => void): void {
    const request = this.#pending.get(id)
    if (request === undefined || timeoutMs === Infinity) return
    clearTimeout(request.timer)
    const look = () => this.#pending.get(id) === request && onTime()
    request.timer = setTimeout(() => setImmediate(look), Math.min(Math.ceil(timeoutMs), MAX_TIMER_MS)).unref()
  }

  /** Removes a request; undefined for an unknown id. */
  take(id: number): PendingRequest | undefined {
    const request = this.#pending.get(id)
    if (request === undefined) return undefined
    this.#pending.delete(id)
    clearTimeout(request.timer)
    if (request.signal !== undefined) offAbort(request.signal, request.onAbort!)
    return request
  }

  /** Rejects a request that the server has not answered. */
  cancel(id: number, reason: unknown): void {
    const request = this.take(id)
    if (request === undefined) return
    this.#late.set(id, request.undo)
    request.reject(reason)
  }

  /** Removes a cancelled request and returns the handler of its reply; undefined for an unknown id. */
  takeLate(id: number): { readonly undo: Undo } | undefined {
    if (!this.#late.has(id)) return undefined
    const undo = this.#late.get(id)
    this.#late.delete(id)
    return { undo }
  }

  /** Rejects all requests, each with a new error. */
  rejectAll(makeError: () => unknown): void {
    this.#late.clear()
    for (const id of [...this.#pending.keys()]) this.take(id)?.reject(makeError())
  }
}

/** The reason of a rejection: the signal's reason, if the signal has cancelled the request. */
export function reasonOf(error: unknown, { signal }: PendingRequest): unknown {
  return signal?.aborted && (error as Error | undefined)?.name === 'Cancelled' ? signal.reason : error
}
