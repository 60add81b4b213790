/**
 * Records: items of queues as bytes. encode() makes a record of a value, decode() a value of a record. A record is complete in
 * itself; its format says what its bytes are:
 *
 *   RAW, BUFFER   a Uint8Array or Buffer is the whole item: its bytes, not encoded
 *   PLAIN         a small and plain value, in the part of MessagePack that plain/ reads and writes
 *   TREE          MessagePack, for values in which no object occurs twice
 *   GRAPH         MessagePack with references: maps, sets, cycles, errors, shared objects (which travel as handles)
 *
 * A value that is not plain is surveyed before it is encoded: survey.ts. Each format saves time, measured by
 * `node bench/compare.mjs` with the queue works (Node 20, one put and one get). Without PLAIN, a small object takes 2.3 times as
 * long, and a number 3.5 times. An object with a date in it takes 2.0 times as long as GRAPH as it does as TREE.
 */
import { isPacking, pack, type References, unpack } from '../codec/message-pack.ts'
import { notCloneable } from '../codec/not-cloneable.ts'
import { isLooking } from '../codec/occurrences.ts'
import { shapeOf } from '../codec/survey.ts'
import { ShareError } from '../errors/share-error.ts'
import type { Handle } from '../memory/handle.ts'
import { attach, type Shareable } from '../memory/shareable.ts'
import { copyOfBytes, encodedRecord, exchange, HEADER_BYTES, type ItemRecord, recordOf } from './exchange.ts'
import { decodePlain } from './plain/decoder.ts'
import { encodePlain, NOT_PLAIN } from './plain/encoder.ts'
import { corrupt } from './plain/texts.ts'

const RAW = 0
const BUFFER = 1
const PLAIN = 2
const TREE = 3
const GRAPH = 4

/** Bytes up to this number go through the exchange: copying them twice costs less than passing an array to native code. */
const MAX_COPIED_BYTES = 1024

/** Shared objects travel as their handles, and arrive attached. */
const handles: References = {
  write: (object) => (object as Shareable).handle,
  read: (handle) => attach(handle as Handle),
}

/**
 * The record of a value. Its bytes are in the exchange, where they last until its next use, or in separate memory. For a large
 * Uint8Array they are the caller's bytes. ownedRecord() makes a record that lasts.
 * @throws `DataCloneError` for a value that cannot be encoded.
 */
export function encode(value: unknown): ItemRecord {
  if (isEncoding()) throw notCloneable('a value whose getters use queues')
  if (value instanceof Uint8Array) {
    if (value.constructor === Uint8Array) return recordOfBytes(RAW, value)
    if (value.constructor === Buffer) return recordOfBytes(BUFFER, value)
  }
  const end = encodePlain(value, HEADER_BYTES)
  return end === NOT_PLAIN ? encodeOther(value) : encodedRecord(PLAIN, end)
}

/**
 * Whether an item may be in the process of being encoded in the exchange, so that one of its getters calls this. Then other items
 * must not be written to the exchange.
 */
export function isEncoding(): boolean {
  return isLooking() || isPacking()
}

function recordOfBytes(flags: number, bytes: Uint8Array): ItemRecord {
  if (bytes.byteLength > MAX_COPIED_BYTES) return recordOf(flags, bytes)
  exchange.set(bytes, HEADER_BYTES)
  return encodedRecord(flags, HEADER_BYTES + bytes.byteLength)
}

function encodeOther(value: unknown): ItemRecord {
  const shape = shapeOf(value)
  const flags = shape === 'tree' ? TREE : GRAPH
  const { buffer, end } = pack(value, shape, handles, HEADER_BYTES, exchange)
  return buffer === exchange ? encodedRecord(flags, end) : { flags, bytes: buffer, start: HEADER_BYTES, end }
}

/** The same record in memory that no other code changes. */
export function ownedRecord(record: ItemRecord): ItemRecord {
  const { flags, bytes } = record
  return bytes !== exchange && flags > BUFFER ? record : recordOf(flags, copyOfBytes(record))
}

/**
 * The value of a record. If the value is bytes and they are in separate memory, it uses that memory.
 * @throws {@link ShareError} `ERR_CORRUPT` for damaged bytes; the error of attaching to a shared object in them.
 */
export function decode(record: ItemRecord): unknown {
  const { flags, bytes, start, end } = record
  if (flags === PLAIN && bytes === exchange) return decodePlain(start, end)
  if (flags > BUFFER) return unpacked(asBuffer(bytes), flags, start, end)
  if (bytes === exchange) return flags === RAW ? copyOfBytes(record) : asBuffer(copyOfBytes(record))
  const offset = bytes.byteOffset + start
  return flags === RAW
    ? new Uint8Array(bytes.buffer, offset, end - start)
    : Buffer.from(bytes.buffer, offset, end - start)
}

/**
 * The value of a record of an untrusted producer: bytes, or a small and plain value, which need only the memory of their bytes.
 * Any other record gives undefined, because it may name objects to attach to.
 */
export function decodeUntrusted(record: ItemRecord): unknown {
  const isPlain = record.flags === PLAIN && record.bytes === exchange
  if (!isPlain && record.flags > BUFFER) return undefined
  try {
    return decode(record)
  } catch {
    return undefined // damaged
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function unpacked(bytes: Buffer, flags: number, start: number, end: number): unknown {
  if (flags > GRAPH) throw corrupt()
  try {
    return unpack(bytes, flags !== GRAPH, handles, start, end) // a large plain value is a tree
  } catch (error) {
    throw error instanceof ShareError ? error : corrupt(error)
  }
}
