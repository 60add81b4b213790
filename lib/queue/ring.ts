/**
 * Ring: a queue of items as one environment sees it: what is common to those who put (producer.ts) and those who take
 * (consumer.ts), of queues and pipes.
 *
 * Those who wait stand in two lines, one for items and one for room. Within one environment all puts are served in the
 * order in which they were made, blocking ones behind asynchronous ones; so are all gets.
 */
import { segmentError } from '../errors/segment-messages.ts'
import { type NativeObject, native, QUEUE } from '../native.ts'
import { type Waiter, WaitQueue } from '../sync/wait-queue.ts'
import { answers } from './exchange.ts'

/** An end of a pipe. */
export type End = 0 | 1

/** So often those who have been killed are looked for, at most. */
const SEEK_MS = 10
const COUNT_LIMIT = 2 ** 21
/** The most items that can be put or taken at once. */
export const MAX_AT_ONCE = COUNT_LIMIT - 1

export class Ring {
  readonly object: NativeObject<'Queue'>
  /** What the native part calls it. */
  readonly index: number
  readonly itemsWait: number
  readonly roomWait: number
  readonly items: WaitQueue
  readonly room: WaitQueue
  /** The end that puts, when this is one direction of a pipe; the other one takes. */
  readonly writer: End | undefined
  #hasEnded = false
  /** When the dead of either end were looked for. */
  readonly #soughtAt: [number, number] = [-Infinity, -Infinity]

  constructor(object: NativeObject<'Queue'>, writer?: End) {
    this.object = object
    this.index = native.queueIndex(object)
    this.itemsWait = native.objectWait(object, 0)
    this.roomWait = native.objectWait(object, 1)
    this.items = new WaitQueue(this.itemsWait)
    this.room = new WaitQueue(this.roomWait)
    this.writer = writer
  }

  /** The environment has closed its last handle; a getter of an item may have done so. */
  unbindObject(): void {
    this.#hasEnded = true
    native.unbindObject(this.object)
  }

  assertOpen(waiter: Waiter): void {
    if (this.#hasEnded) throw segmentError('ERR_CLOSED', waiter.subject)
  }

  /** Whether nobody who lives and takes has this pipe open. Never of a queue. */
  isUnheard(): boolean {
    return this.writer !== undefined && this.#isAlone((1 - this.writer) as End)
  }

  /** Whether nobody who lives and puts has this pipe open. Never of a queue. */
  isForsaken(): boolean {
    return this.writer !== undefined && this.#isAlone(this.writer)
  }

  /** Whether one lives takes system calls to find out, which those who look all the time do not make each time. */
  #isAlone(end: End): boolean {
    const now = performance.now()
    const isDue = now - this.#soughtAt[end] > SEEK_MS
    if (isDue) this.#soughtAt[end] = now
    return native.queueIsEndClosed(this.object, end, isDue)
  }

  /** Nothing more is put, by anybody. */
  end(waiter: Waiter): void {
    if (native.queueClose(this.object) !== QUEUE.DONE) throw segmentError('ERR_CORRUPT', { segment: waiter.name })
    this.items.pump()
    this.room.pump()
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

/** The argument of a wait for room. */
export function roomFor(byteLength: number, count: number): number {
  return (byteLength / 8) * COUNT_LIMIT + count
}
