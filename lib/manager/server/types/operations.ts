/** What the containers have in common: equality, sums, texts, and what their arguments are. */
import { inspect, isDeepStrictEqual } from 'node:util'
import { managerError } from '../../../errors/manager-messages.ts'
import { rangeError, typeError } from '../../../validate.ts'
import { OPERATIONS } from '../limits.ts'
import { Referent } from '../referent.ts'

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
  if (valuesIn(value, OPERATIONS.comparedValues, true) < OPERATIONS.comparedValues) return
  throw managerError('ERR_LIMIT', { limit: 'compared values', max: OPERATIONS.comparedValues })
}

/** How many values there are in one, what occurs twice counted twice; not more are counted than `most`. */
function valuesIn(value: unknown, most: number, isCompared = false): number {
  let count = 0
  const open = [value]
  const inside = new Set<object>()
  while (open.length > 0 && count < most) {
    const one = open.pop()
    count++
    if (one instanceof Leaving) inside.delete(one.object)
    if (typeof one !== 'object' || one === null || one instanceof Leaving || one instanceof Referent) continue
    if (inside.has(one)) continue // a cycle, which the comparison notices
    inside.add(one)
    open.push(new Leaving(one))
    if (one instanceof Set || one instanceof Map) {
      let objects = 0
      for (const key of one.keys()) {
        if (typeof key === 'object') objects++
        if (open.length + count > most) return most
        open.push(key)
      }
      if (isCompared) count += objects * objects
      if (one instanceof Map) for (const item of one.values()) open.push(item)
    } else if (ArrayBuffer.isView(one)) {
      count += one.byteLength / 64 // compared as memory
    } else {
      const items = Array.isArray(one) ? one : Object.values(one)
      if (open.length + items.length + count > most) return most
      for (const item of items) open.push(item)
    }
  }
  return Math.min(count, most)
}

/** On the way out of an object. */
class Leaving {
  readonly object: object

  constructor(object: object) {
    this.object = object
  }
}

/** What `old` is after an increment. @throws `TypeError` for what cannot be added. */
export function sum(old: unknown, by: unknown, what: string): number | bigint {
  if (typeof by !== 'number' && typeof by !== 'bigint') throw typeError('by', 'a number or a bigint', by)
  if (typeof old !== typeof by) throw typeError(what, `a ${typeof by}, as the increment is`, old)
  return (old as number) + (by as number)
}

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

const MAX_TEXT_LENGTH = 10_000
/** So many properties of a large object are shown. */
const MAX_PROPERTIES = 100

/** A plain object with fewer properties, for a large one: all of them would be shown. */
function firstOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).slice(0, MAX_PROPERTIES))
}

/** A value as text, not longer than somebody would read. */
export function textOf(value: unknown): string {
  const isSmall = valuesIn(value, OPERATIONS.shownValues) < OPERATIONS.shownValues
  const limits = { depth: isSmall ? 3 : 0, maxArrayLength: 100, maxStringLength: 1000 }
  const text = inspect(isSmall ? value : firstOf(value), { ...limits, breakLength: Infinity, compact: true })
  return text.length <= MAX_TEXT_LENGTH ? text : `${text.slice(0, MAX_TEXT_LENGTH)}…`
}
