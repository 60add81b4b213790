/** Texts and keys of plain items, from the exchange. */
import { segmentError } from '../../errors/segment-messages.ts'
import type { ShareError } from '../../errors/share-error.ts'
import { exchange, exchangeView } from '../exchange.ts'

// For V8: constants of this module, whose addresses it compiles in.
const bytes = exchange
const view = exchangeView
const { fromCharCode } = String

/** A text of UTF-8. */
export function longTextAt(start: number, byteLength: number): string {
  return bytes.toString('utf8', start, start + byteLength)
}

/** A text of ASCII. For V8: the shortest ones are made without a call into the runtime. */
export function shortTextAt(i: number, length: number): string {
  const e = bytes
  switch (length) {
    case 0:
      return ''
    case 1:
      return fromCharCode(e[i]!)
    case 2:
      return fromCharCode(e[i]!, e[i + 1]!)
    case 3:
      return fromCharCode(e[i]!, e[i + 1]!, e[i + 2]!)
    case 4:
      return fromCharCode(e[i]!, e[i + 1]!, e[i + 2]!, e[i + 3]!)
    case 5:
      return fromCharCode(e[i]!, e[i + 1]!, e[i + 2]!, e[i + 3]!, e[i + 4]!)
    case 6:
      return fromCharCode(e[i]!, e[i + 1]!, e[i + 2]!, e[i + 3]!, e[i + 4]!, e[i + 5]!)
    case 7:
      return fromCharCode(e[i]!, e[i + 1]!, e[i + 2]!, e[i + 3]!, e[i + 4]!, e[i + 5]!, e[i + 6]!)
    case 8:
      return fromCharCode(e[i]!, e[i + 1]!, e[i + 2]!, e[i + 3]!, e[i + 4]!, e[i + 5]!, e[i + 6]!, e[i + 7]!)
    default:
      return bytes.toString('latin1', i, i + length)
  }
}

/**
 * For V8: keys that were read before, indexed by a hash of their first and last four bytes. Each is the string that V8 itself
 * uses as the name of a field. V8 would have to look up any other string first.
 */
const SIZE_LOG = 10
const known: string[] = new Array(2 ** SIZE_LOG).fill('')
const firsts = new Int32Array(known.length)
const lasts = new Int32Array(known.length)
const LAST_WORD = bytes.byteLength - 4

/** A text of ASCII that is the key of a field. */
export function keyAt(start: number, length: number): string {
  if (start > LAST_WORD) return assertedKey(shortTextAt(start, length))
  const word = view.getInt32(start, true)
  const first = length < 4 ? word & ((1 << (length * 8)) - 1) : word
  const last = length > 4 ? view.getInt32(start + length - 4, true) : 0
  const slot = Math.imul(first ^ Math.imul(last, 0x9e3779b1), 0x85ebca6b) >>> (32 - SIZE_LOG)
  const key = known[slot]!
  if (firsts[slot] === first && lasts[slot] === last && key.length === length && isBetween(key, start)) return key
  const name = nameOf(assertedKey(shortTextAt(start, length)))
  firsts[slot] = first
  lasts[slot] = last
  known[slot] = name
  return name
}

/** Whether the bytes between the first and the last four bytes are those of the key. */
function isBetween(key: string, start: number): boolean {
  for (let i = 4; i < key.length - 4; i++) if (key.charCodeAt(i) !== bytes[start + i]) return false
  return true
}

/** A text as the string that V8 uses as the name of a field. */
function nameOf(text: string): string {
  return Object.keys({ [text]: 0 })[0]!
}

/** Refuses the key that would set the prototype. The encoder never writes it. @throws `ERR_CORRUPT` */
export function assertedKey(text: string): string {
  if (text === '__proto__') throw corrupt()
  return text
}

export function corrupt(cause?: unknown): ShareError {
  return segmentError('ERR_CORRUPT', {}, cause)
}
