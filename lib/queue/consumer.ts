/** Consumer: the side of a ring that takes, as one environment uses it. */
import { segmentError } from '../errors/segment-messages.ts'
import { hasCode, type ShareError } from '../errors/share-error.ts'
import { isShortage } from '../memory/room.ts'
import type { Attachment } from '../memory/segment.ts'
import { native, QUEUE } from '../native.ts'
import {
  assertSyncWaitOptions,
  assertWaitOptions,
  type SyncWaitOptions,
  type WaitOptions,
} from '../sync/wait-options.ts'
import { block, NOT_NOW, timeoutError, type Waiter } from '../sync/wait-queue.ts'
import { decode, decodeAt, decodeUntrusted, decodeUntrustedAt, noteTaken } from './codec.ts'
import { ENDED, type Got } from './consume.ts'
import { answers, exchange, type Item, itemAt, recordBytesAt, select, selectedBytes } from './exchange.ts'
import type { Ring } from './ring.ts'
import { readSpilled, SPILLED, type SpillRoom } from './spill.ts'

const { getSelected } = native

/** Items up to this length come through the exchange, larger ones straight into memory of their own. */
const MAX_EXCHANGED = 4096

/** Where the name of a large item's segment is read into. */
const nameBytes = Buffer.alloc(native.layout.maxNameBytes)

export class Consumer {
  readonly #ring: Ring
  readonly #spill: SpillRoom | undefined
  /** Of items that were taken with others and could not be decoded: for the next ones who take something. */
  readonly #failures: unknown[] = []
  /** Items that were taken when the system had no room for what is in them: for the next ones who take something. */
  readonly #kept: Item[] = []

  /** Whether the producers are believed: otherwise decodeUntrusted() says what is taken. */
  trusts = true

  constructor(ring: Ring, spill?: SpillRoom) {
    this.#ring = ring
    this.#spill = spill
  }

  async get(waiter: Waiter, options: WaitOptions): Promise<Got> {
    assertWaitOptions(options)
    options.signal?.throwIfAborted()
    const got = this.tryGet(waiter)
    if (got !== NOT_NOW) return got
    if (options.timeoutMs === 0) throw timeoutError(waiter, 0)
    return this.#ring.items.wait(waiter, () => this.#take(waiter), 0, options)
  }

  getSync(waiter: Waiter, options: SyncWaitOptions | undefined): Got {
    if (options !== undefined) assertSyncWaitOptions(options)
    const got = this.tryGet(waiter)
    return got === NOT_NOW ? this.#takeSync(waiter, options?.timeoutMs ?? Infinity) : got
  }

  tryGet(waiter: Waiter): Got | typeof NOT_NOW {
    return this.#ring.items.size === 0 ? this.#take(waiter) : NOT_NOW
  }

  async getMany(waiter: Waiter, most: number, options: WaitOptions): Promise<unknown[] | typeof ENDED> {
    assertWaitOptions(options)
    options.signal?.throwIfAborted()
    const got = this.#ring.items.size === 0 ? this.#takeMany(waiter, most) : NOT_NOW
    if (got !== NOT_NOW) return got
    if (options.timeoutMs === 0) throw timeoutError(waiter, 0)
    return this.#ring.items.wait(waiter, () => this.#takeMany(waiter, most), 0, options)
  }

  getManySync(waiter: Waiter, most: number, options: SyncWaitOptions | undefined): unknown[] | typeof ENDED {
    assertSyncWaitOptions(options)
    return this.#block(waiter, () => this.#takeMany(waiter, most), options?.timeoutMs ?? Infinity)
  }

  /** How many items there are at this moment. */
  get size(): number {
    return this.#ring.state().items
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
    return this.#ring.items.wait<boolean>(waiter, attempt, 0, { timeoutMs, signal }, giveUp)
  }

