/** The contract of lists. */
import { contract, type OperationsOf, type Values } from '../../contract/contract.ts'
import type { Form, Iteration, Result } from '../../contract/form.ts'

/** The options of {@link ListProxy.sort}. */
export interface SortOptions {
  /** Sorts objects by this property, and arrays by the item at this index. */
  readonly by?: string | number
  /** Sorts from the largest to the smallest. @defaultValue false */
  readonly descending?: boolean
}

/** The interface of a list. */
export interface ListContract<T, F extends Form> {
  /** The number of items: `await list.length`. */
  readonly length: Result<F, number>

  /** The item at an index; undefined where there is none. */
  at(index: number): Result<F, T | undefined>

  /** Replaces the item at an index. @throws `RangeError` where there is none. */
  set(index: number, value: T): Result<F, void>

  /** Adds items at the end; returns the new length. Python's `append`. */
  push(...values: T[]): Result<F, number>

  /** Adds all items of another collection at the end; returns the new length. */
  extend(values: Values<T>): Result<F, number>

  /**
   * Removes and returns the last item, or the item at `index`; undefined when the list is empty. @throws `RangeError` for an index without
   * an item.
   */
  pop(index?: number): Result<F, T | undefined>

  /** Removes and returns the first item; undefined when the list is empty. */
  shift(): Result<F, T | undefined>

  /** Adds items at the start; returns the new length. */
  unshift(...values: T[]): Result<F, number>

  /** Adds items before the item at `index`. An index outside of the list means its end or start. Returns the new length. */
  insert(index: number, ...values: T[]): Result<F, number>

  /**
   * Removes items and puts others in their place, as `Array.prototype.splice`; returns the removed items. Python's assignments to slices.
   */
  splice(start: number, deleteCount?: number, ...values: T[]): Result<F, T[]>

  /**
   * The items from `start` to before `end`, as `Array.prototype.slice`. With `step`, every `step`th item, backwards if `step` is negative,
   * as in Python.
   */
  slice(start?: number, end?: number, step?: number): Result<F, T[]>

  /** Whether an item is the same as the value. */
  includes(value: T, fromIndex?: number): Result<F, boolean>

  /** The index of the first item that is the same as the value; -1 when there is none. */
  indexOf(value: T, fromIndex?: number): Result<F, number>

  /** The index of the last item that is the same as the value; -1 when there is none. */
  lastIndexOf(value: T, fromIndex?: number): Result<F, number>

  /** The number of items that are the same as the value. */
  count(value: T): Result<F, number>

  /** Removes the first item that is the same as the value; returns whether there was one. */
  remove(value: T): Result<F, boolean>

  /** Removes all items. */
  clear(): Result<F, void>

  /** Reverses the order. */
  reverse(): Result<F, void>

  /**
   * Sorts numbers by size (unlike `Array.prototype.sort` without a function), texts by their characters, dates by time. NaN, null and
   * undefined come last. Equal items keep their order.
   * @throws `TypeError` for items that cannot be compared; nothing changes then.
   */
  sort(options?: SortOptions): Result<F, void>

  /** Replaces the items from `start` to before `end` by a value. */
  fill(value: T, start?: number, end?: number): Result<F, void>

  /** Replaces the item at an index and returns the old one. @throws `RangeError` where there is none. */
  exchange(index: number, value: T): Result<F, T>

  /**
   * Adds to the number or bigint at an index, and returns the result.
   * @throws `TypeError` for another item, or if `by` and the item have different types; `RangeError` where there is none.
   */
  increment(index: number, by?: number | (T & bigint)): Result<F, T>

  /** Replaces the item at an index if it is the same as `expected`; returns whether it did. @throws `RangeError` where there is none. */
  compareAndSet(index: number, expected: T, value: T): Result<F, boolean>

  /** A copy of all items, as they are at one moment. */
  toArray(): Result<F, T[]>

  /**
   * Iterates over the items.
   *
   * @remarks The items are fetched by index, in batches, while they are used. As with an array, an item that is added after the current one
   * is visited. When earlier items are removed, some items are skipped.
   */
  values(): Iteration<F, T>

  /** Iterates over the indexes, as {@link values}. */
  keys(): Iteration<F, number>

  /** Iterates over pairs `[index, item]`, as {@link values}. */
  entries(): Iteration<F, [number, T]>
}

/** The operations of a list in the server. */
export interface ListOperations<T> extends OperationsOf<ListContract<T, 'server'>, 'values' | 'keys' | 'entries'> {
  /** Up to `count` items from the index `start` on, for an iteration; none after the last one. */
  batch(start: number, count: number): T[]
}

export const listContract = contract<ListOperations<unknown>, [values?: Values<unknown>]>('list', ['batch'])
