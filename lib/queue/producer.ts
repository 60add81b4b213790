/** Producer: the side of a ring that puts, as one environment uses it. */
import { segmentError } from '../errors/segment-messages.ts'
import type { ShareError } from '../errors/share-error.ts'
import { native, QUEUE } from '../native.ts'
import {
  assertSyncWaitOptions,
  assertWaitOptions,
  type SyncWaitOptions,
  type WaitOptions,
} from '../sync/wait-options.ts'
import { block, NOT_NOW, timeoutError, type Waiter } from '../sync/wait-queue.ts'
import { encode, encodedOutside, forgetEncoded, keepEncoded } from './codec.ts'
import { type Item, itemsAsRecords, recordBytes, select } from './exchange.ts'
import { type Ring, roomFor } from './ring.ts'
import { discardSpilled, releaseSpilled, SPILLED, type SpillRoom } from './spill.ts'

const { putSelected } = native

export class Producer {
  readonly #ring: Ring
  readonly #spill: SpillRoom | undefined

  constructor(ring: Ring, spill?: SpillRoom) {
    this.#ring = ring
    this.#spill = spill
  }

  async put(waiter: Waiter, value: unknown, options: WaitOptions): Promise<void> {
    assertWaitOptions(options)
    options.signal?.throwIfAborted()
    if (this.#tryKeeping(waiter, value)) return
    if (options.timeoutMs === 0) throw notNow(waiter)
    const item = this.#fitting(keepEncoded())
    const attempt = () => (this.#putItem(waiter, item) ? undefined : NOT_NOW)
    try {
      await this.#ring.room.wait(waiter, attempt, roomForItem(item), options)
    } catch (error) {
      discardSpilled(item)
      throw error
    }
    releaseSpilled(item)
  }

  putSync(waiter: Waiter, value: unknown, options: SyncWaitOptions | undefined): void {
    if (options !== undefined) assertSyncWaitOptions(options)
    if (!this.#tryKeeping(waiter, value)) this.#putEncodedSync(waiter, options?.timeoutMs ?? Infinity)
  }

  tryPut(waiter: Waiter, value: unknown): boolean {
    const isPut = this.#tryKeeping(waiter, value)
    if (!isPut) forgetEncoded()
    return isPut
  }

  /** What could not be put stays encoded. */
  #tryKeeping(waiter: Waiter, value: unknown): boolean {
    const byteLength = encode(value)
    return this.#ring.room.size === 0 && this.#putEncoded(waiter, byteLength)
  }

  async putMany(waiter: Waiter, values: readonly unknown[], options: WaitOptions): Promise<void> {
    assertWaitOptions(options)
    options.signal?.throwIfAborted()
    const records = this.#recordsOf(waiter, values)
    const attempt = () => (this.#putRecords(waiter, records, values.length) ? undefined : NOT_NOW)
    if (values.length === 0 || (this.#ring.room.size === 0 && attempt() !== NOT_NOW)) return
    if (options.timeoutMs === 0) throw timeoutError(waiter, 0)
    await this.#ring.room.wait(waiter, attempt, roomFor(records.byteLength, values.length), options)
  }

  putManySync(waiter: Waiter, values: readonly unknown[], options: SyncWaitOptions | undefined): void {
    assertSyncWaitOptions(options)
    const records = this.#recordsOf(waiter, values)
    if (values.length === 0) return
    const attempt = () => this.#putRecords(waiter, records, values.length)
    this.#block(waiter, attempt, roomFor(records.byteLength, values.length), options?.timeoutMs ?? Infinity)
  }

  /** Puts what encode() has just made. */
  #putEncoded(waiter: Waiter, byteLength: number): boolean {
    if (byteLength === 0) return this.#putOutside(waiter)
    this.#ring.assertOpen(waiter)
    select(this.#ring.index, byteLength, 1)
    const outcome = putSelected()
    if (outcome === undefined) {
      this.#pumpItems()
      return true
    }
    if (outcome === QUEUE.TOO_LARGE && this.#spill !== undefined) return this.#putFitting(waiter, keepEncoded())
    return this.#settle(waiter, outcome, byteLength)
  }

  #putOutside(waiter: Waiter): boolean {
    let isKept = false
    try {
      this.#ring.assertOpen(waiter)
      isKept = !this.#putFitting(waiter, encodedOutside())
      return !isKept
    } finally {
      if (!isKept) forgetEncoded()
    }
  }

  /** Puts what encode() has made, in line behind the asynchronous puts of this environment. */
  #putEncodedSync(waiter: Waiter, timeoutMs: number): void {
    if (timeoutMs === 0) throw notNow(waiter)
    const item = this.#fitting(keepEncoded())
    try {
      this.#block(waiter, () => this.#putItem(waiter, item), roomForItem(item), timeoutMs)
    } catch (error) {
      discardSpilled(item)
      throw error
    }
    releaseSpilled(item)
  }

  #putFitting(waiter: Waiter, item: Item): boolean {
    const fitting = this.#fitting(item)
    let isPut = false
    try {
      isPut = this.#putItem(waiter, fitting)
      return isPut
    } finally {
      if (isPut) releaseSpilled(fitting)
      else discardSpilled(fitting)
    }
  }

  #putItem(waiter: Waiter, item: Item): boolean {
    this.#ring.assertOpen(waiter)
    return this.#settle(waiter, native.queuePutItem(this.#ring.object, item.flags, item.bytes), item.bytes.byteLength)
  }

  #putRecords(waiter: Waiter, records: Uint8Array, count: number): boolean {
    this.#ring.assertOpen(waiter)
    return this.#settle(waiter, native.queuePutRecords(this.#ring.object, records, count), records.byteLength, count)
  }

  /** @param count - how many items were put in one step, when it may be several */
  #settle(waiter: Waiter, outcome: number, byteLength: number, count?: number): boolean {
    switch (outcome) {
      case QUEUE.DONE:
        this.#pumpItems()
        return true
      case QUEUE.BUSY:
        if (this.#ring.isUnheard()) throw unheard(waiter)
        return false
      case QUEUE.NO_READER:
        throw unheard(waiter)
      case QUEUE.CLOSED:
        throw segmentError('ERR_ENDED', { ...waiter.subject, why: 'no more puts' })
      case QUEUE.TOO_LARGE:
        throw this.#tooLarge(waiter, byteLength, count)
      default:
        throw segmentError('ERR_CORRUPT', { segment: waiter.name })
    }
  }

  #tooLarge({ subject }: Waiter, byteLength: number, count: number | undefined): ShareError {
    const { byteLength: maxBytes, maxSize } = this.#ring.state()
    const canSpill = this.#ring.writer === undefined
    const several = count === undefined ? {} : { count, maxSize }
    return segmentError('ERR_TOO_LARGE', { ...subject, byteLength, maxBytes, canSpill, ...several })
  }

