/**
 * Ring: a queue of items as one environment uses it: what queues and pipes share.
 *
 * Those who wait stand in two lines, one for items and one for room. Within one environment all puts are served in the
 * order in which they were made, blocking ones behind asynchronous ones; so are all gets.
 */
import { ShareError, type ShareErrorCode } from '../errors.ts'
import { type NativeObject, native, QUEUE } from '../native.ts'
import { block, NOT_NOW, timeoutError, type Waiter, WaitLine } from '../sync/wait-line.ts'
import {
  assertSyncWaitOptions,
  assertWaitOptions,
  type SyncWaitOptions,
  type WaitOptions,
} from '../sync/wait-options.ts'
import { decode, decodeAt, encode, encodedOutside, keepEncoded, noteTaken } from './codec.ts'
import { flagsAt, type Item, itemAt, recordBytes, recordBytesAt } from './exchange.ts'
import { fetchSpilled, removeSpilled, SPILLED, type SpillRoom } from './spill.ts'

/** What an attempt answers when the queue has ended. */
export const ENDED: unique symbol = Symbol('ended')
type Got = typeof NOT_NOW | typeof ENDED | { readonly value: unknown }

const selection = new Uint32Array(native.selection)
const INDEX = 0
const BYTES = 1
const COUNT = 2
const words = new Float64Array(native.exchange, 0, native.layout.exchangeWords)

/** Items up to this length come through the exchange, larger ones straight into memory of their own. */
const MOST_EXCHANGED = 4096
const COUNT_LIMIT = 2 ** 21
/** The most items that putMany() takes. */
export const MOST_AT_ONCE = COUNT_LIMIT - 1

/** How a ring tells its ends apart, when it is one direction of a pipe. */
export interface RingEnds {
  /** The end that puts; the other one takes. */
  readonly writer: number
}

export class Ring {
  readonly object: NativeObject<'Queue'>
  readonly items: WaitLine
  readonly room: WaitLine
  readonly #index: number
  readonly #itemsWait: number
  readonly #roomWait: number
  readonly #ends: RingEnds | undefined
  readonly #spill: SpillRoom | undefined
  #ended = false
  /** Of items that were taken with others and could not be decoded: for the next ones who take something. */
  readonly #failures: unknown[] = []

