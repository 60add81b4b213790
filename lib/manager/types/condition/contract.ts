/** The contract of conditions. */
import type { Truthy } from '../../../truthy.ts'
import { contract, type Managed } from '../../contract/contract.ts'
import type { Form, Result, Returned, WaitOptionsOf } from '../../contract/form.ts'
import type { LockContract, LockGuard, LockOperations, Tasks } from '../lock/contract.ts'

/** Identifies the owner that calls a method of a condition. */
export interface OwnerOptions<F extends Form> {
  /**
   * The guard through which the caller holds the lock. Required for a guard of `await acquire()`. An owner in the blocking form, or inside
   * `run`, is recognised without it.
   */
  readonly guard?: LockGuard<F> | undefined
}

/** The interface of a condition. */
export interface ConditionContract<F extends Form> extends LockContract<F> {
  /**
   * Releases the lock, waits to be notified, and acquires the lock again; returns true.
   *
   * @remarks All levels of a recursive lock are released and acquired again. However the wait ends, the caller holds the lock afterwards,
   * unless the connection has ended. The timeout does not limit the second acquisition. If a client ended while it held the lock during the
   * wait, the guard of the next new owner reports it.
   * @throws {@link ShareError} `ERR_NOT_OWNER` when the caller does not hold the lock; `ERR_TIMEOUT` after `timeoutMs`; the signal's reason
   * when it aborts. As every call.
   */
  wait(options?: WaitOptionsOf<F> & OwnerOptions<F>): Result<F, true>

  /**
   * Waits until `predicate` returns a truthy value, and returns that value. The predicate is called with the lock held: at once, after each
   * notification, and after the timeout. `predicate` may return a promise, but not in the blocking form.
   * @throws as {@link wait}, and whatever `predicate` throws.
   */
  waitFor<T>(predicate: () => Returned<F, T>, options?: WaitOptionsOf<F> & OwnerOptions<F>): Result<F, Truthy<T>>

  /**
   * Ends the waits of up to `count` waiters; returns their number. The waiters continue when they get the lock, which the caller still
   * holds.
   * @throws {@link ShareError} `ERR_NOT_OWNER` when the caller does not hold the lock; as every call.
   */
  notify(count?: number, options?: OwnerOptions<F>): Result<F, number>

  /** Ends the waits of all waiters; returns their number. @throws as {@link notify}. */
  notifyAll(options?: OwnerOptions<F>): Result<F, number>
}

/** The operations of a condition in the server: the operations of its lock, and its own. `guard` is the number of an ownership. */
export interface ConditionOperations extends LockOperations {
  wait(timeoutMs?: number | undefined, within?: Tasks | undefined, guard?: number | undefined): true
  notify(count?: number, within?: Tasks | undefined, guard?: number | undefined): number
  isOwned(within?: Tasks | undefined, guard?: number | undefined): boolean
}

export const conditionContract = contract<ConditionOperations, [lock?: Managed<LockOperations> | undefined]>(
  'Condition',
)
