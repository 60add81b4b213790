/** Event: a flag that can be awaited. */
import { defineKind, type KindSpec, type SharedClass } from '../memory/kind.ts'
import type { Placement } from '../memory/placement.ts'
import { type SegmentOptions, takeSegmentOptions } from '../memory/segment.ts'
import { native } from '../native.ts'
import { ObjectState, SharedObject, stateAt } from './shared-object.ts'
import { block, NOT_NOW, timeoutError, WaitLine } from './wait-line.ts'
import { type SyncWaitOptions, takeSyncWaitOptions, takeWaitOptions, type WaitOptions } from './wait-options.ts'

class EventState extends ObjectState<'Event'> {
  readonly wait: number
  readonly line: WaitLine

  constructor({ attachment, cell }: Placement) {
    super(native.bindEvent(attachment.segment.native, cell))
    this.wait = native.objectWait(this.object, 0)
    this.line = this.addLine(new WaitLine(this.wait))
  }
}

function eventSpec(given?: SegmentOptions): KindSpec<undefined> {
  const options = takeSegmentOptions(given)
  // Zeros are an event that is not set.
  return { description: { kind: 'Event' }, cellsBytes: native.eventBytes(), initialise: () => {}, options }
}

class EventObject extends SharedObject<EventState> {
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
    const { object, line } = this.state
    native.eventSet(object)
    line.pump() // our own tasks need no wake-up
  }

  /** Clears the event: those who wait from now on wait for the next `set`. @throws {@link ShareError} `ERR_CLOSED`. */
  clear(): void {
    native.eventClear(this.state.object)
  }

  /**
   * Waits until the event is set, without blocking the event loop, and gives true.
   *
   * @remarks A pending wait keeps the process alive, unless {@link unref} was called.
   * @throws {@link ShareError} `ERR_TIMEOUT` after `timeoutMs`; `ERR_CLOSED` if this handle is or gets closed. The signal's
   * reason when it aborts.
   */
  async wait(options?: WaitOptions): Promise<true> {
    const { object, line } = this.state
    options = takeWaitOptions(options)
    options.signal?.throwIfAborted()
    const ticket = native.eventTicket(object)
    const attempt = () => (native.eventHappened(object, ticket) ? true : NOT_NOW)
    if (attempt() === true) return true
    if (options.timeoutMs === 0) throw timeoutError(this, 0)
    return line.wait(this, attempt, ticket, options)
  }

  /**
   * Waits until the event is set, blocking the thread, and gives true. Blocks the event loop: signal handlers do not run
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
 * @remarks A wait ends when the event is set, also if it is cleared again before the waiter has come to look. `set` wakes all
 * who wait. The flag stays as it is when a process dies. For Python's `multiprocessing.Event`.
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
