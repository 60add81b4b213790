/** Value and RawValue: one scalar or struct in shared memory. They are the public classes for ScalarValue and StructValue. */
import type { Handle } from '../memory/handle.ts'
import { defineKind } from '../memory/kind.ts'
import type { Member, NoOptions } from '../memory/member.ts'
import type { Placement } from '../memory/placement.ts'
import type { AttachOptions, SegmentOptions } from '../memory/segment.ts'
import type { Shareable } from '../memory/shareable.ts'
import type { Addend, Bits, CodeOf, ElementOf, InputOf, TypeName } from '../scalars/types.ts'
import type { AnyLock } from '../sync/rlock.ts'
import { type ElementType, elementTypeOf, isStruct } from './element-type.ts'
import {
  type Elements,
  type GuardedLocal,
  GuardedSegment,
  guardedAttachSpec,
  guardedMemberSpec,
  guardedSpec,
  type ValueMemberOptions,
  type ValueOptions,
  viewOf,
} from './guarded-segment.ts'
import { ScalarValue } from './scalar-value.ts'
import type { StructFields, StructInit, StructInput, StructSnapshot, StructType, StructView } from './struct-types.ts'
import { StructValue } from './struct-value.ts'
import { ValueBase } from './value-base.ts'

/** The properties and methods that every value has. */
export interface ValueMembers extends Shareable, Disposable {
  /** The name of the segment; random for an anonymous value. */
  readonly name: string
  /**
   * How many main threads and workers, of all processes, have the segment open at this moment, this one included.
   *
   * @remarks Each counts once, even if it has several objects in the segment. A killed process does not count, nor does a thread
   * whose last object was closed or collected. The number may change at any time.
   * @throws {@link ShareError} `ERR_CLOSED`.
   */
  readonly memberCount: number
  /**
   * The lock that guards the value.
   * @throws {@link ShareError} `ERR_NO_LOCK` when the value was made with `lock: false`; `ERR_CLOSED`.
   */
  readonly lock: AnyLock
  /** A plain description with which other processes attach. */
  readonly handle: Handle
  /** The same as `handle`, for `JSON.stringify` and `process.send`. */
  toJSON(): Handle
  /** {@link Lock.ref} of {@link lock}; the value itself has no waits. */
  ref(): this
  /** {@link Lock.unref} of {@link lock}. Does nothing without a lock. */
  unref(): this
  /** Ends this object's use. The last close removes the name, unless the value is persistent. Idempotent. */
  close(): void
  /**
   * Removes the name now. Attached objects stay usable; no further one can attach by that name.
   * @throws {@link ShareError} `ENOENT` when the name is already gone; `ERR_CLOSED`.
   */
  unlink(): void
}

/**
 * A scalar in shared memory.
 *
 * @remarks Each member that reads or writes takes the lock, if there is one, for that one step. It blocks while another owner
 * holds the lock. Each step is also exact with `lock: false`. A read followed by a write is two steps: use {@link update} or the
 * arithmetic members, or hold {@link lock} over both.
 * @throws Members throw `TypeError` and `RangeError` for a value that the type cannot hold; then nothing changes. They throw
 * {@link ShareError} `ERR_CLOSED` after `close()`. They throw `ERR_DEADLOCK` when the caller holds a lock that is not recursive.
 * They also throw it when an asynchronous task of this thread holds the lock and the caller does not run inside its `run`.
 */
export interface ScalarValueOf<T extends TypeName> extends ValueMembers {
  /** The type code. */
  readonly type: CodeOf<T>
  /** The value. */
  get value(): ElementOf<T>
  set value(value: InputOf<T>)
  /**
   * Replaces the value by the result of `fn`, in one exact step, and returns the new value.
   *
   * @remarks `fn` runs under the lock; with `lock: false` it may run several times. When it throws, nothing changes.
   */
  update(fn: (value: ElementOf<T>) => InputOf<T>): ElementOf<T>
  /** The value, under the lock. */
  snapshot(): ElementOf<T>
  /** Reads the value. Afterwards, earlier writes of other processes are visible. */
  load(): ElementOf<T>
  /** Writes the value and returns it. */
  store(value: InputOf<T>): InputOf<T>
  /** Replaces the value and returns the old one. */
  exchange(value: InputOf<T>): ElementOf<T>
  /** Replaces the value if its bits are those of `expected` (`NaN` equals `NaN`, `0` is not `-0`). Returns the old value. */
  compareExchange(expected: InputOf<T>, replacement: InputOf<T>): ElementOf<T>
  /**
   * Adds, and returns the old value. For numeric types.
   * @throws `RangeError` for a sum that an integer type cannot hold; then nothing changes. Without a lock the sum wraps
   * around instead, like that of `Atomics.add`.
   */
  add(value: Addend<T>): ElementOf<T>
  /** Subtracts, and returns the old value. For numeric types. @throws as {@link add}. */
  sub(value: Addend<T>): ElementOf<T>
  /** Bitwise and. Returns the old value. For integer types and `bool`. */
  and(value: Bits<T>): ElementOf<T>
  /** Bitwise or. Returns the old value. For integer types and `bool`. */
  or(value: Bits<T>): ElementOf<T>
  /** Bitwise exclusive or. Returns the old value. For integer types and `bool`. */
  xor(value: Bits<T>): ElementOf<T>
}

