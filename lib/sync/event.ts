/** Event: a flag that can be awaited. */
import type { Handle } from '../memory/handle.ts'
import { type AttachOptions, assertSegmentOptions, SEGMENT_OPTIONS, type SegmentOptions } from '../memory/segment.ts'
import { assertedName } from '../memory/segment-name.ts'
import { registerKind } from '../memory/shareable.ts'
import { attachSite, createSite, openSite, Site, type SiteSpec } from '../memory/site.ts'
import { native } from '../native.ts'
import { assertOptions } from '../validate.ts'
import { ObjectState, SharedObject, stateAt } from './shared-object.ts'
import { assertSyncWaitOptions, assertWaitOptions, type SyncWaitOptions, type WaitOptions } from './wait-options.ts'
import { block, NOT_NOW, timeoutError, WaitQueue } from './wait-queue.ts'

const KIND = 'Event'

class EventState extends ObjectState<'Event'> {
  readonly wait: number
  readonly waitQueue: WaitQueue

  constructor({ attachment, cell }: Site) {
    super(native.bindEvent(attachment.segment.native, cell))
    this.wait = native.objectWait(this.object, 0)
    this.waitQueue = this.addWaitQueue(new WaitQueue(this.wait))
  }
}

/** How an event is created, opened and checked. */
export function eventSpec(options: SegmentOptions = {}): SiteSpec {
  assertOptions('options', options, SEGMENT_OPTIONS)
  assertSegmentOptions(options)
  // Zeros are an event that is not set.
  return { description: { kind: KIND }, cellsBytes: native.eventBytes(), initialise: () => {} }
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
export class Event extends SharedObject<EventState> {
  /**
   * Makes an anonymous event that is not set; others attach to it through its `handle`.
   * @throws {@link ShareError} `ENOSPC`, `ENOMEM`, `EMFILE` when the system has no room.
   */
  constructor(options?: SegmentOptions) {
    const site = options instanceof Site ? options : createSite(undefined, eventSpec(options), options ?? {})
    super(site, stateAt(site, EventState))
  }

  /** Makes an event of that name. @throws {@link ShareError} `EEXIST` when there is one; as the constructor. */
  static create(name: string, options?: SegmentOptions): Event {
    return new Event(createSite(assertedName(name), eventSpec(options), options ?? {}) as SegmentOptions)
  }

  /** Attaches to an event by name or handle. @throws {@link ShareError} as {@link SharedMemory.attach}. */
  static attach(target: string | Handle, options?: AttachOptions): Event {
    return new Event(attachSite(KIND, target, options) as SegmentOptions)
  }

  /** Attaches to the event of that name, or creates it: of many who do so at once exactly one creates. */
  static open(name: string, options?: SegmentOptions): Event {
    return new Event(openSite(name, eventSpec(options), options ?? {}) as SegmentOptions)
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
   * @throws {@link ShareError} `ERR_TIMEOUT` after `timeoutMs`; `ERR_CLOSED` if this object is closed, or gets closed meanwhile. The
   * reason of the signal when it aborts.
   */
  async wait(options: WaitOptions = {}): Promise<true> {
    const { object, waitQueue } = this.state
    assertWaitOptions(options)
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
  waitSync(options: SyncWaitOptions = {}): true {
    const { object, wait } = this.state
    assertSyncWaitOptions(options)
    const { timeoutMs = Infinity } = options
    const ticket = native.eventTicket(object)
    const answer = block(wait, () => (native.eventHappened(object, ticket) ? true : NOT_NOW), ticket, timeoutMs)
    if (answer === NOT_NOW) throw timeoutError(this, timeoutMs)
    return answer
  }
}

registerKind(KIND, (handle, options) => Event.attach(handle, options))
