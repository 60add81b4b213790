/** The contract of semaphores. */
import { contract, type OperationsOf } from '../../contract/contract.ts'
import type { Form, Result, WaitOptionsOf } from '../../contract/form.ts'

/** The interface of a semaphore. */
export interface SemaphoreContract<F extends Form> {
  /**
   * Takes one unit; requests are granted in the order in which they arrive.
   * @throws {@link ShareError} `ERR_TIMEOUT` after `timeoutMs`; the signal's reason when it aborts. After an error, no unit was taken. As
   * every call.
   */
  acquire(options?: WaitOptionsOf<F>): Result<F, void>

  /** Takes one unit if one is free; returns whether it did. @throws {@link ShareError} as every call. */
  tryAcquire(): Result<F, boolean>

  /**
   * Puts units back, regardless of the clients that have taken them. The units of this client go back first, then units of the clients that
   * acquired first. The rest are new units.
   * @throws {@link ShareError} `ERR_OVER_RELEASE` when the value would exceed its limit (the initial value of a bounded semaphore,
   * otherwise 2^31 − 1); nothing is released then. As every call.
   */
  release(units?: number): Result<F, void>

  /** The number of free units at this moment. @throws {@link ShareError} as every call. */
  readonly value: Result<F, number>
}

/** The operations of a semaphore in the server. */
export interface SemaphoreOperations extends OperationsOf<SemaphoreContract<'server'>, 'acquire'> {
  acquire(timeoutMs?: number | undefined): void
}

type Creation = [value?: number | undefined, recoverable?: boolean | undefined]
export const semaphoreContract = contract<SemaphoreOperations, Creation>('Semaphore')
export const boundedSemaphoreContract = contract<SemaphoreOperations, Creation>('BoundedSemaphore')
