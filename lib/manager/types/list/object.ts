/** list: an array that lives in the server. */

import { assertInteger, rangeError, takeOptions, typeError } from '../../../validate.ts'
import { journal } from '../../server/journal.ts'
import { assertItems, Stopwatch } from '../../server/limits.ts'
import { managedType } from '../../server/managed-type.ts'
import { Batch } from '../../server/values/batch.ts'
import { ManagedValues, valuesOf } from '../../server/values/given.ts'
import { assertPosition, elementIndex } from '../../server/values/positions.ts'
import { isSame } from '../../server/values/same.ts'
import { sum } from '../../server/values/sum.ts'
import { textOf } from '../../server/values/text.ts'
import { listContract, type SortOptions } from './contract.ts'
import { sorted } from './sorting.ts'

/** The largest number of arguments in one call. Engines accept more than that. */
const MAX_ARGUMENTS = 10_000

/** The items. Every change goes through `set`, `splice` or `reorder`, which note it in the journal. */
class List extends ManagedValues {
  readonly items: unknown[] = []

  override copy(): unknown[] {
    return this.items.slice()
  }

  set(index: number, value: unknown): unknown {
    const old = this.items[index]
    if (journal.isOpen) journal.note(() => this.#put(index, old))
    this.items[index] = value
    return old
  }

  /** Removes `count` items from `start` on, and puts others in their place. The items must be within the list. */
  splice(start: number, count: number, inserted: readonly unknown[]): unknown[] {
    assertItems('list', this.items.length - count + inserted.length)
    if (journal.isOpen) {
      const { length } = inserted
      const old = this.items.slice(start, start + count)
      journal.note(() => this.#splice(start, length, old))
    }
    return this.#splice(start, count, inserted)
  }

  reorder(items: readonly unknown[]): void {
    journal.noteCopy(this, () => {
      const copy = this.copy()
      return () => this.#splice(0, this.items.length, copy)
    })
    for (let i = 0; i < items.length; i++) this.items[i] = items[i]
  }

  #put(index: number, value: unknown): void {
    this.items[index] = value
  }

  #splice(start: number, count: number, inserted: readonly unknown[]): unknown[] {
    const { items } = this
    if (inserted.length <= MAX_ARGUMENTS) return items.splice(start, count, ...inserted)
    const behind = items.splice(start + count)
    const removed = items.splice(start)
    for (const item of inserted) items.push(item)
    for (const item of behind) items.push(item)
    return removed
  }
}

/** A position between items, as `splice` takes it: counted from the end if negative, never outside. */
function positionOf(name: string, value: unknown, length: number, fallback: number): number {
  assertPosition(name, value)
  const integer = value === undefined ? fallback : Math.trunc(value) || 0
  return integer < 0 ? Math.max(0, length + integer) : Math.min(integer, length)
}

function insert(list: List, index: unknown, values: readonly unknown[]): number {
  if (typeof index !== 'number') throw typeError('index', 'an integer', index)
  list.splice(positionOf('index', index, list.items.length, 0), 0, values)
  return list.items.length
}

function append(list: List, values: readonly unknown[]): number {
  assertItems('list', list.items.length + values.length)
  if (values.length === 1 && !journal.isOpen) return list.items.push(values[0])
  list.splice(list.items.length, 0, values)
  return list.items.length
}

function pop(list: List, index: unknown = -1): unknown {
  if (list.items.length === 0) return undefined
  if (index === -1 && !journal.isOpen) return list.items.pop()
  return list.splice(elementIndex(index, list.items.length), 1, [])[0]
}

function shift(list: List): unknown {
  return list.items.length === 0 ? undefined : list.splice(0, 1, [])[0]
}

function splice(list: List, start: unknown, count: unknown, values: readonly unknown[], hasCount: boolean): unknown[] {
  const { length } = list.items
  const from = positionOf('start', start, length, 0)
  if (!hasCount) return list.splice(from, length - from, values)
  assertPosition('deleteCount', count)
  return list.splice(from, Math.min(Math.max(Math.trunc(count ?? 0) || 0, 0), length - from), values)
}

