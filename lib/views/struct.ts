/**
 * Struct: records with C layout, and the accessors that read and write their fields straight in memory.
 *
 * A StructType is a plan: offset, size and codec per field, and one accessor class whose getters and setters are closures
 * over the plan (no code is generated from text). A record is an instance of that class at an offset of a buffer.
 */
import { inspect } from 'node:util'
import {
  type ArrayTypes,
  booleanOf,
  type ElementTypes,
  findScalar,
  type InputOf,
  type ScalarType,
  TYPE_NAMES,
  type TypeName,
} from '../memory/typecode.ts'
import { rangeError, typeError, valueError } from '../validate.ts'

/** The type of a field: a scalar, another struct, or `[type, length]` for a fixed array of either. */
export type FieldType = TypeName | StructType<StructFields> | readonly [FieldType, number]

/** The fields of a struct, in the order in which they lie in memory. */
export interface StructFields {
  readonly [field: string]: FieldType
}

type ArrayField<T> = T extends 'c' | 'char'
  ? Buffer
  : T extends 'u' | 'wchar'
    ? string
    : T extends TypeName
      ? ArrayTypes[T]
      : readonly FieldValue<T>[]

type ArrayFieldInput<T> = T extends 'c' | 'char'
  ? string | Uint8Array
  : T extends TypeName
    ? Iterable<InputOf<T>> | ArrayTypes[T]
    : Iterable<FieldInput<T>>

/** What reading a field of the type gives. */
export type FieldValue<T> = T extends TypeName
  ? ElementTypes[T]
  : T extends StructType<infer F>
    ? StructView<F>
    : T extends readonly [infer E, number]
      ? ArrayField<E>
      : never

/** What a field of the type may be set to. */
export type FieldInput<T> = T extends TypeName
  ? InputOf<T>
  : T extends StructType<infer F>
    ? StructInput<F>
    : T extends readonly [infer E, number]
      ? ArrayFieldInput<E>
      : never

/** A record in shared memory: reading a field reads memory, setting one writes it, without a lock. */
export type StructView<F extends StructFields> = { -readonly [K in keyof F]: FieldValue<F[K]> }

/** A plain object with all fields of a struct. */
export type StructInput<F extends StructFields> = { readonly [K in keyof F]: FieldInput<F[K]> } | StructView<F>

/** A plain object with some fields of a struct; the others are zero. */
export type StructInit<F extends StructFields> = { readonly [K in keyof F]?: FieldInput<F[K]> } | StructView<F>

/** What copying a field out of shared memory gives. */
export type FieldSnapshot<T> = T extends TypeName
  ? ElementTypes[T]
  : T extends StructType<infer F>
    ? StructSnapshot<F>
    : T extends readonly [infer E, number]
      ? E extends 'c' | 'char'
        ? Buffer
        : E extends 'u' | 'wchar'
          ? string
          : FieldSnapshot<E>[]
      : never

/** A plain object with copies of all fields. */
export type StructSnapshot<F extends StructFields> = { -readonly [K in keyof F]: FieldSnapshot<F[K]> }

/** The layout of a struct, made by {@link Struct}. */
export interface StructType<F extends StructFields> {
  /** The fields, in order. */
  readonly fields: F
  /** The size of one record in bytes, padding included. */
  readonly byteLength: number
  /** What a record's address is a multiple of. */
  readonly alignment: number
  /** Where each field lies in a record, in bytes. */
  readonly offsets: { readonly [K in keyof F]: number }
}

/** How one field is read and written at an absolute offset of a DataView. */
interface FieldPlan {
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

export class Layout<F extends StructFields = StructFields> implements StructType<F> {
  readonly fields: F
  readonly byteLength: number
  readonly alignment: number
  readonly offsets: { readonly [K in keyof F]: number }
  readonly schema: unknown
  readonly #plans: readonly { readonly name: string; readonly at: number; readonly plan: FieldPlan }[]
  readonly #Record: new (
    bytes: DataView,
    at: number,
  ) => object

