/** The proxy of managed events. */
import type { SyncWaitOptions, WaitOptions } from '../../../sync/wait-options.ts'
import type { BlockingMethods, blockingForm } from '../blocking.ts'
import type { ManagedProxy } from '../proxy.ts'
import { registerProxy } from '../proxy-classes.ts'
import { WaitingProxy } from './waiting.ts'

/**
 * A flag in the server of a {@link Manager}, which clients set, clear and wait for.
 *
 * @remarks What {@link Event} is in shared memory. `set` ends the waits of all, also if the event is cleared right after.
 * @example
 * ```ts
 * import { Manager } from 'procshare'
 * await using manager = await Manager.start()
 * const ready = await manager.Event()
 * const waiting = ready.wait({ timeoutMs: 1_000 })
 * await ready.set()
 * console.assert(await waiting)
 * ```
 */
export class EventProxy extends WaitingProxy {
  /** @internal */
  declare readonly [blockingForm]: BlockingEventProxy

  /** Whether the event is set. @throws {@link ShareError} as every call. */
  get isSet(): Promise<boolean> {
    return this.call('isSet')
  }

  /** Sets the event and ends all waits for it. @throws {@link ShareError} as every call. */
  set(): Promise<void> {
    return this.call('set')
  }

  /** Clears the event: those who wait from now on wait for the next `set`. @throws {@link ShareError} as every call. */
  clear(): Promise<void> {
    return this.call('clear')
  }

  /**
   * Waits until the event is set, and gives true.
   * @throws {@link ShareError} `ERR_TIMEOUT` after `timeoutMs`; the signal's reason when it aborts. As every call.
   */
  wait(options?: WaitOptions): Promise<true> {
    return this.callAndWait('wait', options)
  }
}

/** An {@link EventProxy} in the blocking form. */
export interface BlockingEventProxy extends BlockingMethods<ManagedProxy> {
  /** {@link EventProxy.isSet}. */
  readonly isSet: boolean
  /** {@link EventProxy.set}. */
  set(): void
  /** {@link EventProxy.clear}. */
  clear(): void
  /** {@link EventProxy.wait}, blocking the thread. */
  wait(options?: SyncWaitOptions): true
}

registerProxy('Event', EventProxy)
