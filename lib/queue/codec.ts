/**
 * The codec of queue items, each complete in itself:
 *
 *   RAW, BUFFER   a Uint8Array or Buffer is the whole item: its bytes, not encoded
 *   PLAIN         small and plain values, in the part of MessagePack that plain-encoder.ts and plain-decoder.ts know
 *   TREE          values in which no object occurs twice
 *   GRAPH         everything else: maps, sets, cycles, errors, shared objects (which travel as handles)
 *
 * What is not plain is looked through before it is encoded: survey.ts. That tells TREE from GRAPH, because MessagePack with
 * references costs twice as much.
 *
 * A small item is encoded where the native part takes it from: in the exchange, behind the header of its record.
 */
import { pack, type References, unpack } from '../codec/message-pack.ts'
import { notCloneable } from '../codec/not-cloneable.ts'
import { shapeOf } from '../codec/survey.ts'
import { ShareError } from '../errors/share-error.ts'
import type { Handle } from '../memory/handle.ts'
import { attach, type Shareable } from '../memory/shareable.ts'
import {
  bytesAt,
  exchange,
  finishRecord,
  flagsAt,
  HEADER_BYTES,
  type Item,
  itemAt,
  itemBytesAt,
  writeRecord,
} from './exchange.ts'
import { decodePlain } from './plain-decoder.ts'
import { encodePlain, NOT_PLAIN } from './plain-encoder.ts'
import { corrupt } from './plain-texts.ts'

const RAW = 0
const BUFFER = 1
const PLAIN = 2
const TREE = 3
const GRAPH = 4

/** Bytes up to this number go through the exchange: copying them twice costs less than handing an array to native code. */
const MAX_COPIED = 1024

/** Shared objects travel as their handles, and arrive attached. */
const handles: References = {
  write: (object) => (object as Shareable).handle,
  read: (handle) => attach(handle as Handle),
}

let isEncoding = false
let isOverwritten = false

/** What encode() has made when it did not fit into the exchange; not to be changed until it has been put. */
let outside: Item | undefined

/**
 * Encodes a value: as a record in the exchange, whose length in bytes is returned, or outside it: 0.
 * @throws `DataCloneError` for what cannot be encoded.
 */
export function encode(value: unknown): number {
  // A getter that puts something while its object is being encoded would write over the half of it.
  if (isEncoding) throw usesQueues()
  outside = undefined
  if (value instanceof Uint8Array) {
    if (value.constructor === Uint8Array) return encodeRaw(RAW, value)
    if (value.constructor === Buffer) return encodeRaw(BUFFER, value)
  }
  isEncoding = true
  isOverwritten = false
  try {
    const end = encodePlain(value, HEADER_BYTES)
    const length = end === NOT_PLAIN ? encodeOther(value) : finishRecord(PLAIN, end - HEADER_BYTES)
    if (isOverwritten) throw usesQueues()
    return length
  } finally {
    isEncoding = false
  }
}

function usesQueues(): DOMException {
  return notCloneable('a value whose getters use queues')
}

function encodeRaw(flags: number, bytes: Uint8Array): number {
  if (bytes.byteLength <= MAX_COPIED) return writeRecord(flags, bytes)
  outside = { flags, bytes }
  return 0
}

function encodeOther(value: unknown): number {
  const shape = shapeOf(value)
  const flags = shape === 'tree' ? TREE : GRAPH
  const { buffer, end } = pack(value, shape, handles, HEADER_BYTES, exchange)
  if (buffer === exchange) return finishRecord(flags, end - HEADER_BYTES)
  outside = { flags, bytes: buffer.subarray(HEADER_BYTES, end) }
  return 0
}

/** What has been taken has overwritten the exchange, where something may be being encoded. */
export function noteTaken(): void {
  isOverwritten = true
}

/** What the last encode() made, which did not fit into the exchange. */
export function encodedOutside(): Item {
  return outside!
}

/** What the last encode() made will not be put again: nothing of it is kept. */
export function forgetEncoded(): void {
  outside = undefined
}

/** What the last encode() made, in memory that nobody else changes. */
export function keepEncoded(): Item {
  const item = outside
  outside = undefined
  if (item === undefined) return itemAt(0)
  return item.flags <= BUFFER ? { flags: item.flags, bytes: Uint8Array.prototype.slice.call(item.bytes) } : item
}

/** The value of a record that begins at `offset` of the exchange. */
export function decodeAt(offset: number): unknown {
  const flags = flagsAt(offset)
  const start = offset + HEADER_BYTES
  const end = start + itemBytesAt(offset)
  if (flags === PLAIN) return decodePlain(start, end)
  if (flags === RAW) return bytesAt(offset)
  if (flags === BUFFER) return Buffer.from(bytesAt(offset).buffer)
  return unpacked(exchange, flags, start, end)
}

/**
 * The value of a record that begins at `offset` of the exchange, of an untrusted producer: bytes, or a small and plain value, which cost
 * nothing but their bytes. Anything else, which may mean objects to attach to, is undefined.
 */
export function decodeUntrustedAt(offset: number): unknown {
  if (flagsAt(offset) > PLAIN) return undefined
  try {
    return decodeAt(offset)
  } catch {
    return undefined // damaged
  }
}

/** The same of an item in memory of its own. */
export function decodeUntrusted(flags: number, bytes: Buffer): unknown {
  return flags <= BUFFER ? decode(flags, bytes) : undefined
}

/** The value of an item in memory of its own, of which bytes become the value. */
export function decode(flags: number, bytes: Buffer): unknown {
  if (flags === BUFFER) return bytes
  if (flags === RAW) return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return unpacked(bytes, flags === PLAIN ? TREE : flags, 0, bytes.byteLength) // a large plain value
}

/** @throws {@link ShareError} `ERR_CORRUPT` for damaged bytes; what attaching to a shared object in them throws. */
function unpacked(bytes: Buffer, flags: number, start: number, end: number): unknown {
  if (flags !== TREE && flags !== GRAPH) throw corrupt()
  try {
    return unpack(bytes, flags === TREE, handles, start, end)
  } catch (error) {
    throw error instanceof ShareError ? error : corrupt(error)
  }
}
