/** The contract of events. */
import { contract, type OperationsOf } from '../../contract/contract.ts'
import type { Form, Result, WaitOptionsOf } from '../../contract/form.ts'

/** The interface of an event. */
export interface EventContract<F extends Form> {
  /** Whether the event is set. @throws {@link ShareError} as every call. */
  readonly isSet: Result<F, boolean>

  /** Sets the event and ends all waits for it. @throws {@link ShareError} as every call. */
  set(): Result<F, void>

  /** Clears the event: later waits wait for the next `set`. @throws {@link ShareError} as every call. */
  clear(): Result<F, void>

  /**
   * Waits until the event is set; returns true.
   * @throws {@link ShareError} `ERR_TIMEOUT` after `timeoutMs`; the signal's reason when it aborts. As every call.
   */
  wait(options?: WaitOptionsOf<F>): Result<F, true>
}

/** The operations of an event in the server. */
export interface EventOperations extends OperationsOf<EventContract<'server'>, 'wait'> {
  wait(timeoutMs?: number | undefined): true
}

export const eventContract = contract<EventOperations>('Event')
