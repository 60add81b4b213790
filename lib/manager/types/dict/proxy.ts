/** DictProxy: a map in the server. */

import type { BlockingProxy } from '../../client/blocking.ts'
import { containerMethod } from '../../client/container.ts'
import { iterateOver, iteratePlainly } from '../../client/iteration.ts'
import { ManagedProxy } from '../../client/proxy.ts'
import { type NameOptions, proxyType } from '../../client/proxy-type.ts'
import { sendableEntries, sendableValues } from '../../client/sendable.ts'
import type { operations } from '../../contract/contract.ts'
import type { blockingForm, Form, Result } from '../../contract/form.ts'
import type { IterationKind } from '../iterator/contract.ts'
import { KeyedPages } from '../iterator/proxy.ts'
import { type DictContract, type DictInit, type DictOperations, dictContract, type KeysOf } from './contract.ts'

/**
 * A map that lives in the server of a {@link Manager}: `manager.dict()`.
 *
 * @remarks It has the methods of a `Map`, as promises, and the methods of Python's dict. Further methods check and change in one step, for
 * which other programs need a lock. Entries are in the order of their insertion. Keys keep their type: `1` is not `'1'`. Besides
 * primitives, keys may be dates, and arrays of primitives and dates, which are compared by content. Values are copied in and out: changing
 * what `get` returned does not change the dict. Proxies and shared objects among the values stay what they are.
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
export class DictProxy<K, V> extends ManagedProxy implements DictContract<K, V, 'asynchronous'>, AsyncIterable<[K, V]> {
  /** @internal */
  static override readonly writer = 'set(key, value)'
  /** @internal */
  declare readonly [operations]: DictOperations<K, V>
  /** @internal */
  declare readonly [blockingForm]: BlockingDict<K, V>

  get size(): Promise<number> {
    return this.request('size', [])
  }

  get<D>(key: K, fallback: D): Promise<V | D>
  get(key: K): Promise<V | undefined>
  get(key: K, fallback?: unknown): Promise<V | undefined> {
    return this.request('get', fallback === undefined ? [key] : [key, fallback])
  }

  set(key: K, value: V): Promise<void> {
    return this.request('set', [key, value])
  }

  has(key: K): Promise<boolean> {
    return this.request('has', [key])
  }

  delete(key: K): Promise<boolean> {
    return this.request('delete', [key])
  }

  clear(): Promise<void> {
    return this.request('clear', [])
  }

  pop<D>(key: K, fallback: D): Promise<V | D>
  pop(key: K): Promise<V | undefined>
  pop(key: K, fallback?: unknown): Promise<V | undefined> {
    return this.request('pop', fallback === undefined ? [key] : [key, fallback])
  }

  popItem(): Promise<[K, V] | undefined> {
    return this.request('popItem', [])
  }

  getOrInsert(key: K, value: V): Promise<V> {
    return this.request('getOrInsert', [key, value])
  }

  setIfAbsent(key: K, value: V): Promise<boolean> {
    return this.request('setIfAbsent', [key, value])
  }

  exchange(key: K, value: V): Promise<V | undefined> {
    return this.request('exchange', [key, value])
  }

  increment(key: K, by: number | (V & bigint) = 1): Promise<V> {
    return this.request('increment', [key, by])
  }

  compareAndSet(key: K, expected: V | undefined, value: V): Promise<boolean> {
    return this.request('compareAndSet', [key, expected, value])
  }

  compareAndDelete(key: K, expected: V): Promise<boolean> {
    return this.request('compareAndDelete', [key, expected])
  }

  getMany(keys: KeysOf<K>): Promise<(V | undefined)[]> {
    return this.request('getMany', [sendableValues(keys)])
  }

  setMany(entries: DictInit<K, V>): Promise<void> {
    return this.request('setMany', [sendableEntries(entries)])
  }

  deleteMany(keys: KeysOf<K>): Promise<number> {
    return this.request('deleteMany', [sendableValues(keys)])
  }

  toMap(): Promise<Map<K, V>> {
    return this.request('toMap', [])
  }

  toKeys(): Promise<K[]> {
    return this.request('toKeys', [])
  }

  toValues(): Promise<V[]> {
    return this.request('toValues', [])
  }

  entries(): AsyncIterableIterator<[K, V]> {
    return this.#iterate('entries')
  }

  keys(): AsyncIterableIterator<K> {
    return this.#iterate('keys')
  }

  values(): AsyncIterableIterator<V> {
    return this.#iterate('values')
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<[K, V]> {
    return this.entries()
  }

  #iterate<T>(kind: IterationKind): AsyncIterableIterator<T> {
    const begin = (count: number) => this.request('iterate', [kind, count])
    return iterateOver(new KeyedPages<T>(begin, (result, fn) => this.after(result, fn)), this.isBlocking)
  }
}

iteratePlainly(DictProxy)

/** The blocking form of {@link DictProxy}. */
export type BlockingDict<K, V> = DictContract<K, V, 'blocking'> & BlockingProxy & Iterable<[K, V]>

/** The methods that make dicts. */
export interface DictFactory<F extends Form> {
  /**
   * The dict of that name, which is made empty if it does not exist; without a name, a new dict.
   * @throws {@link ShareError} `ERR_KIND` when the name belongs to an object of another type.
   */
  dict<K, V>(name?: string): Result<F, DictProxy<K, V>>
  /** A dict of these entries, or the dict of the name in `options`. */
  dict<K, V>(entries: Iterable<readonly [K, V]> | DictProxy<K, V>, options?: NameOptions): Result<F, DictProxy<K, V>>
  /** A dict of the properties of an object, or the dict of the name in `options`. */
  dict<K extends string, V>(entries: Readonly<Record<string, V>>, options?: NameOptions): Result<F, DictProxy<K, V>>
}

export const dictProxies = proxyType(dictContract, DictProxy).madeBy<
  DictFactory<'asynchronous'>,
  DictFactory<'blocking'>
>((make) => containerMethod(make, sendableEntries))
