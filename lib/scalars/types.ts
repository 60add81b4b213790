/**
 * The scalar types at compile time. NAMES and ScalarTable have one line for each type; all other types here are derived from
 * them. What a type does at run time is in its record: scalar.ts.
 */

/** The names of each type in addition to its code: a readable name, C's, and those of Python's ctypes. */
export const NAMES = {
  c: ['char', 'c_char'],
  b: ['int8', 'schar', 'c_byte', 'c_int8'],
  B: ['uint8', 'uchar', 'c_ubyte', 'c_uint8'],
  u: ['wchar', 'c_wchar'],
  h: ['int16', 'short', 'c_short', 'c_int16'],
  H: ['uint16', 'ushort', 'c_ushort', 'c_uint16'],
  i: ['int32', 'int', 'c_int', 'c_int32'],
  I: ['uint32', 'uint', 'c_uint', 'c_uint32'],
  l: ['long', 'c_long'],
  L: ['ulong', 'c_ulong'],
  q: ['int64', 'longlong', 'c_longlong', 'c_int64'],
  Q: ['uint64', 'ulonglong', 'c_ulonglong', 'c_uint64'],
  e: ['float16', 'half'],
  f: ['float32', 'float', 'c_float'],
  d: ['float64', 'double', 'c_double'],
  '?': ['bool', 'c_bool'],
} as const

/** What a scalar type is in TypeScript. */
interface Scalar<Element, ElementArray, Family, Constructor = never> {
  readonly element: Element
  readonly array: ElementArray
  readonly family: Family
  /** The JavaScript constructor that names the type. */
  readonly constructor: Constructor
}

/** One line for each type of NAMES. */
interface ScalarTable {
  c: Scalar<string, Uint8Array, 'bytes'>
  b: Scalar<number, Int8Array, 'integer', typeof Int8Array>
  B: Scalar<number, Uint8Array, 'integer', typeof Uint8Array>
  u: Scalar<string, Uint32Array | Uint16Array, 'characters'>
  h: Scalar<number, Int16Array, 'integer', typeof Int16Array>
  H: Scalar<number, Uint16Array, 'integer', typeof Uint16Array>
  i: Scalar<number, Int32Array, 'integer', typeof Int32Array>
  I: Scalar<number, Uint32Array, 'integer', typeof Uint32Array>
  l: Scalar<number | bigint, BigInt64Array | Int32Array, 'integer'>
  L: Scalar<number | bigint, BigUint64Array | Uint32Array, 'integer'>
  q: Scalar<bigint, BigInt64Array, 'integer', typeof BigInt64Array>
  Q: Scalar<bigint, BigUint64Array, 'integer', typeof BigUint64Array>
  e: Scalar<number, HalfArray, 'float', HalfConstructor>
  f: Scalar<number, Float32Array, 'float', typeof Float32Array>
  d: Scalar<number, Float64Array, 'float', typeof Float64Array>
  '?': Scalar<boolean, Uint8Array, 'boolean'>
}

// A `lib` of TypeScript older than esnext does not declare Float16Array.
type HalfConstructor = typeof globalThis extends { readonly Float16Array: infer C } ? C : never
type HalfArray = typeof globalThis extends { readonly Float16Array: { readonly prototype: infer A } }
  ? A
  : Omit<Float32Array, typeof Symbol.toStringTag>

/** A type code of Python's: `'i'`, `'d'`, … */
export type TypeCode = keyof typeof NAMES

type CodeByName = { [C in TypeCode as C | (typeof NAMES)[C][number]]: C }

/**
 * A scalar type: a type code of Python's (`'i'`, `'d'`), a readable name (`'int32'`, `'float64'`), a name of C (`'int'`,
 * `'double'`) or of Python's ctypes (`'c_int'`, `'c_double'`), or the constructor of a typed array (`Int32Array`,
 * `Float64Array`).
 */
export type TypeName = keyof CodeByName | ScalarTable[TypeCode]['constructor']

/** The type code of a scalar type: `CodeOf<'double'>` and `CodeOf<typeof Float64Array>` are `'d'`. */
export type CodeOf<T extends TypeName> = T extends keyof CodeByName
  ? CodeByName[T]
  : { [C in TypeCode]: T extends ScalarTable[C]['constructor'] ? C : never }[TypeCode]

/** What a scalar of the type is in JavaScript. */
export type ElementOf<T extends TypeName> = ScalarTable[CodeOf<T>]['element']

/** The typed array that holds scalars of the type. */
export type ArrayOf<T extends TypeName> = ScalarTable[CodeOf<T>]['array']

/** The values to which a scalar of the type can be set. 64-bit integers can also be set to exact numbers. */
export type InputOf<T extends TypeName> = ElementOf<T> extends bigint ? number | bigint : ElementOf<T>

type FamilyOf<T extends TypeName> = ScalarTable[CodeOf<T>]['family']

// `T extends TypeName` below distributes over a union of types.

/** The values that can be added to a scalar of the type, or subtracted. There are none unless it is a number. */
export type Addend<T extends TypeName> = T extends TypeName
  ? FamilyOf<T> extends 'integer' | 'float'
    ? InputOf<T>
    : never
  : never

/** The operands of bit operations with a scalar of the type. There are none unless it is an integer or a boolean. */
export type Bits<T extends TypeName> = T extends TypeName
  ? FamilyOf<T> extends 'integer' | 'boolean'
    ? InputOf<T>
    : never
  : never

/** For arrays of bytes `B`, for those of characters `C`, and for any other `Other`. */
export type TextOf<T extends TypeName, B, C, Other> = T extends TypeName
  ? FamilyOf<T> extends 'bytes'
    ? B
    : FamilyOf<T> extends 'characters'
      ? C
      : Other
  : never

/** The elements for an array of the type: any iterable. Characters may be a text, or numbers. */
export type ElementsOf<T extends TypeName> =
  | Iterable<InputOf<T> | TextOf<T, number, number, never>>
  | TextOf<T, string, string, never>
  | ArrayOf<T>