function slice({ items }: List, start: unknown, end: unknown, step: unknown = 1): unknown[] {
  assertPosition('start', start)
  assertPosition('end', end)
  assertInteger('step', step, -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
  if (step === 1) return items.slice(start, end)
  if (step === 0) throw rangeError('step', 'an integer other than 0', step)
  const { length } = items
  const result: unknown[] = []
  if (step > 0) {
    const last = positionOf('end', end, length, length)
    for (let i = positionOf('start', start, length, 0); i < last; i += step) result.push(items[i])
    return result
  }
  // Goes backwards, as in Python: from `start` (by default the last item) to the item after `end` (by default the first item).
  const fromEnd = (position: number) => (position < 0 ? length + Math.trunc(position) : Math.trunc(position))
  const first = Math.min(fromEnd(start ?? length), length - 1)
  const last = end === undefined ? -1 : Math.max(fromEnd(end), -1)
  for (let i = first; i > last; i += step) result.push(items[i])
  return result
}

function indexOf({ items }: List, value: unknown, from: unknown): number {
  const start = positionOf('fromIndex', from, items.length, 0)
  const watch = new Stopwatch()
  for (let i = start; i < items.length; i++) {
    watch.step()
    if (isSame(items[i], value)) return i
  }
  return -1
}

function lastIndexOf({ items }: List, value: unknown, from: unknown): number {
  assertPosition('fromIndex', from)
  const last = from === undefined ? items.length - 1 : from < 0 ? items.length + from : from
  const watch = new Stopwatch()
  for (let i = Math.min(Math.trunc(last), items.length - 1); i >= 0; i--) {
    watch.step()
    if (isSame(items[i], value)) return i
  }
  return -1
}

function count({ items }: List, value: unknown): number {
  const watch = new Stopwatch()
  let found = 0
  for (const item of items) {
    watch.step()
    if (isSame(item, value)) found++
  }
  return found
}

function remove(list: List, value: unknown): boolean {
  const index = indexOf(list, value, 0)
  if (index !== -1) list.splice(index, 1, [])
  return index !== -1
}

function fill(list: List, value: unknown, start: unknown, end: unknown): void {
  const { length } = list.items
  const from = positionOf('start', start, length, 0)
  const count = Math.max(0, positionOf('end', end, length, length) - from)
  list.splice(from, count, new Array(count).fill(value))
}

function sort(list: List, options?: unknown): void {
  list.reorder(sorted(list.items, takeOptions('options', options as SortOptions | undefined, ['by', 'descending'])))
}

function increment(list: List, index: unknown, by: unknown = 1): unknown {
  const i = elementIndex(index, list.items.length)
  const result = sum(list.items[i], by, 'the item')
  list.set(i, result)
  return result
}

function compareAndSet(list: List, index: unknown, expected: unknown, value: unknown): boolean {
  const i = elementIndex(index, list.items.length)
  if (!isSame(list.items[i], expected)) return false
  list.set(i, value)
  return true
}

function at({ items }: List, index: unknown): unknown {
  assertInteger('index', index, -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
  return items.at(index)
}

function batch({ items }: List, start: unknown, count: unknown): unknown[] {
  assertInteger('start', start, 0, Number.MAX_SAFE_INTEGER)
  const result = new Batch<unknown>(count)
  for (let i = start; i < items.length; i++) if (!result.add(items[i])) break
  return result.items
}

export const listType = managedType(
  listContract,
  ([values = []]) => {
    const list = new List()
    append(list, valuesOf('values', values))
    return list
  },
  {
    methods: {
      at: (list, _request, index) => at(list, index),
      set: (list, _request, index, value) => void list.set(elementIndex(index, list.items.length), value),
      length: (list) => list.items.length,
      push: (list, _request, ...values) => append(list, values),
      extend: (list, _request, values) => append(list, valuesOf('values', values)),
      pop: (list, _request, index) => pop(list, index),
      shift: (list) => shift(list),
      unshift: (list, _request, ...values) => insert(list, 0, values),
      insert: (list, _request, index, ...values) => insert(list, index, values),
      splice: (list, _request, start, ...rest) => splice(list, start, rest[0], rest.slice(1), rest.length > 0),
      slice: (list, request, start, end, step) => request.client.assertReplyOf(slice(list, start, end, step)),
      includes: (list, _request, value, from) => indexOf(list, value, from) !== -1,
      indexOf: (list, _request, value, from) => indexOf(list, value, from),
      lastIndexOf: (list, _request, value, from) => lastIndexOf(list, value, from),
      count: (list, _request, value) => count(list, value),
      remove: (list, _request, value) => remove(list, value),
      clear: (list) => void list.splice(0, list.items.length, []),
      reverse: (list) => list.reorder(list.copy().reverse()),
      sort: (list, _request, options) => sort(list, options),
      fill: (list, _request, value, start, end) => fill(list, value, start, end),
      exchange: (list, _request, index, value) => list.set(elementIndex(index, list.items.length), value),
      increment: (list, _request, index, by) => increment(list, index, by),
      compareAndSet: (list, _request, index, expected, value) => compareAndSet(list, index, expected, value),
      toArray: (list, request) => {
        request.client.assertReply(list.items.length)
        return request.client.assertReplyOf(list.copy())
      },
      batch: (list, _request, start, count) => batch(list, start, count),
    },
    show: ({ items }) => textOf(items),
  },
)
