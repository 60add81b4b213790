/** Whether values are the same. */
import { isDeepStrictEqual } from 'node:util'
import { managerError } from '../../../errors/manager-messages.ts'
import { OPERATIONS } from '../limits.ts'
import { countValues } from './count.ts'

/**
 * Whether two values are the same: primitives as keys of a Map are, everything else by what it consists of; of managed objects only
 * each with itself.
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
 * A comparison visits what occurs twice as often as it occurs, and compares each object in a set or among the keys of a map with each.
 * @throws {@link ShareError} `ERR_LIMIT` for a value for which that takes long.
 */
function assertComparable(value: unknown): void {
  if (countValues(value, OPERATIONS.comparedValues, true) < OPERATIONS.comparedValues) return
  throw managerError('ERR_LIMIT', { limit: 'compared values', max: OPERATIONS.comparedValues })
}
