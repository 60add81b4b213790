/** Semaphore and BoundedSemaphore: they admit up to a number of users at a time. */
import { segmentError } from '../errors/segment-messages.ts'
import { defineKind, type KindSpec, type SharedClass } from '../memory/kind.ts'
import type { MemberOptions } from '../memory/member.ts'
import type { Placement } from '../memory/placement.ts'
import { type Segment, type SegmentOptions, takeSegmentOptions } from '../memory/segment.ts'
import { native, SEMAPHORE } from '../native.ts'
import { assertBoolean, assertInteger } from '../validate.ts'
import { ObjectState, SharedObject, stateAt } from './shared-object.ts'
import { type SyncWaitOptions, takeSyncWaitOptions, takeWaitOptions, type WaitOptions } from './wait-options.ts'
import { block, NOT_NOW, timeoutError, WaitQueue } from './wait-queue.ts'

/** The largest value of a semaphore, as in Python. */
const MAX_VALUE = 2 ** 31 - 1

/** The largest number of processes and workers that can have units of a recoverable semaphore at the same time. */
const MAX_HOLDERS = 256

/** How a semaphore is created. */
export interface SemaphoreOptions extends SegmentOptions {
  /**
   * Whether the units of a process or worker come back when it ends without releasing them, killed or not. Such a semaphore records the
   * number of units of each process or worker. Each can release only the units that it has acquired, and at most 256 of them can have units
   * at the same time.
   * @defaultValue `true` for a {@link BoundedSemaphore}; `false` for a {@link Semaphore}, which also serves as a signal that is released
   * without having been acquired
   */
  readonly recoverable?: boolean
}

class SemaphoreState extends ObjectState<'Semaphore'> {
  readonly wait: number
  readonly waitQueue: WaitQueue
  readonly #segment: Segment
  readonly #isRecoverable: boolean

  constructor({ attachment, cell, description }: Placement) {
    super(native.bindSemaphore(attachment.segment.native, cell))
    this.#segment = attachment.segment
    this.#isRecoverable = description.recoverable === true
    this.wait = native.objectWait(this.object, 0)
    this.waitQueue = this.addWaitQueue(new WaitQueue(this.wait))
  }

