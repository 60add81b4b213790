/** The types of scalars as C and Python define them: the reference that the library is compared with. */
import type { TypeCode, TypeName } from 'procshare'

const isWindows = process.platform === 'win32'

export interface ScalarType {
  readonly code: TypeCode
  readonly alias: Exclude<TypeName, { readonly prototype: unknown }>
  /** All other names. */
  readonly names: readonly TypeName[]
  readonly cType: string
  readonly bits: 8 | 16 | 32 | 64
}

export interface IntegerType extends ScalarType {
  readonly signed: boolean
}

const longBits = isWindows ? 32 : 64

export const INTEGERS: readonly IntegerType[] = [
  {
    code: 'b',
    alias: 'int8',
    names: ['schar', 'c_byte', 'c_int8', Int8Array],
    cType: 'signed char',
    bits: 8,
    signed: true,
  },
  {
    code: 'B',
    alias: 'uint8',
    names: ['uchar', 'c_ubyte', 'c_uint8', Uint8Array],
    cType: 'unsigned char',
    bits: 8,
    signed: false,
  },
  {
    code: 'h',
    alias: 'int16',
    names: ['short', 'c_short', 'c_int16', Int16Array],
    cType: 'short',
    bits: 16,
    signed: true,
  },
  {
    code: 'H',
    alias: 'uint16',
    names: ['ushort', 'c_ushort', 'c_uint16', Uint16Array],
    cType: 'unsigned short',
    bits: 16,
    signed: false,
  },
  { code: 'i', alias: 'int32', names: ['int', 'c_int', 'c_int32', Int32Array], cType: 'int', bits: 32, signed: true },
  {
    code: 'I',
    alias: 'uint32',
    names: ['uint', 'c_uint', 'c_uint32', Uint32Array],
    cType: 'unsigned int',
    bits: 32,
    signed: false,
  },
  { code: 'l', alias: 'long', names: ['c_long'], cType: 'long', bits: longBits, signed: true },
  { code: 'L', alias: 'ulong', names: ['c_ulong'], cType: 'unsigned long', bits: longBits, signed: false },
  {
    code: 'q',
    alias: 'int64',
    names: ['longlong', 'c_longlong', 'c_int64', BigInt64Array],
    cType: 'long long',
    bits: 64,
    signed: true,
  },
  {
    code: 'Q',
    alias: 'uint64',
    names: ['ulonglong', 'c_ulonglong', 'c_uint64', BigUint64Array],
    cType: 'unsigned long long',
    bits: 64,
    signed: false,
  },
]

/** Integers that are `number` in JavaScript. */
export const SMALL_INTEGERS = INTEGERS.filter(({ bits }) => bits < 64)
/** Integers that are `bigint` in JavaScript. */
export const BIG_INTEGERS = INTEGERS.filter(({ bits }) => bits === 64)

/** Undefined in runtimes without Float16Array. */
export const HALF_ARRAY = (globalThis as { Float16Array?: typeof Float32Array }).Float16Array

export const FLOATS: readonly ScalarType[] = [
  ...(HALF_ARRAY === undefined
    ? []
    : [
        // C has a type for it only in some compilers; the size and the alignment are those of a short.
        { code: 'e', alias: 'float16', names: ['half', HALF_ARRAY as never], cType: 'short', bits: 16 } as const,
      ]),
  { code: 'f', alias: 'float32', names: ['float', 'c_float', Float32Array], cType: 'float', bits: 32 },
  { code: 'd', alias: 'float64', names: ['double', 'c_double', Float64Array], cType: 'double', bits: 64 },
]

/** The typed array that holds floats of that size. */
export function floatArrayOf(bits: number): typeof Float32Array | typeof Float64Array {
  if (bits === 16) return HALF_ARRAY!
  return bits === 32 ? Float32Array : Float64Array
}

/** The value of a number after rounding to a float of that size. */
export function roundTo(bits: number, number: number): number {
  return floatArrayOf(bits).of(number)[0]!
}

export const CHARACTERS = [
  { code: 'c', alias: 'char', names: ['c_char'], cType: 'char', bits: 8, maxCode: 0xff },
  {
    code: 'u',
    alias: 'wchar',
    names: ['c_wchar'],
    cType: 'wchar_t',
    bits: isWindows ? 16 : 32,
    maxCode: isWindows ? 0xffff : 0x10ffff,
  },
] as const

export const BOOL = { code: '?', alias: 'bool', names: ['c_bool'], cType: '_Bool', bits: 8 } as const

/** All types, in any order. */
export const SCALARS: readonly ScalarType[] = [...INTEGERS, ...FLOATS, ...CHARACTERS, BOOL]

export function limitsOf({ bits, signed }: IntegerType): { min: bigint; max: bigint } {
  return signed
    ? { min: -(2n ** BigInt(bits - 1)), max: 2n ** BigInt(bits - 1) - 1n }
    : { min: 0n, max: 2n ** BigInt(bits) - 1n }
}

/** The result in C when `value` is stored as that type. */
export function wrap({ bits, signed }: IntegerType, value: bigint): bigint {
  return signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value)
}

/** A mathematical integer as the JavaScript value of that type. */
export function toJs({ bits }: IntegerType, value: bigint): number | bigint {
  return bits === 64 ? value : Number(value)
}
