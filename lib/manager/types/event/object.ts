/** Managed events: a flag, and the requests that wait for it. */

import { assertTimeout } from '../../../validate.ts'
import { managedType } from '../../server/managed-type.ts'
import type { Client, Request } from '../../server/request.ts'
import { RequestQueue, showWaiting } from '../../server/request-queue.ts'
import { eventContract } from './contract.ts'

class ManagedEvent {
  isSet = false
  readonly #queue = new RequestQueue<true>('Event')

  get waiting(): number {
    return this.#queue.size
  }

  wait(request: Request, timeoutMs: number | undefined): true | Promise<true> {
    return this.isSet || this.#queue.wait(request, undefined, timeoutMs)
  }

  /** Ends all waits, even if the event is cleared immediately afterwards. */
  set(): void {
    this.isSet = true
    for (const waiting of this.#queue) this.#queue.grant(waiting, true)
  }

  disconnect(client: Client): void {
    this.#queue.cancelAllOf(client)
  }
}

export const eventType = managedType(eventContract, () => new ManagedEvent(), {
  methods: {
    set: (event) => event.set(),
    clear: (event) => {
      event.isSet = false
    },
    isSet: (event) => event.isSet,
    wait: (event, request, timeoutMs) => {
      assertTimeout('options.timeoutMs', timeoutMs)
      return event.wait(request, timeoutMs)
    },
  },
  disconnect: (event, client) => event.disconnect(client),
  show: ({ isSet, waiting }) => `Event(${isSet ? 'set' : 'unset'}${showWaiting(waiting)})`,
})
