/** The contract of values. */
import type { Addend, Bits, CodeOf, ElementOf, InputOf, TypeName } from '../../../scalars/types.ts'
import { contract, type OperationsOf } from '../../contract/contract.ts'
import type { Form, Result } from '../../contract/form.ts'

/** The interface of a value. */
export interface ValueContract<T extends TypeName, F extends Form> {
  /** The type code. */
  readonly type: Result<F, CodeOf<T>>

  /** The value. */
  get(): Result<F, ElementOf<T>>

  /** Sets the value. */
  set(value: InputOf<T>): Result<F, void>

  /** Adds, and returns the old value. @throws `RangeError` for a sum that the type cannot hold. */
  add(value: Addend<T>): Result<F, ElementOf<T>>

  /** Subtracts, and returns the old value. @throws as {@link add}. */
  sub(value: Addend<T>): Result<F, ElementOf<T>>

  /** Applies bitwise AND; returns the old value. */
  and(value: Bits<T>): Result<F, ElementOf<T>>

  /** Applies bitwise OR; returns the old value. */
  or(value: Bits<T>): Result<F, ElementOf<T>>

  /** Applies bitwise XOR; returns the old value. */
  xor(value: Bits<T>): Result<F, ElementOf<T>>

  /** Replaces the value and returns the old one. */
  exchange(value: InputOf<T>): Result<F, ElementOf<T>>

  /** Replaces the value if it equals `expected` bit by bit; returns the old one. */
  compareExchange(expected: InputOf<T>, replacement: InputOf<T>): Result<F, ElementOf<T>>
}

/** The operations of a value in the server. */
export interface ValueOperations<T extends TypeName> extends OperationsOf<ValueContract<T, 'server'>, 'type'> {
  type(): CodeOf<T>
}

export const valueContract = contract<ValueOperations<TypeName>, [type: unknown, initial?: unknown]>('Value', [])
