/**
 * The exchange: memory through which records of a ring pass between JavaScript and the native part, one per environment.
 *
 *   0        8                  8 + length   rounded up to 8
 *   | header | the item's bytes | pad        |               header = flags << 56 | length
 *
 * Numbers pass in two other places: the answers, which are results of a call, and the selection, which has the arguments of the
 * fast calls.
 */
import { native } from '../native.ts'

export const HEADER_BYTES = 8
const { exchangeBytes, exchangeWords } = native.layout
const OFFSET = exchangeWords * 8

export const exchange = Buffer.from(native.exchange, OFFSET, exchangeBytes)
export const exchangeView = new DataView(native.exchange, OFFSET, exchangeBytes)
/** The same bytes as a Uint8Array, whose slices are copies. Slices of a Buffer would share its memory. */
const bytes = new Uint8Array(native.exchange, OFFSET, exchangeBytes)
const headers = new Uint32Array(native.exchange, OFFSET, exchangeBytes / 4)

/** An item as bytes: `bytes` from `start` to `end`. */
export interface ItemRecord {
  /** The format of the item, and whether it is spilled. */
  readonly flags: number
  /** The exchange, or separate memory. */
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
}

/** The length in the ring of an item of that length, with header and padding. */
export function ringBytes(itemBytes: number): number {
  return HEADER_BYTES + Math.ceil(itemBytes / 8) * 8
}

/** The length of a record in the ring. */
export function ringBytesOf({ start, end }: ItemRecord): number {
  return ringBytes(end - start)
}

/** Writes the header of a record at the beginning of the exchange. Returns the length of the record in the ring. */
export function writeHeader({ flags, start, end }: ItemRecord): number {
  headers[0] = end - start
  headers[1] = flags << 24
  return ringBytes(end - start)
}

// A record in the exchange lasts as long as its bytes. So there is one object for encoded records and one for taken records; a
// new object for each item would cost up to a tenth of the put and get of a number (bench/compare.mjs, "number").
type Mutable<T> = { -readonly [K in keyof T]: T[K] }
const encoded: Mutable<ItemRecord> = { flags: 0, bytes: exchange, start: HEADER_BYTES, end: HEADER_BYTES }
const taken: Mutable<ItemRecord> = { flags: 0, bytes: exchange, start: HEADER_BYTES, end: HEADER_BYTES }

/** The record of an item that was encoded in the exchange, behind the place of the first header. */
export function encodedRecord(flags: number, end: number): ItemRecord {
  encoded.flags = flags
  encoded.end = end
  return encoded
}

/** The record whose header is at `offset` of the exchange. */
export function recordAt(offset: number): ItemRecord {
  taken.flags = headers[offset / 4 + 1]! >>> 24
  taken.start = offset + HEADER_BYTES
  taken.end = taken.start + headers[offset / 4]!
  return taken
}

/** A copy of the bytes of a record. */
export function copyOfBytes({ bytes: from, start, end }: ItemRecord): Uint8Array<ArrayBuffer> {
  return from === exchange ? bytes.slice(start, end) : Uint8Array.prototype.slice.call(from, start, end)
}

/** The bytes of a record as an array of exactly these bytes. */
export function bytesOf({ bytes: all, start, end }: ItemRecord): Uint8Array {
  return start === 0 && end === all.byteLength ? all : all.subarray(start, end)
}

/** The record that consists of the given bytes. */
export function recordOf(flags: number, all: Uint8Array): ItemRecord {
  return { flags, bytes: all, start: 0, end: all.byteLength }
}

/** Records as they lie in the ring, one after the other. */
export function recordsInRing(records: readonly ItemRecord[], byteLength: number): Buffer {
  const ring = Buffer.alloc(byteLength)
  let offset = 0
  for (const record of records) {
    ring.writeUInt32LE(record.end - record.start, offset)
    ring[offset + 7] = record.flags
    ring.set(bytesOf(record), offset + HEADER_BYTES)
    offset += ringBytesOf(record)
  }
  return ring
}

/** Further results of native functions. */
export const answers = new Float64Array(native.exchange, 0, exchangeWords)

const selection = new Uint32Array(native.selection)
const INDEX = 0
const BYTES = 1
const COUNT = 2

/** Sets the arguments of the next putSelected() or getSelected(): the ring, and the bytes and number of records. */
export function select(index: number, byteLength: number, count: number): void {
  selection[INDEX] = index
  selection[BYTES] = byteLength
  selection[COUNT] = count
}

/** How many bytes of records the last getSelected() has taken, or the length of the item that did not fit. */
export function selectedBytes(): number {
  return selection[BYTES]!
}
