/** The operations that change a scalar and return the old one: tells which types have them, and computes the new scalar. */
import { typeError } from '../validate.ts'
import type { ScalarType } from './scalar.ts'
import type { RawElement } from './storage.ts'

export type Operation = 'add' | 'sub' | 'and' | 'or' | 'xor' | 'exchange'

/** @throws `TypeError` when scalars of the type do not have the operation. */
export function assertOperation(type: ScalarType, operation: Operation): void {
  if (operation === 'exchange') return
  const isSum = operation === 'add' || operation === 'sub'
  if (!(isSum ? type.hasSums : type.hasBits)) throw operationError(type, operation)
}

export function operationError(type: ScalarType, operation: Operation): Error {
  const isSum = operation === 'add' || operation === 'sub'
  return typeError('the type', `${isSum ? 'a numeric type' : 'an integer type or bool'} for ${operation}()`, type.code)
}

/** The names of sums in errors. They are constants, because every `add` passes one. */
const SUMS = { add: 'the result of add()', sub: 'the result of sub()' }

/**
 * The new element, for a scalar that is guarded: a sum that the type cannot hold is an error, not a wrapped number.
 * @throws `RangeError` when an integer type cannot hold it.
 */
export function combined(type: ScalarType, operation: Operation, old: RawElement, operand: RawElement): RawElement {
  if (operation === 'add' || operation === 'sub') return sumOf(type, operation, old, operand)
  // The result of a bit operation fits the type. For 32-bit unsigned elements it may be negative until it is stored.
  return combine(operation, old as number, operand as number)
}

/** Does the same as combined(), for a sum. */
export function sumOf(type: ScalarType, operation: 'add' | 'sub', old: RawElement, operand: RawElement): RawElement {
  const next = operation === 'add' ? (old as number) + (operand as number) : (old as number) - (operand as number)
  return type.isFloat || (next >= type.min && next <= type.max) ? next : type.encode(next, SUMS[operation])
}

/** The result of the operation. Also works for bigints. */
export function combine(operation: Operation, old: number, operand: number): number {
  switch (operation) {
    case 'add':
      return old + operand
    case 'sub':
      return old - operand
    case 'and':
      return old & operand
    case 'or':
      return old | operand
    case 'xor':
      return old ^ operand
    case 'exchange':
      return operand
  }
}
