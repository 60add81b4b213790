/**
 * The scalar types at run time. One record for each type defines its behaviour. No other file tests for a certain type. To add a
 * type, add a line in types.ts and a record here.
 */
import { native } from '../native.ts'
import { rangeError, typeError } from '../validate.ts'
import {
  FLOAT16,
  FLOAT32,
  FLOAT64,
  INT8,
  INT16,
  INT32,
  INT64,
  type RawElement,
  type Storage,
  UINT8,
  UINT16,
  UINT32,
  UINT64,
} from './storage.ts'
import { BYTES, CHARACTERS, LAST_CODE_POINT, type Text } from './text.ts'
import { NAMES, type TypeCode } from './types.ts'

export interface ScalarType extends Storage {
  /** The name of the type in segments. */
  readonly code: TypeCode
  /** All names of the type: the code, other names, and the constructor of a typed array. */
  readonly names: readonly unknown[]
  readonly byteLength: number
  readonly isFloat: boolean
  /** The range of the numbers that encode() gives back as they are; empty for a type whose elements are not numbers. */
  readonly min: number
  readonly max: number
  /** Whether there are `add` and `sub`. */
  readonly hasSums: boolean
  /** Whether there are `and`, `or` and `xor`. */
  readonly hasBits: boolean
  /** Whether one can wait for elements of an array. */
  readonly hasWords: boolean
  /** Whether every element that a typed array of the type can hold is a value of the type. */
  readonly usesAllBits: boolean
  /** The text form of an array of the type, if it is text. */
  readonly text: Text | undefined
  /** Converts an element of a typed array to the value for the user. */
  decode(raw: RawElement): unknown
  /** Converts a value of the user to an element of a typed array. @throws `TypeError`, `RangeError` for a value that does not fit. */
  encode(value: unknown, name: string): RawElement
  /** Converts an element of a typed array of the user, in which characters and booleans are numbers. */
  encodeRaw(raw: unknown, name: string): RawElement
}

/** What the record of a type must define; the rest follows from it or has a default. */
type Definition = Pick<ScalarType, 'code' | 'decode' | 'encode'> & Partial<ScalarType>

/**
 * Makes all records with the same fields in the same order. For V8: code that handles scalars of several types then sees one
 * shape of object.
 */
function define(storage: Storage, definition: Definition): ScalarType {
  const { ArrayType, BitsType, read, write } = storage
  const { code, decode, encode } = definition
  return {
    code,
    names: definition.names ?? [code, ...NAMES[code]],
    byteLength: ArrayType.BYTES_PER_ELEMENT,
    ArrayType,
    BitsType,
    isFloat: definition.isFloat ?? false,
    min: definition.min ?? Infinity,
    max: definition.max ?? -Infinity,
    hasSums: definition.hasSums ?? false,
    hasBits: definition.hasBits ?? false,
    hasWords: definition.hasWords ?? false,
    usesAllBits: definition.usesAllBits ?? true,
    text: definition.text,
    read,
    write,
    decode,
    encode,
    encodeRaw: definition.encodeRaw ?? encode,
  }
}

const identity = (raw: RawElement) => raw

/**
 * The same as `type.encode`. For V8: usual numbers need no call of a function that depends on the type (bench/compare.mjs,
 * "update").
 */
export function encodeElement(type: ScalarType, value: unknown, name: string): RawElement {
  const isUsual =
    typeof value === 'number' && value >= type.min && value <= type.max && (type.isFloat || Number.isInteger(value))
  return isUsual ? value : type.encode(value, name)
}

/** The names of a type that the constructor of its typed array also names. */
function namesWithArray(code: TypeCode, { ArrayType }: Storage): readonly unknown[] {
  return [code, ...NAMES[code], ArrayType]
}

function integer(code: TypeCode, storage: Storage, signed: boolean, others: Partial<ScalarType> = {}): ScalarType {
  const bits = storage.ArrayType.BYTES_PER_ELEMENT * 8
  const lowest = signed ? -(2n ** BigInt(bits - 1)) : 0n
  const highest = signed ? 2n ** BigInt(bits - 1) - 1n : 2n ** BigInt(bits) - 1n
  const expected = `an integer from ${lowest} to ${highest}`
  const min = Number(lowest)
  const max = Number(highest)

  function encodeSmall(value: unknown, name: string): number {
    if (typeof value !== 'number') throw typeError(name, 'a number', value)
    if (!Number.isInteger(value) || value < min || value > max) throw rangeError(name, expected, value)
    return value + 0 // -0 becomes 0, as it does in memory
  }

  function encodeBig(value: unknown, name: string): bigint {
    if (typeof value === 'number' && !Number.isSafeInteger(value)) {
      throw rangeError(name, `${expected} that is a bigint or a safe integer`, value)
    }
    if (typeof value !== 'bigint' && typeof value !== 'number') throw typeError(name, 'a bigint or an integer', value)
    const exact = BigInt(value)
    if (exact < lowest || exact > highest) throw rangeError(name, expected, value)
    return exact
  }

  return define(storage, {
    code,
    names: namesWithArray(code, storage),
    hasSums: true,
    hasBits: true,
    decode: identity,
    ...(bits === 64 ? { encode: encodeBig } : { min, max, encode: encodeSmall }),
    ...others,
  })
}

