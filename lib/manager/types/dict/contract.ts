/** The contract of dicts. */
import { contract, type Managed, type OperationsOf, type Values } from '../../contract/contract.ts'
import type { Form, Iteration, Result } from '../../contract/form.ts'
import type { IterationKind, IteratorOperations } from '../iterator/contract.ts'

/** The initial entries of a dict. */
export type DictInit<K, V> =
  | Iterable<readonly [K, V]>
  | Managed<DictOperations<K, V>>
  | (K extends string ? Readonly<Record<K, V>> : never)

/** Several keys. */
export type KeysOf<K> = Values<K>

/** The interface of a dict. */
export interface DictContract<K, V, F extends Form> {
  /** The number of entries: `await dict.size`. */
  readonly size: Result<F, number>

  /** The value of a key, or `fallback` when there is none. */
  get<D>(key: K, fallback: D): Result<F, V | D>

  /** The value of a key; undefined when there is none. */
  get(key: K): Result<F, V | undefined>

  /** Sets the value of a key. @throws `TypeError` for a value that cannot be a key; `DataCloneError` for a value that cannot be copied. */
  set(key: K, value: V): Result<F, void>

  /** Whether there is an entry. */
  has(key: K): Result<F, boolean>

  /** Deletes an entry; returns whether there was one. */
  delete(key: K): Result<F, boolean>

  /** Deletes all entries. */
  clear(): Result<F, void>

  /** Deletes an entry and returns its value, or `fallback` when there was none. */
  pop<D>(key: K, fallback: D): Result<F, V | D>

  /** Deletes an entry and returns its value; undefined when there was none. */
  pop(key: K): Result<F, V | undefined>

  /** Deletes the entry that was added last, and returns it; undefined when there is none. */
  popItem(): Result<F, [K, V] | undefined>

  /** The value of a key. A missing key is set to `value` first. Python's `setdefault`. */
  getOrInsert(key: K, value: V): Result<F, V>

  /** Adds an entry unless one with that key exists; returns whether it did. Of several simultaneous requests, exactly one returns true. */
  setIfAbsent(key: K, value: V): Result<F, boolean>

  /** Sets a value and returns the old one; undefined when there was none. */
  exchange(key: K, value: V): Result<F, V | undefined>

  /**
   * Adds to a number or bigint and returns the result; a key without a value counts as 0.
   * @throws `TypeError` for another value, or if `by` and the value have different types.
   */
  increment(key: K, by?: number | (V & bigint)): Result<F, V>

  /**
   * Sets a value if the present one is `expected`; returns whether it did. Objects are compared by content, managed objects by identity. An
   * expected `undefined` also matches a missing entry.
   */
  compareAndSet(key: K, expected: V | undefined, value: V): Result<F, boolean>

  /** Deletes an entry if its value is `expected`, compared as by {@link compareAndSet}; returns whether it did. */
  compareAndDelete(key: K, expected: V): Result<F, boolean>

  /** The values of several keys, in one step. */
  getMany(keys: KeysOf<K>): Result<F, (V | undefined)[]>

  /** Sets several values, all or none, in one step. Python's `update`. */
  setMany(entries: DictInit<K, V>): Result<F, void>

  /** Deletes several entries in one step; returns the number of deleted entries. */
  deleteMany(keys: KeysOf<K>): Result<F, number>

  /** A copy of all entries, as they are at one moment. */
  toMap(): Result<F, Map<K, V>>

  /** All keys, as they are at one moment. */
  toKeys(): Result<F, K[]>

  /** All values, as they are at one moment. */
  toValues(): Result<F, V[]>

  /**
   * Iterates over the entries.
   *
   * @remarks The entries are fetched in batches while they are used. As with a Map, an entry that is added during the iteration is visited.
   * An entry that is deleted before its batch is fetched is not.
   */
  entries(): Iteration<F, [K, V]>

  /** The keys one by one; as {@link entries}. */
  keys(): Iteration<F, K>

  /** The values one by one; as {@link entries}. */
  values(): Iteration<F, V>
}

/** The operations of a dict in the server. */
export interface DictOperations<K, V>
  extends OperationsOf<DictContract<K, V, 'server'>, 'get' | 'pop' | 'values' | 'keys' | 'entries'> {
  get(key: K, fallback?: unknown): V | undefined
  pop(key: K, fallback?: unknown): V | undefined
  /** The first items of an iteration, and an iterator for the others if there may be some. */
  iterate<T>(kind: IterationKind, count: number): [items: T[], rest?: Managed<IteratorOperations<T>>]
}

export const dictContract = contract<DictOperations<unknown, unknown>, [entries?: DictInit<unknown, unknown>]>('dict', [
  'iterate',
])
