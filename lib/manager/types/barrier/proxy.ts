/** The proxy of managed barriers. */

import type { WaitOptions } from '../../../sync/wait-options.ts'
import { assertFunction, assertNotThenable } from '../../../validate.ts'
import type { BlockingProxy } from '../../client/blocking.ts'
import { checkedOptions, type NameOptions, proxyType } from '../../client/proxy-type.ts'
import { WaitingProxy } from '../../client/waiting-proxy.ts'
import type { operations } from '../../contract/contract.ts'
import type { blockingForm, Form, Result } from '../../contract/form.ts'
import {
  type Acting,
  type Arrival,
  type BarrierAction,
  type BarrierContract,
  type BarrierOperations,
  barrierContract,
} from './contract.ts'

/** The requests that follow an arrival are sent even if the signal of the wait has aborted. */
const PLAIN = { isPlain: true } as const

/**
 * A meeting point in the server of a {@link Manager} for a fixed number of parties: each waits until all have arrived. It can be used
 * repeatedly.
 *
 * @remarks The counterpart of {@link Barrier} in shared memory. A party is a call of `wait`. The barrier breaks when a wait ends early (a
 * timeout, a signal, the close of its proxy, the end of its client). Present and later waits then fail with `ERR_BROKEN_BARRIER` until
 * `reset`.
 * @example
 * ```ts
 * import { Manager } from 'procshare'
 * await using manager = await Manager.start()
 * const barrier = await manager.Barrier(2)
 * const [first, second] = await Promise.all([barrier.wait(), barrier.wait()])
 * console.assert(first === 0 && second === 1)
 * ```
 */
export class BarrierProxy extends WaitingProxy implements BarrierContract<'asynchronous'> {
  /** @internal */
  declare readonly [operations]: BarrierOperations
  /** @internal */
  declare readonly [blockingForm]: BlockingBarrierProxy

  #action: BarrierAction | undefined

  get action(): BarrierAction | undefined {
    return this.#action
  }

  set action(action: BarrierAction | undefined) {
    if (action !== undefined) assertFunction('action', action)
    this.#action = action
  }

  wait(options?: WaitOptions): Promise<number> {
    const arrived = this.requestWait('wait', options, [this.#action !== undefined], {
      undo: (arrival: Arrival) => typeof arrival === 'number' || this.post('fail', [arrival.generation]),
    })
    return this.after(arrived, (arrival) => (typeof arrival === 'number' ? arrival : this.#act(arrival)) as number)
  }

  abort(): Promise<void> {
    return this.request('abort', [])
  }

  reset(): Promise<void> {
    return this.request('reset', [])
  }

  get parties(): Promise<number> {
    return this.request('parties', [])
  }

  get waiting(): Promise<number> {
    return this.request('waiting', [])
  }

  get broken(): Promise<boolean> {
    return this.request('broken', [])
  }

  #act(acting: Acting): number | Promise<number> {
    return this.isBlocking ? this.#actBlocking(acting) : this.#actAsync(acting)
  }

  async #actAsync({ index, generation }: Acting): Promise<number> {
    try {
      await this.#action?.()
    } catch (error) {
      await this.request('fail', [generation], PLAIN).catch(() => {}) // the first error is the one to report
      throw error
    }
    await this.request('finish', [generation], PLAIN)
    return index
  }

  #actBlocking({ index, generation }: Acting): number {
    try {
      const result = this.#action?.()
      assertNotThenable('action', result)
    } catch (error) {
      try {
        this.request('fail', [generation], PLAIN)
      } catch {
        // The first error is the one to report.
      }
      throw error
    }
    this.request('finish', [generation], PLAIN)
    return index
  }

  override with(options: WaitOptions): this {
    const view = super.with(options)
    view.#action = this.#action
    return view
  }
}

/** The options of a managed barrier. */
export interface ManagedBarrierOptions extends NameOptions {
  /** The timeout of waits without a timeout of their own. It is the same for all clients. @defaultValue `Infinity` */
  readonly timeoutMs?: number
  /** {@link BarrierProxy.action} of the proxy that is returned. */
  readonly action?: BarrierAction
}

/** A {@link BarrierProxy} in the blocking form. */
export interface BlockingBarrierProxy extends BarrierContract<'blocking'>, BlockingProxy {}

/** The method that makes barriers. */
export interface BarrierFactory<F extends Form> {
  /**
   * Makes a barrier, or finds the barrier of that name.
   * @param parties - the number of parties: an integer of at least 1
   * @throws as {@link Manager.Lock}; `TypeError`, `RangeError` for another number.
   */
  Barrier(parties: number, options?: ManagedBarrierOptions | string): Result<F, BarrierProxy>
}

export const barrierProxies = proxyType(barrierContract, BarrierProxy).madeBy<
  BarrierFactory<'asynchronous'>,
  BarrierFactory<'blocking'>
>((make, isBlocking) => (parties, options) => {
  const { timeoutMs, action, ...rest } = checkedOptions(options, ['timeoutMs', 'action'])
  if (action !== undefined) assertFunction('options.action', action)
  const made = make<BarrierProxy>([parties, timeoutMs], rest)
  if (action === undefined) return made
  const equip = (barrier: BarrierProxy) => Object.assign(barrier, { action })
  return (isBlocking ? equip(made as unknown as BarrierProxy) : made.then(equip)) as Promise<BarrierProxy>
})
