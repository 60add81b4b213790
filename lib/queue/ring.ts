/**
 * Ring: the ring buffer of a queue or of one direction of a pipe, in one environment. Its producer (producer.ts) and its consumer
 * (consumer.ts) share it.
 *
 * There are two wait queues, one for items and one for free bytes. Within one environment, all puts are served in the order in
 * which they were made, and blocking puts after asynchronous ones. The same is true of gets.
 */
import { segmentError } from '../errors/segment-messages.ts'
import { type NativeObject, native, QUEUE } from '../native.ts'
import { type Waiter, WaitQueue } from '../sync/wait-queue.ts'
import { answers } from './exchange.ts'

/** An end of a pipe. */
export type End = 0 | 1

/** The shortest time between two checks for killed processes. */
const REAP_INTERVAL_MS = 10
const COUNT_LIMIT = 2 ** 21
/** How many items can be put or taken in one step. */
export const MAX_AT_ONCE = COUNT_LIMIT - 1

export class Ring {
  readonly object: NativeObject<'Queue'>
  /** Its number in the native part, for select(). */
  readonly index: number
  readonly itemsWait: number
  readonly freeWait: number
  readonly items: WaitQueue
  readonly free: WaitQueue
  /** The end that puts, if this is one direction of a pipe. The other end takes. */
  readonly writer: End | undefined
  #isUnbound = false
  /** The time of the last check for killed holders of each end. */
  readonly #reapedAt: [number, number] = [-Infinity, -Infinity]

  constructor(object: NativeObject<'Queue'>, writer?: End) {
    this.object = object
    this.index = native.queueIndex(object)
    this.itemsWait = native.objectWait(object, 0)
    this.freeWait = native.objectWait(object, 1)
    this.items = new WaitQueue(this.itemsWait)
    this.free = new WaitQueue(this.freeWait)
    this.writer = writer
  }

  /** Called when this environment has closed its last object of the ring, possibly in a getter of an item. */
  unbindObject(): void {
    this.#isUnbound = true
    native.unbindObject(this.object)
  }

  assertOpen(waiter: Waiter): void {
    if (this.#isUnbound) throw segmentError('ERR_CLOSED', waiter.subject)
  }

  /** Whether no living process has the reading end of the pipe open. False for a queue. */
  hasNoReader(): boolean {
    return this.writer !== undefined && this.#hasNoHolder((1 - this.writer) as End)
  }

  /** Whether no living process has the writing end of the pipe open. False for a queue. */
  hasNoWriter(): boolean {
    return this.writer !== undefined && this.#hasNoHolder(this.writer)
  }

  /** The system calls that find killed processes are made only once in an interval: waiters poll this. */
  #hasNoHolder(end: End): boolean {
    const now = performance.now()
    const isDue = now - this.#reapedAt[end] > REAP_INTERVAL_MS
    if (isDue) this.#reapedAt[end] = now
    return native.queueIsEndClosed(this.object, end, isDue)
  }

  /** Ends the ring: no process can put more items. */
  end(waiter: Waiter): void {
    if (native.queueClose(this.object) !== QUEUE.DONE) throw segmentError('ERR_CORRUPT', { segment: waiter.name })
    this.items.pump()
    this.free.pump()
  }

  state(): {
    items: number
    freeBytes: number
    byteLength: number
    maxSize: number
    unfinished: number
    ended: boolean
  } {
    native.queueState(this.object)
    const [items, freeBytes, byteLength, maxSize, unfinished, ended] = answers
    return {
      items: items!,
      freeBytes: freeBytes!,
      byteLength: byteLength!,
      maxSize: maxSize!,
      unfinished: unfinished!,
      ended: ended === 1,
    }
  }
}

/** The argument of a wait for free bytes: how many bytes and items are needed. */
export function freeArgument(byteLength: number, count: number): number {
  return (byteLength / 8) * COUNT_LIMIT + count
}
