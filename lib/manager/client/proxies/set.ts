/** SetProxy: a set in the server. */
import type { BlockingMethods, blockingForm } from '../blocking.ts'
import { ManagedProxy } from '../proxy.ts'
import { registerProxy } from '../proxy-classes.ts'
import { sendableValues } from './collections.ts'
import { iterateOver, iteratePlainly } from './iteration.ts'
import { type IteratorProxy, KeyedPages } from './iterator.ts'
import type { ListProxy } from './list.ts'

/** Several members: a managed list or set of the same server is read there, in the same step. */
export type MembersOf<T> = Iterable<T> | ListProxy<T> | SetProxy<T>

/**
 * A set that lives in the server of a {@link Manager}: `manager.set()`.
 *
 * @remarks It has the methods of a `Set`, as promises, and those of Python's set. Members are what keys of a {@link DictProxy} can be: primitives,
 * dates, and arrays of those, compared by what they consist of.
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
export class SetProxy<T> extends ManagedProxy implements AsyncIterable<T> {
  /** @internal */
  static override readonly writer = 'add(value) and delete(value)'
  /** @internal */
  declare readonly [blockingForm]: BlockingSet<T>

  /** How many members there are: `await set.size`. */
  get size(): Promise<number> {
    return this.call('size')
  }

  /** Adds a member; whether it is new. Of many who add the same one exactly one is told true. @throws `TypeError` for what can be no member. */
  add(value: T): Promise<boolean> {
    return this.call('add', [value])
  }

  /** Whether it is a member. */
  has(value: T): Promise<boolean> {
    return this.call('has', [value])
  }

  /** Deletes a member; whether it was one. */
  delete(value: T): Promise<boolean> {
    return this.call('delete', [value])
  }

  /** Deletes all members. */
  clear(): Promise<void> {
    return this.call('clear')
  }

  /** Takes out the member that was added last; undefined when there is none. */
  pop(): Promise<T | undefined> {
    return this.call('pop')
  }

  /** Adds several members in one step, all or none; how many are new. */
  addMany(values: MembersOf<T>): Promise<number> {
    return this.call('addMany', [sendableValues(values)])
  }

  /** Which of several values are members, at one moment. */
  hasMany(values: MembersOf<T>): Promise<boolean[]> {
    return this.call('hasMany', [sendableValues(values)])
  }

  /** Deletes several members in one step; how many there were. Python's `difference_update`. */
  deleteMany(values: MembersOf<T>): Promise<number> {
    return this.call('deleteMany', [sendableValues(values)])
  }

  /** Deletes all members but these, in one step; how many were deleted. Python's `intersection_update`. */
  retainMany(values: MembersOf<T>): Promise<number> {
    return this.call('retainMany', [sendableValues(values)])
  }

  /** Deletes those of the values that are members, and adds the others, in one step. Python's `symmetric_difference_update`. */
  toggleMany(values: MembersOf<T>): Promise<void> {
    return this.call('toggleMany', [sendableValues(values)])
  }

  /** The members and the others, as a plain set. */
  union<U>(others: MembersOf<U>): Promise<Set<T | U>> {
    return this.call('union', [sendableValues(others)])
  }

  /** The members that are among the others, as a plain set. */
  intersection<U>(others: MembersOf<U>): Promise<Set<T & U>> {
    return this.call('intersection', [sendableValues(others)])
  }

  /** The members that are not among the others, as a plain set. */
  difference(others: MembersOf<unknown>): Promise<Set<T>> {
    return this.call('difference', [sendableValues(others)])
  }

  /** What is a member or among the others but not both, as a plain set. */
  symmetricDifference<U>(others: MembersOf<U>): Promise<Set<T | U>> {
    return this.call('symmetricDifference', [sendableValues(others)])
  }

  /** Whether all members are among the others. */
  isSubsetOf(others: MembersOf<unknown>): Promise<boolean> {
    return this.call('isSubsetOf', [sendableValues(others)])
  }

  /** Whether all the others are members. */
  isSupersetOf(others: MembersOf<unknown>): Promise<boolean> {
    return this.call('isSupersetOf', [sendableValues(others)])
  }

  /** Whether none of the others is a member. */
  isDisjointFrom(others: MembersOf<unknown>): Promise<boolean> {
    return this.call('isDisjointFrom', [sendableValues(others)])
  }

  /** A copy of everything, as it is at one moment. */
  toSet(): Promise<Set<T>> {
    return this.call('toSet')
  }

  /** The members one by one, fetched in batches while they are used: as {@link DictProxy.entries}. */
  values(): AsyncIterableIterator<T> {
    return this.#iterate('values')
  }

  /** The same as {@link values}, as of a `Set`. */
  keys(): AsyncIterableIterator<T> {
    return this.values()
  }

  /** Pairs `[member, member]`, as of a `Set`. */
  entries(): AsyncIterableIterator<[T, T]> {
    return this.#iterate('entries')
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    return this.values()
  }

  #iterate<E>(kind: string): AsyncIterableIterator<E> {
    const begin = (count: number) => this.call<[E[], IteratorProxy<E>?]>('iterate', [kind, count])
    return iterateOver(new KeyedPages<E>(begin, (result, fn) => this.after(result, fn)), this.isBlocking)
  }
}

/** The blocking form of {@link SetProxy}. */
export type BlockingSet<T> = BlockingMethods<Omit<SetProxy<T>, 'union' | 'intersection' | 'symmetricDifference'>> &
  Iterable<T> & {
    /** {@link SetProxy.union}, blocking the thread. */
    union<U>(others: MembersOf<U>): Set<T | U>
    /** {@link SetProxy.intersection}, blocking the thread. */
    intersection<U>(others: MembersOf<U>): Set<T & U>
    /** {@link SetProxy.symmetricDifference}, blocking the thread. */
    symmetricDifference<U>(others: MembersOf<U>): Set<T | U>
  }

iteratePlainly(SetProxy)
registerProxy('set', SetProxy)
