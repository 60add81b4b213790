/**
 * Types of scalars: Python's type codes and their readable aliases, how each lies in memory, and what JavaScript value it
 * is. Byte order is the machine's, and all machines that Node runs on are little-endian.
 */
import { native } from '../native.ts'
import { rangeError, typeError } from '../validate.ts'

/** What each type is in JavaScript. */
export interface ElementTypes {
  c: string
  b: number
  B: number
  u: string
  h: number
  H: number
  i: number
  I: number
  l: number | bigint
  L: number | bigint
  q: bigint
  Q: bigint
  f: number
  d: number
  '?': boolean
  char: string
  int8: number
  uint8: number
  wchar: string
  int16: number
  uint16: number
  int32: number
  uint32: number
  long: number | bigint
  ulong: number | bigint
  int64: bigint
  uint64: bigint
  float32: number
  float64: number
  bool: boolean
}

/** The typed array that an array of each scalar type is. */
export interface ArrayTypes {
  c: Uint8Array
  b: Int8Array
  B: Uint8Array
  u: Uint32Array | Uint16Array
  h: Int16Array
  H: Uint16Array
  i: Int32Array
  I: Uint32Array
  l: BigInt64Array | Int32Array
  L: BigUint64Array | Uint32Array
  q: BigInt64Array
  Q: BigUint64Array
  f: Float32Array
  d: Float64Array
  '?': Uint8Array
  char: Uint8Array
  int8: Int8Array
  uint8: Uint8Array
  wchar: Uint32Array | Uint16Array
  int16: Int16Array
  uint16: Uint16Array
  int32: Int32Array
  uint32: Uint32Array
  long: BigInt64Array | Int32Array
  ulong: BigUint64Array | Uint32Array
  int64: BigInt64Array
  uint64: BigUint64Array
  float32: Float32Array
  float64: Float64Array
  bool: Uint8Array
}

/** A type code of Python's (`'i'`, `'d'`, …) or its readable alias (`'int32'`, `'float64'`, …). */
export type TypeName = keyof ElementTypes

/** Types that take part in arithmetic. */
export type NumericTypeName = Exclude<TypeName, 'c' | 'u' | '?' | 'char' | 'wchar' | 'bool'>

/** Types that take part in bit operations; so does `bool`. */
export type IntegerTypeName = Exclude<NumericTypeName, 'f' | 'd' | 'float32' | 'float64'>

/** What a value of the type may be given as: 64-bit integers also as numbers, as long as those are exact. */
export type InputOf<T extends TypeName> = ElementTypes[T] extends bigint ? number | bigint : ElementTypes[T]

export type ScalarArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array

export type ScalarArrayConstructor = {
  new (length: number): ScalarArray
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): ScalarArray
  readonly BYTES_PER_ELEMENT: number
}

/** An element as a typed array holds it. */
export type RawElement = number | bigint

/** How a type lies in memory and what it means. */
export interface ScalarType {
  readonly code: string
  readonly alias: string
  readonly byteLength: number
  readonly ArrayType: ScalarArrayConstructor
  /** Whether the elements are 64-bit integers, `bigint` in JavaScript. */
  readonly big: boolean
  readonly float: boolean
  /** The range of the numbers that encode() gives back as they are; empty for a type whose elements are not numbers. */
  readonly min: number
  readonly max: number
  /** From what a typed array holds to what a user sees. */
  decode(raw: RawElement): unknown
  /** From what a user gives to what a typed array holds; throws for anything that does not fit. */
  encode(value: unknown, name: string): RawElement
}

const identity = (raw: RawElement) => raw

/** What `type.encode` does. Numbers that are fine are recognised here, without a call of a function that depends on the type. */
export function encodeElement(type: ScalarType, value: unknown, name: string): RawElement {
  const isUsual =
    typeof value === 'number' && value >= type.min && value <= type.max && (type.float || Number.isInteger(value))
  return isUsual ? value : type.encode(value, name)
}

function encodeFloat(value: unknown, name: string): number {
  if (typeof value !== 'number') throw typeError(name, 'a number', value)
  return value
}

