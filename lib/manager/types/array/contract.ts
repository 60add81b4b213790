/** The contract of arrays. */
import type { Addend, ArrayOf, Bits, CodeOf, ElementOf, ElementsOf, InputOf, TypeName } from '../../../scalars/types.ts'
import { contract, type OperationsOf } from '../../contract/contract.ts'
import type { Form, Iteration, Result } from '../../contract/form.ts'

/** The interface of an array. */
export interface ArrayContract<T extends TypeName, F extends Form> {
  /** The number of elements. */
  readonly length: Result<F, number>

  /** The type code of the elements. */
  readonly type: Result<F, CodeOf<T>>

  /** The element at an index; undefined for an index without an element. */
  at(index: number): Result<F, ElementOf<T> | undefined>

  /** Sets the element at an index. @throws `RangeError` for an index without an element. */
  set(index: number, value: InputOf<T>): Result<F, void>

  /** Adds to an element; returns the old one. @throws `RangeError` for an index without an element, or a sum that the type cannot hold. */
  add(index: number, value: Addend<T>): Result<F, ElementOf<T>>

  /** Subtracts from an element; returns the old one. @throws as {@link add}. */
  sub(index: number, value: Addend<T>): Result<F, ElementOf<T>>

  /** Applies bitwise AND to an element; returns the old one. @throws `RangeError` for an index without an element. */
  and(index: number, value: Bits<T>): Result<F, ElementOf<T>>

  /** Applies bitwise OR to an element; returns the old one. @throws `RangeError` for an index without an element. */
  or(index: number, value: Bits<T>): Result<F, ElementOf<T>>

  /** Applies bitwise XOR to an element; returns the old one. @throws `RangeError` for an index without an element. */
  xor(index: number, value: Bits<T>): Result<F, ElementOf<T>>

  /** Replaces an element and returns the old one. @throws `RangeError` for an index without an element. */
  exchange(index: number, value: InputOf<T>): Result<F, ElementOf<T>>

  /** Replaces an element if it equals `expected` bit by bit; returns the old one. @throws `RangeError` for an index without an element. */
  compareExchange(index: number, expected: InputOf<T>, replacement: InputOf<T>): Result<F, ElementOf<T>>

  /** Sets elements from `offset` on, all or none. @throws `RangeError` when there is no room for them. */
  assign(values: ElementsOf<T>, offset?: number): Result<F, void>

  /** Sets the elements from `start` to before `end` to a value. */
  fill(value: InputOf<T>, start?: number, end?: number): Result<F, void>

  /** The elements from `start` to before `end`, as a typed array. */
  slice(start?: number, end?: number): Result<F, ArrayOf<T>>

  /** All elements at one moment, as a typed array. */
  snapshot(): Result<F, ArrayOf<T>>

  /** All elements at one moment, each as `at` returns it: characters as text, `bool` as booleans. */
  toArray(): Result<F, ElementOf<T>[]>

  /** The elements one by one, each as `at` returns it; fetched in batches while they are used. */
  values(): Iteration<F, ElementOf<T>>
}

/** The operations of an array in the server. */
export interface ArrayOperations<T extends TypeName>
  extends OperationsOf<ArrayContract<T, 'server'>, 'values' | 'type'> {
  type(): CodeOf<T>
  /** Up to `count` elements from the index `start` on, for an iteration; none after the last one. */
  batch(start: number, count: number): ElementOf<T>[]
}

export const arrayContract = contract<ArrayOperations<TypeName>, [type: unknown, lengthOrValues: unknown]>('Array', [
  'batch',
])
