/**
 * wait, waitAsync and notify on a 32-bit word of a segment: the counterpart of Atomics between processes.
 *
 * Waits are in the parking cell of the segment, with the offset of the word as their key. So notify() ends exactly the requested number of
 * waits, whether they block a thread or are among thousands of one event loop. Waits of dead processes do not count.
 */

import { types } from 'node:util'
import { type Subject, segmentError } from '../errors/segment-messages.ts'
import { hasCode } from '../errors/share-error.ts'
import { cellStateAt, type Segment, segmentOf } from '../memory/segment.ts'
import { native, PARK } from '../native.ts'
import {
  assertBoolean,
  assertInteger,
  assertSignal,
  assertTimeout,
  rangeError,
  takeOptions,
  typeError,
} from '../validate.ts'
import { ParkingState } from './parking.ts'
import type { WaitOptions } from './wait-options.ts'
import { NOT_NOW, type Waiter } from './wait-queue.ts'

/** The parking of a segment in one environment. */
class Words extends ParkingState implements Waiter {
  readonly name: string
  readonly subject: Subject
  readonly keepsAlive = true
  /** The waiter whose waits do not keep the process alive. */
  readonly unrefd: Waiter

  constructor(segment: Segment, cell: number) {
    super({ attachment: { segment, name: segment.name }, cell })
    this.name = segment.name
    this.subject = { segment: this.name, part: 'word' }
    this.unrefd = { name: this.name, subject: this.subject, keepsAlive: false }
  }

  override end(): void {
    for (const waitQueue of this.waitQueues) waitQueue.failAll(segmentError('ERR_CLOSED', { segment: this.name }))
    super.end()
  }
}

interface Word {
  readonly words: Words
  /** In the payload; the key of its waits. */
  readonly byteOffset: number
}

/** The buffer that was used last: programs wait and notify on the same buffer again and again. */
let last: { buffer: ArrayBufferLike; words: Words; segment: Segment } | undefined

function wordAt(array: Int32Array, index: number): Word {
  if (!(array instanceof Int32Array || types.isInt32Array(array)))
    throw typeError('array', 'an Int32Array over the buffer of a segment', array)
  if (!Number.isInteger(index) || index < 0 || index >= array.length) {
    assertInteger('index', index, 0, Math.max(array.length - 1, 0))
    throw rangeError('index', 'the index of an element, but the array is empty', index)
  }
  const { buffer } = array
  if (last?.buffer !== buffer || last.segment.closed) last = find(array)
  return { words: last.words, byteOffset: array.byteOffset + index * 4 }
}

function find({ buffer }: Int32Array): { buffer: ArrayBufferLike; words: Words; segment: Segment } {
  const segment = segmentOf(buffer)
  if (segment === undefined) throw typeError('array', 'an Int32Array over the buffer of a segment', buffer)
  if (segment.closed) throw segmentError('ERR_CLOSED', { segment: segment.name })
  const cell = segment.description.words
  if (cell === undefined) throw segmentError('ERR_NO_WORDS', { segment: segment.name })
  if (typeof cell !== 'number') throw segmentError('ERR_CORRUPT', { segment: segment.name })
  return { buffer, segment, words: cellStateAt(segment, cell, Words, () => new Words(segment, cell)) }
}

/**
 * Blocks the thread while `array[index]` holds `value`, until {@link notify} is called for that element. It is `Atomics.wait` between
 * processes, with the same results. Blocks the event loop: signal handlers do not run meanwhile, nor timers and I/O. For scripts and
 * workers.
 *
 * @remarks Spins on the element for a few microseconds before it sleeps; after a change in that time it returns `'not-equal'`, as if the
 * call had come a little later. The array must be a view of the buffer of a {@link SharedMemory}, of a {@link SharedArray} of `'i'`, or of
 * a {@link SharedState} with one of those.
 * @param value - what the element is expected to hold
 * @param timeoutMs - as for `Atomics.wait`
 * @returns `'not-equal'` when the element held another number, `'ok'` when notified, `'timed-out'` otherwise
 * @throws `TypeError`, `RangeError` for another array or index; {@link ShareError} `ERR_CLOSED`; `ERR_NO_WORDS` when the
 * segment has no parking for words; `ERR_TOO_MANY_WAITERS`.
 * @example
 * ```ts
 * import { notify, SharedArray, wait } from 'procshare'
 * using words = new SharedArray('i', 4)
 * console.assert(wait(words, 0, 1) === 'not-equal')
 * console.assert(wait(words, 0, 0, 10) === 'timed-out')
 * console.assert(notify(words, 0) === 0)
 * ```
 */
