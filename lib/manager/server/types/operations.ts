/** What the containers have in common: equality, sums, texts, and what their arguments are. */
import { inspect, isDeepStrictEqual } from 'node:util'
import { rangeError, typeError } from '../../../validate.ts'

/**
 * Whether two values are the same: primitives as keys of a Map are, everything else by what it consists of; of managed objects only
 * each with itself.
 */
export function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a === 'object' && typeof b === 'object') return isDeepStrictEqual(a, b)
  return Number.isNaN(a) && Number.isNaN(b)
}

/** What `old` is after an increment. @throws `TypeError` for what cannot be added. */
export function sum(old: unknown, by: unknown, what: string): number | bigint {
  if (typeof by !== 'number' && typeof by !== 'bigint') throw typeError('by', 'a number or a bigint', by)
  if (typeof old !== typeof by) throw typeError(what, `a ${typeof by}, to be incremented by one`, old)
  return (old as number) + (by as number)
}

/** The index of an element of a sequence, counted from the end if negative. @throws `TypeError`, `RangeError`. */
export function elementIndex(index: unknown, length: number): number {
  if (typeof index !== 'number') throw typeError('index', 'an integer', index)
  if (!Number.isInteger(index) || index < -length || index >= length) {
    throw rangeError('index', length === 0 ? 'that of an element, but there is none' : rangeOf(length), index)
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

const MOST_TEXT = 10_000

/** A value as text, not longer than somebody would read. */
export function textOf(value: unknown): string {
  const limits = { depth: 3, maxArrayLength: 100, maxStringLength: 1000 }
  const text = inspect(value, { ...limits, breakLength: Infinity, compact: true })
  return text.length <= MOST_TEXT ? text : `${text.slice(0, MOST_TEXT)}…`
}
