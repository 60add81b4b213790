/** The proxies of managed semaphores. */

import type { WaitOptions } from '../../../sync/wait-options.ts'
import type { BlockingProxy } from '../../client/blocking.ts'
import type { ManagedProxy } from '../../client/proxy.ts'
import { checkedOptions, type NameOptions, proxyType } from '../../client/proxy-type.ts'
import type { Channel } from '../../client/remote.ts'
import { WaitingProxy } from '../../client/waiting-proxy.ts'
import type { operations } from '../../contract/contract.ts'
import type { blockingForm, Form, Result } from '../../contract/form.ts'
import {
  boundedSemaphoreContract,
  type SemaphoreContract,
  type SemaphoreOperations,
  semaphoreContract,
} from './contract.ts'

/**
 * The number of units that were acquired through each proxy. The entry keeps the proxy: if the proxy were collected, the server would take
 * its units back. The channel keeps the entry.
 */
const taken = new WeakMap<Channel, Map<ManagedProxy, number>>()

/** The common part of {@link SemaphoreProxy} and {@link BoundedSemaphoreProxy}. */
export abstract class AnySemaphoreProxy extends WaitingProxy implements SemaphoreContract<'asynchronous'> {
  /** @internal */
  declare readonly [operations]: SemaphoreOperations
  /** @internal */
  declare readonly [blockingForm]: BlockingSemaphoreProxy

  acquire(options?: WaitOptions): Promise<void> {
    return this.after(this.requestWait('acquire', options, [], { undo: this.#undo }), () => this.#count(1))
  }

  tryAcquire(): Promise<boolean> {
    const acquired = this.request('tryAcquire', [], { undo: this.#undo })
    return this.after(acquired, (isTaken) => {
      if (isTaken) this.#count(1)
      return isTaken
    })
  }

  release(units = 1): Promise<void> {
    const released = this.request('release', [units])
    return this.after(released, () => this.#count(-units))
  }

  get value(): Promise<number> {
    return this.request('value', [])
  }

  override close(): void {
    taken.get(this.channel)?.delete(this.whole)
    super.close()
  }

  readonly #undo = (isTaken: boolean | undefined) => {
    if (isTaken !== false) this.post('release', [1])
  }

  #count(units: number): void {
    let proxies = taken.get(this.channel)
    if (proxies === undefined) {
      proxies = new Map()
      taken.set(this.channel, proxies)
    }
    if (units > 0) proxies.set(this.whole, (proxies.get(this.whole) ?? 0) + units)
    else {
      // Units belong to the client: units that were acquired through another proxy of this semaphore are released as well.
      let left = -units
      const own = [this.whole, ...[...proxies.keys()].filter((proxy) => proxy !== this.whole && proxy.equals(this))]
      for (const proxy of own) {
        const count = proxies.get(proxy) ?? 0
        if (count > left) proxies.set(proxy, count - left)
        else proxies.delete(proxy)
        left = Math.max(0, left - count)
      }
    }
  }
}

/**
 * A number of units in the server of a {@link Manager}: `acquire` takes one, waiting while there is none, and `release` puts units back.
 *
 * @remarks The counterpart of {@link Semaphore} in shared memory. Any client may release. Unless it was created with `recoverable: false`,
 * the units of a client come back when the client ends, or closes its last proxy. Use `recoverable: false` where one client releases units
 * for another, as a message.
 * @example
 * ```ts
 * import { Manager } from 'procshare'
 * await using manager = await Manager.start()
 * const slots = await manager.Semaphore(2)
 * await slots.acquire({ timeoutMs: 1_000 })
 * console.assert((await slots.value) === 1)
 * await slots.release()
 * ```
 */
export class SemaphoreProxy extends AnySemaphoreProxy {}

/**
 * A {@link SemaphoreProxy} that is never released more often than it was acquired: its initial value is its limit.
 *
 * @example
 * ```ts
 * import { Manager } from 'procshare'
 * await using manager = await Manager.start()
 * const slots = await manager.BoundedSemaphore(1)
 * console.assert(await slots.tryAcquire() && !(await slots.tryAcquire()))
 * await slots.release()
 * ```
 */
export class BoundedSemaphoreProxy extends AnySemaphoreProxy {}

/** A {@link SemaphoreProxy} or {@link BoundedSemaphoreProxy} in the blocking form. */
export interface BlockingSemaphoreProxy extends SemaphoreContract<'blocking'>, BlockingProxy {}

/** The options of a managed semaphore. */
export interface ManagedSemaphoreOptions extends NameOptions {
  /** Whether the units of a client come back when the client ends without releasing them. @defaultValue `true` */
  readonly recoverable?: boolean
}

/** The method that makes semaphores. */
export interface SemaphoreFactory<F extends Form> {
  /**
   * Makes a semaphore, or finds the semaphore of that name.
   * @param value - the number of units at first: an integer from 0 to 2^31 − 1
   * @throws as {@link Lock}; `TypeError`, `RangeError` for another value.
   */
  Semaphore(value?: number, options?: ManagedSemaphoreOptions | string): Result<F, SemaphoreProxy>
}

/** The method that makes bounded semaphores. */
export interface BoundedSemaphoreFactory<F extends Form> {
  /**
   * Makes a bounded semaphore, or finds the bounded semaphore of that name.
   * @param value - the number of units: an integer from 0 to 2^31 − 1
   * @throws as {@link Semaphore}.
   */
  BoundedSemaphore(value?: number, options?: ManagedSemaphoreOptions | string): Result<F, BoundedSemaphoreProxy>
}

export const semaphoreProxies = proxyType(semaphoreContract, SemaphoreProxy).madeBy<
  SemaphoreFactory<'asynchronous'>,
  SemaphoreFactory<'blocking'>
>((make) => (value = 1, options) => {
  const { recoverable, ...rest } = checkedOptions(options, ['recoverable'])
  return make([value, recoverable], rest)
})

export const boundedSemaphoreProxies = proxyType(boundedSemaphoreContract, BoundedSemaphoreProxy).madeBy<
  BoundedSemaphoreFactory<'asynchronous'>,
  BoundedSemaphoreFactory<'blocking'>
>((make) => (value = 1, options) => {
  const { recoverable, ...rest } = checkedOptions(options, ['recoverable'])
  return make([value, recoverable], rest)
})
