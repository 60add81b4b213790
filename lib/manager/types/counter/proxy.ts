/** CounterProxy: an exact integer in the server. */
import type { BlockingProxy } from '../../client/blocking.ts'
import { containerMethod } from '../../client/container.ts'
import { ManagedProxy } from '../../client/proxy.ts'
import { type NameOptions, proxyType } from '../../client/proxy-type.ts'
import type { operations } from '../../contract/contract.ts'
import type { blockingForm, Form, Result } from '../../contract/form.ts'
import { type CounterContract, type CounterOperations, counterContract } from './contract.ts'

/**
 * An integer that lives in the server of a {@link Manager}: `manager.counter()`.
 *
 * @remarks Each method is one exact step, so no increment is lost when clients count at the same time. The value is an integer from
 * −(2^53 − 1) to 2^53 − 1. On one machine, `add` of a {@link Value} does the same much faster.
 * @example
 * ```ts
 * import { Manager } from 'procshare'
 * await using manager = await Manager.start()
 * const visits = await manager.counter('visits')
 * console.assert((await visits.increment()) === 1)
 * console.assert((await visits.increment(10)) === 11)
 * console.assert((await visits.reset()) === 11) // the old value
 * console.assert((await visits.value) === 0)
 * ```
 */
export class CounterProxy extends ManagedProxy implements CounterContract<'asynchronous'> {
  /** @internal */
  static override readonly writer = 'increment(by), decrement(by) and reset(value)'
  /** @internal */
  declare readonly [operations]: CounterOperations
  /** @internal */
  declare readonly [blockingForm]: BlockingCounter

  get value(): Promise<number> {
    return this.request('value', [])
  }

  increment(by = 1): Promise<number> {
    return this.request('increment', [by])
  }

  decrement(by = 1): Promise<number> {
    return this.request('decrement', [by])
  }

  reset(value = 0): Promise<number> {
    return this.request('reset', [value])
  }
}

/** The blocking form of {@link CounterProxy}. */
export interface BlockingCounter extends CounterContract<'blocking'>, BlockingProxy {}

/** The methods that make counters. */
export interface CounterFactory<F extends Form> {
  /**
   * The counter of that name, which is made with 0 if it does not exist; without a name, a new counter.
   * @throws {@link ShareError} `ERR_KIND` when the name belongs to an object of another type; as every call.
   */
  counter(name?: string): Result<F, CounterProxy>
  /**
   * A counter with this value, or the counter of the name in `options`.
   * @throws `TypeError`, `RangeError` for a value that is not an integer from −(2^53 − 1) to 2^53 − 1.
   */
  counter(initial: number, options?: NameOptions): Result<F, CounterProxy>
}

export const counterProxies = proxyType(counterContract, CounterProxy).madeBy<
  CounterFactory<'asynchronous'>,
  CounterFactory<'blocking'>
>((make) => containerMethod(make, (initial) => initial))