function float(code: TypeCode, storage: Storage): ScalarType {
  return define(storage, {
    code,
    names: namesWithArray(code, storage),
    isFloat: true,
    min: -Infinity,
    max: Infinity,
    hasSums: true,
    decode: identity,
    encode(value, name) {
      if (typeof value !== 'number') throw typeError(name, 'a number', value)
      return value
    },
  })
}

/** One character; `maxCode` is the last one that fits. */
function character(code: TypeCode, storage: Storage, maxCode: number, text: Text): ScalarType {
  const expected = `a string of one character up to U+${maxCode.toString(16).toUpperCase().padStart(4, '0')}`
  return define(storage, {
    code,
    text,
    usesAllBits: maxCode === 2 ** (storage.ArrayType.BYTES_PER_ELEMENT * 8) - 1,
    decode: (raw) => String.fromCodePoint(Math.min(Number(raw), LAST_CODE_POINT)),
    encode(value, name) {
      if (typeof value !== 'string') throw typeError(name, expected, value)
      const point = value.codePointAt(0)
      if (point === undefined || String.fromCodePoint(point) !== value) throw typeError(name, expected, value)
      if (point > maxCode) throw rangeError(name, expected, value)
      return point
    },
    encodeRaw(raw, name) {
      if (typeof raw === 'number' && Number.isInteger(raw) && raw >= 0 && raw <= maxCode) return raw
      throw rangeError(name, `a character code from 0 to ${maxCode}`, raw)
    },
  })
}

function boolean(): ScalarType {
  return define(UINT8, {
    code: '?',
    hasBits: true,
    usesAllBits: false,
    decode: (raw) => raw !== 0,
    encode(value, name) {
      if (typeof value !== 'boolean') throw typeError(name, 'a boolean', value)
      return value ? 1 : 0
    },
    encodeRaw(raw, name) {
      if (raw !== 0 && raw !== 1) throw rangeError(name, '0 or 1', raw)
      return raw
    },
  })
}

const { longBytes, wideCharBytes } = native.layout
const [LONG, ULONG] = longBytes === 8 ? [INT64, UINT64] : [INT32, UINT32]
// Their typed array depends on the platform and names another type, so it is none of their names.
const [long, ulong] = [{ names: ['l', ...NAMES.l] }, { names: ['L', ...NAMES.L] }]

/** All types that this runtime has. */
export const SCALARS: readonly ScalarType[] = [
  character('c', UINT8, 0xff, BYTES),
  integer('b', INT8, true),
  integer('B', UINT8, false),
  wideCharBytes === 4
    ? character('u', UINT32, LAST_CODE_POINT, CHARACTERS)
    : character('u', UINT16, 0xffff, CHARACTERS),
  integer('h', INT16, true),
  integer('H', UINT16, false),
  integer('i', INT32, true, { hasWords: true }),
  integer('I', UINT32, false),
  integer('l', LONG, true, long),
  integer('L', ULONG, false, ulong),
  integer('q', INT64, true),
  integer('Q', UINT64, false),
  ...(FLOAT16 === undefined ? [] : [float('e', FLOAT16)]),
  float('f', FLOAT32),
  float('d', FLOAT64),
  boolean(),
]

const byName = new Map<unknown, ScalarType>(SCALARS.flatMap((type) => type.names.map((name) => [name, type] as const)))

/** The scalar type of that name, or undefined. */
export function findScalar(name: unknown): ScalarType | undefined {
  return byName.get(name) ?? (typeof name === 'function' ? byName.get(ownArrayType(name)) : undefined)
}

const TypedArray: unknown = Object.getPrototypeOf(Uint8Array)

/** The typed array of this realm for that of another one, as programs in `node:vm` or a test framework have it. */
function ownArrayType(named: object): unknown {
  const parent = Object.getPrototypeOf(named) as { readonly name?: unknown } | null
  if (parent === TypedArray || parent?.name !== 'TypedArray') return undefined
  return (globalThis as Record<string, unknown>)[(named as { readonly name: string }).name]
}

/** The reason for an error about a type that this runtime does not have; undefined for any other name. */
export function whyUnsupported(name: unknown): string | undefined {
  const isHalf = name === 'e' || NAMES.e.includes(name as never)
  return isHalf && FLOAT16 === undefined
    ? 'it needs Float16Array, which this runtime does not have and Node.js has from version 24 on'
    : undefined
}