  constructor(fields: F) {
    this.fields = Object.freeze({ ...fields })
    let end = 0
    let alignment = 1
    this.#plans = Object.entries(fields).map(([name, type]) => {
      const plan = planOf(type, `fields.${name}`)
      const at = roundUp(end, plan.alignment)
      end = at + plan.byteLength
      alignment = Math.max(alignment, plan.alignment)
      return { name, at, plan }
    })
    this.alignment = alignment
    this.byteLength = roundUp(end, alignment)
    this.offsets = Object.fromEntries(this.#plans.map(({ name, at }) => [name, at])) as { [K in keyof F]: number }
    this.schema = this.#plans.map(({ name, plan }) => [name, plan.schema])
    this.#Record = this.#defineRecord()
  }

  /** A live record at `at`. */
  view(bytes: DataView, at: number): StructView<F> {
    return new this.#Record(bytes, at) as StructView<F>
  }

  /** Writes a whole record. Fields that `value` lacks are zero with `partial`, an error otherwise. */
  write(bytes: DataView, at: number, value: unknown, name: string, partial: boolean): void {
    if (typeof value !== 'object' || value === null)
      throw typeError(name, 'an object with the fields of the struct', value)
    const source = value as Record<string, unknown>
    if (value instanceof StructRecord) {
      if (this.#isSameAs(StructRecord.layoutOf(value))) {
        const from = bytesAt(StructRecord.bytesOf(value), StructRecord.offsetOf(value), this.byteLength)
        bytesAt(bytes, at, this.byteLength).set(from)
        return
      }
    } else {
      for (const key of Object.keys(source)) {
        if (!Object.hasOwn(this.offsets, key)) throw valueError(`${name}.${key}`, `one of ${this.#names()}`, key)
      }
    }
    for (const { name: field, at: offset, plan } of this.#plans) {
      const given = source[field]
      if (given === undefined && partial) continue
      plan.set(bytes, at + offset, given, `${name}.${field}`)
    }
  }

  /** A plain copy of a record. */
  snapshot(bytes: DataView, at: number): StructSnapshot<F> {
    const entries = this.#plans.map(({ name, at: offset, plan }) => [name, plan.snapshot(bytes, at + offset)])
    return Object.fromEntries(entries) as StructSnapshot<F>
  }

  /** Two processes declare the same struct each for itself. */
  #isSameAs(other: Layout): boolean {
    return (other as unknown) === this || JSON.stringify(other.schema) === JSON.stringify(this.schema)
  }

  #names(): string {
    return this.#plans.map(({ name }) => name).join(', ')
  }

  #defineRecord(): new (bytes: DataView, at: number) => object {
    const layout = this
    class Record extends StructRecord {
      constructor(bytes: DataView, at: number) {
        super(layout as unknown as Layout, bytes, at)
      }
      toJSON(): unknown {
        return layout.snapshot(StructRecord.bytesOf(this), StructRecord.offsetOf(this))
      }
      [inspect.custom](): unknown {
        return layout.snapshot(StructRecord.bytesOf(this), StructRecord.offsetOf(this))
      }
    }
    for (const { name, at: offset, plan } of this.#plans) {
      Object.defineProperty(Record.prototype, name, {
        enumerable: true,
        configurable: true,
        get(this: StructRecord) {
          return plan.get(StructRecord.bytesOf(this), StructRecord.offsetOf(this) + offset)
        },
        set(this: StructRecord, value: unknown) {
          setField(plan, StructRecord.bytesOf(this), StructRecord.offsetOf(this) + offset, value, name)
        },
      })
    }
    return Record
  }
}

/** Where a record lies. */
class StructRecord {
  readonly #layout: Layout
  readonly #bytes: DataView
  readonly #at: number

  constructor(layout: Layout, bytes: DataView, at: number) {
    this.#layout = layout
    this.#bytes = bytes
    this.#at = at
    Object.preventExtensions(this) // a misspelt field is an error, not a property of this object alone
  }

  static layoutOf(record: StructRecord): Layout {
    return record.#layout
  }

  static bytesOf(record: StructRecord): DataView {
    return record.#bytes
  }

