/** Values as text. */
import { inspect } from 'node:util'
import { OPERATIONS } from '../limits.ts'
import { countValues } from './count.ts'

const MAX_TEXT = 10_000
/** The number of properties that are shown of a large object. */
const MAX_PROPERTIES = 100

/** Replaces a large plain object by one with fewer properties, because all properties would be shown. */
function firstOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).slice(0, MAX_PROPERTIES))
}

/** A value as text of limited length. */
export function textOf(value: unknown): string {
  const isSmall = countValues(value, OPERATIONS.shownValues) < OPERATIONS.shownValues
  const limits = { depth: isSmall ? 3 : 0, maxArrayLength: 100, maxStringLength: 1000 }
  const text = inspect(isSmall ? value : firstOf(value), { ...limits, breakLength: Infinity, compact: true })
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}…`
}
