/** The contract of lists. */
import { contract, type OperationsOf, type Values } from '../../contract/contract.ts'
import type { Form, Iteration, Result } from '../../contract/form.ts'

/** How a list is sorted: {@link ListProxy.sort}. */
export interface SortOptions {
  /** Sorts objects by this property, arrays by the item of this index. */
  readonly by?: string | number
  /** From the largest to the smallest. @defaultValue false */
  readonly descending?: boolean
}

/** What a list offers. */
export interface ListContract<T, F extends Form> {
  /** How many items there are: `await list.length`. */
  readonly length: Result<F, number>

  /** The item at an index; undefined where there is none. */
  at(index: number): Result<F, T | undefined>

  /** Replaces the item at an index. @throws `RangeError` where there is none. */
  set(index: number, value: T): Result<F, void>

  /** Adds items at the end; returns the new length. Python's `append`. */
  push(...values: T[]): Result<F, number>

  /** Adds all items of another collection at the end; returns the new length. */
  extend(values: Values<T>): Result<F, number>

  /** Takes the last item out, or the one at `index`; undefined when the list is empty. @throws `RangeError` for an index where there is none. */
  pop(index?: number): Result<F, T | undefined>

  /** Takes the first item out; undefined when the list is empty. */
  shift(): Result<F, T | undefined>

  /** Adds items at the start; returns the new length. */
  unshift(...values: T[]): Result<F, number>

  /** Adds items before the one at `index`; outside of the list, at its end or start. Returns the new length. */
  insert(index: number, ...values: T[]): Result<F, number>

  /** Takes items out and puts others in their place, as `Array.prototype.splice`; returns those taken out. Python's assignments to slices. */
  splice(start: number, deleteCount?: number, ...values: T[]): Result<F, T[]>

  /** The items from `start` to before `end`, as `Array.prototype.slice`; every `step`th one, backwards if it is negative, as in Python. */
  slice(start?: number, end?: number, step?: number): Result<F, T[]>

  /** Whether it has an item that is the same. */
  includes(value: T, fromIndex?: number): Result<F, boolean>

  /** The index of the first item that is the same; -1 when there is none. */
  indexOf(value: T, fromIndex?: number): Result<F, number>

  /** The index of the last item that is the same; -1 when there is none. */
  lastIndexOf(value: T, fromIndex?: number): Result<F, number>

  /** How many items are the same. */
  count(value: T): Result<F, number>

  /** Takes the first item out that is the same; returns whether there was one. */
  remove(value: T): Result<F, boolean>

  /** Takes all items out. */
  clear(): Result<F, void>

  /** Turns the order round. */
  reverse(): Result<F, void>

  /**
   * Sorts: numbers by size (unlike `Array.prototype.sort` without a function), texts by their characters, dates by time; NaN, null and
   * undefined come last. Items that are equal stay in their order.
   * @throws `TypeError` for items that cannot be compared; nothing has changed then.
   */
  sort(options?: SortOptions): Result<F, void>

  /** Replaces the items from `start` to before `end` by a value. */
  fill(value: T, start?: number, end?: number): Result<F, void>

  /** Replaces the item at an index and returns the old one. @throws `RangeError` where there is none. */
  exchange(index: number, value: T): Result<F, T>

  /**
   * Adds to the number or bigint at an index, and returns the result.
   * @throws `TypeError` for another item, or `by` of another type than the item; `RangeError` where there is none.
   */
  increment(index: number, by?: number | (T & bigint)): Result<F, T>

  /** Replaces the item at an index if it is the same as `expected`; returns whether it did. @throws `RangeError` where there is none. */
  compareAndSet(index: number, expected: T, value: T): Result<F, boolean>

  /** A copy of everything, as it is at one moment. */
  toArray(): Result<F, T[]>

  /**
   * The items one by one.
   *
   * @remarks They are fetched in batches while they are used, by their index, as an array is iterated: an item that is added behind is
   * visited, and when items before are taken out some are skipped.
   */
  values(): Iteration<F, T>

  /** The indexes one by one; as {@link values}. */
  keys(): Iteration<F, number>

  /** Pairs `[index, item]`; as {@link values}. */
  entries(): Iteration<F, [number, T]>
}

/** The operations of a list in the server. */
export interface ListOperations<T> extends OperationsOf<ListContract<T, 'server'>, 'values' | 'keys' | 'entries'> {
  /** Up to `count` items from the index `start` on, for an iteration; none behind the last one. */
  batch(start: number, count: number): T[]
}

export const listContract = contract<ListOperations<unknown>, [values?: Values<unknown>]>('list', ['batch'])
