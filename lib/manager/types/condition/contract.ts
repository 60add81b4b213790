/** The contract of conditions. */
import type { Truthy } from '../../../truthy.ts'
import { contract, type Managed } from '../../contract/contract.ts'
import type { Form, Result, Returned, WaitOptionsOf } from '../../contract/form.ts'
import type { LockContract, LockGuard, LockOperations, Tasks } from '../lock/contract.ts'

/** The owner that calls a method of a condition. */
export interface OwnerOptions<F extends Form> {
  /**
   * The guard through which the caller holds the lock. Needed for a guard of `await acquire()`: what is held in the blocking form, or
   * inside `run`, is recognised without.
   */
  readonly guard?: LockGuard<F> | undefined
}

/** What a condition offers. */
export interface ConditionContract<F extends Form> extends LockContract<F> {
  /**
   * Lets go of the lock, waits to be notified, takes the lock again, and gives true.
   *
   * @remarks All levels of a recursive lock are let go and taken again. However the wait ends, the caller holds the lock afterwards, unless
   * the connection has ended; taking it again is not bounded by the timeout. If somebody has died holding the lock meanwhile, the
   * news goes to whoever takes it next.
   * @throws {@link ShareError} `ERR_NOT_OWNER` when the caller does not hold the lock; `ERR_TIMEOUT` after `timeoutMs`; the signal's reason when it
   * aborts. As every call.
   */
  wait(options?: WaitOptionsOf<F> & OwnerOptions<F>): Result<F, true>

  /**
   * Waits until `predicate` holds, which is asked with the lock held: at once, after each notification, and after the timeout; gives what it
   * returned. `predicate` may return a promise, but not in the blocking form.
   * @throws as {@link wait}, and whatever `predicate` throws.
   */
  waitFor<T>(predicate: () => Returned<F, T>, options?: WaitOptionsOf<F> & OwnerOptions<F>): Result<F, Truthy<T>>

  /**
   * Ends the waits of up to `count` waiters, and says how many there were. They go on when they get the lock, which the caller still holds.
   * @throws {@link ShareError} `ERR_NOT_OWNER` when the caller does not hold the lock; as every call.
   */
  notify(count?: number, options?: OwnerOptions<F>): Result<F, number>

  /** Ends the waits of all waiters, and says how many there were. @throws as {@link notify}. */
  notifyAll(options?: OwnerOptions<F>): Result<F, number>
}

/** The operations of a condition in the server: those of its lock, and its own. `guard` is the number of an ownership. */
export interface ConditionOperations extends LockOperations {
  wait(timeoutMs?: number | undefined, within?: Tasks | undefined, guard?: number | undefined): true
  notify(count?: number, within?: Tasks | undefined, guard?: number | undefined): number
  isOwned(within?: Tasks | undefined, guard?: number | undefined): boolean
}

export const conditionContract = contract<ConditionOperations, [lock?: Managed<LockOperations> | undefined]>(
  'Condition',
)
