/** Options of everything that waits. */
import { assertOptions, assertSignal, assertTimeout } from '../validate.ts'

/** How long a blocking operation waits. */
export interface SyncWaitOptions {
  /**
   * Milliseconds to wait; 0 is one attempt.
   * @defaultValue `Infinity`
   */
  readonly timeoutMs?: number | undefined
}

/** How long an asynchronous operation waits, and what ends the wait early. */
export interface WaitOptions extends SyncWaitOptions {
  /** Rejects the wait with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

export function assertSyncWaitOptions(options: SyncWaitOptions | undefined): void {
  if (options === undefined) return
  assertOptions('options', options, ['timeoutMs'])
  assertTimeout('options.timeoutMs', options.timeoutMs)
}

export function assertWaitOptions(options: WaitOptions | undefined): void {
  if (options === undefined) return
  assertOptions('options', options, ['timeoutMs', 'signal'])
  assertTimeout('options.timeoutMs', options.timeoutMs)
  assertSignal('options.signal', options.signal)
}