  /** Those of this environment who wait for items: our own tasks need no wake-up. */
  #pumpItems(): void {
    if (this.#ring.items.size > 0) this.#ring.items.pump()
  }

  /** Blocks until the attempt succeeds, serving those who stand in line before. */
  #block(waiter: Waiter, attempt: () => boolean, needed: number, timeoutMs: number): void {
    const { room, roomWait } = this.#ring
    const inTurn = () => {
      if (room.size > 0) room.poll()
      return room.size === 0 && attempt() ? true : NOT_NOW
    }
    if (block(roomWait, inTurn, needed, timeoutMs) === NOT_NOW) throw timeoutError(waiter, timeoutMs)
  }

  #recordsOf(waiter: Waiter, values: readonly unknown[]): Uint8Array {
    let byteLength = 0
    const items = values.map((value) => {
      encode(value)
      const item = keepEncoded()
      byteLength += recordBytes(item.bytes.byteLength)
      return item
    })
    this.#ring.assertOpen(waiter)
    if (byteLength > this.#ring.state().byteLength) {
      throw this.#tooLarge(waiter, byteLength, values.length)
    }
    return itemsAsRecords(items, byteLength)
  }

  /** The item itself, or what stands for it in the ring when it is too large for that. */
  #fitting(item: Item): Item {
    if (this.#spill === undefined || item.flags & SPILLED) return item
    return recordBytes(item.bytes.byteLength) > this.#ring.state().byteLength ? this.#spill.store(item) : item
  }
}

function roomForItem({ bytes }: Item): number {
  return roomFor(recordBytes(bytes.byteLength), 1)
}

/** There is no time to wait. */
function notNow(waiter: Waiter) {
  forgetEncoded()
  return timeoutError(waiter, 0)
}

function unheard(waiter: Waiter) {
  return segmentError('ERR_ENDED', { ...waiter.subject, why: 'other end closed' })
}
