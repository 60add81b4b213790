/**
 * The encoder of plain items of up to 64 KiB: undefined, null, booleans, numbers, texts, and arrays and objects of these in which
 * no object occurs twice. Most items are plain. One walk encodes them, where survey.ts and msgpackr need two. Those encode all
 * other items.
 *
 * This folder is tuned by hand. Comments mark unusual code that is for V8, and docs/platforms/performance.md ("Plain items") has
 * the figure for each. Change it only with measurements by `node bench/compare.mjs`.
 *
 * It writes this part of MessagePack, and decoder.ts reads no other:
 *
 *   00 to 7f, e0 to ff   an integer from -32 to 127              cb   float64
 *   a0 to bf             text of up to 31 bytes, all ASCII       cd   uint16
 *   c0                   null                                    d2   int32
 *   c2, c3               false, true                             da   text, after 16 bits with its length in bytes
 *   d4 00 00             undefined (an extension of msgpackr)    dc   array, after 16 bits with its length
 *                                                                de   object, after 16 bits with the number of fields: key, value
 */
import { beginOccurrences, forgetOccurrences, hasOccurred } from '../../codec/occurrences.ts'
import { exchange, exchangeView } from '../exchange.ts'

/** The result of encodePlain() for a value that is not plain. */
export const NOT_PLAIN = 0

// For V8: constants of this module, whose addresses it compiles in.
const bytes = exchange
const view = exchangeView
/** The last offset where 16 bytes fit. */
const LAST = bytes.byteLength - 16
/** For V8: in a loop over the keys, V8 can omit the call of this function, but not that of `Object.hasOwn`. */
const isOwn = Object.prototype.hasOwnProperty

/** Writes a value into the exchange from `start` on, and returns where it ends, or NOT_PLAIN. Getters of the value may throw. */
export function encodePlain(value: unknown, start: number): number {
  beginOccurrences()
  try {
    return write(value, start)
  } finally {
    forgetOccurrences()
  }
}

function write(value: unknown, at: number): number {
  if (at > LAST) return NOT_PLAIN
  if (typeof value === 'string') return writeText(value, at)
  if (typeof value === 'number') return writeNumber(value, at)
  if (typeof value === 'boolean') return writeByte(value ? 0xc3 : 0xc2, at)
  if (value === null) return writeByte(0xc0, at)
  if (typeof value === 'object') return writeObject(value, at)
  return value === undefined ? writeToken(0xd4, 0, at) : NOT_PLAIN
}

function writeByte(byte: number, at: number): number {
  bytes[at] = byte
  return at + 1
}

/** A token and 16 bits. */
function writeToken(token: number, bits: number, at: number): number {
  bytes[at] = token
  bytes[at + 1] = bits >> 8
  bytes[at + 2] = bits
  return at + 3
}

function writeNumber(number: number, at: number): number {
  if (number >> 0 !== number) {
    bytes[at] = 0xcb
    view.setFloat64(at + 1, number)
    return at + 9
  }
  if (number >= -0x20 && number < 0x80) return writeByte(number, at)
  if (number >= 0 && number < 0x10000) return writeToken(0xcd, number, at)
  bytes[at] = 0xd2
  view.setInt32(at + 1, number)
  return at + 5
}

function writeText(text: string, at: number): number {
  const { length } = text
  if (length > 31 || at + length > LAST) return writeLongText(text, at)
  bytes[at] = 0xa0 | length
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f) return writeLongText(text, at)
    bytes[at + 1 + i] = code
  }
  return at + 1 + length
}

function writeLongText(text: string, at: number): number {
  if (at + 3 * text.length > LAST || !text.isWellFormed()) return NOT_PLAIN
  const byteLength = bytes.write(text, at + 3)
  return writeToken(0xda, byteLength, at) + byteLength
}

function writeObject(value: object, at: number): number {
  if (hasOccurred(value)) return NOT_PLAIN
  const Class = value.constructor
  if (Class === Object) return writeFields(value as Record<string, unknown>, at)
  return Class === Array && Array.isArray(value) ? writeElements(value, at) : NOT_PLAIN
}

function writeElements(array: unknown[], at: number): number {
  const { length } = array
  let end = writeToken(0xdc, length, at)
  for (let i = 0; i < length && end !== NOT_PLAIN; i++) end = write(array[i], end)
  return end
}

function writeFields(object: Record<string, unknown>, at: number): number {
  let fields = 0
  let end = at + 3
  for (const key in object) {
    if (!isOwn.call(object, key)) continue
    if (key === '__proto__') return NOT_PLAIN
    end = writeText(key, end)
    if (end === NOT_PLAIN) return NOT_PLAIN
    end = write(object[key], end)
    if (end === NOT_PLAIN) return NOT_PLAIN
    fields++
  }
  writeToken(0xde, fields, at)
  return end
}
