/** Producer: puts items into a ring, for one environment. */
import { segmentError } from '../errors/segment-messages.ts'
import type { ShareError } from '../errors/share-error.ts'
import { native, QUEUE } from '../native.ts'
import { type SyncWaitOptions, takeSyncWaitOptions, takeWaitOptions, type WaitOptions } from '../sync/wait-options.ts'
import { block, NOT_NOW, timeoutError, type Waiter } from '../sync/wait-queue.ts'
import { bytesOf, exchange, type ItemRecord, recordsInRing, ringBytesOf, select, writeHeader } from './exchange.ts'
import { encode, ownedRecord } from './record.ts'
import { freeArgument, type Ring } from './ring.ts'
import { closeSpilled, discardSpilled, SPILLED, type SpillRoom } from './spill.ts'

const { putSelected } = native

export class Producer {
  readonly #ring: Ring
  readonly #spill: SpillRoom | undefined

  constructor(ring: Ring, spill?: SpillRoom) {
    this.#ring = ring
    this.#spill = spill
  }

  async put(waiter: Waiter, value: unknown, options: WaitOptions): Promise<void> {
    options = takeWaitOptions(options)
    options.signal?.throwIfAborted()
    const record = encode(value)
    if (this.#tryPutRecord(waiter, record)) return
    if (options.timeoutMs === 0) throw timeoutError(waiter, 0)
    const pending = this.#fitting(ownedRecord(record))
    const attempt = () => (this.#putRecord(waiter, pending) ? undefined : NOT_NOW)
    try {
      await this.#ring.free.wait(waiter, attempt, freeArgument(ringBytesOf(pending), 1), options)
    } catch (error) {
      discardSpilled(pending)
      throw error
    }
    closeSpilled(pending)
  }

  putSync(waiter: Waiter, value: unknown, options: SyncWaitOptions | undefined): void {
    if (options !== undefined) options = takeSyncWaitOptions(options)
    const record = encode(value)
    if (!this.#tryPutRecord(waiter, record)) this.#putRecordSync(waiter, record, options?.timeoutMs ?? Infinity)
  }

  tryPut(waiter: Waiter, value: unknown): boolean {
    return this.#tryPutRecord(waiter, encode(value))
  }

  async putMany(waiter: Waiter, values: readonly unknown[], options: WaitOptions): Promise<void> {
    options = takeWaitOptions(options)
    options.signal?.throwIfAborted()
    const records = this.#recordsOf(waiter, values)
    const attempt = () => (this.#putRecords(waiter, records, values.length) ? undefined : NOT_NOW)
    if (values.length === 0 || (this.#ring.free.size === 0 && attempt() !== NOT_NOW)) return
    if (options.timeoutMs === 0) throw timeoutError(waiter, 0)
    await this.#ring.free.wait(waiter, attempt, freeArgument(records.byteLength, values.length), options)
  }

  putManySync(waiter: Waiter, values: readonly unknown[], options: SyncWaitOptions | undefined): void {
    options = takeSyncWaitOptions(options)
    const records = this.#recordsOf(waiter, values)
    if (values.length === 0) return
    const attempt = () => this.#putRecords(waiter, records, values.length)
    this.#block(waiter, attempt, freeArgument(records.byteLength, values.length), options?.timeoutMs ?? Infinity)
  }

  /** Puts a record that encode() has just made, unless earlier puts are waiting. */
  #tryPutRecord(waiter: Waiter, record: ItemRecord): boolean {
    if (this.#ring.free.size > 0) return false
    if (record.bytes !== exchange) return this.#putFitting(waiter, record)
    this.#ring.assertOpen(waiter)
    const byteLength = writeHeader(record)
    select(this.#ring.index, byteLength, 1)
    const outcome = putSelected()
    if (outcome === undefined) {
      this.#pumpItems()
      return true
    }
    if (outcome === QUEUE.TOO_LARGE && this.#spill !== undefined) return this.#putFitting(waiter, ownedRecord(record))
    return this.#settle(waiter, outcome, byteLength)
  }

  /** Puts a record that encode() has just made, after the asynchronous puts of this environment. */
  #putRecordSync(waiter: Waiter, record: ItemRecord, timeoutMs: number): void {
    if (timeoutMs === 0) throw timeoutError(waiter, 0)
    const pending = this.#fitting(ownedRecord(record))
    try {
      const attempt = () => this.#putRecord(waiter, pending)
      this.#block(waiter, attempt, freeArgument(ringBytesOf(pending), 1), timeoutMs)
    } catch (error) {
      discardSpilled(pending)
      throw error
    }
    closeSpilled(pending)
  }

  #putFitting(waiter: Waiter, record: ItemRecord): boolean {
    this.#ring.assertOpen(waiter)
    const fitting = this.#fitting(record)
    let isPut = false
    try {
      isPut = this.#putRecord(waiter, fitting)
      return isPut
    } finally {
      if (isPut) closeSpilled(fitting)
      else discardSpilled(fitting)
    }
  }

  #putRecord(waiter: Waiter, record: ItemRecord): boolean {
    this.#ring.assertOpen(waiter)
    const outcome = native.queuePutItem(this.#ring.object, record.flags, bytesOf(record))
    return this.#settle(waiter, outcome, record.end - record.start)
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
        if (this.#ring.hasNoReader()) throw noReaderError(waiter)
        return false
      case QUEUE.NO_READER:
        throw noReaderError(waiter)
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

  /** Serves the waits for items of this environment, which the native part does not wake. */
  #pumpItems(): void {
    if (this.#ring.items.size > 0) this.#ring.items.pump()
  }

  /** Blocks until the attempt succeeds. Earlier asynchronous waits of this environment are served first. */
  #block(waiter: Waiter, attempt: () => boolean, needed: number, timeoutMs: number): void {
    const { free, freeWait } = this.#ring
    const inTurn = () => {
      if (free.size > 0) free.poll()
      return free.size === 0 && attempt() ? true : NOT_NOW
    }
    if (block(freeWait, inTurn, needed, timeoutMs) === NOT_NOW) throw timeoutError(waiter, timeoutMs)
  }

  #recordsOf(waiter: Waiter, values: readonly unknown[]): Uint8Array {
    let byteLength = 0
    const records = values.map((value) => {
      const record = ownedRecord(encode(value))
      byteLength += ringBytesOf(record)
      return record
    })
    this.#ring.assertOpen(waiter)
    if (byteLength > this.#ring.state().byteLength) throw this.#tooLarge(waiter, byteLength, values.length)
    return recordsInRing(records, byteLength)
  }

  /** The record itself, or the record of a spilled item if it is too large for the ring. */
  #fitting(record: ItemRecord): ItemRecord {
    if (this.#spill === undefined || record.flags & SPILLED) return record
    return ringBytesOf(record) > this.#ring.state().byteLength ? this.#spill.store(record) : record
  }
}

function noReaderError(waiter: Waiter) {
  return segmentError('ERR_ENDED', { ...waiter.subject, why: 'other end closed' })
}
