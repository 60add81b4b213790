/** whenAvailable: waits for a name or an address that does not exist yet. It works for all kinds of objects. */
import { offAbort, onAbort } from './abort-registry.ts'
import { segmentError } from './errors/segment-messages.ts'
import { hasCode, type ShareError } from './errors/share-error.ts'
import { withoutPatience } from './memory/segment.ts'
import { takeWaitOptions, type WaitOptions } from './sync/wait-options.ts'
import { assertFunction } from './validate.ts'

/** The codes that mean "not yet". */
const NOT_YET = ['ENOENT', 'ERR_NOT_READY', 'ECONNREFUSED'] as const

const FIRST_PAUSE_MS = 1
const MAX_PAUSE_MS = 50
/** A timer of more than this, about 24 days, would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * Attaches to an object that may not exist yet. Calls `attempt` until the object or server that it attaches to, opens or connects
 * to exists, and returns the result of `attempt`.
 *
 * @remarks Does not block the event loop, neither while the name is missing nor while another process is creating the object.
 * (During the creation, `attach` and `open` alone block the thread, for up to 10 seconds.) Tries again after 1 ms, then after
 * longer and longer pauses of at most 50 ms. Each attempt costs some microseconds. A pending wait keeps the process alive.
 * `attempt` may return a promise, which is awaited without a limit: pass the same signal to it.
 * @param attempt - is called at least once; `ENOENT`, `ERR_NOT_READY` and `ECONNREFUSED` mean "not yet"
 * @throws {@link ShareError} `ERR_TIMEOUT` after `timeoutMs`, with the last error of `attempt` as its cause; any other error of
 * `attempt`. The signal's reason when it aborts.
 * @example
 * ```ts
 * import { Queue, whenAvailable } from 'procshare'
 * const jobs = whenAvailable(() => Queue.attach<string>('jobs'), { timeoutMs: 10_000 })
 * using ours = Queue.create<string>('jobs') // in another process, some time later
 * await ours.put('first')
 * using theirs = await jobs
 * console.assert((await theirs.get()) === 'first')
 * ```
 */
export async function whenAvailable<T>(attempt: () => T | PromiseLike<T>, options: WaitOptions = {}): Promise<T> {
  assertFunction('attempt', attempt)
  options = takeWaitOptions(options)
  const isNotYet = (error: unknown) => NOT_YET.some((code) => hasCode(error, code))
  return await retry(
    () => withoutPatience(attempt),
    isNotYet,
    options,
    (last) => {
      return segmentError('ERR_TIMEOUT', { segment: (last as ShareError).segment, timeoutMs: options.timeoutMs! }, last)
    },
  )
}

/**
 * Calls `attempt`, with longer and longer pauses, until it succeeds or throws an error that does not mean "not yet".
 * @param attempt - receives the time that is left
 * @param timedOut - makes the error of the timeout, after the last error of `attempt`
 */
export async function retry<T>(
  attempt: (leftMs: number) => T | PromiseLike<T>,
  isNotYet: (error: unknown) => boolean,
  { timeoutMs = Infinity, signal }: WaitOptions,
  timedOut: (last: unknown) => ShareError,
): Promise<T> {
  const deadline = performance.now() + timeoutMs
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
    signal?.throwIfAborted()
    let last: unknown
    try {
      return await attempt(Math.max(deadline - performance.now(), 0))
    } catch (error) {
      if (!isNotYet(error)) throw error
      last = error
    }
    const leftMs = deadline - performance.now()
    if (leftMs <= 0) throw timedOut(last)
    await pause(Math.min(pauseMs, leftMs, MAX_TIMER_MS), signal)
  }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = () => {
      clearTimeout(timer)
      reject(signal!.reason)
    }
    const timer = setTimeout(() => {
      if (signal !== undefined) offAbort(signal, fail)
      resolve()
    }, ms)
    if (signal?.aborted) fail()
    else if (signal !== undefined) onAbort(signal, fail)
  })
}
