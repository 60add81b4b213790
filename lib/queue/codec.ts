/**
 * The codec of queue items: values as MessagePack, each item complete in itself.
 *
 *   RAW, BUFFER   a Uint8Array or Buffer is the whole item: its bytes, not encoded
 *   TREE          plain values in which no object occurs twice
 *   GRAPH         everything else: maps, sets, cycles, errors, shared objects (which travel as handles)
 *
 * A look through the value comes first: survey.ts. It tells TREE from GRAPH, because MessagePack with references costs twice
 * as much.
 *
 * A small item is encoded where the native part takes it from: in the exchange, behind the header of its record.
 */
import { createRequire } from 'node:module'
import { attach, type Handle, isShareable, type Shareable } from '../memory/handle.ts'
import { native } from '../native.ts'
import { errorsOf, isTree, notCloneable } from './survey.ts'

export const RAW = 0
export const BUFFER = 1
const TREE = 2
const GRAPH = 3

export const HEADER_BYTES = 8
const { exchangeBytes, exchangeWords } = native.layout
const EXCHANGE_OFFSET = exchangeWords * 8
/** The bytes of the exchange, as both kinds of arrays. */
export const exchange = Buffer.from(native.exchange, EXCHANGE_OFFSET, exchangeBytes)
const plainExchange = new Uint8Array(native.exchange, EXCHANGE_OFFSET, exchangeBytes)
const headers = new Uint32Array(native.exchange, EXCHANGE_OFFSET, exchangeBytes / 4)
/** Bytes up to this number go through the exchange: copying them twice costs less than handing an array to native code. */
const MOST_COPIED = 1024

// The build that never generates code, which works where that is forbidden.
const { Packr, Unpackr, addExtension } = privateCopyOf<typeof import('msgpackr')>('msgpackr/index-no-eval')

/** Result of pack(): the buffer that was given, with `end`; and the position returns to the start. */
const IN_PLACE = 512 | 1024
const RESERVE_HEADER = 2048 | HEADER_BYTES

const common = { moreTypes: true, useToJSON: false, copyBuffers: true } as const
const treePackr = new Packr({ ...common, useRecords: false, variableMapSize: false })
const treeUnpackr = new Unpackr({ ...common, useRecords: false, mapsAsObjects: true })
const graphPackr = new Packr({ ...common, structuredClone: true })
const graphUnpackr = new Unpackr({ ...common, structuredClone: true })

/** What msgpackr takes for the class of whatever travels as a handle. */
const Attachable = { [Symbol.hasInstance]: isShareable } as unknown as new () => Shareable
addExtension({
  Class: Attachable,
  type: 0x48,
  write: (object: Shareable) => object.handle,
  read: (handle: Handle) => attach(handle),
})