  static offsetOf(record: StructRecord): number {
    return record.#at
  }
}

/** Sets a field of a live record, all or nothing: a value that does not fit leaves it as it was. */
function setField(plan: FieldPlan, bytes: DataView, at: number, value: unknown, name: string): void {
  if (plan.isScalar) {
    plan.set(bytes, at, value, name)
    return
  }
  const scratch = new DataView(new ArrayBuffer(plan.byteLength))
  plan.set(scratch, 0, value, name)
  bytesAt(bytes, at, plan.byteLength).set(bytesAt(scratch, 0, plan.byteLength))
}

function bytesAt(bytes: DataView, at: number, byteLength: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + at, byteLength)
}

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit
}

function planOf(type: unknown, name: string): FieldPlan {
  const scalar = findScalar(type)
  if (scalar !== undefined) return planScalar(scalar)
  if (type instanceof Layout) return planStruct(type)
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

function planStruct(layout: Layout): FieldPlan {
  return {
    isScalar: false,
    byteLength: layout.byteLength,
    alignment: layout.alignment,
    schema: { struct: layout.schema },
    get: (bytes, at) => layout.view(bytes, at),
    set: (bytes, at, value, name) => layout.write(bytes, at, value, name, false),
    snapshot: (bytes, at) => layout.snapshot(bytes, at),
  }
}

function planArray(elementType: unknown, length: unknown, name: string): FieldPlan {
  if (!Number.isSafeInteger(length) || (length as number) < 1) {
    throw rangeError(`${name}[1]`, 'a length of at least 1', length)
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
      if (items.length > count) throw rangeError(fieldName, `at most ${count} long`, value)
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
  if (scalar?.code === '?' && value instanceof Uint8Array) {
    return Array.from(value, (element, i) => booleanOf(element, `${name}[${i}]`))
  }
  const iterable = value as Iterable<unknown> | null | undefined
  if (typeof value === 'string' || typeof iterable?.[Symbol.iterator] !== 'function') {
    throw typeError(name, 'an iterable of the elements', value)
  }
  return [...iterable]
}

function arrayAt(scalar: ScalarType, bytes: DataView, at: number, count: number) {
  return new scalar.ArrayType(bytes.buffer, bytes.byteOffset + at, count)
}

/** The bytes of a char array: those of a string in UTF-8, or as they are given. */
export function toBytes(value: unknown, name: string): Uint8Array {
  if (typeof value === 'string') return Buffer.from(value)
  if (value instanceof Uint8Array) return value
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

/**
 * Declares a record with C layout: fields in order, naturally aligned, so that a C `struct` of the same fields fits.
 *
 * @remarks Fields are scalars, other structs, and `[type, length]` arrays of either. `char` arrays read as a `Buffer` up to
 * the first NUL and take a `Uint8Array` or a string (UTF-8). Setting a field checks it as a {@link Value} does.
 * @throws `TypeError` for an unknown type or a field name that cannot be one; `RangeError` for an array length below 1.
 * @example
 * ```ts
 * import { Struct, Value } from 'procshare'
 * const Point = Struct({ x: 'd', y: 'd' })
 * using point = new Value(Point, { x: 1.5, y: 2 })
 * point.value.x *= 2 // straight in memory, without the lock
 * point.update((p) => { p.y = p.x }) // under the lock, all or nothing
 * console.assert(point.snapshot().y === 3)
 * ```
 */
export function Struct<const F extends StructFields>(fields: F): StructType<F> {
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    throw typeError('fields', 'an object of field types', fields)
  }
  const names = Object.keys(fields)
  if (names.length === 0) throw valueError('fields', 'an object with at least one field', fields)
  for (const name of names) {
    // A number would be moved to the front by JavaScript; __proto__ is not a property like others.
    if (/^\d+$/.test(name) || name === '__proto__' || name === 'toJSON' || name === 'constructor') {
      throw valueError('fields', 'an object whose field names are not numbers, __proto__, constructor or toJSON', name)
    }
  }
  return new Layout(fields)
}
