/** The proxies of managed semaphores. */
import type { SyncWaitOptions, WaitOptions } from '../../../sync/wait-options.ts'
import type { BlockingMethods, blockingForm } from '../blocking.ts'
import type { Channel } from '../channel.ts'
import type { ManagedProxy } from '../proxy.ts'
import { registerProxy } from '../proxy-classes.ts'
import { WaitingProxy } from './waiting.ts'

/**
 * How many units were acquired through each proxy. It keeps the proxy: when that is collected, the server takes its units back. What keeps
 * this is the channel.
 */
const taken = new WeakMap<Channel, Map<ManagedProxy, number>>()

/** What {@link SemaphoreProxy} and {@link BoundedSemaphoreProxy} share. */
export abstract class AnySemaphoreProxy extends WaitingProxy {
  /**
   * Takes one unit; those who ask get theirs in the order in which their requests arrive.
   * @throws {@link ShareError} `ERR_TIMEOUT` after `timeoutMs`; the signal's reason when it aborts. No unit has been taken then. As every
   * call.
   */
  acquire(options?: WaitOptions): Promise<void> {
    return this.after(this.callAndWait<void>('acquire', options, [], { undo: this.#undo }), () => this.#count(1))
  }

  /** Takes one unit if there is one, and says whether it did. @throws {@link ShareError} as every call. */
  tryAcquire(): Promise<boolean> {
    const acquired = this.call<boolean>('tryAcquire', [], { undo: this.#undo })
    return this.after(acquired, (isTaken) => {
      if (isTaken) this.#count(1)
      return isTaken
    })
  }

  /**
   * Puts units back, whoever has taken them: first those that this client has, then those of the clients that have had some for
   * longest, and then new ones.
   * @throws {@link ShareError} `ERR_OVER_RELEASE` when the value would go beyond its limit (the initial value of a bounded semaphore,
   * otherwise 2^31 − 1); nothing has been released then. As every call.
   */
  release(units = 1): Promise<void> {
    const released = this.call<void>('release', [units])
    return this.after(released, () => this.#count(-units))
  }

  /** How many units there are at this moment. @throws {@link ShareError} as every call. */
  get value(): Promise<number> {
    return this.call('value')
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
      // Units are the client's: those that came through another proxy of this semaphore go as well.
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
 * A counter in the server of a {@link Manager}, which is taken down by `acquire` and up by `release`, and makes those wait who would take
 * it below zero.
 *
 * @remarks What {@link Semaphore} is in shared memory. Anybody may release. Unless it was made with `recoverable: false`, the units of a
 * client come back when the client ends, or lets go of its proxy: say so for a semaphore whose units are not a property but a
 * message, released by one client for another.
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
export class SemaphoreProxy extends AnySemaphoreProxy {
  /** @internal */
  declare readonly [blockingForm]: BlockingSemaphoreProxy
}

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
export class BoundedSemaphoreProxy extends AnySemaphoreProxy {
  /** @internal */
  declare readonly [blockingForm]: BlockingSemaphoreProxy
}

/** A {@link SemaphoreProxy} or {@link BoundedSemaphoreProxy} in the blocking form. */
export interface BlockingSemaphoreProxy extends BlockingMethods<ManagedProxy> {
  /** {@link SemaphoreProxy.acquire}, blocking the thread. */
  acquire(options?: SyncWaitOptions): void
  /** {@link SemaphoreProxy.tryAcquire}. */
  tryAcquire(): boolean
  /** {@link SemaphoreProxy.release}. */
  release(units?: number): void
  /** {@link SemaphoreProxy.value}. */
  readonly value: number
}

registerProxy('Semaphore', SemaphoreProxy)
registerProxy('BoundedSemaphore', BoundedSemaphoreProxy)
