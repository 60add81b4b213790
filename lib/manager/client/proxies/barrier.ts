/** The proxy of managed barriers. */
import type { SyncWaitOptions, WaitOptions } from '../../../sync/wait-options.ts'
import { assertFunction, assertNotThenable } from '../../../validate.ts'
import type { Acting, Arrival } from '../../server/types/barrier.ts'
import type { BlockingMethods, blockingForm } from '../blocking.ts'
import type { ManagedProxy } from '../proxy.ts'
import { registerProxy } from '../proxy-classes.ts'
import { WaitingProxy } from './waiting.ts'

/** What the last one to arrive at a barrier does before the others are let go. */
export type BarrierAction = () => unknown

/** What follows an arrival is said whatever has become of the signal of the wait. */
const PLAIN = { isPlain: true } as const

/**
 * A meeting point in the server of a {@link Manager} for a fixed number of parties: each waits until all have arrived, again and again.
 *
 * @remarks What {@link Barrier} is in shared memory. A party is a call of `wait`. When one gives up (its timeout, its signal, the close of its
 * proxy) or its client ends while it waits, the barrier is broken: those who wait, and all who come later, get `ERR_BROKEN_BARRIER` until
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
export class BarrierProxy extends WaitingProxy {
  /** @internal */
  declare readonly [blockingForm]: BlockingBarrierProxy

  #action: BarrierAction | undefined

  /**
   * What the last one to arrive does before the others are let go, if it arrives through this proxy: functions do not travel, so give one to
   * all proxies. It may return a promise, but not in the blocking form.
   */
  get action(): BarrierAction | undefined {
    return this.#action
  }

  set action(action: BarrierAction | undefined) {
    if (action !== undefined) assertFunction('action', action)
    this.#action = action
  }

  /**
   * Waits for the others; gives the place in the order of arrival, from 0 on.
   *
   * @remarks While the action of a generation that is complete is going on, newcomers wait for its end first.
   * @throws {@link ShareError} `ERR_BROKEN_BARRIER` when the barrier is or gets broken; `ERR_TIMEOUT` after `timeoutMs`, or the signal's reason when it
   * aborts: each of these breaks the barrier for the others. Whatever `action` throws, which breaks it as well. As every call.
   */
  wait(options?: WaitOptions): Promise<number> {
    const arrived = this.callAndWait<Arrival>('wait', options, [this.#action !== undefined], {
      undo: (arrival: Arrival) => typeof arrival === 'number' || this.post('fail', [arrival.generation]),
    })
    return this.after(arrived, (arrival) => (typeof arrival === 'number' ? arrival : this.#act(arrival)) as number)
  }

  /** Breaks the barrier: those who wait, and all who come later, get `ERR_BROKEN_BARRIER`. @throws {@link ShareError} as every call. */
  abort(): Promise<void> {
    return this.call('abort')
  }

  /** Makes the barrier as new. Those who wait get `ERR_BROKEN_BARRIER`. @throws {@link ShareError} as every call. */
  reset(): Promise<void> {
    return this.call('reset')
  }

  /** How many parties wait for each other. @throws {@link ShareError} as every call. */
  get parties(): Promise<number> {
    return this.call('parties')
  }

  /** How many are waiting at this moment. @throws {@link ShareError} as every call. */
  get waiting(): Promise<number> {
    return this.call('waiting')
  }

  /** Whether the barrier is broken. @throws {@link ShareError} as every call. */
  get broken(): Promise<boolean> {
    return this.call('isBroken')
  }

  #act(acting: Acting): number | Promise<number> {
    return this.isBlocking ? this.#actBlocking(acting) : this.#actAsync(acting)
  }

  async #actAsync({ index, generation }: Acting): Promise<number> {
    try {
      await this.#action?.()
    } catch (error) {
      await this.call('fail', [generation], PLAIN).catch(() => {}) // the first error says more
      throw error
    }
    await this.call('finish', [generation], PLAIN)
    return index
  }

  #actBlocking({ index, generation }: Acting): number {
    try {
      const result = this.#action?.()
      assertNotThenable('action', result)
    } catch (error) {
      try {
        this.call('fail', [generation], PLAIN)
      } catch {
        // The first error says more.
      }
      throw error
    }
    this.call('finish', [generation], PLAIN)
    return index
  }

  override with(options: WaitOptions): this {
    const view = super.with(options)
    view.#action = this.#action
    return view
  }
}

/** A {@link BarrierProxy} in the blocking form. */
export interface BlockingBarrierProxy extends BlockingMethods<ManagedProxy> {
  /** {@link BarrierProxy.action}; may not return a promise. */
  action: BarrierAction | undefined
  /** {@link BarrierProxy.wait}, blocking the thread. */
  wait(options?: SyncWaitOptions): number
  /** {@link BarrierProxy.abort}. */
  abort(): void
  /** {@link BarrierProxy.reset}. */
  reset(): void
  /** {@link BarrierProxy.parties}. */
  readonly parties: number
  /** {@link BarrierProxy.waiting}. */
  readonly waiting: number
  /** {@link BarrierProxy.broken}. */
  readonly broken: boolean
}

registerProxy('Barrier', BarrierProxy)
