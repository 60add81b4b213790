/** The common members of all shared arrays, of scalars and of structs. */

import type { Handle } from '../memory/handle.ts'
import type { Shareable } from '../memory/shareable.ts'
import { toList } from '../scalars/elements.ts'
import type { AnyLock } from '../sync/rlock.ts'
import { rangeError, typeError } from '../validate.ts'

/** The properties and methods that every shared array has in addition to its elements. */
export interface ArrayMembers extends Shareable, Disposable {
  /** The name of the segment; random for an anonymous array. */
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
   * The lock that guards the array. Reading or writing one element needs no lock. Reading or writing several elements as a whole
   * does.
   * @throws {@link ShareError} `ERR_NO_LOCK` when the array was made with `lock: false`; `ERR_CLOSED`.
   */
  readonly lock: AnyLock
  /** A plain description with which other processes attach. */
  readonly handle: Handle
  /** The same as `handle`, for `JSON.stringify` and `process.send`. */
  toJSON(): Handle
  /** {@link Lock.ref} of {@link lock}; the array itself has no waits. */
  ref(): this
  /** {@link Lock.unref} of {@link lock}. Does nothing without a lock. */
  unref(): this
  /**
   * Ends this object's use. The last close removes the name, unless the array is persistent. Idempotent.
   * @remarks The elements stay readable and writable through this array as long as the program keeps it.
   */
  close(): void
  /**
   * Removes the name now. Attached objects stay usable; no further one can attach by that name.
   * @throws {@link ShareError} `ENOENT` when the name is already gone; `ERR_CLOSED`.
   */
  unlink(): void
}

/** The length or the initial elements of a new array, as the caller passed them. */
export function lengthOrValues(given: unknown): {
  length: number
  values: readonly unknown[] | ArrayLike<unknown> | undefined
} {
  if (typeof given === 'number') {
    if (!Number.isSafeInteger(given) || given < 0) throw rangeError('length', 'an integer of at least 0', given)
    return { length: given, values: undefined }
  }
  const values = toList(given, 'lengthOrValues', 'a length, or an iterable of elements')
  return { length: values.length, values }
}

/** Asserts that `count` elements fit into an array of `length` from `offset` on. */
export function assertRoom(offset: unknown, count: number, length: number): asserts offset is number {
  if (typeof offset !== 'number') throw typeError('offset', 'an integer', offset)
  if (!Number.isInteger(offset) || offset < 0 || offset > length) {
    throw rangeError('offset', `an integer from 0 to ${length}`, offset)
  }
  if (count > length - offset) {
    throw rangeError('the length of values', `at most ${length - offset} for the offset ${offset}`, count)
  }
}
