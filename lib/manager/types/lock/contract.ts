/** The contracts of locks. */
import { contract } from '../../contract/contract.ts'
import type { Form, Result, Returned, WaitOptionsOf } from '../../contract/form.ts'

/** The argument of a function that runs under a lock. */
export interface Abandonment {
  /** Whether the last owner ended while it held the lock. */
  readonly abandoned: boolean
}

/** The result of an acquisition: the lock is held until its guard is released, or the client ends. */
export interface LockGuard<F extends Form> extends Disposable {
  /** Whether the last owner ended while it held the lock, so that the protected data may be half-changed. */
  readonly abandoned: boolean

  /** Whether {@link release} was called. */
  readonly released: boolean

  /**
   * Releases the lock, or one level of a recursive one.
   * @throws {@link ShareError} `ERR_NOT_OWNER` the second time, or when another client has released the lock; as every call.
   */
  release(): Result<F, void>
}

/** The interface of a lock. */
export interface LockContract<F extends Form> {
  /**
   * Acquires the lock; requests are granted in the order in which they arrive.
   *
   * @remarks The lock belongs to this acquisition alone, and the guard releases it: a recursive lock, too, does not recognise its owner
   * without {@link run}. If the last owner ended, or closed its proxy while it held the lock, the guard has `abandoned: true`: check the
   * data before you use it. In the blocking form the lock belongs to the thread.
   * @throws {@link ShareError} `ERR_TIMEOUT` after `timeoutMs`; `ERR_DEADLOCK` inside `run` of the same lock, if it is not recursive. The
   * signal's reason when it aborts. As every call.
   */
  acquire(options?: WaitOptionsOf<F>): Result<F, LockGuard<F>>

  /** Acquires the lock if it is free; otherwise returns `undefined`. @throws {@link ShareError} as every call. */
  tryAcquire(): Result<F, LockGuard<F> | undefined>

  /**
   * Releases the lock, even if another client holds it. A recursive lock, or one level of it, is released only by its owner: inside
   * {@link run}, or in the blocking form.
   * @throws {@link ShareError} `ERR_NOT_OWNER` when the lock is not held, or when a recursive lock is not held by the caller. As every
   * call.
   */
  release(): Result<F, void>

  /** Whether the lock is held at this moment. @throws {@link ShareError} as every call. */
  readonly locked: Result<F, boolean>

  /**
   * Runs `fn` while holding the lock, and returns its result. In the blocking form `fn` may not return a promise.
   *
   * @remarks Everything that runs as part of `fn`, across its awaits, counts as the owner. The lock is released when `fn` has settled, with
   * or without an error.
   * @throws as {@link acquire}, and whatever `fn` throws.
   */
  run<T>(fn: (lock: Abandonment) => Returned<F, T>, options?: WaitOptionsOf<F>): Result<F, T>
}

/** The numbers of the tasks inside of which the caller runs. The caller also owns everything that these tasks own. */
export type Tasks = readonly number[]

/** An acquisition in the server. */
export interface Grant {
  /** The number of the ownership, for its release. */
  readonly ownershipId: number
  /** Whether the last owner ended while it held the lock. */
  readonly abandoned: boolean
}

/** The operations of a lock in the server. */
export interface LockOperations {
  acquire(timeoutMs?: number | undefined, within?: Tasks | undefined): Grant
  tryAcquire(within?: Tasks | undefined): Grant | undefined
  release(within?: Tasks | undefined): void
  /** Releases one level of an ownership; returns whether another one is left. */
  releaseOwnership(ownershipId: number): boolean
  locked(): boolean
}

export const lockContract = contract<LockOperations>('Lock')
export const rlockContract = contract<LockOperations>('RLock')
