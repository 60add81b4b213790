/** The proxy of managed events. */

import type { WaitOptions } from '../../../sync/wait-options.ts'
import type { BlockingProxy } from '../../client/blocking.ts'
import { checkedOptions, type NameOptions, proxyType } from '../../client/proxy-type.ts'
import { WaitingProxy } from '../../client/waiting-proxy.ts'
import type { operations } from '../../contract/contract.ts'
import type { blockingForm, Form, Result } from '../../contract/form.ts'
import { type EventContract, type EventOperations, eventContract } from './contract.ts'

/**
 * A flag in the server of a {@link Manager}, which clients set, clear and wait for.
 *
 * @remarks The counterpart of {@link Event} in shared memory. `set` ends all waits, even if the event is cleared immediately afterwards.
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
export class EventProxy extends WaitingProxy implements EventContract<'asynchronous'> {
  /** @internal */
  declare readonly [operations]: EventOperations
  /** @internal */
  declare readonly [blockingForm]: BlockingEventProxy

  get isSet(): Promise<boolean> {
    return this.request('isSet', [])
  }

  set(): Promise<void> {
    return this.request('set', [])
  }

  clear(): Promise<void> {
    return this.request('clear', [])
  }

  wait(options?: WaitOptions): Promise<true> {
    return this.requestWait('wait', options, [])
  }
}

/** An {@link EventProxy} in the blocking form. */
export interface BlockingEventProxy extends EventContract<'blocking'>, BlockingProxy {}

/** The method that makes events. */
export interface EventFactory<F extends Form> {
  /** Makes an event that is not set, or finds the event of that name. @throws as {@link Lock}. */
  Event(options?: NameOptions | string): Result<F, EventProxy>
}

export const eventProxies = proxyType(eventContract, EventProxy).madeBy<
  EventFactory<'asynchronous'>,
  EventFactory<'blocking'>
>((make) => (options) => make([], checkedOptions(options, [])))
