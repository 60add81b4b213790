/** Consumer: takes items from a ring, for one environment. */
import { segmentError } from '../errors/segment-messages.ts'
import { hasCode, type ShareError } from '../errors/share-error.ts'
import { isShortage } from '../memory/room.ts'
import type { Attachment } from '../memory/segment.ts'
import { native, QUEUE } from '../native.ts'
import { type SyncWaitOptions, takeSyncWaitOptions, takeWaitOptions, type WaitOptions } from '../sync/wait-options.ts'
import { block, NOT_NOW, timeoutError, type Waiter } from '../sync/wait-queue.ts'
import { ENDED, type Got } from './consume.ts'
import {
  answers,
  exchange,
  type ItemRecord,
  recordAt,
  recordOf,
  ringBytesOf,
  select,
  selectedBytes,
} from './exchange.ts'
import { decode, decodeUntrusted, isEncoding, ownedRecord } from './record.ts'
import type { Ring } from './ring.ts'
import { readSpilled, SPILLED, type SpillRoom } from './spill.ts'

const { getSelected } = native

/** Records up to this length pass through the exchange. Larger ones are read directly into their own memory. */
const MAX_EXCHANGED = 4096

/** For the names of the segments of spilled items. */
const nameBytes = Buffer.alloc(native.layout.maxNameBytes)

export class Consumer {
  readonly #ring: Ring
  readonly #spill: SpillRoom | undefined
  /** Errors of items that were taken with others and could not be decoded. The next calls throw them. */
  readonly #failures: unknown[] = []
  /** Items that were taken when the system had no resources for the objects in them. The next calls return them. */
  readonly #kept: ItemRecord[] = []

  /** Whether items may be any values. Otherwise decodeUntrusted() decodes them. */
  trusts = true

  constructor(ring: Ring, spill?: SpillRoom) {
    this.#ring = ring
    this.#spill = spill
  }

  /** @throws at once, or rejects */
  get(waiter: Waiter, options: WaitOptions): Got | Promise<Got> {
    options = takeWaitOptions(options)
    options.signal?.throwIfAborted()
    const got = this.tryGet(waiter)
    if (got !== NOT_NOW) return got
    if (options.timeoutMs === 0) throw timeoutError(waiter, 0)
    return this.#ring.items.wait(waiter, () => this.#take(waiter), 0, options)
  }

  getSync(waiter: Waiter, options: SyncWaitOptions | undefined): Got {
    if (options !== undefined) options = takeSyncWaitOptions(options)
    const got = this.tryGet(waiter)
    return got === NOT_NOW ? this.#takeSync(waiter, options?.timeoutMs ?? Infinity) : got
  }

  tryGet(waiter: Waiter): Got | typeof NOT_NOW {
    return this.#ring.items.size === 0 ? this.#take(waiter) : NOT_NOW
  }

  async getMany(waiter: Waiter, max: number, options: WaitOptions): Promise<unknown[] | typeof ENDED> {
    options = takeWaitOptions(options)
    options.signal?.throwIfAborted()
    const got = this.#ring.items.size === 0 ? this.#takeMany(waiter, max) : NOT_NOW
    if (got !== NOT_NOW) return got
    if (options.timeoutMs === 0) throw timeoutError(waiter, 0)
    return this.#ring.items.wait(waiter, () => this.#takeMany(waiter, max), 0, options)
  }

  getManySync(waiter: Waiter, max: number, options: SyncWaitOptions | undefined): unknown[] | typeof ENDED {
    options = takeSyncWaitOptions(options)
    return this.#block(waiter, () => this.#takeMany(waiter, max), options?.timeoutMs ?? Infinity)
  }

  /** The number of items in the ring at this moment. */
  get size(): number {
    return this.#ring.state().items
  }