/** A struct in shared memory. */
export interface StructValueOf<F extends StructFields> extends ValueMembers {
  /** The layout. */
  readonly type: StructType<F>
  /**
   * The live record: its fields are read and written directly in memory, without the lock. Setting it replaces the whole
   * record under the lock. Every field must be given, by name or in order. A value that does not fit changes nothing.
   */
  get value(): StructView<F>
  set value(value: StructInput<F>)
  /**
   * Changes some fields in one exact step, under the lock; the others stay. A value that does not fit changes nothing.
   *
   * @example
   * ```ts
   * import { Struct, Value } from 'procshare'
   * using person = new Value(Struct({ name: ['c', 16], age: 'i' }), { age: 36 })
   * person.assign({ name: 'Ada' }) // text: TypeScript lets `person.value.name = …` be a Buffer only
   * console.assert(person.value.name.toString() === 'Ada' && person.value.age === 36)
   * ```
   */
  assign(fields: StructInit<F>): void
  /**
   * Changes the record in one exact step under the lock. `fn` changes a copy of the record, or returns a whole new record, which
   * replaces the old one. Returns a plain copy of the new record. When `fn` throws, nothing changes. Use the argument of `fn`
   * only in `fn`.
   */
  update(fn: (record: StructView<F>) => StructInput<F> | undefined): StructSnapshot<F>
  /** A plain copy of the record, taken under the lock. */
  snapshot(): StructSnapshot<F>
}

/** A scalar or struct in shared memory; see {@link ScalarValueOf} and {@link StructValueOf}. */
export type Value<T extends TypeName | StructType<StructFields> = TypeName> =
  T extends StructType<infer F> ? StructValueOf<F> : T extends TypeName ? ScalarValueOf<T> : never

/** {@link Value} without `new`. */
export interface ValueMember<Options> {
  <T extends TypeName>(type: T, initial?: InputOf<T>, options?: Options): Member<Value<T>>
  <F extends StructFields>(type: StructType<F>, initial?: StructInit<F>, options?: Options): Member<StructValueOf<F>>
}

/** The constructor of {@link Value} and {@link RawValue}. */
export interface ValueConstructor<Options> {
  /**
   * Makes an anonymous value; other processes attach to it through its `handle`.
   *
   * @param type - a scalar type ({@link TypeName}), or a {@link Struct}
   * @param initial - the initial value; the default is zero, `false`, or a record of zeros. For a record, some of its fields, as
   * an object or as an array of their values in order
   * @throws `TypeError` for an unknown type, with the correct name; `TypeError`, `RangeError` for a value that does not fit;
   * {@link ShareError} `ENOSPC`, `ENOMEM`, `EMFILE` when the system has no room.
   */
  new <T extends TypeName>(type: T, initial?: InputOf<T>, options?: Options): Value<T>
  new <F extends StructFields>(type: StructType<F>, initial?: StructInit<F>, options?: Options): StructValueOf<F>
  /** Makes a value of that name. @throws {@link ShareError} `EEXIST` when the name exists; otherwise as the constructor. */
  create<T extends TypeName>(name: string, type: T, initial?: InputOf<T>, options?: Options): Value<T>
  create<F extends StructFields>(
    name: string,
    type: StructType<F>,
    initial?: StructInit<F>,
    options?: Options,
  ): StructValueOf<F>
  /**
   * Attaches to a value by name or handle. The segment contains the type; pass the type that you expect to have it checked.
   *
   * @throws {@link ShareError} `ERR_TYPE` when the type differs from the expected one; otherwise as {@link SharedMemory.attach}.
   */
  attach<T extends TypeName>(target: string | Handle, type?: T, options?: AttachOptions): Value<T>
  attach<F extends StructFields>(
    target: string | Handle,
    type: StructType<F>,
    options?: AttachOptions,
  ): StructValueOf<F>
  /**
   * Attaches to the value of that name, or creates it with the initial value. Of several calls at the same time, exactly one
   * creates it.
   * @throws {@link ShareError} `ERR_TYPE` when it exists with another type, or a lock that differs from `options.lock`.
   */
  open<T extends TypeName>(name: string, type: T, initial?: InputOf<T>, options?: Options): Value<T>
  open<F extends StructFields>(
    name: string,
    type: StructType<F>,
    initial?: StructInit<F>,
    options?: Options,
  ): StructValueOf<F>
}