  /** Units of a recoverable semaphore belong to this environment: as long as it has units, the segment is not collected. */
  noteTaken(): void {
    if (this.#isRecoverable) this.#segment.pin()
  }

  noteReleased(units: number): void {
    if (this.#isRecoverable) this.#segment.unpin(units)
  }
}

type Kind = 'Semaphore' | 'BoundedSemaphore'

/** How a semaphore is created, opened and checked. */
function semaphoreSpec(kind: Kind, value: number, given: SemaphoreOptions | undefined): KindSpec<undefined> {
  assertInteger('value', value, 0, MAX_VALUE)
  const options = takeSegmentOptions(given, ['recoverable'])
  const { recoverable = kind === 'BoundedSemaphore' } = options
  assertBoolean('options.recoverable', recoverable)
  const limit = kind === 'BoundedSemaphore' ? value : MAX_VALUE
  const records = recoverable ? MAX_HOLDERS : 0
  const description = { kind, value, recoverable }
  return {
    options,
    description,
    cellsBytes: native.semaphoreBytes(records),
    initialise: (segment, cell) => native.initSemaphore(segment.native, cell, value, limit, records),
    check: (found) => {
      const same = found.recoverable === recoverable && (kind === 'Semaphore' || found.value === value)
      if (same) return undefined
      const expected = kind === 'Semaphore' ? { recoverable } : { value, recoverable }
      return { what: 'options', found, expected }
    },
  }
}

/** The common part of {@link Semaphore} and {@link BoundedSemaphore}. */
export abstract class SemaphoreBase extends SharedObject<SemaphoreState> {
  /** @internal */
  constructor(placement: Placement) {
    super(placement, stateAt(placement, SemaphoreState))
  }

  /** How many units are free at this moment; the answer may be out of date when the caller gets it. */
  get value(): number {
    return native.semaphoreValue(this.state.object)
  }

  /**
   * Takes one unit without blocking the event loop. Within one process or worker, requests are granted in the order of the calls.
   *
   * @remarks A pending acquisition keeps the process alive, unless {@link unref} was called.
   * @throws {@link ShareError} `ERR_TIMEOUT` after `timeoutMs`; `ERR_CLOSED` if this object is closed, before or during the wait. The
   * reason of the signal when it aborts. After an error, no unit was taken.
   */
  async acquire(options?: WaitOptions): Promise<void> {
    const { waitQueue } = this.state
    options = takeWaitOptions(options)
    options.signal?.throwIfAborted()
    const attempt = () => (this.#take() ? undefined : NOT_NOW)
    if (waitQueue.size === 0 && attempt() !== NOT_NOW) return
    if (options.timeoutMs === 0) throw timeoutError(this, 0)
    await waitQueue.wait(this, attempt, 1, options)
  }

  /**
   * Takes one unit, blocking the thread until one is free. Blocks the event loop: signal handlers do not run meanwhile, nor
   * timers and I/O. For scripts and workers.
   *
   * @throws {@link ShareError} `ERR_TIMEOUT` after `timeoutMs`; `ERR_CLOSED`.
   */
  acquireSync(options?: SyncWaitOptions): void {
    const { wait } = this.state
    const { timeoutMs = Infinity } = takeSyncWaitOptions(options)
    const answer = block(wait, () => (this.#take() ? undefined : NOT_NOW), 1, timeoutMs)
    if (answer === NOT_NOW) throw timeoutError(this, timeoutMs)
  }

  /**
   * Takes one unit if one is free, and returns whether it did.
   * @throws {@link ShareError} `ERR_CLOSED`.
   */
  tryAcquire(): boolean {
    return this.#take()
  }

  /**
   * Releases units and wakes waiters.
   *
   * @throws {@link ShareError} `ERR_OVER_RELEASE` when the value would exceed its limit (the initial value of a {@link BoundedSemaphore},
   * otherwise 2^31 − 1); `ERR_NOT_OWNER` when this process or worker releases more units of a recoverable semaphore than it has acquired;
   * `ERR_CLOSED`. After an error, no unit was released.
   */
  release(units = 1): void {
    const { state } = this
    const { object, waitQueue } = state
    assertInteger('units', units, 1, MAX_VALUE)
    const outcome = native.semaphoreRelease(object, units)
    waitQueue.pump() // waits of this environment need no wake-up
    if (outcome === SEMAPHORE.DONE) {
      state.noteReleased(units)
      return
    }
    const { subject } = this
    if (outcome === SEMAPHORE.TOO_MANY) throw segmentError('ERR_OVER_RELEASE', { ...subject, units })
    if (outcome === SEMAPHORE.NOT_HELD) {
      throw segmentError('ERR_NOT_OWNER', { ...subject, why: 'units are not held', units })
    }
    throw segmentError('ERR_CORRUPT', { segment: this.name })
  }

  /** @internal */
  protected override shownState(): unknown {
    return { value: this.value }
  }

  #take(): boolean {
    const { state } = this
    const outcome = native.semaphoreTryAcquire(state.object, 1)
    if (outcome === SEMAPHORE.DONE) {
      state.noteTaken()
      return true
    }
    if (outcome === SEMAPHORE.BUSY) return false
    if (outcome === SEMAPHORE.FULL) throw segmentError('ERR_TOO_MANY_WAITERS', { ...this.subject, limit: MAX_HOLDERS })
    throw segmentError('ERR_CORRUPT', { segment: this.name })
  }
}

export class SemaphoreObject extends SemaphoreBase {}
export class BoundedSemaphoreObject extends SemaphoreBase {}

/** The arguments of the constructor; `value` is an integer from 0 to 2^31 − 1, by default 1. */
type SemaphoreGiven<Options> = [value?: number, options?: Options]

/**
 * A counter that `acquire` decrements and `release` increments. At zero, `acquire` waits.
 *
 * @remarks A process may release without having acquired. Units have no owner: those of a process that dies are lost, unless the
 * semaphore is `recoverable`. Corresponds to Python's `multiprocessing.Semaphore`.
 * @example
 * ```ts
 * import { Semaphore } from 'procshare'
 * using slots = new Semaphore(2, { recoverable: true })
 * await slots.acquire({ timeoutMs: 1_000 })
 * try {
 *   console.assert(slots.value === 1)
 * } finally {
 *   slots.release()
 * }
 * ```
 */
export const Semaphore: SharedClass<
  SemaphoreObject,
  SemaphoreGiven<SemaphoreOptions>,
  SemaphoreGiven<MemberOptions<SemaphoreOptions>>
> = defineKind({
  name: 'Semaphore',
  Class: SemaphoreObject,
  spec: (value = 1, options?: SemaphoreOptions) => semaphoreSpec('Semaphore', value, options),
})
/** A counter whose units are acquired and released. */
export type Semaphore = SemaphoreObject

/**
 * A semaphore that is never released more often than it was acquired: its initial value is its limit.
 *
 * @remarks It is `recoverable` by default: the units of a process or worker that ends come back, and a process or worker releases only
 * units that it has acquired. Pass `recoverable: false` for the behaviour of Python's `multiprocessing.BoundedSemaphore`, where units of
 * a dead process are lost and every process may release.
 * @example
 * ```ts
 * import { BoundedSemaphore } from 'procshare'
 * using slots = new BoundedSemaphore(1)
 * console.assert(slots.tryAcquire() && !slots.tryAcquire())
 * slots.release()
 * ```
 */
export const BoundedSemaphore: SharedClass<
  BoundedSemaphoreObject,
  SemaphoreGiven<SemaphoreOptions>,
  SemaphoreGiven<MemberOptions<SemaphoreOptions>>
> = defineKind({
  name: 'BoundedSemaphore',
  Class: BoundedSemaphoreObject,
  spec: (value = 1, options?: SemaphoreOptions) => semaphoreSpec('BoundedSemaphore', value, options),
})
/** A {@link Semaphore} whose initial value is its limit. */
export type BoundedSemaphore = BoundedSemaphoreObject
