/** What an operation makes of a scalar that is guarded: a sum that the type cannot hold is an error, not a wrapped number. */
import { encodeElement, type RawElement, type ScalarType } from '../memory/typecode.ts'

export type Operation = 'add' | 'sub' | 'and' | 'or' | 'xor' | 'exchange'

/**
 * The new element.
 * @throws `RangeError` when an integer type cannot hold it.
 */
export function combined(type: ScalarType, operation: Operation, old: RawElement, operand: RawElement): RawElement {
  const next = combine(operation, old as number, operand as number)
  // What bit operations make of two elements is an element; of 32-bit unsigned ones it may look negative until it is stored.
  return operation === 'add' || operation === 'sub' ? encodeElement(type, next, `the result of ${operation}()`) : next
}

/** For bigints as well. */
function combine(operation: Operation, old: number, operand: number): number {
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