/** Checks the initial value now. The returned function writes it into the new memory. */
function fillerOf(type: ElementType, initial: unknown): Elements['fill'] {
  if (initial === undefined) return () => {}
  if (isStruct(type)) {
    const scratch = new DataView(new ArrayBuffer(type.byteLength))
    type.write(scratch, 0, initial, 'initial', true)
    return (buffer, byteOffset) => new Uint8Array(buffer, byteOffset).set(new Uint8Array(scratch.buffer))
  }
  const raw = type.encode(initial, 'initial')
  return (buffer, byteOffset) => {
    new type.ArrayType(buffer, byteOffset, 1)[0] = raw
  }
}

/** Makes the view of a value that a user gets. */
class ValueFactory {
  constructor(placement: Placement, local: GuardedLocal | undefined) {
    const guarded = new GuardedSegment(placement, local)
    // biome-ignore lint/correctness/noConstructorReturn: a factory by design; instanceof works through ValueBase
    return viewOf(guarded, () => (isStruct(guarded.type) ? new StructValue(guarded) : new ScalarValue(guarded)))
  }

  static [Symbol.hasInstance](object: unknown): boolean {
    return object instanceof ValueBase
  }
}

function elementsOf(type: unknown, initial: unknown): Elements {
  const elementType = elementTypeOf(type)
  return { kind: 'Value', type: elementType, length: 1, fill: fillerOf(elementType, initial) }
}

/** Makes the class of Value (`isUnlocked` false) and RawValue (true). */
function defineValue(name: string, isUnlocked: boolean): unknown {
  return defineKind({
    name,
    kind: 'Value',
    Class: ValueFactory,
    spec: (type: unknown, initial?: unknown, options?: ValueOptions) =>
      guardedSpec(elementsOf(type, initial), options, isUnlocked),
    memberSpec: (type: unknown, initial?: unknown, options?: ValueMemberOptions) =>
      guardedMemberSpec(elementsOf(type, initial), options, isUnlocked),
    attachSpec: (type?: unknown, options?: AttachOptions) =>
      guardedAttachSpec(type === undefined ? undefined : elementTypeOf(type), options, isUnlocked),
    reviveSpec: (options) => guardedAttachSpec(undefined, options, isUnlocked),
  })
}

/**
 * One scalar or struct in shared memory, guarded by a lock. Corresponds to Python's `multiprocessing.Value`.
 *
 * @remarks Unlike Python's, arithmetic is exact (`add`, `update`), and numbers out of range are refused instead of wrapped.
 * @example
 * ```ts
 * import { Value } from 'procshare'
 * using hits = Value.open('hits', 'i') // the same in every process that opens it
 * hits.update((n) => n + 1) // exact, however many processes do it
 * hits.add(1)
 * console.assert(hits.value === 2)
 * ```
 */
export const Value = defineValue('Value', false) as ValueConstructor<ValueOptions> & ValueMember<ValueMemberOptions>

/**
 * A {@link Value} without a lock: the same as `lock: false`. Its arithmetic is also exact.
 *
 * @example
 * ```ts
 * import { RawValue } from 'procshare'
 * using total = new RawValue('d', 0.5)
 * total.add(1) // atomic, also for floats
 * console.assert(total.value === 1.5)
 * ```
 */
export const RawValue = defineValue('RawValue', true) as ValueConstructor<SegmentOptions> & ValueMember<NoOptions>
