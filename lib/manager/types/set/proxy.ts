/** SetProxy: a set in the server. */

import type { BlockingProxy } from '../../client/blocking.ts'
import { containerMethod } from '../../client/container.ts'
import { iterateOver, iteratePlainly } from '../../client/iteration.ts'
import { ManagedProxy } from '../../client/proxy.ts'
import { type NameOptions, proxyType } from '../../client/proxy-type.ts'
import { sendableValues } from '../../client/sendable.ts'
import type { itemsOf, ManagedItems, operations, Values } from '../../contract/contract.ts'
import type { blockingForm, Form, Result } from '../../contract/form.ts'
import type { IterationKind } from '../iterator/contract.ts'
import { KeyedPages } from '../iterator/proxy.ts'
import { type MembersOf, type SetContract, type SetOperations, setContract } from './contract.ts'

/**
 * A set that lives in the server of a {@link Manager}: `manager.set()`.
 *
 * @remarks It has the methods of a `Set`, as promises, and those of Python's set. Members can be of the same types as keys of a
 * {@link DictProxy}: primitives, dates, and arrays of those, compared by content.
 * @example
 * ```ts
 * import { Manager } from 'procshare'
 * await using manager = await Manager.start()
 * const seen = await manager.set<string>()
 * console.assert(await seen.add('a')) // it is new
 * console.assert(!(await seen.add('a')))
 * console.assert((await seen.union(['b'])).size === 2)
 * ```
 */
export class SetProxy<T>
  extends ManagedProxy
  implements SetContract<T, 'asynchronous'>, ManagedItems<T>, AsyncIterable<T>
{
  /** @internal */
  static override readonly writer = 'add(value) and delete(value)'
  /** @internal */
  declare readonly [operations]: SetOperations<T>
  /** @internal */
  declare readonly [itemsOf]: T
  /** @internal */
  declare readonly [blockingForm]: BlockingSet<T>

  get size(): Promise<number> {
    return this.request('size', [])
  }

  add(value: T): Promise<boolean> {
    return this.request('add', [value])
  }

  has(value: T): Promise<boolean> {
    return this.request('has', [value])
  }

  delete(value: T): Promise<boolean> {
    return this.request('delete', [value])
  }

  clear(): Promise<void> {
    return this.request('clear', [])
  }

  pop(): Promise<T | undefined> {
    return this.request('pop', [])
  }

  addMany(values: MembersOf<T>): Promise<number> {
    return this.request('addMany', [sendableValues(values)])
  }

  hasMany(values: MembersOf<T>): Promise<boolean[]> {
    return this.request('hasMany', [sendableValues(values)])
  }

  deleteMany(values: MembersOf<T>): Promise<number> {
    return this.request('deleteMany', [sendableValues(values)])
  }

  retainMany(values: MembersOf<T>): Promise<number> {
    return this.request('retainMany', [sendableValues(values)])
  }

  toggleMany(values: MembersOf<T>): Promise<void> {
    return this.request('toggleMany', [sendableValues(values)])
  }

  union<U>(others: MembersOf<U>): Promise<Set<T | U>> {
    return this.request('union', [sendableValues(others)]) as Promise<Set<T | U>>
  }

  intersection<U>(others: MembersOf<U>): Promise<Set<T & U>> {
    return this.request('intersection', [sendableValues(others)]) as Promise<Set<T & U>>
  }

  difference(others: MembersOf<unknown>): Promise<Set<T>> {
    return this.request('difference', [sendableValues(others)])
  }

  symmetricDifference<U>(others: MembersOf<U>): Promise<Set<T | U>> {
    return this.request('symmetricDifference', [sendableValues(others)]) as Promise<Set<T | U>>
  }

  isSubsetOf(others: MembersOf<unknown>): Promise<boolean> {
    return this.request('isSubsetOf', [sendableValues(others)])
  }

  isSupersetOf(others: MembersOf<unknown>): Promise<boolean> {
    return this.request('isSupersetOf', [sendableValues(others)])
  }

  isDisjointFrom(others: MembersOf<unknown>): Promise<boolean> {
    return this.request('isDisjointFrom', [sendableValues(others)])
  }

  toSet(): Promise<Set<T>> {
    return this.request('toSet', [])
  }

  values(): AsyncIterableIterator<T> {
    return this.#iterate('values')
  }

  keys(): AsyncIterableIterator<T> {
    return this.values()
  }

  entries(): AsyncIterableIterator<[T, T]> {
    return this.#iterate('entries')
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    return this.values()
  }

  #iterate<E>(kind: IterationKind): AsyncIterableIterator<E> {
    const begin = (count: number) => this.request('iterate', [kind, count])
    return iterateOver(new KeyedPages<E>(begin, (result, fn) => this.after(result, fn)), this.isBlocking)
  }
}

iteratePlainly(SetProxy)

/** The blocking form of {@link SetProxy}. */
export type BlockingSet<T> = SetContract<T, 'blocking'> & BlockingProxy & Iterable<T>

/** The methods that make sets. */
export interface SetFactory<F extends Form> {
  /**
   * The set of that name, which is made empty if it does not exist; without a name, a new set.
   * @throws {@link ShareError} `ERR_KIND` when the name belongs to an object of another type.
   */
  set<T>(name?: string): Result<F, SetProxy<T>>
  /** A set of these values, or the set of the name in `options`. */
  set<T>(values: Values<T>, options?: NameOptions): Result<F, SetProxy<T>>
}

export const setProxies = proxyType(setContract, SetProxy).madeBy<SetFactory<'asynchronous'>, SetFactory<'blocking'>>(
  (make) => containerMethod(make, sendableValues),
)
