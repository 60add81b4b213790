/** ListProxy: an array in the server. */

import type { BlockingProxy } from '../../client/blocking.ts'
import { containerMethod } from '../../client/container.ts'
import { iterateOver, iteratePlainly, type Pages } from '../../client/iteration.ts'
import { ManagedProxy } from '../../client/proxy.ts'
import { type NameOptions, proxyType } from '../../client/proxy-type.ts'
import { sendableValues } from '../../client/sendable.ts'
import type { itemsOf, ManagedItems, operations, Values } from '../../contract/contract.ts'
import type { blockingForm, Form, Result } from '../../contract/form.ts'
import { type ListContract, type ListOperations, listContract, type SortOptions } from './contract.ts'

/**
 * An array that lives in the server of a {@link Manager}: `manager.list()`.
 *
 * @remarks It has the methods of an `Array`, as promises, the methods of Python's list, and some that check and change in one step.
 * Negative indexes count from the end, as in `at()`. At an index without an item, reading returns undefined, and writing is a `RangeError`.
 * Items are copied in and out: changing what `at` returned does not change the list. Proxies and shared objects among the items stay what
 * they are. Searches compare objects by content, and managed objects by identity.
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
export class ListProxy<T>
  extends ManagedProxy
  implements ListContract<T, 'asynchronous'>, ManagedItems<T>, AsyncIterable<T>
{
  /** @internal */
  static override readonly writer = 'set(index, value)'
  /** @internal */
  declare readonly [operations]: ListOperations<T>
  /** @internal */
  declare readonly [itemsOf]: T
  /** @internal */
  declare readonly [blockingForm]: BlockingList<T>

  get length(): Promise<number> {
    return this.request('length', [])
  }

  at(index: number): Promise<T | undefined> {
    return this.request('at', [index])
  }

  set(index: number, value: T): Promise<void> {
    return this.request('set', [index, value])
  }

  push(...values: T[]): Promise<number> {
    return values.length === 1 ? this.request('push', values) : this.request('extend', [values])
  }

  extend(values: Values<T>): Promise<number> {
    return this.request('extend', [sendableValues(values)])
  }

  pop(index?: number): Promise<T | undefined> {
    return this.request('pop', index === undefined ? [] : [index])
  }

  shift(): Promise<T | undefined> {
    return this.request('shift', [])
  }

  unshift(...values: T[]): Promise<number> {
    return this.request('unshift', values)
  }

  insert(index: number, ...values: T[]): Promise<number> {
    return this.request('insert', [index, ...values])
  }

  splice(start: number, deleteCount?: number, ...values: T[]): Promise<T[]> {
    return this.request('splice', deleteCount === undefined ? [start] : [start, deleteCount, ...values])
  }

  slice(start?: number, end?: number, step?: number): Promise<T[]> {
    return this.request('slice', [start, end, step])
  }

  includes(value: T, fromIndex?: number): Promise<boolean> {
    return this.request('includes', [value, fromIndex])
  }

  indexOf(value: T, fromIndex?: number): Promise<number> {
    return this.request('indexOf', [value, fromIndex])
  }

  lastIndexOf(value: T, fromIndex?: number): Promise<number> {
    return this.request('lastIndexOf', [value, fromIndex])
  }

  count(value: T): Promise<number> {
    return this.request('count', [value])
  }

  remove(value: T): Promise<boolean> {
    return this.request('remove', [value])
  }

  clear(): Promise<void> {
    return this.request('clear', [])
  }

  reverse(): Promise<void> {
    return this.request('reverse', [])
  }

  sort(options?: SortOptions): Promise<void> {
    return this.request('sort', options === undefined ? [] : [options])
  }

  fill(value: T, start?: number, end?: number): Promise<void> {
    return this.request('fill', [value, start, end])
  }

  exchange(index: number, value: T): Promise<T> {
    return this.request('exchange', [index, value])
  }

  increment(index: number, by: number | (T & bigint) = 1): Promise<T> {
    return this.request('increment', [index, by])
  }

  compareAndSet(index: number, expected: T, value: T): Promise<boolean> {
    return this.request('compareAndSet', [index, expected, value])
  }

  toArray(): Promise<T[]> {
    return this.request('toArray', [])
  }

  values(): AsyncIterableIterator<T> {
    return iterateOver(
      this.#pages((item) => item),
      this.isBlocking,
    )
  }

  keys(): AsyncIterableIterator<number> {
    return iterateOver(
      this.#pages((_item, index) => index),
      this.isBlocking,
    )
  }

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
        this.after(this.request('batch', [position, count]), (items) => {
          const start = position
          position += items.length
          return items.map((item, index) => pick(item, start + index))
        }),
    }
  }
}

iteratePlainly(ListProxy)

/** The blocking form of {@link ListProxy}. */
export type BlockingList<T> = ListContract<T, 'blocking'> & BlockingProxy & Iterable<T>

/** The methods that make lists. */
export interface ListFactory<F extends Form> {
  /**
   * The list of that name, which is made empty if it does not exist; without a name, a new list.
   * @throws {@link ShareError} `ERR_KIND` when the name belongs to an object of another type.
   */
  list<T>(name?: string): Result<F, ListProxy<T>>
  /** A list of these values, or the list of the name in `options`. */
  list<T>(values: Values<T>, options?: NameOptions): Result<F, ListProxy<T>>
}

export const listProxies = proxyType(listContract, ListProxy).madeBy<
  ListFactory<'asynchronous'>,
  ListFactory<'blocking'>
>((make) => containerMethod(make, sendableValues))