  constructor(object: NativeObject<'Queue'>, ends?: RingEnds, spill?: SpillRoom) {
    this.object = object
    this.#index = native.queueIndex(object)
    this.#itemsWait = native.objectWait(object, 0)
    this.#roomWait = native.objectWait(object, 1)
    this.items = new WaitLine(this.#itemsWait)
    this.room = new WaitLine(this.#roomWait)
    this.#ends = ends
    this.#spill = spill
  }

  /** The environment has closed its last handle; a getter of an item may have done so. */
  endObject(): void {
    this.#ended = true
    native.endObject(this.object)
  }

  async put(waiter: Waiter, value: unknown, options: WaitOptions): Promise<void> {
    assertWaitOptions(options)
    options.signal?.throwIfAborted()
    const byteLength = encode(value)
    if (this.room.size === 0 && this.#putEncoded(waiter, byteLength)) return
    if (options.timeoutMs === 0) throw timeoutError(waiter, 0)
    const item = this.#fitting(keepEncoded())
    const attempt = () => (this.#putItem(waiter, item) ? undefined : NOT_NOW)
    await this.#inLine(waiter, attempt, needs(item), item, options)
  }

  putSync(waiter: Waiter, value: unknown, options: SyncWaitOptions | undefined): void {
    if (options !== undefined) assertSyncWaitOptions(options)
    const byteLength = encode(value)
    if (this.room.size === 0 && this.#putEncoded(waiter, byteLength)) return
    const timeoutMs = options?.timeoutMs ?? Infinity
    if (timeoutMs === 0) throw timeoutError(waiter, 0)
    const item = this.#fitting(keepEncoded())
    this.#blockForRoom(waiter, () => this.#putItem(waiter, item), needs(item), timeoutMs, item)
  }

  tryPut(waiter: Waiter, value: unknown): boolean {
    const byteLength = encode(value)
    return this.room.size === 0 && this.#putEncoded(waiter, byteLength)
  }

  async putMany(waiter: Waiter, values: readonly unknown[], options: WaitOptions): Promise<void> {
    assertWaitOptions(options)
    options.signal?.throwIfAborted()
    const records = this.#recordsOf(waiter, values)
    const attempt = () => (this.#putRecords(waiter, records, values.length) ? undefined : NOT_NOW)
    if (values.length === 0 || (this.room.size === 0 && attempt() !== NOT_NOW)) return
    if (options.timeoutMs === 0) throw timeoutError(waiter, 0)
    const needed = (records.byteLength / 8) * COUNT_LIMIT + values.length
    await this.#inLine(waiter, attempt, needed, undefined, options)
  }

  putManySync(waiter: Waiter, values: readonly unknown[], options: SyncWaitOptions | undefined): void {
    assertSyncWaitOptions(options)
    const { timeoutMs = Infinity } = options ?? {}
    const records = this.#recordsOf(waiter, values)
    if (values.length === 0) return
    const attempt = () => this.#putRecords(waiter, records, values.length)
    const needed = (records.byteLength / 8) * COUNT_LIMIT + values.length
    this.#blockForRoom(waiter, attempt, needed, timeoutMs, undefined)
  }

  /** One item; ENDED instead of an error, which iteration does not need. */
  async get(waiter: Waiter, options: WaitOptions): Promise<{ readonly value: unknown } | typeof ENDED> {
    assertWaitOptions(options)
    options.signal?.throwIfAborted()
    const got = this.items.size === 0 ? this.#take(waiter) : NOT_NOW
    if (got !== NOT_NOW) return got
    if (options.timeoutMs === 0) throw timeoutError(waiter, 0)
    return this.items.wait(waiter, () => this.#take(waiter), 0, options)
  }

  getSync(waiter: Waiter, options: SyncWaitOptions | undefined): { readonly value: unknown } | typeof ENDED {
    if (options !== undefined) assertSyncWaitOptions(options)
    if (this.items.size === 0) {
      const got = this.#take(waiter)
      if (got !== NOT_NOW) return got
    }
    const timeoutMs = options?.timeoutMs ?? Infinity
    return this.#blockForItems(waiter, () => this.#take(waiter), timeoutMs)
  }

  tryGet(waiter: Waiter): Got {
    return this.items.size === 0 ? this.#take(waiter) : NOT_NOW
  }

  async getMany(waiter: Waiter, most: number, options: WaitOptions): Promise<unknown[] | typeof ENDED> {
    assertWaitOptions(options)
    options.signal?.throwIfAborted()
    const got = this.items.size === 0 ? this.#takeMany(waiter, most) : NOT_NOW
    if (got !== NOT_NOW) return got
    if (options.timeoutMs === 0) throw timeoutError(waiter, 0)
    return this.items.wait(waiter, () => this.#takeMany(waiter, most), 0, options)
  }

  getManySync(waiter: Waiter, most: number, options: SyncWaitOptions | undefined): unknown[] | typeof ENDED {
    assertSyncWaitOptions(options)
    return this.#blockForItems(waiter, () => this.#takeMany(waiter, most), options?.timeoutMs ?? Infinity)
  }

  /** Waits until there is something to take, or the end, without taking it. False after the timeout. */
  async poll(waiter: Waiter, options: WaitOptions): Promise<boolean> {
    assertWaitOptions(options)
    options.signal?.throwIfAborted()
    if (this.#hasSomething()) return true
    const { timeoutMs = 0, signal } = options
    if (timeoutMs === 0) return false
    const attempt = () => (this.#hasSomething() ? true : NOT_NOW)
    const giveUp = (reason: unknown) => ((reason as ShareError | undefined)?.code === 'ERR_TIMEOUT' ? false : undefined)
    return this.items.wait<boolean>(waiter, attempt, 0, { timeoutMs, signal }, giveUp)
  }

  pollSync(options: SyncWaitOptions): boolean {
    assertSyncWaitOptions(options)
    return block(this.#itemsWait, () => (this.#hasSomething() ? true : NOT_NOW), 0, options.timeoutMs ?? 0) === true
  }

  /** Nothing more is put, by anybody. */
  end(waiter: Waiter): void {
    if (native.queueClose(this.object) !== QUEUE.DONE) throw new ShareError('ERR_CORRUPT', { segment: waiter.name })
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
    const [items, freeBytes, byteLength, maxSize, unfinished, ended] = words
    return {
      items: items!,
      freeBytes: freeBytes!,
      byteLength: byteLength!,
      maxSize: maxSize!,
      unfinished: unfinished!,
      ended: ended === 1,
    }
  }

  /** Those of this environment look again: the other end of the pipe may be gone. */
  lookAgain(): void {
    this.items.pump()
    this.room.pump()
  }

  async #inLine(
    waiter: Waiter,
    attempt: () => undefined | typeof NOT_NOW,
    needed: number,
    item: Item | undefined,
    options: WaitOptions,
  ): Promise<void> {
    try {
      await this.room.wait(waiter, attempt, needed, options)
    } catch (error) {
      if (item !== undefined) this.#discard(item)
      throw error
    }
  }

  /** Puts in line, behind the asynchronous puts of this environment, which are served meanwhile. */
  #blockForRoom(
    waiter: Waiter,
    attempt: () => boolean,
    needed: number,
    timeoutMs: number,
    item: Item | undefined,
  ): void {
    const inTurn = () => {
      if (this.room.size > 0) this.room.lookAgain()
      return this.room.size === 0 && attempt() ? true : NOT_NOW
    }
    try {
      if (block(this.#roomWait, inTurn, needed, timeoutMs) === NOT_NOW) throw timeoutError(waiter, timeoutMs)
    } catch (error) {
      if (item !== undefined) this.#discard(item)
      throw error
    }
  }

  #blockForItems<T>(waiter: Waiter, attempt: () => T | typeof NOT_NOW, timeoutMs: number): T {
    const inTurn = (): T | typeof NOT_NOW => {
      if (this.items.size > 0) this.items.lookAgain()
      return this.items.size === 0 ? attempt() : NOT_NOW
    }
    const got = block<T>(this.#itemsWait, inTurn, 0, timeoutMs)
    if (got === NOT_NOW) throw timeoutError(waiter, timeoutMs)
    return got as T
  }

  /** Puts what encode() has just made. */
  #putEncoded(waiter: Waiter, byteLength: number): boolean {
    this.#assertHeard(waiter)
    if (byteLength === 0) {
      const item = encodedOutside()
      const fitting = this.#fitting(item)
      const done = this.#settle(waiter, native.queuePutItem(this.object, fitting.flags, fitting.bytes), fitting)
      if (!done && fitting !== item) this.#discard(fitting)
      return done
    }
    selection[INDEX] = this.#index
    selection[BYTES] = byteLength
    selection[COUNT] = 1
    const outcome = native.putSelected()
    if (outcome === undefined) {
      if (this.items.size > 0) this.items.pump() // our own tasks need no wake-up
      return true
    }
    if (outcome === QUEUE.TOO_LARGE && this.#spill !== undefined) return this.#spillEncoded(waiter)
    return this.#settle(waiter, outcome, undefined)
  }

  #spillEncoded(waiter: Waiter): boolean {
    const item = this.#fitting(keepEncoded())
    const done = this.#putItem(waiter, item)
    if (!done) this.#discard(item)
    return done
  }

  #putItem(waiter: Waiter, item: Item): boolean {
    this.#assertHeard(waiter)
    return this.#settle(waiter, native.queuePutItem(this.object, item.flags, item.bytes), item)
  }

  #putRecords(waiter: Waiter, records: Uint8Array, count: number): boolean {
    this.#assertHeard(waiter)
    return this.#settle(waiter, native.queuePutRecords(this.object, records, count), undefined)
  }

  #settle(waiter: Waiter, outcome: number, item: Item | undefined): boolean {
    if (outcome === QUEUE.DONE) {
      if (this.items.size > 0) this.items.pump() // our own tasks need no wake-up
      return true
    }
    if (outcome === QUEUE.BUSY) {
      if (this.#ends !== undefined) this.#assertHeard(waiter, true)
      return false
    }
    if (outcome === QUEUE.CLOSED) throw errorOf(waiter, 'ERR_ENDED', 'nothing more can be put into it')
    if (outcome === QUEUE.TOO_LARGE) {
      throw errorOf(
        waiter,
        'ERR_TOO_LARGE',
        item === undefined ? 'that much at once' : `${item.bytes.byteLength} bytes`,
      )
    }
    throw errorOf(waiter, 'ERR_CORRUPT')
  }

  /** Throws when this is a pipe at whose other end is nobody, or has ended. */
  #assertHeard(waiter: Waiter, thorough = false): void {
    if (this.#ended) throw errorOf(waiter, 'ERR_CLOSED')
    if (this.#ends === undefined || !native.queueIsAlone(this.object, 1 - this.#ends.writer, thorough)) return
    throw errorOf(waiter, 'ERR_ENDED', 'nobody has the other end')
  }

  #take(waiter: Waiter): Got {
    this.#throwFailure()
    selection[INDEX] = this.#index
    selection[BYTES] = MOST_EXCHANGED
    selection[COUNT] = 1
    const outcome = native.getSelected()
    if (outcome === undefined) {
      noteTaken()
      const value = this.#valueAt(0)
      if (this.room.size > 0) this.room.pump() // our own tasks need no wake-up
      return { value }
    }
    if (outcome === QUEUE.TOO_SMALL) return this.#takeLarge(waiter, selection[BYTES]!)
    return this.#notTaken(waiter, outcome, () => this.#take(waiter))
  }

  #throwFailure(): void {
    if (this.#failures.length > 0) throw this.#failures.shift()
  }

  #valueAt(offset: number): unknown {
    return flagsAt(offset) & SPILLED ? this.#fetch(itemAt(offset)) : decodeAt(offset)
  }

  /** Another consumer may take the item in between, and the next one may have any size. */
  #takeLarge(waiter: Waiter, byteLength: number): Got {
    for (let length = byteLength; ; length = words[0]!) {
      const bytes = Buffer.allocUnsafeSlow(length)
      const outcome = native.queueGetItem(this.object, bytes)
      if (outcome === QUEUE.DONE) {
        const [actual, flags] = words as unknown as [number, number]
        const item = actual === length ? bytes : Buffer.from(bytes.buffer.slice(0, actual))
        if (this.room.size > 0) this.room.pump()
        return { value: decode(flags, item) }
      }
      if (outcome !== QUEUE.TOO_SMALL) return this.#notTaken(waiter, outcome, () => this.#take(waiter))
    }
  }

  #takeMany(waiter: Waiter, most: number): unknown[] | typeof NOT_NOW | typeof ENDED {
    this.#throwFailure()
    selection[INDEX] = this.#index
    selection[BYTES] = native.layout.exchangeBytes
    selection[COUNT] = most
    const outcome = native.getSelected()
    if (outcome === undefined) {
      noteTaken()
      const byteLength = selection[BYTES]!
      const values: unknown[] = []
      for (let offset = 0; offset < byteLength; offset += recordBytesAt(offset)) {
        try {
          values.push(this.#valueAt(offset))
        } catch (error) {
          this.#failures.push(error)
        }
      }
      if (this.room.size > 0) this.room.pump()
      if (values.length === 0) this.#throwFailure()
      return values
    }
    if (outcome === QUEUE.TOO_SMALL) {
      const got = this.#takeLarge(waiter, selection[BYTES]!)
      return got === NOT_NOW || got === ENDED ? got : [got.value]
    }
    return this.#notTaken(waiter, outcome, () => this.#takeMany(waiter, most))
  }

  #notTaken<T>(
    waiter: Waiter,
    outcome: number,
    again: () => T | typeof NOT_NOW | typeof ENDED,
  ): T | typeof NOT_NOW | typeof ENDED {
    if (outcome === QUEUE.CLOSED) return ENDED
    if (outcome !== QUEUE.BUSY) throw errorOf(waiter, 'ERR_CORRUPT')
    if (this.#ends === undefined || !native.queueIsAlone(this.object, this.#ends.writer, true)) return NOT_NOW
    // The writer may have put something before it went.
    return native.lookWait(this.#itemsWait, 0) && this.state().items > 0 ? again() : ENDED
  }

  #hasSomething(): boolean {
    if (native.lookWait(this.#itemsWait, 0)) return true
    return this.#ends !== undefined && native.queueIsAlone(this.object, this.#ends.writer, true)
  }

  #recordsOf(waiter: Waiter, values: readonly unknown[]): Uint8Array {
    const items: Item[] = []
    let byteLength = 0
    for (const value of values) {
      encode(value)
      const item = keepEncoded()
      items.push(item)
      byteLength += recordBytes(item.bytes.byteLength)
    }
    this.#assertHeard(waiter)
    const { byteLength: capacity } = this.state()
    if (byteLength > capacity) throw errorOf(waiter, 'ERR_TOO_LARGE', `${values.length} items of ${byteLength} bytes`)
    const records = Buffer.alloc(byteLength)
    let offset = 0
    for (const { flags, bytes } of items) {
      records.writeUInt32LE(bytes.byteLength, offset)
      records[offset + 7] = flags
      records.set(bytes, offset + 8)
      offset += recordBytes(bytes.byteLength)
    }
    return records
  }

  /** The item itself, or what stands for it in the ring when it is too large for that. */
  #fitting(item: Item): Item {
    if (this.#spill === undefined || item.flags & SPILLED) return item
    return recordBytes(item.bytes.byteLength) > this.state().byteLength ? this.#spill.store(item) : item
  }

  #discard(item: Item): void {
    if (item.flags & SPILLED) removeSpilled(item)
  }

  #fetch(item: Item): unknown {
    const { flags, bytes } = fetchSpilled(item)
    return decode(flags, bytes)
  }
}

/** The argument of a wait for room. */
function needs({ bytes }: Item): number {
  return (recordBytes(bytes.byteLength) / 8) * COUNT_LIMIT + 1
}

export function errorOf({ name, subject }: Waiter, code: ShareErrorCode, detail?: string): ShareError {
  return new ShareError(code, { segment: name, subject, detail })
}