interface ErrorParts {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly cause?: unknown
  readonly errors?: unknown[]
}
const ERRORS = new Map<unknown, ErrorConstructor>(
  [EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((Class) => [Class.name, Class]),
)
addExtension({
  Class: Error,
  type: 0x45,
  write: (error: Error): ErrorParts => {
    const { name, message, stack } = error
    const errors = errorsOf(error)
    return {
      name,
      message,
      stack,
      ...(Object.hasOwn(error, 'cause') && { cause: error.cause }),
      ...(errors !== undefined && { errors }),
    }
  },
  read: ({ name, message, stack, errors, ...rest }: ErrorParts) => {
    const Class = ERRORS.get(name) ?? Error
    const error = errors === undefined ? new Class(message, rest) : new AggregateError(errors, message, rest)
    const hide = (value: unknown) => ({ value, configurable: true, enumerable: false, writable: true })
    if (error.name !== name) Object.defineProperty(error, 'name', hide(name))
    return Object.defineProperty(error, 'stack', hide(stack))
  },
})

/**
 * A module that nobody else shares: msgpackr keeps the memory that it writes to, and its extensions, in variables of the
 * module, so a program that uses the same copy would write into the exchange.
 */
function privateCopyOf<T>(name: string): T {
  const require = createRequire(import.meta.url)
  const file = require.resolve(name)
  const shared = require.cache[file]
  delete require.cache[file]
  try {
    return require(file) as T
  } finally {
    if (shared === undefined) delete require.cache[file]
    else require.cache[file] = shared
  }
}

let isEncoding = false
let isOverwritten = false

/** An item that stands in memory of its own. */
export interface Item {
  readonly flags: number
  readonly bytes: Uint8Array
}

/** What encode() has made when it did not fit into the exchange; not to be changed until it has been put. */
let outside: Item | undefined

/**
 * Encodes a value: as a record in the exchange, whose length in bytes is returned, or outside it: 0.
 * @throws `DataCloneError` for what cannot be encoded.
 */
export function encode(value: unknown): number {
  // A getter that puts something while its object is being encoded would write over the half of it.
  if (isEncoding) throw notCloneable('a value whose getters use queues')
  outside = undefined
  if (value instanceof Uint8Array && (value.constructor === Uint8Array || value.constructor === Buffer)) {
    return encodeRaw(value)
  }
  isEncoding = true
  isOverwritten = false
  try {
    const flags = isTree(value) ? TREE : GRAPH
    const packr = flags === TREE ? treePackr : graphPackr
    packr.useBuffer(exchange)
    const result = packr.pack(value, flags === TREE ? IN_PLACE | RESERVE_HEADER : RESERVE_HEADER)
    const end = flags === TREE ? (result as unknown as { end: number }).end : result.length
    if (isOverwritten) throw notCloneable('a value whose getters use queues')
    if (result.buffer === native.exchange) return finish(flags, end - HEADER_BYTES)
    outside = { flags, bytes: result.subarray(HEADER_BYTES, end) }
    return 0
  } finally {
    isEncoding = false
  }
}

function encodeRaw(value: Uint8Array): number {
  const flags = value.constructor === Buffer ? BUFFER : RAW
  if (value.byteLength > MOST_COPIED) {
    outside = { flags, bytes: value }
    return 0
  }
  plainExchange.set(value, HEADER_BYTES)
  return finish(flags, value.byteLength)
}

/** Writes the header; the length of the record. */
function finish(flags: number, byteLength: number): number {
  headers[0] = byteLength
  headers[1] = flags << 24
  return recordBytes(byteLength)
}

export function recordBytes(byteLength: number): number {
  return HEADER_BYTES + Math.ceil(byteLength / 8) * 8
}

/** What the last encode() made, which did not fit into the exchange. */
export function encodedOutside(): Item {
  return outside!
}

/** What the last encode() made, in memory that nobody else changes. */
export function keepEncoded(): Item {
  const item = outside
  outside = undefined
  if (item === undefined) {
    return { flags: headers[1]! >>> 24, bytes: plainExchange.slice(HEADER_BYTES, HEADER_BYTES + headers[0]!) }
  }
  return item.flags <= BUFFER ? { flags: item.flags, bytes: Uint8Array.prototype.slice.call(item.bytes) } : item
}

const range = { start: 0, end: 0 }

/** The value of a record that begins at `offset` of the exchange. */
export function decodeAt(offset: number): unknown {
  const flags = headers[offset / 4 + 1]! >>> 24
  const start = offset + HEADER_BYTES
  const end = start + headers[offset / 4]!
  if (flags === RAW) return plainExchange.slice(start, end)
  if (flags === BUFFER) return Buffer.from(plainExchange.slice(start, end).buffer)
  range.start = start
  range.end = end
  return (flags === TREE ? treeUnpackr : graphUnpackr).unpack(exchange, range)
}

/** The record that begins there, as an item. */
export function itemAt(offset: number): Item {
  const start = offset + HEADER_BYTES
  return { flags: flagsAt(offset), bytes: plainExchange.slice(start, start + headers[offset / 4]!) }
}

/** What has been taken has overwritten the exchange, where something may be being encoded. */
export function noteTaken(): void {
  isOverwritten = true
}

export function flagsAt(offset: number): number {
  return headers[offset / 4 + 1]! >>> 24
}

/** How long the record is that begins there. */
export function recordBytesAt(offset: number): number {
  return recordBytes(headers[offset / 4]!)
}

/** The value of an item in memory of its own, of which bytes become the value. */
export function decode(flags: number, bytes: Buffer): unknown {
  if (flags === BUFFER) return bytes
  if (flags === RAW) return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  range.start = 0
  range.end = bytes.byteLength
  return (flags === TREE ? treeUnpackr : graphUnpackr).unpack(bytes, range)
}
