/** The order of values: numbers by size, texts by their characters, dates by time. Values that cannot be compared are an error. */
import { typeError } from '../../../validate.ts'
import { Stopwatch } from '../../server/limits.ts'
import type { SortOptions } from './contract.ts'

type Comparable = number | bigint | string | boolean

/** The ranks of values that are greater than all others. Undefined is the last in both directions. */
const RANKS = { usual: 0, notANumber: 1, null: 2, undefined: 3 } as const

interface Sortable {
  readonly item: unknown
  readonly key: Comparable
  readonly rank: number
}

/** Returns the items in their order. Equal items keep their order. @throws `TypeError` for items that cannot be compared. */
export function sorted(items: readonly unknown[], { by, descending = false }: SortOptions): unknown[] {
  if (by !== undefined && typeof by !== 'string' && typeof by !== 'number') {
    throw typeError('options.by', 'the name of a property, or an index', by)
  }
  if (typeof descending !== 'boolean') throw typeError('options.descending', 'a boolean', descending)
  const sortables = items.map((item) => sortableOf(item, by === undefined ? item : propertyOf(item, by)))
  assertSameType(sortables)
  const sign = descending ? -1 : 1
  const watch = new Stopwatch()
  sortables.sort((a, b) => {
    watch.step()
    return a.rank - b.rank || (a.rank > 0 ? 0 : sign * compare(a.key, b.key))
  })
  return sortables.map(({ item }) => item)
}

function propertyOf(item: unknown, by: string | number): unknown {
  if (typeof item !== 'object' || item === null) throw typeError('an item to sort', 'an object', item)
  return Object.hasOwn(item, by) ? (item as Record<string | number, unknown>)[by] : undefined
}

function sortableOf(item: unknown, value: unknown): Sortable {
  const key = value instanceof Date ? value.getTime() : value
  if (key === undefined) return { item, key: 0, rank: RANKS.undefined }
  if (key === null) return { item, key: 0, rank: RANKS.null }
  if (Number.isNaN(key)) return { item, key: 0, rank: RANKS.notANumber }
  switch (typeof key) {
    case 'number':
    case 'bigint':
    case 'string':
    case 'boolean':
      return { item, key, rank: RANKS.usual }
    default:
      throw typeError('an item to sort', 'a number, bigint, string, boolean or Date', value)
  }
}

/** Numbers and bigints can be compared with each other; texts only with texts. */
function assertSameType(sortables: readonly Sortable[]): void {
  const kindOf = ({ key }: Sortable) => (typeof key === 'bigint' ? 'number' : typeof key)
  const usual = sortables.filter(({ rank }) => rank === RANKS.usual)
  const other = usual.find((sortable) => kindOf(sortable) !== kindOf(usual[0]!))
  if (other !== undefined)
    throw typeError('an item to sort', `a ${kindOf(usual[0]!)}, as the other items are`, other.key)
}

function compare(a: Comparable, b: Comparable): number {
  return a < b ? -1 : a > b ? 1 : 0
}