export function wait(
  array: Int32Array,
  index: number,
  value: number,
  timeoutMs: number = Infinity,
): 'ok' | 'not-equal' | 'timed-out' {
  const { words, byteOffset } = wordAt(array, index)
  assertValue(value)
  assertTimeout('timeoutMs', timeoutMs)
  if (array[index] !== value) return 'not-equal'
  if (timeoutMs === 0) return 'timed-out'
  if (native.spinWord(words.object, byteOffset, value, Math.min(timeoutMs, 1))) return 'not-equal'
  const id = native.parkIfEqual(words.object, byteOffset, value)
  if (id === PARK.NOT_EQUAL) return 'not-equal'
  return words.parked(id, byteOffset, words).waitSync(timeoutMs) === NOT_NOW ? 'timed-out' : 'ok'
}

/** Options of {@link waitAsync}. */
export interface WaitAsyncOptions extends WaitOptions {
  /**
   * Whether the wait keeps the process alive while it is pending.
   * @defaultValue `true`
   */
  readonly ref?: boolean | undefined
}

/** The result of {@link waitAsync}. */
export type WaitAsyncResult =
  | { readonly async: false; readonly value: 'not-equal' | 'timed-out' }
  | { readonly async: true; readonly value: Promise<'ok' | 'timed-out'> }

/**
 * {@link wait} without blocking the event loop: `Atomics.waitAsync` between processes.
 *
 * @remarks A pending wait keeps the process alive, as a timer does, unless `ref: false` is given. The promise is rejected with
 * `ERR_CLOSED` when the last object of the segment in this process or worker is closed, and with the reason of the signal when it aborts.
 * @param options - `timeoutMs` as for `Atomics.waitAsync`, or options
 * @throws as {@link wait}.
 * @example
 * ```ts
 * import { notify, SharedArray, waitAsync } from 'procshare'
 * using words = new SharedArray('i', 4)
 * const waiting = waitAsync(words, 0, 0)
 * words[0] = 1
 * console.assert(notify(words, 0) === 1)
 * console.assert((await waiting.value) === 'ok')
 * ```
 */
export function waitAsync(
  array: Int32Array,
  index: number,
  value: number,
  options: number | WaitAsyncOptions = {},
): WaitAsyncResult {
  const { words, byteOffset } = wordAt(array, index)
  assertValue(value)
  const { timeoutMs = Infinity, signal, ref = true } = waitAsyncOptions(options)
  if (array[index] !== value) return { async: false, value: 'not-equal' }
  if (timeoutMs === 0) return { async: false, value: 'timed-out' }
  const id = native.parkIfEqual(words.object, byteOffset, value)
  if (id === PARK.NOT_EQUAL) return { async: false, value: 'not-equal' }
  const waiting = words.parked(id, byteOffset, ref ? words : words.unrefd).wait({ timeoutMs, signal })
  return { async: true, value: waiting.then(() => 'ok' as const, timedOut) }
}

function waitAsyncOptions(given: number | WaitAsyncOptions): WaitAsyncOptions {
  if (typeof given === 'number') {
    assertTimeout('timeoutMs', given)
    return { timeoutMs: given, signal: undefined, ref: undefined }
  }
  const options = takeOptions('options', given, ['timeoutMs', 'signal', 'ref'])
  assertTimeout('options.timeoutMs', options.timeoutMs)
  assertSignal('options.signal', options.signal)
  if (options.ref !== undefined) assertBoolean('options.ref', options.ref)
  return options
}

function timedOut(error: unknown): 'timed-out' {
  if (hasCode(error, 'ERR_TIMEOUT')) return 'timed-out'
  throw error
}

/**
 * Ends up to `count` waits for `array[index]`, in any process, worker or task, and returns their number.
 *
 * @remarks Without waiters, the call only reads memory. Processes and workers are notified in turn. Within each of them, waits end in the
 * order of the calls. Waits of dead processes do not count.
 * @throws as {@link wait}.
 * @example
 * ```ts
 * import { notify, SharedMemory } from 'procshare'
 * using memory = new SharedMemory(64)
 * const words = new Int32Array(memory.buffer)
 * Atomics.store(words, 0, 1)
 * console.assert(notify(words, 0, 1) === 0)
 * ```
 */
export function notify(array: Int32Array, index: number, count: number = Infinity): number {
  const { words, byteOffset } = wordAt(array, index)
  if (count !== Infinity) assertInteger('count', count, 0, Number.MAX_SAFE_INTEGER)
  return words.unpark(byteOffset, count)
}

function assertValue(value: number): void {
  assertInteger('value', value, -(2 ** 31), 2 ** 31 - 1)
}
