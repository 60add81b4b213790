/** The contract of semaphores. */
import { contract, type OperationsOf } from '../../contract/contract.ts'
import type { Form, Result, WaitOptionsOf } from '../../contract/form.ts'

/** What a semaphore offers. */
export interface SemaphoreContract<F extends Form> {
  /**
   * Takes one unit; those who ask get theirs in the order in which their requests arrive.
   * @throws {@link ShareError} `ERR_TIMEOUT` after `timeoutMs`; the signal's reason when it aborts. No unit has been taken then. As every
   * call.
   */
  acquire(options?: WaitOptionsOf<F>): Result<F, void>

  /** Takes one unit if there is one, and says whether it did. @throws {@link ShareError} as every call. */
  tryAcquire(): Result<F, boolean>

  /**
   * Puts units back, whoever has taken them: first those that this client has, then those of the clients that have had some for
   * longest, and then new ones.
   * @throws {@link ShareError} `ERR_OVER_RELEASE` when the value would go beyond its limit (the initial value of a bounded semaphore,
   * otherwise 2^31 − 1); nothing has been released then. As every call.
   */
  release(units?: number): Result<F, void>

  /** How many units there are at this moment. @throws {@link ShareError} as every call. */
  readonly value: Result<F, number>
}

/** The operations of a semaphore in the server. */
export interface SemaphoreOperations extends OperationsOf<SemaphoreContract<'server'>, 'acquire'> {
  acquire(timeoutMs?: number | undefined): void
}

type Creation = [value?: number | undefined, recoverable?: boolean | undefined]
export const semaphoreContract = contract<SemaphoreOperations, Creation>('Semaphore')
export const boundedSemaphoreContract = contract<SemaphoreOperations, Creation>('BoundedSemaphore')
