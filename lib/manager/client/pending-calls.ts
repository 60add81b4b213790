/** PendingCalls: the calls of a connection that have not been answered, by their numbers. */
import { offAbort, onAbort } from '../../abort-registry.ts'

export interface PendingCall {
  resolve(value: unknown): void
  reject(reason: unknown): void
  readonly signal: AbortSignal | undefined
  readonly onAbort: (() => void) | undefined
  /** Kept: an object that nobody else needs while it is waited for would end. */
  readonly caller: object | undefined
}

export class PendingCalls {
  readonly #calls = new Map<number, PendingCall>()

  get size(): number {
    return this.#calls.size
  }

  has(number: number): boolean {
    return this.#calls.has(number)
  }

  add(number: number, call: PendingCall): void {
    if (call.signal !== undefined) onAbort(call.signal, call.onAbort!)
    this.#calls.set(number, call)
  }

  /** The call, which is not pending any more; undefined for a number of none. */
  take(number: number): PendingCall | undefined {
    const call = this.#calls.get(number)
    if (call === undefined) return undefined
    this.#calls.delete(number)
    if (call.signal !== undefined) offAbort(call.signal, call.onAbort!)
    return call
  }

  /** Rejects all, each with an error of its own. */
  rejectAll(makeError: () => unknown): void {
    for (const number of [...this.#calls.keys()]) this.take(number)?.reject(makeError())
  }
}

/** What a call is rejected with: the signal's reason, when it was given up because of it. */
export function reasonOf(error: unknown, { signal }: PendingCall): unknown {
  return signal?.aborted && (error as Error | undefined)?.name === 'Cancelled' ? signal.reason : error
}
