/** The contract of barriers. */
import { contract, type OperationsOf } from '../../contract/contract.ts'
import type { Form, Result, WaitOptionsOf } from '../../contract/form.ts'

/** What the last party to arrive at a barrier does before the others are let go. */
export type BarrierAction = () => unknown

/** The last party of a generation, which has an action: it runs the action and then requests `finish` or `fail`. */
export interface Acting {
  readonly index: number
  readonly generation: number
}

/** What an arrival returns: the place in the order of arrival, from 0 on. */
export type Arrival = number | Acting

/** What a barrier offers. */
export interface BarrierContract<F extends Form> {
  /**
   * What the last one to arrive does before the others are let go, if it arrives through this proxy: functions do not travel, so give one to
   * all proxies. It may return a promise, but not in the blocking form.
   */
  action: BarrierAction | undefined

  /**
   * Waits for the others; gives the place in the order of arrival, from 0 on.
   *
   * @remarks While the action of a generation that is complete is going on, newcomers wait for its end first.
   * @throws {@link ShareError} `ERR_BROKEN_BARRIER` when the barrier is or gets broken; `ERR_TIMEOUT` after `timeoutMs`, or the signal's reason when it
   * aborts: each of these breaks the barrier for the others. Whatever `action` throws, which breaks it as well. As every call.
   */
  wait(options?: WaitOptionsOf<F>): Result<F, number>

  /** Breaks the barrier: those who wait, and all who come later, get `ERR_BROKEN_BARRIER`. @throws {@link ShareError} as every call. */
  abort(): Result<F, void>

  /** Makes the barrier as new. Those who wait get `ERR_BROKEN_BARRIER`. @throws {@link ShareError} as every call. */
  reset(): Result<F, void>

  /** How many parties wait for each other. @throws {@link ShareError} as every call. */
  readonly parties: Result<F, number>

  /** How many are waiting at this moment. @throws {@link ShareError} as every call. */
  readonly waiting: Result<F, number>

  /** Whether the barrier is broken. @throws {@link ShareError} as every call. */
  readonly broken: Result<F, boolean>
}

/** The operations of a barrier in the server. */
export interface BarrierOperations extends OperationsOf<BarrierContract<'server'>, 'wait' | 'action'> {
  /** Arrives. @param acts - whether the caller has an action to run if it is the last party */
  wait(timeoutMs?: number | undefined, acts?: boolean): Arrival
  /** The action of a generation has returned: the other parties go on. */
  finish(generation: number): void
  /** The action of a generation has failed: the barrier breaks. */
  fail(generation: number): void
}

export const barrierContract = contract<BarrierOperations, [parties: number, timeoutMs?: number | undefined]>('Barrier')
