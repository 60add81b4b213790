/** SharedArray and RawArray: arrays in shared memory. They are the public classes for typed shared arrays and StructArray. */
import type { Handle } from '../memory/handle.ts'
import { defineKind } from '../memory/kind.ts'
import type { Member, NoOptions } from '../memory/member.ts'
import type { Placement } from '../memory/placement.ts'
import type { AttachOptions, SegmentOptions } from '../memory/segment.ts'
import { encodeAll } from '../scalars/elements.ts'
import type { ScalarType } from '../scalars/scalar.ts'
import type { ArrayOf, CodeOf, ElementsOf, TextOf, TypeName } from '../scalars/types.ts'
import { typeError } from '../validate.ts'
import { type ArrayMembers, lengthOrValues } from './array-members.ts'
import { elementTypeOf, isStruct } from './element-type.ts'
import {
  type Elements,
  type GuardedLocal,
  GuardedSegment,
  guardedAttachSpec,
  guardedMemberSpec,
  guardedSpec,
  type ValueMemberOptions,
  type ValueOptions,
} from './guarded-segment.ts'
import { encodeRecords, StructArray } from './struct-array.ts'
import type { StructFields, StructInit, StructInput, StructSnapshot, StructType, StructView } from './struct-types.ts'
import { isTypedSharedArray, typedSharedArray } from './typed-shared-array.ts'

/** The members that an array of scalars has in addition to those of its typed array. */
export interface TypedArrayMembers<T extends TypeName> extends ArrayMembers {
  /** The type code of the elements. */
  readonly type: CodeOf<T>
  /** A private copy of all elements, taken under the lock. */
  snapshot(): ArrayOf<T>
  /**
   * Writes elements from `offset` on under the lock, all or nothing.
   *
   * @throws `TypeError`, `RangeError` for a value that the type cannot hold, or if there is no room. Then nothing changes.
   */
  assign(values: ElementsOf<T>, offset?: number): void
}

/** The additional members of an array of characters. */
export interface TextMembers<T extends TypeName> {
  /** The text up to the first NUL, under the lock. Setting writes the text, and a NUL if there is room; the rest stays. */
  get value(): TextOf<T, Buffer, string, never>
  set value(value: TextOf<T, Uint8Array | string, string, never>)
  /** All bytes, under the lock. Setting writes bytes at the start, without a NUL; the rest stays. */
  get raw(): Buffer
  set raw(value: Uint8Array | string)
}

/**
 * The methods of arrays that return no array or a private one. The last argument of their callbacks is a private array of the
 * records.
 */
type PrivateMethods<T> = Pick<
  readonly T[],
  'every' | 'filter' | 'find' | 'findIndex' | 'forEach' | 'map' | 'reduce' | 'reduceRight' | 'slice' | 'some'
>

/** An array of structs in shared memory: live records, and the methods of arrays that change nothing. */
export interface StructArrayOf<F extends StructFields>
  extends ArrayMembers,
    Iterable<StructView<F>>,
    PrivateMethods<StructView<F>> {
  /** The layout of an element. */
  readonly type: StructType<F>
  readonly length: number
  /** The live record at an index: its fields are read and written directly in memory. Setting replaces it under the lock. */
  [index: number]: StructView<F>
  /** The live record at an index, counted from the end if negative. */
  at(index: number): StructView<F> | undefined
  keys(): IterableIterator<number>
  values(): IterableIterator<StructView<F>>
  entries(): IterableIterator<[number, StructView<F>]>
  /** Replaces one record under the lock, all or nothing; every field must be given, by name or in order. */
  set(index: number, value: StructInput<F>): void
  /** Plain copies of all records, taken under the lock. */
  snapshot(): StructSnapshot<F>[]
  /** Writes records from `offset` on under the lock, all or nothing. */
  assign(values: Iterable<StructInput<F>>, offset?: number): void
}

/** An array of scalars or structs in shared memory. An array of scalars is a typed array with additional members. */
export type SharedArray<T extends TypeName | StructType<StructFields> = TypeName> =
  T extends StructType<infer F>
    ? StructArrayOf<F>
    : T extends TypeName
      ? ArrayOf<T> & TypedArrayMembers<T> & TextOf<T, TextMembers<T>, TextMembers<T>, unknown>
      : never

/** {@link SharedArray} without `new`. */
export interface ArrayMember<Options> {
  <T extends TypeName>(type: T, lengthOrValues: number | ElementsOf<T>, options?: Options): Member<SharedArray<T>>
  <F extends StructFields>(
    type: StructType<F>,
    lengthOrValues: number | Iterable<StructInit<F>>,
    options?: Options,
  ): Member<StructArrayOf<F>>
}

