/** How the fields of a struct lie in memory, and how each is read, written and copied there: one plan for each type of field. */

import { types } from 'node:util'
import { booleanOf, findScalar, type ScalarType, TYPE_NAMES } from '../memory/typecode.ts'
import { rangeError, typeError } from '../validate.ts'
import { readBytes, readText, toBytes } from './char-data.ts'

/** How one field is read and written at an absolute offset of a DataView. */
export interface FieldPlan {
  /** Whether set() writes all or nothing by itself. */
  readonly isScalar: boolean
  readonly byteLength: number
  readonly alignment: number
  /** As in the segment's description. */
  readonly schema: unknown
  get(bytes: DataView, at: number): unknown
  /** Writes all of the field's bytes; in `bytes` that nobody else sees, so an error half-way does no harm. */
  set(bytes: DataView, at: number, value: unknown, name: string): void
  snapshot(bytes: DataView, at: number): unknown
}

/** A struct, which may be a field of another one. */
export abstract class StructPlan {
  abstract asField(): FieldPlan
}

export function bytesAt(bytes: DataView, at: number, byteLength: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + at, byteLength)
}

export function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit
}

/** @throws `TypeError` or `RangeError`, about the argument `name`, for what is no type of a field. */
export function planOf(type: unknown, name: string): FieldPlan {
  const scalar = findScalar(type)
  if (scalar !== undefined) return planScalar(scalar)
  if (type instanceof StructPlan) return type.asField()
  if (Array.isArray(type) && type.length === 2) return planArray(type[0], type[1], name)
  throw typeError(name, `one of ${TYPE_NAMES}, a Struct, or [type, length]`, type)
}

/** How a scalar is read from and written to a DataView, by the size and nature of its type. */
function accessors(type: ScalarType): {
  get(b: DataView, at: number): number | bigint
  set(b: DataView, at: number, raw: never): void
} {
  switch (type.ArrayType as unknown) {
    case Int8Array:
      return { get: (b, at) => b.getInt8(at), set: (b, at, raw) => b.setInt8(at, raw) }
    case Uint8Array:
      return { get: (b, at) => b.getUint8(at), set: (b, at, raw) => b.setUint8(at, raw) }
    case Int16Array:
      return { get: (b, at) => b.getInt16(at, true), set: (b, at, raw) => b.setInt16(at, raw, true) }
    case Uint16Array:
      return { get: (b, at) => b.getUint16(at, true), set: (b, at, raw) => b.setUint16(at, raw, true) }
    case Int32Array:
      return { get: (b, at) => b.getInt32(at, true), set: (b, at, raw) => b.setInt32(at, raw, true) }
    case Uint32Array:
      return { get: (b, at) => b.getUint32(at, true), set: (b, at, raw) => b.setUint32(at, raw, true) }
    case BigInt64Array:
      return { get: (b, at) => b.getBigInt64(at, true), set: (b, at, raw) => b.setBigInt64(at, raw, true) }
    case BigUint64Array:
      return { get: (b, at) => b.getBigUint64(at, true), set: (b, at, raw) => b.setBigUint64(at, raw, true) }
    case Float32Array:
      return { get: (b, at) => b.getFloat32(at, true), set: (b, at, raw) => b.setFloat32(at, raw, true) }
    default:
      return { get: (b, at) => b.getFloat64(at, true), set: (b, at, raw) => b.setFloat64(at, raw, true) }
  }
}

function planScalar(type: ScalarType): FieldPlan {
  const { get, set } = accessors(type)
  const read = (bytes: DataView, at: number) => type.decode(get(bytes, at))
  return {
    isScalar: true,
    byteLength: type.byteLength,
    alignment: type.byteLength,
    schema: type.code,
    get: read,
    set: (bytes, at, value, name) => set(bytes, at, type.encode(value, name) as never),
    snapshot: read,
  }
}

function planArray(elementType: unknown, length: unknown, name: string): FieldPlan {
  if (!Number.isSafeInteger(length) || (length as number) < 1) {
    throw rangeError(`${name}[1]`, 'a length: an integer of at least 1', length)
  }
  const count = length as number
  const scalar = findScalar(elementType)
  const element = planOf(elementType, `${name}[0]`)
  const placeOf = (at: number, i: number) => at + i * element.byteLength
  const plan = {
    isScalar: false,
    byteLength: count * element.byteLength,
    alignment: element.alignment,
    schema: [element.schema, count],
    set(bytes: DataView, at: number, value: unknown, fieldName: string) {
      const items = itemsOf(value, scalar, fieldName)
      if (items.length > count) throw rangeError(fieldName, `at most ${count} elements long`, value)
      bytesAt(bytes, at, count * element.byteLength).fill(0)
      for (const [i, item] of items.entries()) element.set(bytes, placeOf(at, i), item, `${fieldName}[${i}]`)
    },
  }
  if (scalar !== undefined && (scalar.code === 'c' || scalar.code === 'u')) {
    const read = scalar.code === 'c' ? readBytes : readText
    return {
      ...plan,
      get: (bytes, at) => read(arrayAt(scalar, bytes, at, count)),
      snapshot: (bytes, at) => read(arrayAt(scalar, bytes, at, count)),
    }
  }
  return {
    ...plan,
    get: (bytes, at) =>
      scalar === undefined
        ? Object.freeze(Array.from({ length: count }, (_, i) => element.get(bytes, placeOf(at, i))))
        : arrayAt(scalar, bytes, at, count),
    snapshot: (bytes, at) => Array.from({ length: count }, (_, i) => element.snapshot(bytes, placeOf(at, i))),
  }
}

function itemsOf(value: unknown, scalar: ScalarType | undefined, name: string): unknown[] {
  if (scalar?.code === 'c') return Array.from(toBytes(value, name), (byte) => String.fromCharCode(byte))
  if (scalar?.code === 'u' && typeof value === 'string') return [...value]
  if (scalar?.code === '?' && types.isUint8Array(value)) {
    return Array.from(value, (element, i) => booleanOf(element, `${name}[${i}]`))
  }
  const iterable = value as Iterable<unknown> | null | undefined
  if (typeof value === 'string' || typeof iterable?.[Symbol.iterator] !== 'function') {
    throw typeError(name, 'an iterable of elements', value)
  }
  return [...iterable]
}

function arrayAt(scalar: ScalarType, bytes: DataView, at: number, count: number) {
  return new scalar.ArrayType(bytes.buffer, bytes.byteOffset + at, count)
}
