/** The contract of counters. */
import { contract, type OperationsOf } from '../../contract/contract.ts'
import type { Form, Result } from '../../contract/form.ts'

/** The interface of a counter. */
export interface CounterContract<F extends Form> {
  /** The value at this moment. @throws {@link ShareError} as every call. */
  readonly value: Result<F, number>

  /**
   * Adds `by`, an integer that may be negative, and returns the new value.
   * @throws `TypeError`, `RangeError` for another `by`, and for a sum that is not exact (beyond ±(2^53 − 1)); nothing changes then.
   * {@link ShareError} as every call.
   */
  increment(by?: number): Result<F, number>

  /** Subtracts `by`, and returns the new value. @throws as {@link increment}. */
  decrement(by?: number): Result<F, number>

  /** Sets the value, to 0 unless another integer is given, and returns the old one. @throws as {@link increment}. */
  reset(value?: number): Result<F, number>
}

/** The operations of a counter in the server. */
export interface CounterOperations extends OperationsOf<CounterContract<'server'>> {}

export const counterContract = contract<CounterOperations, [initial?: number]>('counter', [])
