/** Event: a flag that can be awaited. */
import { defineKind, type KindSpec, type SharedClass } from '../memory/kind.ts'
import type { Placement } from '../memory/placement.ts'
import { type SegmentOptions, takeSegmentOptions } from '../memory/segment.ts'
import { native } from '../native.ts'
import { ObjectState, SharedObject, stateAt } from './shared-object.ts'
import { type SyncWaitOptions, takeSyncWaitOptions, takeWaitOptions, type WaitOptions } from './wait-options.ts'
import { block, NOT_NOW, timeoutError, WaitQueue } from './wait-queue.ts'

class EventState extends ObjectState<'Event'> {
  readonly wait: number
  readonly waitQueue: WaitQueue

  constructor({ attachment, cell }: Placement) {
    super(native.bindEvent(attachment.segment.native, cell))
    this.wait = native.objectWait(this.object, 0)
    this.waitQueue = this.addWaitQueue(new WaitQueue(this.wait))
  }
}

function eventSpec(given?: SegmentOptions): KindSpec<undefined> {
  const options = takeSegmentOptions(given)
  // A cell of zeros is an event that is not set.
  return { description: { kind: 'Event' }, cellsBytes: native.eventBytes(), initialise: () => {}, options }
}

export class EventObject extends SharedObject<EventState> {
  constructor(placement: Placement) {
    super(placement, stateAt(placement, EventState))
  }

  /** Whether the event is set. */
  get isSet(): boolean {
    return native.eventIsSet(this.state.object)
  }

  /** @internal */
  protected override shownState(): unknown {
    return { isSet: this.isSet }
  }

  /** Sets the event and ends all waits for it. @throws {@link ShareError} `ERR_CLOSED`. */
  set(): void {
    const { object, waitQueue } = this.state
    native.eventSet(object)
    waitQueue.pump() // waits of this environment need no wake-up
  }

  /** Clears the event: later waits wait for the next `set`. @throws {@link ShareError} `ERR_CLOSED`. */
  clear(): void {
    native.eventClear(this.state.object)
  }

  /**
   * Waits until the event is set, without blocking the event loop, and resolves to true.
   *
   * @remarks A pending wait keeps the process alive, unless {@link unref} was called.
   * @throws {@link ShareError} `ERR_TIMEOUT` after `timeoutMs`; `ERR_CLOSED` if this object is closed, before or during the wait. The
   * reason of the signal when it aborts.
   */
  async wait(options?: WaitOptions): Promise<true> {
    const { object, waitQueue } = this.state
    options = takeWaitOptions(options)
    options.signal?.throwIfAborted()
    const ticket = native.eventTicket(object)
    const attempt = () => (native.eventHappened(object, ticket) ? true : NOT_NOW)
    if (attempt() === true) return true
    if (options.timeoutMs === 0) throw timeoutError(this, 0)
    return waitQueue.wait(this, attempt, ticket, options)
  }

  /**
   * Waits until the event is set, blocking the thread, and returns true. Blocks the event loop: signal handlers do not run
   * meanwhile, nor timers and I/O. For scripts and workers.
   *
   * @throws {@link ShareError} `ERR_TIMEOUT` after `timeoutMs`; `ERR_CLOSED`.
   */
  waitSync(options?: SyncWaitOptions): true {
    const { object, wait } = this.state
    const { timeoutMs = Infinity } = takeSyncWaitOptions(options)
    const ticket = native.eventTicket(object)
    const answer = block(wait, () => (native.eventHappened(object, ticket) ? true : NOT_NOW), ticket, timeoutMs)
    if (answer === NOT_NOW) throw timeoutError(this, timeoutMs)
    return answer
  }
}

/**
 * A flag that processes, workers and tasks set, clear and wait for.
 *
 * @remarks A wait ends when the event is set, even if it is cleared again before the waiter runs. `set` wakes all waiters. The flag keeps
 * its state when a process dies. Corresponds to Python's `multiprocessing.Event`.
 * @example
 * ```ts
 * import { Event } from 'procshare'
 * using ready = new Event()
 * const waiting = ready.wait({ timeoutMs: 1_000 })
 * ready.set()
 * await waiting
 * console.assert(ready.isSet)
 * ```
 */
export const Event: SharedClass<EventObject, [options?: SegmentOptions], []> = defineKind({
  name: 'Event',
  Class: EventObject,
  spec: eventSpec,
})
/** A flag that processes, workers and tasks set, clear and wait for. */
export type Event = EventObject
