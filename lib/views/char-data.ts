/** The contents of char and wchar arrays: bytes and text up to the first NUL. */

import { types } from 'node:util'
import { typeError } from '../validate.ts'

/** The bytes of a char array: those of a string in UTF-8, or as they are given. */
export function toBytes(value: unknown, name: string): Uint8Array {
  if (typeof value === 'string') return Buffer.from(value)
  if (types.isUint8Array(value)) return value
  throw typeError(name, 'a Uint8Array or a string', value)
}

/** A copy of a char array up to its first NUL. */
export function readBytes(array: ArrayLike<number | bigint>): Buffer {
  const bytes = Buffer.from(array as ArrayLike<number>)
  const end = bytes.indexOf(0)
  return end < 0 ? bytes : bytes.subarray(0, end)
}

/** The text of a wchar array up to its first NUL. */
export function readText(array: ArrayLike<number | bigint>): string {
  let text = ''
  for (let i = 0; i < array.length && Number(array[i]) !== 0; i++) {
    text += String.fromCodePoint(Math.min(Number(array[i]), 0x10ffff))
  }
  return text
}