function integer(code: string, alias: string, bits: number, signed: boolean, ArrayType: unknown): ScalarType {
  const big = bits === 64
  const bounds = signed
    ? { min: -(2n ** BigInt(bits - 1)), max: 2n ** BigInt(bits - 1) - 1n }
    : { min: 0n, max: 2n ** BigInt(bits) - 1n }
  const expected = `an integer from ${bounds.min} to ${bounds.max}`
  const min = Number(bounds.min)
  const max = Number(bounds.max)

  function encodeSmall(value: unknown, name: string): number {
    if (typeof value !== 'number') throw typeError(name, 'a number', value)
    if (!Number.isInteger(value) || value < min || value > max) throw rangeError(name, expected, value)
    return value + 0 // -0 becomes 0, as it does in memory
  }

  function encodeBig(value: unknown, name: string): bigint {
    if (typeof value === 'number' && !Number.isSafeInteger(value)) {
      throw rangeError(name, `${expected}, as a bigint or a safe integer`, value)
    }
    if (typeof value !== 'bigint' && typeof value !== 'number') throw typeError(name, 'a bigint or an integer', value)
    const exact = BigInt(value)
    if (exact < bounds.min || exact > bounds.max) throw rangeError(name, expected, value)
    return exact
  }

  return {
    code,
    alias,
    byteLength: bits / 8,
    ArrayType: ArrayType as ScalarArrayConstructor,
    big,
    float: false,
    min: big ? Infinity : min,
    max: big ? -Infinity : max,
    decode: identity,
    encode: big ? encodeBig : encodeSmall,
  }
}

function float(code: string, alias: string, ArrayType: unknown): ScalarType {
  const FloatArray = ArrayType as ScalarArrayConstructor
  const byteLength = FloatArray.BYTES_PER_ELEMENT
  return {
    code,
    alias,
    byteLength,
    ArrayType: FloatArray,
    big: false,
    float: true,
    min: -Infinity,
    max: Infinity,
    decode: identity,
    encode: encodeFloat,
  }
}

const noNumbers = { float: false, min: Infinity, max: -Infinity }

/** One character; `maxCode` is the last one that fits. */
function character(code: string, alias: string, ArrayType: unknown, maxCode: number): ScalarType {
  return {
    ...float(code, alias, ArrayType),
    ...noNumbers,
    decode: (raw) => String.fromCodePoint(Math.min(Number(raw), 0x10ffff)),
    encode(value, name) {
      const expected = `a string of one character up to U+${maxCode.toString(16).toUpperCase().padStart(4, '0')}`
      if (typeof value !== 'string') throw typeError(name, expected, value)
      const point = value.codePointAt(0)
      if (point === undefined || String.fromCodePoint(point) !== value) throw typeError(name, expected, value)
      if (point > maxCode) throw rangeError(name, expected, value)
      return point
    },
  }
}

const bool: ScalarType = {
  ...float('?', 'bool', Uint8Array),
  ...noNumbers,
  decode: (raw) => raw !== 0,
  encode(value, name) {
    if (typeof value !== 'boolean') throw typeError(name, 'a boolean', value)
    return value ? 1 : 0
  },
}

/** A boolean as another typed array holds it. */
export function booleanOf(element: unknown, name: string): boolean {
  if (element !== 0 && element !== 1) throw rangeError(name, '0 or 1', element)
  return element === 1
}

const { longBytes, wideCharBytes } = native.layout
const longIs64 = longBytes === 8

const SCALARS: readonly ScalarType[] = [
  character('c', 'char', Uint8Array, 0xff),
  integer('b', 'int8', 8, true, Int8Array),
  integer('B', 'uint8', 8, false, Uint8Array),
  character('u', 'wchar', wideCharBytes === 4 ? Uint32Array : Uint16Array, wideCharBytes === 4 ? 0x10ffff : 0xffff),
  integer('h', 'int16', 16, true, Int16Array),
  integer('H', 'uint16', 16, false, Uint16Array),
  integer('i', 'int32', 32, true, Int32Array),
  integer('I', 'uint32', 32, false, Uint32Array),
  integer('l', 'long', longBytes * 8, true, longIs64 ? BigInt64Array : Int32Array),
  integer('L', 'ulong', longBytes * 8, false, longIs64 ? BigUint64Array : Uint32Array),
  integer('q', 'int64', 64, true, BigInt64Array),
  integer('Q', 'uint64', 64, false, BigUint64Array),
  float('f', 'float32', Float32Array),
  float('d', 'float64', Float64Array),
  bool,
]

const byName = new Map<unknown, ScalarType>(
  SCALARS.flatMap((type) => [
    [type.code, type],
    [type.alias, type],
  ]),
)

/** The scalar type of that code or alias, or undefined. */
export function findScalar(name: unknown): ScalarType | undefined {
  return byName.get(name)
}

/** What a type may be, for error messages. */
export const TYPE_NAMES: string = SCALARS.map(({ code, alias }) => `'${code}' (${alias})`).join(', ')

/** The scalar type of that code or alias. @throws `TypeError` that lists them. */
export function scalarOf(name: unknown): ScalarType {
  const type = byName.get(name)
  if (type === undefined) throw typeError('type', `one of ${TYPE_NAMES}, or a Struct`, name)
  return type
}
