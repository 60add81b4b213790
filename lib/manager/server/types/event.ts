/** Managed events: a flag, and who waits for it. */
import { assertTimeout } from '../../../validate.ts'
import type { Call } from '../call.ts'
import { CallLine, showWaiting } from '../call-line.ts'
import { type ManagedType, methods } from '../managed-type.ts'
import type { Session } from '../session.ts'

class ManagedEvent {
  isSet = false
  readonly #line = new CallLine<true>('Event')

  get waiting(): number {
    return this.#line.size
  }

  wait(call: Call, timeoutMs: number | undefined): true | Promise<true> {
    return this.isSet || this.#line.wait(call, undefined, timeoutMs)
  }

  /** All who wait have seen it set, also when it is cleared right after. */
  set(): void {
    this.isSet = true
    for (const waiting of this.#line) this.#line.grant(waiting, true)
  }

  leave(session: Session): void {
    this.#line.endSession(session)
  }
}

export const eventType: ManagedType = {
  name: 'Event',
  create: () => new ManagedEvent(),
  methods: methods({
    set: (event: ManagedEvent) => event.set(),
    clear: (event: ManagedEvent) => {
      event.isSet = false
    },
    isSet: (event: ManagedEvent) => event.isSet,
    wait: (event: ManagedEvent, call, timeoutMs: unknown) => {
      assertTimeout('options.timeoutMs', timeoutMs)
      return event.wait(call, timeoutMs)
    },
  }),
  leave: (event: ManagedEvent, session) => event.leave(session),
  show: ({ isSet, waiting }: ManagedEvent) => `Event(${isSet ? 'set' : 'unset'}${showWaiting(waiting)})`,
}
