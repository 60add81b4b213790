/** The contract of barriers. */
import { contract, type OperationsOf } from '../../contract/contract.ts'
import type { Form, Result, WaitOptionsOf } from '../../contract/form.ts'

/** A function that the last party to arrive at a barrier runs before the others continue. */
export type BarrierAction = () => unknown

/** The last party of a generation, if it has an action. It runs the action and then requests `finish` or `fail`. */
export interface Acting {
  readonly index: number
  readonly generation: number
}

/** The result of an arrival: the place in the order of arrival, from 0 on. */
export type Arrival = number | Acting

/** The interface of a barrier. */
export interface BarrierContract<F extends Form> {
  /**
   * The last party runs this function before the others continue, if it arrives through this proxy. Functions are not sent, so set the
   * action of each proxy. The function may return a promise, but not in the blocking form.
   */
  action: BarrierAction | undefined

  /**
   * Waits for the other parties; returns the place in the order of arrival, from 0 on.
   *
   * @remarks While the action of a complete generation runs, new arrivals wait for its end first.
   * @throws {@link ShareError} `ERR_BROKEN_BARRIER` when the barrier is broken, or breaks during the wait; `ERR_TIMEOUT` after `timeoutMs`;
   * the signal's reason when it aborts. A timeout, an abort, or an error of `action` breaks the barrier for the others. As every call.
   */
  wait(options?: WaitOptionsOf<F>): Result<F, number>

  /** Breaks the barrier: present and later waits fail with `ERR_BROKEN_BARRIER` until `reset`. @throws {@link ShareError} as every call. */
  abort(): Result<F, void>

  /** Makes the barrier usable again. Present waits fail with `ERR_BROKEN_BARRIER`. @throws {@link ShareError} as every call. */
  reset(): Result<F, void>

  /** The number of parties. @throws {@link ShareError} as every call. */
  readonly parties: Result<F, number>

  /** The number of parties that wait at this moment. @throws {@link ShareError} as every call. */
  readonly waiting: Result<F, number>

  /** Whether the barrier is broken. @throws {@link ShareError} as every call. */
  readonly broken: Result<F, boolean>
}

/** The operations of a barrier in the server. */
export interface BarrierOperations extends OperationsOf<BarrierContract<'server'>, 'wait' | 'action'> {
  /** Arrives. @param acts - whether the caller has an action to run if it is the last party */
  wait(timeoutMs?: number | undefined, acts?: boolean): Arrival
  /** Reports that the action of a generation has returned. The other parties continue. */
  finish(generation: number): void
  /** Reports that the action of a generation has failed. The barrier breaks. */
  fail(generation: number): void
}

export const barrierContract = contract<BarrierOperations, [parties: number, timeoutMs?: number | undefined]>('Barrier')
