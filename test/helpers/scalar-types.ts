/** The types of scalars as C and Python define them: the reference that the library is compared with. */
import type { TypeName } from 'procshare'

const isWindows = process.platform === 'win32'

export interface IntegerType {
  readonly code: TypeName
  readonly alias: TypeName
  readonly cType: string
  readonly bits: 8 | 16 | 32 | 64
  readonly signed: boolean
}

const longBits = isWindows ? 32 : 64

export const INTEGERS: readonly IntegerType[] = [
  { code: 'b', alias: 'int8', cType: 'signed char', bits: 8, signed: true },
  { code: 'B', alias: 'uint8', cType: 'unsigned char', bits: 8, signed: false },
  { code: 'h', alias: 'int16', cType: 'short', bits: 16, signed: true },
  { code: 'H', alias: 'uint16', cType: 'unsigned short', bits: 16, signed: false },
  { code: 'i', alias: 'int32', cType: 'int', bits: 32, signed: true },
  { code: 'I', alias: 'uint32', cType: 'unsigned int', bits: 32, signed: false },
  { code: 'l', alias: 'long', cType: 'long', bits: longBits, signed: true },
  { code: 'L', alias: 'ulong', cType: 'unsigned long', bits: longBits, signed: false },
  { code: 'q', alias: 'int64', cType: 'long long', bits: 64, signed: true },
  { code: 'Q', alias: 'uint64', cType: 'unsigned long long', bits: 64, signed: false },
]

/** Integers that are `number` in JavaScript. */
export const SMALL_INTEGERS = INTEGERS.filter(({ bits }) => bits < 64)
/** Integers that are `bigint` in JavaScript. */
export const BIG_INTEGERS = INTEGERS.filter(({ bits }) => bits === 64)

export const FLOATS = [
  { code: 'f', alias: 'float32', cType: 'float', bits: 32 },
  { code: 'd', alias: 'float64', cType: 'double', bits: 64 },
] as const

export const CHARACTERS = [
  { code: 'c', alias: 'char', cType: 'char', bits: 8, maxCode: 0xff },
  {
    code: 'u',
    alias: 'wchar',
    cType: 'wchar_t',
    bits: isWindows ? 16 : 32,
    maxCode: isWindows ? 0xffff : 0x10ffff,
  },
] as const

export const BOOL = { code: '?', alias: 'bool', cType: '_Bool', bits: 8 } as const

/** All types, in any order. */
export const SCALARS: readonly { code: TypeName; alias: TypeName; cType: string; bits: number }[] = [
  ...INTEGERS,
  ...FLOATS,
  ...CHARACTERS,
  BOOL,
]

export function limitsOf({ bits, signed }: IntegerType): { min: bigint; max: bigint } {
  return signed
    ? { min: -(2n ** BigInt(bits - 1)), max: 2n ** BigInt(bits - 1) - 1n }
    : { min: 0n, max: 2n ** BigInt(bits) - 1n }
}

/** What C makes of `value` when it is stored as that type. */
export function wrap({ bits, signed }: IntegerType, value: bigint): bigint {
  return signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value)
}

/** A mathematical integer as a value of that type is in JavaScript. */
export function toJs({ bits }: IntegerType, value: bigint): number | bigint {
  return bits === 64 ? value : Number(value)
}
