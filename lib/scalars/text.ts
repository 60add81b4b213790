/** Arrays of characters as text: bytes or a string, up to the first NUL. */

import { types } from 'node:util'
import { assertString, typeError } from '../validate.ts'

export const LAST_CODE_POINT = 0x10ffff

/** How an array of characters is text. */
export interface Text {
  /** The elements of a text that a user gives. @throws `TypeError` for anything else. */
  elementsOf(text: unknown, name: string): ArrayLike<unknown>
  /** A copy of an array up to its first NUL. */
  read(array: ArrayLike<number | bigint>): Buffer | string
}

/** The bytes for a char array: a string as UTF-8, or the given bytes. */
export function toBytes(value: unknown, name: string): Uint8Array {
  if (typeof value === 'string') return Buffer.from(value)
  if (types.isUint8Array(value)) return value
  throw typeError(name, 'a Uint8Array or a string', value)
}

function readBytes(array: ArrayLike<number | bigint>): Buffer {
  const bytes = Buffer.from(array as ArrayLike<number>)
  const end = bytes.indexOf(0)
  return end < 0 ? bytes : bytes.subarray(0, end)
}

function readText(array: ArrayLike<number | bigint>): string {
  let text = ''
  for (let i = 0; i < array.length && Number(array[i]) !== 0; i++) {
    text += String.fromCodePoint(Math.min(Number(array[i]), LAST_CODE_POINT))
  }
  return text
}

/** Of `char` arrays, which hold bytes. */
export const BYTES: Text = { elementsOf: toBytes, read: readBytes }

/** Of `wchar` arrays, which hold code points, or UTF-16 code units where `wchar_t` has 16 bits. */
export const CHARACTERS: Text = {
  elementsOf(text, name) {
    assertString(name, text)
    return [...text]
  },
  read: readText,
}