  /** Waits until there is an item to take, or the ring has ended, and takes nothing. Returns false after the timeout. */
  async poll(waiter: Waiter, options: WaitOptions): Promise<boolean> {
    options = takeWaitOptions(options)
    options.signal?.throwIfAborted()
    if (this.#hasSomething()) return true
    const { timeoutMs = 0, signal } = options
    if (timeoutMs === 0) return false
    const attempt = () => (this.#hasSomething() ? true : NOT_NOW)
    const giveUp = (reason: unknown) => ((reason as ShareError | undefined)?.code === 'ERR_TIMEOUT' ? false : undefined)
    return this.#ring.items.wait<boolean>(waiter, attempt, 0, { timeoutMs, signal }, giveUp)
  }

  pollSync(options: SyncWaitOptions): boolean {
    options = takeSyncWaitOptions(options)
    const attempt = () => (this.#hasSomething() ? true : NOT_NOW)
    return block(this.#ring.itemsWait, attempt, 0, options.timeoutMs ?? 0) === true
  }

  #take(waiter: Waiter): Got | typeof NOT_NOW {
    this.#throwFailure()
    if (this.#kept.length > 0) return this.#takeKept()
    // A getter of an item that is being encoded in the exchange has called this, so the exchange is in use.
    if (isEncoding()) return this.#takeLarge(waiter, MAX_EXCHANGED)
    select(this.#ring.index, MAX_EXCHANGED, 1)
    const outcome = getSelected()
    if (outcome !== undefined) return this.#takeOtherwise(waiter, outcome)
    const value = this.#valueOf(recordAt(0))
    this.#pumpFree()
    return { value }
  }

  #takeOtherwise(waiter: Waiter, outcome: number): Got | typeof NOT_NOW {
    if (outcome === QUEUE.TOO_SMALL) return this.#takeLarge(waiter, selectedBytes())
    if (outcome === QUEUE.SPILLED) return this.#takeSpilled(waiter)
    return this.#nothing(waiter, outcome) ?? this.#take(waiter)
  }

  /** Takes an item into its own memory. Another consumer may take the item first, and the next item may have any length. */
  #takeLarge(waiter: Waiter, byteLength: number): Got | typeof NOT_NOW {
    for (let length = byteLength; ; length = answers[0]!) {
      const bytes = Buffer.allocUnsafeSlow(length)
      const outcome = native.queueGetItem(this.#ring.object, bytes)
      if (outcome === QUEUE.DONE) {
        const [actual, flags] = answers as unknown as [number, number]
        const item = actual === length ? bytes : Buffer.from(bytes.buffer.slice(0, actual))
        this.#pumpFree()
        return { value: this.#valueOf(recordOf(flags, item)) }
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
      // Before the item is taken, because there may be no memory.
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
    this.#pumpFree()
    if (failure !== undefined) throw segmentError('ERR_ITEM_LOST', { ...waiter.subject, item: name }, failure)
    return { value: this.#valueOf(recordOf(flags & ~SPILLED, readSpilled(attachment!, bytes!))) }
  }

  /** The value of an item that was taken. When the system has no resources for a shared object in it, the item is kept. */
  #valueOf(record: ItemRecord): unknown {
    if (!this.trusts) return decodeUntrusted(record)
    try {
      return decode(record)
    } catch (error) {
      if (isShortage(error)) this.#kept.unshift(ownedRecord(record))
      throw error
    }
  }

  #takeKept(): Got {
    return { value: this.#valueOf(this.#kept.shift()!) }
  }

  #takeMany(waiter: Waiter, max: number): unknown[] | typeof NOT_NOW | typeof ENDED {
    this.#throwFailure()
    if (this.#kept.length > 0 || isEncoding()) return listOf(this.#take(waiter))
    select(this.#ring.index, exchange.byteLength, max)
    const outcome = getSelected()
    if (outcome === undefined) return this.#valuesOf(selectedBytes())
    if (outcome === QUEUE.SPILLED) return listOf(this.#takeSpilled(waiter))
    if (outcome === QUEUE.TOO_SMALL) return listOf(this.#takeLarge(waiter, selectedBytes()))
    return this.#nothing(waiter, outcome) ?? this.#takeMany(waiter, max)
  }

  /** The values of the records in the first bytes of the exchange. */
  #valuesOf(byteLength: number): unknown[] {
    const values: unknown[] = []
    for (let offset = 0; offset < byteLength; ) {
      const record = recordAt(offset)
      offset += ringBytesOf(record)
      if (this.#kept.length > 0) {
        this.#kept.push(ownedRecord(record)) // in their order
        continue
      }
      try {
        values.push(this.#valueOf(record))
      } catch (error) {
        // Taking a kept item throws its error again, unless there are resources by then.
        const isRepeated = this.#kept.length > 0 && values.length + this.#failures.length > 0
        if (!isRepeated) this.#failures.push(error)
      }
    }
    this.#pumpFree()
    if (values.length === 0) this.#throwFailure()
    return values
  }

  /** The reason why there is no item; undefined when another attempt may find one. */
  #nothing(waiter: Waiter, outcome: number): typeof NOT_NOW | typeof ENDED | undefined {
    if (outcome === QUEUE.CLOSED) return ENDED
    if (outcome !== QUEUE.BUSY) throw segmentError('ERR_CORRUPT', { segment: waiter.name })
    if (!this.#ring.hasNoWriter()) return NOT_NOW
    // The writer may have put something before it closed its end.
    return native.isWaitReady(this.#ring.itemsWait, 0) && this.#ring.state().items > 0 ? undefined : ENDED
  }

  #hasSomething(): boolean {
    return this.#kept.length > 0 || native.isWaitReady(this.#ring.itemsWait, 0) || this.#ring.hasNoWriter()
  }

  #throwFailure(): void {
    if (this.#failures.length > 0) throw this.#failures.shift()
  }

  /** Serves the waits for free bytes of this environment, which the native part does not wake. */
  #pumpFree(): void {
    if (this.#ring.free.size > 0) this.#ring.free.pump()
  }

  #takeSync(waiter: Waiter, timeoutMs: number): Got {
    return this.#block(waiter, () => this.#take(waiter), timeoutMs)
  }

  /** Blocks until the attempt succeeds. Earlier asynchronous waits of this environment are served first. */
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

function listOf(got: Got | typeof NOT_NOW): unknown[] | typeof NOT_NOW | typeof ENDED {
  return got === NOT_NOW || got === ENDED ? got : [got.value]
}
