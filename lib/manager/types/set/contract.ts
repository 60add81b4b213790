/** The contract of sets. */
import { contract, type Managed, type OperationsOf, type Values } from '../../contract/contract.ts'
import type { Form, Iteration, Result } from '../../contract/form.ts'
import type { IterationKind, IteratorOperations } from '../iterator/contract.ts'

/** Several members. A managed list or set of the same server is read there, in the same step. */
export type MembersOf<T> = Values<T>

/** The interface of a set. */
export interface SetContract<T, F extends Form> {
  /** The number of members: `await set.size`. */
  readonly size: Result<F, number>

  /**
   * Adds a member; returns whether it is new. Of several requests for one member, exactly one returns true. @throws `TypeError` for a value
   * that cannot be a member.
   */
  add(value: T): Result<F, boolean>

  /** Whether a value is a member. */
  has(value: T): Result<F, boolean>

  /** Deletes a member; returns whether it was one. */
  delete(value: T): Result<F, boolean>

  /** Deletes all members. */
  clear(): Result<F, void>

  /** Removes and returns the member that was added last; undefined when there is none. */
  pop(): Result<F, T | undefined>

  /** Adds several members in one step, all or none; returns the number of new members. */
  addMany(values: MembersOf<T>): Result<F, number>

  /** For each of several values, whether it is a member, at one moment. */
  hasMany(values: MembersOf<T>): Result<F, boolean[]>

  /** Deletes several members in one step; returns the number of deleted members. Python's `difference_update`. */
  deleteMany(values: MembersOf<T>): Result<F, number>

  /** Deletes all members but these, in one step; returns how many were deleted. Python's `intersection_update`. */
  retainMany(values: MembersOf<T>): Result<F, number>

  /** Deletes those of the values that are members, and adds the others, in one step. Python's `symmetric_difference_update`. */
  toggleMany(values: MembersOf<T>): Result<F, void>

  /** The members and the others, as a plain set. */
  union<U>(others: MembersOf<U>): Result<F, Set<T | U>>

  /** The members that are among the others, as a plain set. */
  intersection<U>(others: MembersOf<U>): Result<F, Set<T & U>>

  /** The members that are not among the others, as a plain set. */
  difference(others: MembersOf<unknown>): Result<F, Set<T>>

  /** The values that are either members or among the others, but not both, as a plain set. */
  symmetricDifference<U>(others: MembersOf<U>): Result<F, Set<T | U>>

  /** Whether all members are among the others. */
  isSubsetOf(others: MembersOf<unknown>): Result<F, boolean>

  /** Whether all the others are members. */
  isSupersetOf(others: MembersOf<unknown>): Result<F, boolean>

  /** Whether none of the others is a member. */
  isDisjointFrom(others: MembersOf<unknown>): Result<F, boolean>

  /** A copy of all members, as they are at one moment. */
  toSet(): Result<F, Set<T>>

  /** Iterates over the members, fetched in batches as they are used: as {@link DictProxy.entries}. */
  values(): Iteration<F, T>

  /** The same as {@link values}, as of a `Set`. */
  keys(): Iteration<F, T>

  /** Pairs `[member, member]`, as of a `Set`. */
  entries(): Iteration<F, [T, T]>
}

/** The operations of a set in the server. */
export interface SetOperations<T> extends OperationsOf<SetContract<T, 'server'>, 'values' | 'keys' | 'entries'> {
  /** The first items of an iteration, and an iterator for the others if there may be some. */
  iterate<E>(kind: IterationKind, count: number): [items: E[], rest?: Managed<IteratorOperations<E>>]
}

export const setContract = contract<SetOperations<unknown>, [values?: Values<unknown>]>('set', ['iterate'])