  pollSync(options: SyncWaitOptions): boolean {
    assertSyncWaitOptions(options)
    const attempt = () => (this.#hasSomething() ? true : NOT_NOW)
    return block(this.#ring.itemsWait, attempt, 0, options.timeoutMs ?? 0) === true
  }

  #take(waiter: Waiter): Got | typeof NOT_NOW {
    this.#throwFailure()
    if (this.#kept.length > 0) return this.#takeKept()
    select(this.#ring.index, MAX_EXCHANGED, 1)
    const outcome = getSelected()
    if (outcome !== undefined) return this.#takeOtherwise(waiter, outcome)
    noteTaken()
    const value = this.#valueAt(0)
    this.#pumpRoom()
    return { value }
  }

  #takeOtherwise(waiter: Waiter, outcome: number): Got | typeof NOT_NOW {
    if (outcome === QUEUE.TOO_SMALL) return this.#takeLarge(waiter, selectedBytes())
    if (outcome === QUEUE.SPILLED) return this.#takeSpilled(waiter)
    return this.#nothing(waiter, outcome) ?? this.#take(waiter)
  }

  /** Another consumer may take the item in between, and the next one may have any size. */
  #takeLarge(waiter: Waiter, byteLength: number): Got | typeof NOT_NOW {
    for (let length = byteLength; ; length = answers[0]!) {
      const bytes = Buffer.allocUnsafeSlow(length)
      const outcome = native.queueGetItem(this.#ring.object, bytes)
      if (outcome === QUEUE.DONE) {
        const [actual, flags] = answers as unknown as [number, number]
        const item = actual === length ? bytes : Buffer.from(bytes.buffer.slice(0, actual))
        this.#pumpRoom()
        return { value: this.trusts ? this.#valueOf(flags, item) : decodeUntrusted(flags, item) }
      }
      if (outcome === QUEUE.SPILLED) return this.#takeSpilled(waiter)
      if (outcome !== QUEUE.TOO_SMALL) return this.#nothing(waiter, outcome) ?? this.#take(waiter)
    }
  }

  /** Attaches to the segment of the first item, then takes the item, unless another consumer was faster. */
  #takeSpilled(waiter: Waiter): Got | typeof NOT_NOW {
    const outcome = native.queuePeek(this.#ring.object, nameBytes)
    if (outcome !== QUEUE.DONE) return this.#nothing(waiter, outcome) ?? this.#take(waiter)
    const [length, flags, word2, word3] = answers as unknown as [number, number, number, number]
    if (!(flags & SPILLED)) return this.#take(waiter)
    const name = nameBytes.toString('utf8', 0, Math.min(length, nameBytes.length))
    let attachment: Attachment | undefined
    let bytes: Buffer | undefined
    let failure: ShareError | undefined
    try {
      if (this.#spill === undefined) throw segmentError('ERR_CORRUPT', { segment: waiter.name })
      attachment = this.#spill.attach(name)
      // Before it is taken: there may be no room.
      bytes = Buffer.allocUnsafeSlow(attachment.segment.payloadBytes)
      void attachment.segment.innerBuffer
    } catch (error) {
      attachment?.close()
      if (!hasCode(error, 'ENOENT') && !hasCode(error, 'ERR_CORRUPT')) throw error // the item is still there
      failure = error
    }
    if (native.queueTakePeeked(this.#ring.object, word2, word3) !== QUEUE.DONE) {
      attachment?.close()
      return this.#take(waiter)
    }
    this.#pumpRoom()
    if (failure !== undefined) throw segmentError('ERR_ITEM_LOST', { ...waiter.subject, item: name }, failure)
    return { value: this.#valueOf(flags & ~SPILLED, readSpilled(attachment!, bytes!)) }
  }

  /** The value of an item that was taken. There may be no room for a shared object in it: then it is kept. */
  #valueOf(flags: number, bytes: Buffer): unknown {
    try {
      return decode(flags, bytes)
    } catch (error) {
      if (isShortage(error)) this.#kept.unshift({ flags, bytes })
      throw error
    }
  }

  /** The same of an item whose record begins there in the exchange. */
  #valueAt(offset: number): unknown {
    if (!this.trusts) return decodeUntrustedAt(offset)
    try {
      return decodeAt(offset)
    } catch (error) {
      if (isShortage(error)) this.#kept.push(itemAt(offset))
      throw error
    }
  }

  #takeKept(): Got {
    const { flags, bytes } = this.#kept.shift()!
    return { value: this.#valueOf(flags, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)) }
  }

  #takeMany(waiter: Waiter, most: number): unknown[] | typeof NOT_NOW | typeof ENDED {
    this.#throwFailure()
    if (this.#kept.length > 0) return [(this.#takeKept() as { readonly value: unknown }).value]
    select(this.#ring.index, exchange.byteLength, most)
    const outcome = getSelected()
    if (outcome === undefined) return this.#valuesOf(selectedBytes())
    const isAlone = outcome === QUEUE.TOO_SMALL || outcome === QUEUE.SPILLED
    if (!isAlone) return this.#nothing(waiter, outcome) ?? this.#takeMany(waiter, most)
    const got = outcome === QUEUE.SPILLED ? this.#takeSpilled(waiter) : this.#takeLarge(waiter, selectedBytes())
    return got === NOT_NOW || got === ENDED ? got : [got.value]
  }

  /** Of so many bytes of records that stand in the exchange. */
  #valuesOf(byteLength: number): unknown[] {
    noteTaken()
    const values: unknown[] = []
    for (let offset = 0; offset < byteLength; offset += recordBytesAt(offset)) {
      if (this.#kept.length > 0) {
        this.#kept.push(itemAt(offset)) // in their order
        continue
      }
      try {
        values.push(this.#valueAt(offset))
      } catch (error) {
        // What is kept says it again, unless there is room by then.
        const isToldLater = this.#kept.length > 0 && values.length + this.#failures.length > 0
        if (!isToldLater) this.#failures.push(error)
      }
    }
    this.#pumpRoom()
    if (values.length === 0) this.#throwFailure()
    return values
  }

  /** Why there is nothing; undefined when there may be something by now. */
  #nothing(waiter: Waiter, outcome: number): typeof NOT_NOW | typeof ENDED | undefined {
    if (outcome === QUEUE.CLOSED) return ENDED
    if (outcome !== QUEUE.BUSY) throw segmentError('ERR_CORRUPT', { segment: waiter.name })
    if (!this.#ring.isForsaken()) return NOT_NOW
    // The writer may have put something before it went.
    return native.isWaitReady(this.#ring.itemsWait, 0) && this.#ring.state().items > 0 ? undefined : ENDED
  }

  #hasSomething(): boolean {
    return this.#kept.length > 0 || native.isWaitReady(this.#ring.itemsWait, 0) || this.#ring.isForsaken()
  }

  #throwFailure(): void {
    if (this.#failures.length > 0) throw this.#failures.shift()
  }

  /** Those of this environment who wait for room: our own tasks need no wake-up. */
  #pumpRoom(): void {
    if (this.#ring.room.size > 0) this.#ring.room.pump()
  }

  #takeSync(waiter: Waiter, timeoutMs: number): Got {
    return this.#block(waiter, () => this.#take(waiter), timeoutMs)
  }

  /** Blocks until the attempt succeeds, serving those who stand in line before. */
  #block<T>(waiter: Waiter, attempt: () => T | typeof NOT_NOW, timeoutMs: number): T {
    const { items, itemsWait } = this.#ring
    const inTurn = (): T | typeof NOT_NOW => {
      if (items.size > 0) items.poll()
      return items.size === 0 ? attempt() : NOT_NOW
    }
    const got = block<T>(itemsWait, inTurn, 0, timeoutMs)
    if (got === NOT_NOW) throw timeoutError(waiter, timeoutMs)
    return got as T
  }
}
