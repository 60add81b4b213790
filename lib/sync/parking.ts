/** Keyed waiting: `park(key)` begins a wait, and `unpark(key, n)` ends n of them. Used by conditions and words. */
import { segmentError } from '../errors/segment-messages.ts'
import type { Attachment } from '../memory/segment.ts'
import { type NativeObject, native, PARK } from '../native.ts'
import { ObjectState } from './shared-object.ts'
import type { WaitOptions } from './wait-options.ts'
import { block, NOT_NOW, type Waiter, WaitQueue } from './wait-queue.ts'

/** The largest number of pairs (a process or worker, and a key) that can have waits at the same time. */
export const MAX_RECORDS = 256

/** The place of the waits in a segment. */
export interface ParkingPlacement {
  readonly attachment: Pick<Attachment, 'segment' | 'name'>
  readonly cell: number
}

export class ParkingState extends ObjectState<'Parking'> {
  /** One queue for each native wait. */
  readonly #waitQueues = new Map<number, WaitQueue>()
  readonly #name: string

  constructor({ attachment, cell }: ParkingPlacement) {
    super(native.bindParking(attachment.segment.native, cell))
    this.#name = attachment.name
  }

  /**
   * Begins a wait for `key`. The caller then calls one of the methods of the result.
   * @throws {@link ShareError} `ERR_TOO_MANY_WAITERS`, `ERR_CORRUPT`.
   */
  park(key: number, waiter: Waiter): Parked {
    return this.parked(native.park(this.object, key), key, waiter)
  }

  /** The wait that a native function has begun. @param id - its result */
  parked(id: number, key: number, waiter: Waiter): Parked {
    if (id >= 0) return new Parked(this.object, key, id, this.#waitQueueOf(id), waiter)
    if (id === PARK.FULL) throw segmentError('ERR_TOO_MANY_WAITERS', { ...waiter.subject, limit: MAX_RECORDS })
    throw segmentError('ERR_CORRUPT', { segment: this.#name })
  }

  /** Ends up to `count` waits for `key`; returns the number of ended waits. */
  unpark(key: number, count: number): number {
    const woken = native.unpark(this.object, key, Math.min(count, Number.MAX_SAFE_INTEGER))
    if (woken > 0) for (const waitQueue of this.#waitQueues.values()) waitQueue.pump() // waits of this environment need no wake-up
    return woken
  }

  #waitQueueOf(id: number): WaitQueue {
    let waitQueue = this.#waitQueues.get(id)
    if (waitQueue === undefined) {
      waitQueue = this.addWaitQueue(new WaitQueue(id))
      this.#waitQueues.set(id, waitQueue)
    }
    return waitQueue
  }
}

/** A wait that has begun. */
export class Parked {
  readonly #object: NativeObject<'Parking'>
  readonly #key: number
  readonly #id: number
  readonly #waitQueue: WaitQueue
  readonly #waiter: Waiter

  constructor(object: NativeObject<'Parking'>, key: number, id: number, waitQueue: WaitQueue, waiter: Waiter) {
    this.#object = object
    this.#key = key
    this.#id = id
    this.#waitQueue = waitQueue
    this.#waiter = waiter
  }

  /** Rejects when the wait is cancelled, unless it was granted before. */
  wait(options: WaitOptions): Promise<true> {
    return this.#waitQueue.wait(this.#waiter, this.#attempt, 0, options, () => this.#cancel())
  }

  /** Returns NOT_NOW after the timeout, unless the wait was granted before. */
  waitSync(timeoutMs: number): true | typeof NOT_NOW {
    const answer = block(this.#id, this.#attempt, 0, timeoutMs)
    return answer === NOT_NOW ? (this.#cancel() ?? NOT_NOW) : answer
  }

  readonly #attempt = (): true | typeof NOT_NOW => (native.parkTake(this.#object, this.#key) ? true : NOT_NOW)

  #cancel(): true | undefined {
    return native.parkCancel(this.#object, this.#key) || undefined
  }
}
