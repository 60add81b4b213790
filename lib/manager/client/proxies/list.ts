/** ListProxy: an array in the server. */
import type { SortOptions } from '../../server/types/sorting.ts'
import type { BlockingMethods, blockingForm } from '../blocking.ts'
import { ManagedProxy } from '../proxy.ts'
import { registerProxy } from '../proxy-classes.ts'
import { sendableValues } from './collections.ts'
import { iterateOver, iteratePlainly, type Pages } from './iteration.ts'
import type { SetProxy } from './set.ts'

/**
 * An array that lives in the server of a {@link Manager}: `manager.list()`.
 *
 * @remarks It has the methods of an `Array`, as promises, those of Python's list, and some that look and act in one step. Negative indexes
 * count from the end, as in `at()`; to read where there is no item gives undefined, to write there is a `RangeError`. Items are
 * copied in and out: what `at` gives can be changed without effect on the list. Proxies and shared objects among the items stay what
 * they are. Where items are searched, objects are compared by what they consist of, managed objects by which they are.
 * @example
 * ```ts
 * import { Manager } from 'procshare'
 * await using manager = await Manager.start()
 * const list = await manager.list([3, 1, 2])
 * console.assert((await list.push(5, 4)) === 5)
 * await list.sort({ descending: true })
 * console.assert((await list.at(-1)) === 1)
 * for await (const item of list) console.log(item)
 * ```
 */
export class ListProxy<T> extends ManagedProxy implements AsyncIterable<T> {
  /** @internal */
  static override readonly writer = 'set(index, value)'
  /** @internal */
  declare readonly [blockingForm]: BlockingList<T>

  /** How many items there are: `await list.length`. */
  get length(): Promise<number> {
    return this.call('length')
  }

  /** The item at an index; undefined where there is none. */
  at(index: number): Promise<T | undefined> {
    return this.call('at', [index])
  }

  /** Replaces the item at an index. @throws `RangeError` where there is none. */
  set(index: number, value: T): Promise<void> {
    return this.call('set', [index, value])
  }

  /** Adds items at the end; gives the new length. Python's `append`. */
  push(...values: T[]): Promise<number> {
    return values.length === 1 ? this.call('push', values) : this.call('extend', [values])
  }

  /** Adds all items of another collection at the end; gives the new length. */
  extend(values: Iterable<T> | ListProxy<T> | SetProxy<T>): Promise<number> {
    return this.call('extend', [sendableValues(values)])
  }

  /** Takes the last item out, or the one at `index`; undefined when the list is empty. @throws `RangeError` for an index where there is none. */
  pop(index?: number): Promise<T | undefined> {
    return this.call('pop', index === undefined ? [] : [index])
  }

  /** Takes the first item out; undefined when the list is empty. */
  shift(): Promise<T | undefined> {
    return this.call('shift')
  }

  /** Adds items at the start; gives the new length. */
  unshift(...values: T[]): Promise<number> {
    return this.call('unshift', values)
  }

  /** Adds items before the one at `index`; outside of the list, at its end or start. Gives the new length. */
  insert(index: number, ...values: T[]): Promise<number> {
    return this.call('insert', [index, ...values])
  }

  /** Takes items out and puts others in their place, as `Array.prototype.splice`; gives those taken out. Python's assignments to slices. */
  splice(start: number, deleteCount?: number, ...values: T[]): Promise<T[]> {
    return this.call('splice', deleteCount === undefined ? [start] : [start, deleteCount, ...values])
  }

  /** The items from `start` to before `end`, as `Array.prototype.slice`; every `step`th one, backwards if it is negative, as in Python. */
  slice(start?: number, end?: number, step?: number): Promise<T[]> {
    return this.call('slice', [start, end, step])
  }

  /** Whether it has an item that is the same. */
  includes(value: T, fromIndex?: number): Promise<boolean> {
    return this.call('includes', [value, fromIndex])
  }

  /** The index of the first item that is the same; -1 when there is none. */
  indexOf(value: T, fromIndex?: number): Promise<number> {
    return this.call('indexOf', [value, fromIndex])
  }

  /** The index of the last item that is the same; -1 when there is none. */
  lastIndexOf(value: T, fromIndex?: number): Promise<number> {
    return this.call('lastIndexOf', [value, fromIndex])
  }

  /** How many items are the same. */
  count(value: T): Promise<number> {
    return this.call('count', [value])
  }

  /** Takes the first item out that is the same; whether there was one. */
  remove(value: T): Promise<boolean> {
    return this.call('remove', [value])
  }

  /** Takes all items out. */
  clear(): Promise<void> {
    return this.call('clear')
  }

  /** Turns the order round. */
  reverse(): Promise<void> {
    return this.call('reverse')
  }

  /**
   * Sorts: numbers by size (unlike `Array.prototype.sort` without a function), texts by their characters, dates by time; NaN, null and
   * undefined come last. Items that are equal stay in their order.
   * @throws `TypeError` for items that cannot be compared; nothing has changed then.
   */
  sort(options?: SortOptions): Promise<void> {
    return this.call('sort', options === undefined ? [] : [options])
  }

  /** Replaces the items from `start` to before `end` by a value. */
  fill(value: T, start?: number, end?: number): Promise<void> {
    return this.call('fill', [value, start, end])
  }

  /** Replaces the item at an index and gives the old one. @throws `RangeError` where there is none. */
  exchange(index: number, value: T): Promise<T> {
    return this.call('exchange', [index, value])
  }

  /**
   * Adds to the number or bigint at an index, and gives the result.
   * @throws `TypeError` for another item, or `by` of another type than the item; `RangeError` where there is none.
   */
  increment(index: number, by: number | (T & bigint) = 1): Promise<T> {
    return this.call('increment', [index, by])
  }

  /** Replaces the item at an index if it is the same as `expected`; whether it did. @throws `RangeError` where there is none. */
  compareAndSet(index: number, expected: T, value: T): Promise<boolean> {
    return this.call('compareAndSet', [index, expected, value])
  }

  /** A copy of everything, as it is at one moment. */
  toArray(): Promise<T[]> {
    return this.call('toArray')
  }

  /**
   * The items one by one.
   *
   * @remarks They are fetched in batches while they are used, by their index, as an array is iterated: what is added behind meanwhile is
   * visited, and when items before are taken out some are skipped.
   */
  values(): AsyncIterableIterator<T> {
    return iterateOver(
      this.#pages((item) => item),
      this.isBlocking,
    )
  }

  /** The indexes one by one; as {@link values}. */
  keys(): AsyncIterableIterator<number> {
    return iterateOver(
      this.#pages((_item, index) => index),
      this.isBlocking,
    )
  }

  /** Pairs `[index, item]`; as {@link values}. */
  entries(): AsyncIterableIterator<[number, T]> {
    return iterateOver(
      this.#pages((item, index): [number, T] => [index, item]),
      this.isBlocking,
    )
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    return this.values()
  }

  #pages<R>(pick: (item: T, index: number) => R): Pages<R> {
    let position = 0
    return {
      next: (count) =>
        this.after(this.call<T[]>('batch', [position, count]), (items) => {
          const start = position
          position += items.length
          return items.map((item, index) => pick(item, start + index))
        }),
    }
  }
}

/** The blocking form of {@link ListProxy}. */
export type BlockingList<T> = BlockingMethods<ListProxy<T>>

iteratePlainly(ListProxy)
registerProxy('list', ListProxy)
