/**
 * Plans of fields of structs. The plan of a type tells how a field lies in memory, and how it is read, written and copied there.
 */

import { encodeAll, toList } from '../scalars/elements.ts'
import { findScalar, type ScalarType } from '../scalars/scalar.ts'
import type { RawElement } from '../scalars/storage.ts'
import { unknownTypeError } from '../scalars/unknown-type.ts'
import { rangeError } from '../validate.ts'

/** How one field is read and written at an absolute offset of a DataView. */
export interface FieldPlan {
  /** Whether set() by itself writes all or nothing. */
  readonly isScalar: boolean
  /** Whether get() returns a view of memory instead of a copy. */
  readonly isLive: boolean
  readonly byteLength: number
  readonly alignment: number
  /** As in the segment's description. */
  readonly schema: unknown
  get(bytes: DataView, at: number): unknown
  /** Writes all of the field's bytes, into private `bytes`, because an error may leave them half-written. */
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

/** @throws `TypeError` or `RangeError` about the argument `name` when `type` is not the type of a field. */
export function planOf(type: unknown, name: string): FieldPlan {
  const scalar = findScalar(type)
  if (scalar !== undefined) return planScalar(scalar)
  if (type instanceof StructPlan) return type.asField()
  if (Array.isArray(type) && type.length === 2) return planArray(type[0], type[1], name)
  throw unknownTypeError(name, type, ['a Struct', '[type, length]'])
}

function planScalar(type: ScalarType): FieldPlan {
  const read = (bytes: DataView, at: number) => type.decode(type.read(bytes, at))
  return {
    isScalar: true,
    isLive: false,
    byteLength: type.byteLength,
    alignment: type.byteLength,
    schema: type.code,
    get: read,
    set: (bytes, at, value, name) => type.write(bytes, at, type.encode(value, name)),
    snapshot: read,
  }
}

function planArray(elementType: unknown, length: unknown, name: string): FieldPlan {
  if (!Number.isSafeInteger(length) || (length as number) < 1) {
    throw rangeError(`${name}[1]`, 'a length: an integer of at least 1', length)
  }
  const scalar = findScalar(elementType)
  if (scalar !== undefined) return planScalars(scalar, length as number)
  return planElements(planOf(elementType, `${name}[0]`), length as number)
}

function planScalars(type: ScalarType, count: number): FieldPlan {
  const { text, byteLength } = type
  const arrayAt = (bytes: DataView, at: number) => new type.ArrayType(bytes.buffer, bytes.byteOffset + at, count)
  return {
    isScalar: false,
    isLive: text === undefined,
    byteLength: count * byteLength,
    alignment: byteLength,
    schema: [type.code, count],
    get: (bytes, at) => (text === undefined ? arrayAt(bytes, at) : text.read(arrayAt(bytes, at))),
    snapshot: (bytes, at) =>
      text === undefined
        ? Array.from(arrayAt(bytes, at) as ArrayLike<RawElement>, (raw) => type.decode(raw))
        : text.read(arrayAt(bytes, at)),
    set(bytes, at, value, name) {
      const elements = encodeAll(type, value, name)
      if (elements.length > count) throw rangeError(name, `at most ${count} elements long`, value)
      arrayAt(bytes, at).set(elements as never)
      const written = elements.length * byteLength
      bytesAt(bytes, at + written, count * byteLength - written).fill(0)
    },
  }
}

/** An array of structs, or of arrays. */
function planElements(element: FieldPlan, count: number): FieldPlan {
  const byteLength = count * element.byteLength
  const placeOf = (at: number, i: number) => at + i * element.byteLength
  return {
    isScalar: false,
    isLive: element.isLive,
    byteLength,
    alignment: element.alignment,
    schema: [element.schema, count],
    get: (bytes, at) => Object.freeze(Array.from({ length: count }, (_, i) => element.get(bytes, placeOf(at, i)))),
    snapshot: (bytes, at) => Array.from({ length: count }, (_, i) => element.snapshot(bytes, placeOf(at, i))),
    set(bytes, at, value, name) {
      const items = toList(value, name, 'an iterable of elements')
      if (items.length > count) throw rangeError(name, `at most ${count} elements long`, value)
      bytesAt(bytes, at, byteLength).fill(0)
      for (let i = 0; i < items.length; i++) element.set(bytes, placeOf(at, i), items[i], `${name}[${i}]`)
    },
  }
}
