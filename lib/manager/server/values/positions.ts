/** Indexes and positions in sequences, from the arguments of clients. */
import { rangeError, typeError } from '../../../validate.ts'

/** The index of an element of a sequence, counted from the end if negative. @throws `TypeError`, `RangeError`. */
export function elementIndex(index: unknown, length: number): number {
  if (typeof index !== 'number') throw typeError('index', 'an integer', index)
  if (!Number.isInteger(index) || index < -length || index >= length) {
    throw rangeError('index', length === 0 ? 'the index of an element, but there are none' : rangeOf(length), index)
  }
  return index < 0 ? index + length : index
}

function rangeOf(length: number): string {
  return `an integer from ${-length} to ${length - 1}`
}

/** A position as `slice` takes it. */
export function assertPosition(name: string, value: unknown): asserts value is number | undefined {
  if (value !== undefined && typeof value !== 'number') throw typeError(name, 'a number', value)
}
