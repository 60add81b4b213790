/** The TypeScript types of structs: those of their fields, and those for reading, setting, initialising and copying a field. */
import type { ArrayOf, ElementOf, ElementsOf, InputOf, TextOf, TypeName } from '../scalars/types.ts'

/** The type of a field: a scalar, another struct, or `[type, length]` for a fixed array of either. */
export type FieldType = TypeName | StructType<StructFields> | readonly [FieldType, number]

/** The fields of a struct, in the order in which they lie in memory. */
export interface StructFields {
  readonly [field: string]: FieldType
}

type ArrayField<T> = T extends TypeName ? TextOf<T, Buffer, string, ArrayOf<T>> : readonly FieldValue<T>[]

type ArrayFieldInput<T> = T extends TypeName ? ElementsOf<T> : Iterable<FieldInput<T>>

/** The value that reading a field of the type returns. */
export type FieldValue<T> = T extends TypeName
  ? ElementOf<T>
  : T extends StructType<infer F>
    ? StructView<F>
    : T extends readonly [infer E, number]
      ? ArrayField<E>
      : never

/** The values to which a field of the type can be set. */
export type FieldInput<T> = T extends TypeName
  ? InputOf<T>
  : T extends StructType<infer F>
    ? StructInput<F>
    : T extends readonly [infer E, number]
      ? ArrayFieldInput<E>
      : never

/**
 * A record in shared memory: reading a field reads memory, setting one writes it, without a lock.
 *
 * @remarks `Object.keys(record)` and `{ ...record }` give all fields; arrays and records among them stay live, `snapshot` copies
 * them, too. A record travels through queues, through managers and to a {@link Process} as a plain copy. TypeScript has one type
 * for reading and setting a property. So it lets a `char` field be set to a `Buffer` only and an array field to a typed array
 * only; `assign` of the value and `set` of the array take text and any iterable.
 */
export type StructView<F extends StructFields> = { -readonly [K in keyof F]: FieldValue<F[K]> }

/** The values of the fields of a struct, in their order. */
type FieldList<F extends StructFields> = readonly FieldInput<F[keyof F]>[]

/** All fields of a struct: as a plain object, as an array of their values in their order, or as a record. */
export type StructInput<F extends StructFields> =
  | { readonly [K in keyof F]: FieldInput<F[K]> }
  | StructView<F>
  | FieldList<F>

/** Some fields of a struct, as for {@link StructInput}. The other fields are zero, or stay as they are. */
export type StructInit<F extends StructFields> =
  | { readonly [K in keyof F]?: FieldInput<F[K]> }
  | StructView<F>
  | FieldList<F>

/** The private copy of a field. */
export type FieldSnapshot<T> = T extends TypeName
  ? ElementOf<T>
  : T extends StructType<infer F>
    ? StructSnapshot<F>
    : T extends readonly [infer E, number]
      ? E extends TypeName
        ? TextOf<E, Buffer, string, FieldSnapshot<E>[]>
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
  /** The alignment in bytes: the address of a record is a multiple of it. */
  readonly alignment: number
  /** The offset of each field in a record, in bytes. */
  readonly offsets: { readonly [K in keyof F]: number }
}