/** The constructor of {@link SharedArray} and {@link RawArray}. */
export interface SharedArrayConstructor<Options> {
  /**
   * Makes an anonymous array; other processes attach to it through its `handle`.
   *
   * @param type - a scalar type ({@link TypeName}), or a {@link Struct}
   * @param lengthOrValues - the number of elements (all zero), or the elements; the length never changes. A record is an object
   * with some fields, or an array of their values in order
   * @throws `TypeError` for an unknown type, with the correct name; `TypeError`, `RangeError` for an element that does not
   * fit; {@link ShareError} `ENOSPC`, `ENOMEM`, `EMFILE` when the system has no room.
   */
  new <T extends TypeName>(type: T, lengthOrValues: number | ElementsOf<T>, options?: Options): SharedArray<T>
  new <F extends StructFields>(
    type: StructType<F>,
    lengthOrValues: number | Iterable<StructInit<F>>,
    options?: Options,
  ): StructArrayOf<F>
  /** Makes an array of that name. @throws {@link ShareError} `EEXIST` when the name exists; otherwise as the constructor. */
  create<T extends TypeName>(
    name: string,
    type: T,
    lengthOrValues: number | ElementsOf<T>,
    options?: Options,
  ): SharedArray<T>
  create<F extends StructFields>(
    name: string,
    type: StructType<F>,
    lengthOrValues: number | Iterable<StructInit<F>>,
    options?: Options,
  ): StructArrayOf<F>
  /**
   * Attaches to an array by name or handle. The segment contains the type; pass the type that you expect to have it checked.
   *
   * @throws {@link ShareError} `ERR_TYPE` when the type differs from the expected one; otherwise as {@link SharedMemory.attach}.
   */
  attach<T extends TypeName>(target: string | Handle, type?: T, options?: AttachOptions): SharedArray<T>
  attach<F extends StructFields>(
    target: string | Handle,
    type: StructType<F>,
    options?: AttachOptions,
  ): StructArrayOf<F>
  /**
   * Attaches to the array of that name, or creates it. Of several calls at the same time, exactly one creates it.
   * @throws {@link ShareError} `ERR_TYPE` when it exists with another type or length, or a lock that differs from `options.lock`.
   */
  open<T extends TypeName>(
    name: string,
    type: T,
    lengthOrValues: number | ElementsOf<T>,
    options?: Options,
  ): SharedArray<T>
  open<F extends StructFields>(
    name: string,
    type: StructType<F>,
    lengthOrValues: number | Iterable<StructInit<F>>,
    options?: Options,
  ): StructArrayOf<F>
}

/** The elements of a new array. Throws for elements that the type cannot hold. */
function elementsOf(elementType: unknown, given: unknown): Elements {
  const type = elementTypeOf(elementType)
  const base = { kind: 'SharedArray', type } as const
  if (typeof given === 'string') {
    if (isStruct(type) || type.text === undefined) {
      throw typeError('lengthOrValues', 'a length, or an iterable of elements', given)
    }
    return { ...base, ...filled(type, given) }
  }
  const { length, values } = lengthOrValues(given)
  if (values === undefined) return { ...base, length, fill: () => {} }
  if (!isStruct(type)) return { ...base, ...filled(type, values) }
  const records = encodeRecords(type, values, 'values', true)
  return { ...base, length, fill: (buffer, byteOffset) => new Uint8Array(buffer, byteOffset).set(records) }
}

function filled(type: ScalarType, values: unknown): Pick<Elements, 'length' | 'fill'> {
  const elements = encodeAll(type, values, 'values')
  const { length } = elements
  return { length, fill: (buffer, byteOffset) => new type.ArrayType(buffer, byteOffset, length).set(elements as never) }
}

/** Makes the view of an array that a user gets. */
class ArrayFactory {
  constructor(placement: Placement, local: GuardedLocal | undefined) {
    const guarded = new GuardedSegment(placement, local)
    // biome-ignore lint/correctness/noConstructorReturn: a factory by design, for a typed array of the right type
    return isStruct(guarded.type) ? new StructArray(guarded) : typedSharedArray(guarded)
  }

  static [Symbol.hasInstance](object: unknown): boolean {
    return isTypedSharedArray(object) || object instanceof StructArray
  }
}

/** Makes the class of SharedArray (`isUnlocked` false) and RawArray (true). */
function defineArray(name: string, isUnlocked: boolean): unknown {
  return defineKind({
    name,
    kind: 'SharedArray',
    Class: ArrayFactory,
    spec: (type: unknown, given: unknown, options?: ValueOptions) =>
      guardedSpec(elementsOf(type, given), options, isUnlocked),
    memberSpec: (type: unknown, given: unknown, options?: ValueMemberOptions) =>
      guardedMemberSpec(elementsOf(type, given), options, isUnlocked),
    attachSpec: (type?: unknown, options?: AttachOptions) =>
      guardedAttachSpec(type === undefined ? undefined : elementTypeOf(type), options, isUnlocked),
    reviveSpec: (options) => guardedAttachSpec(undefined, options, isUnlocked),
  })
}

/**
 * An array of fixed length in shared memory: a real typed array with a lock. Corresponds to Python's `multiprocessing.Array`, and
 * is also exported under that name (`import { Array } from 'procshare'`).
 *
 * @remarks Elements are read and written like those of any typed array, at the same speed and without the lock. Numbers that do
 * not fit are converted as in typed arrays. Methods that make a new array (`map`, `slice`, `filter`) make a private one. Only
 * `snapshot` and `assign` take the lock. When a process dies, the elements that it wrote stay as they are.
 * @example
 * ```ts
 * import { SharedArray } from 'procshare'
 * using numbers = new SharedArray('i', [1, 2, 3])
 * for (let i = 0; i < numbers.length; i++) numbers[i] = -numbers[i]!
 * numbers.lock.runSync(() => { numbers[0]! += numbers[1]! }) // two elements: under the lock
 * console.assert(numbers.snapshot().join() === '-3,-2,-3')
 * ```
 */
export const SharedArray = defineArray('SharedArray', false) as SharedArrayConstructor<ValueOptions> &
  ArrayMember<ValueMemberOptions>

/**
 * A {@link SharedArray} without a lock: the same as `lock: false`.
 *
 * @example
 * ```ts
 * import { RawArray } from 'procshare'
 * using counts = new RawArray('i', 4)
 * Atomics.add(counts, 2, 5) // exact between processes
 * console.assert(counts[2] === 5)
 * ```
 */
export const RawArray = defineArray('RawArray', true) as SharedArrayConstructor<SegmentOptions> & ArrayMember<NoOptions>
