/** Options of everything that waits. */
import { assertPlainObject, assertSignal, assertTimeout, unknownKeyError } from '../validate.ts'

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

const SYNC_WAIT_OPTIONS: readonly string[] = ['timeoutMs']
const WAIT_OPTIONS: readonly string[] = ['timeoutMs', 'signal']

/**
 * The options of a caller that passes none. The properties are own properties, so that no property of `Object.prototype` is read instead.
 */
export const NO_OPTIONS: WaitOptions = Object.freeze({ timeoutMs: undefined, signal: undefined })

/** The options of a blocking wait, copied and checked. */
export function takeSyncWaitOptions(given: SyncWaitOptions | undefined): SyncWaitOptions {
  return given === undefined || given === NO_OPTIONS ? NO_OPTIONS : take(given, SYNC_WAIT_OPTIONS)
}

/** The options of an asynchronous wait, copied and checked. */
export function takeWaitOptions(given: WaitOptions | undefined): WaitOptions {
  return given === undefined || given === NO_OPTIONS ? NO_OPTIONS : take(given, WAIT_OPTIONS)
}

// Does the same as takeOptions() without an intermediate object, because waits are frequent.
function take(given: WaitOptions, known: readonly string[]): WaitOptions {
  assertPlainObject('options', given)
  let timeoutMs: unknown
  let signal: unknown
  const keys = Object.keys(given)
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!
    if (key === 'timeoutMs') timeoutMs = given.timeoutMs
    else if (key === 'signal' && known === WAIT_OPTIONS) signal = given.signal
    else throw unknownKeyError('options', key, 'option', known)
  }
  assertTimeout('options.timeoutMs', timeoutMs)
  assertSignal('options.signal', signal)
  return { timeoutMs, signal }
}
