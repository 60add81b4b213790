/** Whether values are the same. */
import { isDeepStrictEqual } from 'node:util'
import { managerError } from '../../../errors/manager-messages.ts'
import { OPERATIONS } from '../limits.ts'
import { countValues } from './count.ts'

/**
 * Whether two values are the same. Primitives are compared like keys of a Map, everything else by its content. A managed object is the same
 * only as itself.
 */
export function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a === 'object' && typeof b === 'object' && a !== null && b !== null) {
    assertComparable(b)
    return isDeepStrictEqual(a, b)
  }
  return Number.isNaN(a) && Number.isNaN(b)
}

/**
 * A comparison visits a value each time that it occurs. It compares each object in a set, or among the keys of a map, with each other one.
 * @throws {@link ShareError} `ERR_LIMIT` for a value whose comparison would take long.
 */
function assertComparable(value: unknown): void {
  if (countValues(value, OPERATIONS.comparedValues, true) < OPERATIONS.comparedValues) return
  throw managerError('ERR_LIMIT', { limit: 'compared values', max: OPERATIONS.comparedValues })
}
