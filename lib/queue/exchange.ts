/**
 * The exchange: memory through which records of a ring pass between JavaScript and the native part, one per environment.
 *
 *   0        8                  8 + length   rounded up to 8
 *   | header | the item's bytes | pad        |               header = flags << 56 | length
 *
 * Some numbers pass beside it: words that answer, and the selection, which says what the next call is about.
 */
import { native } from '../native.ts'

export const HEADER_BYTES = 8
const { exchangeBytes, exchangeWords } = native.layout
const OFFSET = exchangeWords * 8

export const exchange = Buffer.from(native.exchange, OFFSET, exchangeBytes)
export const exchangeView = new DataView(native.exchange, OFFSET, exchangeBytes)
/** As an array of whose slices others may have the memory: those of a Buffer are no copies. */
const bytes = new Uint8Array(native.exchange, OFFSET, exchangeBytes)
const headers = new Uint32Array(native.exchange, OFFSET, exchangeBytes / 4)

/** An item that stands in memory of its own. */
export interface Item {
  readonly flags: number
  readonly bytes: Uint8Array
}

export function recordBytes(itemBytes: number): number {
  return HEADER_BYTES + Math.ceil(itemBytes / 8) * 8
}

/** Makes a record of so many bytes that stand where the first item has its own; the length of the record. */
export function finishRecord(flags: number, itemBytes: number): number {
  headers[0] = itemBytes
  headers[1] = flags << 24
  return recordBytes(itemBytes)
}

/** Makes a record of those bytes; its length. */
export function writeRecord(flags: number, item: Uint8Array): number {
  bytes.set(item, HEADER_BYTES)
  return finishRecord(flags, item.byteLength)
}

export function flagsAt(offset: number): number {
  return headers[offset / 4 + 1]! >>> 24
}

/** The length of the item whose record begins there. */
export function itemBytesAt(offset: number): number {
  return headers[offset / 4]!
}

/** The length of the record that begins there. */
export function recordBytesAt(offset: number): number {
  return recordBytes(itemBytesAt(offset))
}

/** A copy of the bytes of the item whose record begins there. */
export function bytesAt(offset: number): Uint8Array<ArrayBuffer> {
  const start = offset + HEADER_BYTES
  return bytes.slice(start, start + itemBytesAt(offset))
}

/** A copy of the item whose record begins there. */
export function itemAt(offset: number): Item {
  return { flags: flagsAt(offset), bytes: bytesAt(offset) }
}

/** Items as records, one behind the other, of so many bytes together. */
export function itemsAsRecords(items: readonly Item[], byteLength: number): Buffer {
  const records = Buffer.alloc(byteLength)
  let offset = 0
  for (const item of items) {
    records.writeUInt32LE(item.bytes.byteLength, offset)
    records[offset + 7] = item.flags
    records.set(item.bytes, offset + HEADER_BYTES)
    offset += recordBytes(item.bytes.byteLength)
  }
  return records
}

/** What native functions answer beside their result. */
export const answers = new Float64Array(native.exchange, 0, exchangeWords)

const selection = new Uint32Array(native.selection)
const INDEX = 0
const BYTES = 1
const COUNT = 2

/** Says of which ring the next call puts or takes how many records, of how many bytes of the exchange. */
export function select(index: number, byteLength: number, count: number): void {
  selection[INDEX] = index
  selection[BYTES] = byteLength
  selection[COUNT] = count
}

/** How many bytes of records the last call has taken; or how many the item has that did not fit. */
export function selectedBytes(): number {
  return selection[BYTES]!
}
