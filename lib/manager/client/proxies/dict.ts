/** DictProxy: a map in the server. */
import type { BlockingMethods, blockingForm } from '../blocking.ts'
import { ManagedProxy } from '../proxy.ts'
import { registerProxy } from '../proxy-classes.ts'
import { sendableEntries, sendableValues } from './collections.ts'
import { iterateOver, iteratePlainly } from './iteration.ts'
import { type IteratorProxy, KeyedPages } from './iterator.ts'
import type { ListProxy } from './list.ts'
import type { SetProxy } from './set.ts'

/** What a dict is made from. */
export type DictInit<K, V> =
  | Iterable<readonly [K, V]>
  | DictProxy<K, V>
  | (K extends string ? Readonly<Record<K, V>> : never)

/** Several keys. */
export type KeysOf<K> = Iterable<K> | ListProxy<K> | SetProxy<K>

/**
 * A map that lives in the server of a {@link Manager}: `manager.dict()`.
 *
 * @remarks It has the methods of a `Map`, as promises, those of Python's dict, and some that look and act in one step, for which other
 * programs need a lock. Entries are in the order of their insertion. Keys keep their type, `1` is not `'1'`; besides primitives they
 * may be arrays of primitives and dates, which are compared by what they consist of. Values are copied in and out: what `get` gives can
 * be changed without effect on the dict. Proxies and shared objects among the values stay what they are.
 * @example
 * ```ts
 * import { Manager } from 'procshare'
 * await using manager = await Manager.start()
 * const hits = await manager.dict<string, number>()
 * await hits.increment('/index.html')
 * await hits.set('/about.html', 5)
 * console.assert((await hits.get('/index.html')) === 1)
 * for await (const [page, count] of hits) console.log(page, count)
 * ```
 */
export class DictProxy<K, V> extends ManagedProxy implements AsyncIterable<[K, V]> {
  /** @internal */
  static override readonly writer = 'set(key, value)'
  /** @internal */
  declare readonly [blockingForm]: BlockingDict<K, V>

  /** How many entries there are: `await dict.size`. */
  get size(): Promise<number> {
    return this.call('size')
  }

  /** The value of a key, or `fallback` when there is none. */
  get<D>(key: K, fallback: D): Promise<V | D>
  /** The value of a key; undefined when there is none. */
  get(key: K): Promise<V | undefined>
  get(key: K, fallback?: unknown): Promise<V | undefined> {
    return this.call('get', fallback === undefined ? [key] : [key, fallback])
  }

  /** Sets the value of a key. @throws `TypeError` for what can be no key; `DataCloneError` for what cannot be copied. */
  set(key: K, value: V): Promise<void> {
    return this.call('set', [key, value])
  }

  /** Whether there is an entry. */
  has(key: K): Promise<boolean> {
    return this.call('has', [key])
  }

  /** Deletes an entry; whether there was one. */
  delete(key: K): Promise<boolean> {
    return this.call('delete', [key])
  }

  /** Deletes all entries. */
  clear(): Promise<void> {
    return this.call('clear')
  }

  /** Deletes an entry and gives its value, or `fallback` when there was none. */
  pop<D>(key: K, fallback: D): Promise<V | D>
  /** Deletes an entry and gives its value; undefined when there was none. */
  pop(key: K): Promise<V | undefined>
  pop(key: K, fallback?: unknown): Promise<V | undefined> {
    return this.call('pop', fallback === undefined ? [key] : [key, fallback])
  }

  /** Deletes the entry that was added last, and gives it; undefined when there is none. */
  popItem(): Promise<[K, V] | undefined> {
    return this.call('popItem')
  }

  /** The value of a key, which is set to `value` first when there is none. Python's `setdefault`. */
  getOrInsert(key: K, value: V): Promise<V> {
    return this.call('getOrInsert', [key, value])
  }

  /** Adds an entry unless there is one with that key; whether it did. Of many who do so at once exactly one is told true. */
  setIfAbsent(key: K, value: V): Promise<boolean> {
    return this.call('setIfAbsent', [key, value])
  }

  /** Sets a value and gives the old one; undefined when there was none. */
  exchange(key: K, value: V): Promise<V | undefined> {
    return this.call('exchange', [key, value])
  }

  /**
   * Adds to a number or bigint and gives the result; a key without a value counts as 0.
   * @throws `TypeError` for another value, or `by` of another type than the value.
   */
  increment(key: K, by: number | (V & bigint) = 1): Promise<V> {
    return this.call('increment', [key, by])
  }

  /**
   * Sets a value if the present one is `expected`; whether it did. Objects are compared by what they consist of, managed objects by
   * which they are; `undefined` is also expected where there is no entry.
   */
  compareAndSet(key: K, expected: V | undefined, value: V): Promise<boolean> {
    return this.call('compareAndSet', [key, expected, value])
  }

  /** Deletes an entry if its value is `expected`, compared as by {@link compareAndSet}; whether it did. */
  compareAndDelete(key: K, expected: V): Promise<boolean> {
    return this.call('compareAndDelete', [key, expected])
  }

  /** The values of several keys, in one step. */
  getMany(keys: KeysOf<K>): Promise<(V | undefined)[]> {
    return this.call('getMany', [sendableValues(keys)])
  }

  /** Sets several values, all or none, in one step. Python's `update`. */
  setMany(entries: DictInit<K, V>): Promise<void> {
    return this.call('setMany', [sendableEntries(entries)])
  }

  /** Deletes several entries in one step; how many there were. */
  deleteMany(keys: KeysOf<K>): Promise<number> {
    return this.call('deleteMany', [sendableValues(keys)])
  }

  /** A copy of everything, as it is at one moment. */
  toMap(): Promise<Map<K, V>> {
    return this.call('toMap')
  }

  /** All keys, as they are at one moment. */
  toKeys(): Promise<K[]> {
    return this.call('toKeys')
  }

  /** All values, as they are at one moment. */
  toValues(): Promise<V[]> {
    return this.call('toValues')
  }

  /**
   * The entries one by one.
   *
   * @remarks They are fetched in batches while they are used, as a Map is iterated: what is added meanwhile is visited, what is deleted
   * before its batch was fetched is not.
   */
  entries(): AsyncIterableIterator<[K, V]> {
    return this.#iterate('entries')
  }

  /** The keys one by one; as {@link entries}. */
  keys(): AsyncIterableIterator<K> {
    return this.#iterate('keys')
  }

  /** The values one by one; as {@link entries}. */
  values(): AsyncIterableIterator<V> {
    return this.#iterate('values')
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<[K, V]> {
    return this.entries()
  }

  #iterate<T>(kind: string): AsyncIterableIterator<T> {
    const begin = (count: number) => this.call<[T[], IteratorProxy<T>?]>('iterate', [kind, count])
    return iterateOver(new KeyedPages<T>(begin, (result, fn) => this.after(result, fn)), this.isBlocking)
  }
}

/** The blocking form of {@link DictProxy}. */
export type BlockingDict<K, V> = BlockingMethods<Omit<DictProxy<K, V>, 'get' | 'pop'>> &
  Iterable<[K, V]> & {
    /** {@link DictProxy.get}, blocking the thread. */
    get<D>(key: K, fallback: D): V | D
    get(key: K): V | undefined
    /** {@link DictProxy.pop}, blocking the thread. */
    pop<D>(key: K, fallback: D): V | D
    pop(key: K): V | undefined
  }

iteratePlainly(DictProxy)
registerProxy('dict', DictProxy)
