/** whenAvailable: waits for a name, or an address, that is not there yet. One mechanism for all kinds of objects. */
import { offAbort, onAbort } from './abort-registry.ts'
import { segmentError } from './errors/segment-messages.ts'
import { hasCode, type ShareError } from './errors/share-error.ts'
import { withoutPatience } from './memory/segment.ts'
import { takeWaitOptions, type WaitOptions } from './sync/wait-options.ts'
import { assertFunction } from './validate.ts'

/** What means "not yet". */
const NOT_YET = ['ENOENT', 'ERR_NOT_READY', 'ECONNREFUSED'] as const

const FIRST_PAUSE_MS = 1
const MAX_PAUSE_MS = 50
/** A timer that is further away than 24 days would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * Attaches to something that may not be there yet: calls `attempt` until what it attaches to, or opens, or connects to, exists, and
 * gives its result.
 *
 * @remarks Does not block the event loop, neither while the name is missing nor while the process that creates it is at work (for which
 * `attach` and `open` by themselves would block the thread, for up to 10 seconds). The name is looked for after 1 ms, then after ever
 * longer pauses of at most 50 ms, which cost some microseconds each. A pending wait keeps the process alive. `attempt` may return a
 * promise, which is awaited however long it takes: give it the same signal.
 * @param attempt - is called once at least; `ENOENT`, `ERR_NOT_READY` and `ECONNREFUSED` mean "not yet"
 * @throws {@link ShareError} `ERR_TIMEOUT` after `timeoutMs`, with the last error of `attempt` as its cause; any other error of `attempt`.
 * The signal's reason when it aborts.
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
 * Calls `attempt`, with ever longer pauses, until it succeeds or fails for good.
 * @param attempt - is told how much time is left
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
