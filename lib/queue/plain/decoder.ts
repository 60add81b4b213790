/**
 * The decoder of plain items: it reads only the format that encoder.ts writes.
 *
 * Other bytes result in an error or in some plain value. The memory that they need is limited: all arrays of an item together
 * have at most as many elements as the item has bytes.
 */
import { exchange, exchangeView } from '../exchange.ts'
import { assertedKey, corrupt, keyAt, longTextAt, shortTextAt } from './texts.ts'

// For V8: constants of this module, whose addresses it compiles in.
const bytes = exchange
const view = exchangeView

// The position of the decoder in the item that it reads. No code of the program runs while it reads.
let position = 0
let limit = 0
let elementsLeft = 0

/** The value of the bytes of the exchange from `start` to `end`. @throws `ERR_CORRUPT` */
export function decodePlain(start: number, end: number): unknown {
  position = start
  limit = end
  elementsLeft = end - start
  const value = read()
  if (position !== limit) throw corrupt()
  return value
}

/** Moves past the next bytes, and returns the offset where they begin. @throws when the item ends before them */
function advance(byteLength: number): number {
  const start = position
  position += byteLength
  if (position > limit) throw corrupt()
  return start
}

function read(): unknown {
  const token = bytes[advance(1)]!
  if (token < 0x80) return token
  if (token >= 0xe0) return token - 0x100
  if (token >= 0xa0 && token < 0xc0) return readShortText(token - 0xa0)
  switch (token) {
    case 0xc0:
      return null
    case 0xc2:
      return false
    case 0xc3:
      return true
    case 0xcb:
      return view.getFloat64(advance(8))
    case 0xcd:
      return readUint16()
    case 0xd2:
      return view.getInt32(advance(4))
    case 0xd4:
      advance(2)
      return undefined
    case 0xda:
      return readLongText()
    case 0xdc:
      return readElements(readUint16())
    case 0xde:
      return readFields(readUint16())
    default:
      throw corrupt()
  }
}

function readUint16(): number {
  return view.getUint16(advance(2))
}

function readShortText(length: number): string {
  return shortTextAt(advance(length), length)
}

function readLongText(): string {
  const byteLength = readUint16()
  return longTextAt(advance(byteLength), byteLength)
}

function readKey(): string {
  const token = bytes[advance(1)]!
  if (token >= 0xa0 && token < 0xc0) return keyAt(advance(token - 0xa0), token - 0xa0)
  if (token !== 0xda) throw corrupt()
  return assertedKey(readLongText())
}

function readElements(length: number): unknown[] {
  elementsLeft -= length
  if (elementsLeft < 0) throw corrupt()
  // For V8: two places in the code. V8 makes an array for the kind of elements of earlier arrays of the same place, and must
  // convert it for other elements.
  const array = isNumber(bytes[position]!) ? new Array(length) : new Array(length)
  for (let i = 0; i < length; i++) array[i] = read()
  return array
}

function isNumber(token: number): boolean {
  return token < 0x80 || token >= 0xe0 || (token >= 0xcb && token <= 0xd2)
}

function readFields(fields: number): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  // For V8: a place in the code for each field. V8 caches the name and the shape of the object for each place.
  if (fields > 0) object[readKey()] = read()
  if (fields > 1) object[readKey()] = read()
  if (fields > 2) object[readKey()] = read()
  if (fields > 3) object[readKey()] = read()
  if (fields > 4) object[readKey()] = read()
  if (fields > 5) object[readKey()] = read()
  if (fields > 6) object[readKey()] = read()
  if (fields > 7) object[readKey()] = read()
  for (let i = 8; i < fields; i++) object[readKey()] = read()
  return object
}
