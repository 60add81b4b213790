/** Barrier: a fixed number of parties wait for each other. */
import { segmentError } from '../errors/segment-messages.ts'
import { type AttachSpec, defineKind, type KindSpec, type SharedClass } from '../memory/kind.ts'
import type { MemberOptions } from '../memory/member.ts'
import type { Placement } from '../memory/placement.ts'
import { type AttachOptions, type SegmentOptions, takeSegmentOptions } from '../memory/segment.ts'
import { BARRIER, native } from '../native.ts'
import { assertFunction, assertInteger, assertNotThenable, assertTimeout, takeOptions } from '../validate.ts'
import { ObjectState, SharedObject, stateAt } from './shared-object.ts'
import { type SyncWaitOptions, takeSyncWaitOptions, takeWaitOptions, type WaitOptions } from './wait-options.ts'
import { block, NOT_NOW, timeoutError, WaitQueue } from './wait-queue.ts'

/** The largest number of processes and workers that can wait at a barrier at the same time. */
const MAX_MEMBERS = 256
/** The largest number of parties. */
const MAX_PARTIES = 2 ** 31 - 1

const exchange = new Float64Array(native.exchange, 0, native.layout.exchangeWords)

/** Options of one object of a barrier, which are not shared. */
export interface BarrierHandleOptions {
  /**
   * Called by the last party to arrive, before the waits end. It may return a promise, except in `waitSync`.
   * @remarks The object through which the last party arrives calls its own action: pass the option in all processes.
   */
  readonly action?: (() => unknown) | undefined
}

/** How a barrier is created. */
export interface BarrierOptions extends SegmentOptions, BarrierHandleOptions {
  /**
   * The default timeout of `wait` and `waitSync`. Part of the barrier: it applies in all processes.
   * @defaultValue `Infinity`
   */
  readonly timeoutMs?: number | undefined
}

/** The form in the segment: nanoseconds, or 0 for no timeout. Times longer than about three months are shortened to three months. */
function toNanoseconds(timeoutMs: number): number {
  if (timeoutMs === Infinity) return 0
  return Math.min(Math.max(Math.round(timeoutMs * 1e6), 1), Number.MAX_SAFE_INTEGER)
}

function toMilliseconds(timeoutNs: number): number {
  return timeoutNs === 0 ? Infinity : timeoutNs === 1 ? 0 : timeoutNs / 1e6
}

class BarrierState extends ObjectState<'Barrier'> {
  /** The native wait for the end of an action that another party performs. */
  readonly entry: number
  readonly entryQueue: WaitQueue
  /** One queue for each native wait. Each generation has a native wait of its own. */
  readonly #waitQueues = new Map<number, WaitQueue>()

  constructor({ attachment, cell }: Placement) {
    super(native.bindBarrier(attachment.segment.native, cell))
    this.entry = native.objectWait(this.object, 0)
    this.entryQueue = this.addWaitQueue(new WaitQueue(this.entry))
  }

  waitQueueOf(id: number): WaitQueue {
    let waitQueue = this.#waitQueues.get(id)
    if (waitQueue === undefined) {
      waitQueue = this.addWaitQueue(new WaitQueue(id))
      this.#waitQueues.set(id, waitQueue)
    }
    return waitQueue
  }

  /** Waits of this environment need no wake-up. */
  pump(): void {
    for (const waitQueue of this.waitQueues) waitQueue.pump()
  }

  /** Cancels a wait and breaks the barrier. If all parties have already arrived, it does not break the barrier and returns TRIPPED. */
  cancel(generation: number): number | undefined {
    const outcome = native.barrierCancel(this.object, generation)
    setImmediate(() => this.pump()) // later: this is called while a wait queue is pumped
    return outcome === BARRIER.TRIPPED ? outcome : undefined
  }
}

/** The result of an arrival. */
interface Arrival {
  readonly outcome: number
  readonly index: number
  readonly generation: number
  /** The id of the native wait for the others. */
  readonly wait: number
}

type Action = () => unknown

/** How a barrier is created, opened and checked. */
function barrierSpec(parties: number, given?: BarrierOptions): KindSpec<Action> {
  assertInteger('parties', parties, 1, MAX_PARTIES)
  const options = takeSegmentOptions(given, ['action', 'timeoutMs'])
  assertAction(options)
  assertTimeout('options.timeoutMs', options.timeoutMs)
  const timeoutNs = toNanoseconds(options.timeoutMs ?? Infinity)
  return {
    options,
    local: options.action,
    description: { kind: 'Barrier', parties, timeoutNs },
    cellsBytes: native.barrierBytes(MAX_MEMBERS),
    initialise: (segment, cell) => native.initBarrier(segment.native, cell, parties, MAX_MEMBERS, timeoutNs),
    check: (found) => {
      if (found.parties === parties && found.timeoutNs === timeoutNs) return undefined
      return {
        what: 'options',
        found: { parties: found.parties, timeoutMs: toMilliseconds(Number(found.timeoutNs)) },
        expected: { parties, timeoutMs: toMilliseconds(timeoutNs) },
      }
    },
  }
}

function attachSpec(given?: AttachOptions & BarrierHandleOptions): AttachSpec<Action> {
  const { anyOwner, action } = takeOptions('options', given, ['anyOwner', 'action'])
  assertAction({ action })
  return { options: anyOwner === undefined ? undefined : { anyOwner }, local: action }
}

function assertAction({ action }: BarrierHandleOptions): void {
  if (action !== undefined) assertFunction('options.action', action)
}

export class BarrierObject extends SharedObject<BarrierState> {
  readonly #action: Action | undefined

  constructor(placement: Placement, action: Action | undefined) {
    super(placement, stateAt(placement, BarrierState))
    this.#action = action
  }

  /** The number of parties. */
  get parties(): number {
    return native.barrierParties(this.state.object)
  }

  /** The default timeout of `wait` and `waitSync` in milliseconds, which is the same in all processes. */
  get timeoutMs(): number {
    return toMilliseconds(native.barrierTimeoutNs(this.state.object))
  }

  /** @internal */
  protected override shownState(): unknown {
    return { parties: this.parties, waiting: this.waiting, broken: this.broken }
  }

  /** How many parties are waiting at this moment. */
  get waiting(): number {
    return native.barrierWaiting(this.state.object)
  }

  /** Whether the barrier is broken. */
  get broken(): boolean {
    return native.barrierIsBroken(this.state.object)
  }

  /**
   * Waits for the other parties without blocking the event loop; resolves to the place in the order of arrival, from 0 on.
   *
   * @remarks While the action of a complete generation is being performed, later parties first wait for its end, which counts towards
   * the timeout. A pending wait keeps the process alive, unless {@link unref} was called.
   * @throws {@link ShareError} `ERR_BROKEN_BARRIER` when the barrier is broken, or breaks during the wait; `ERR_TOO_MANY_WAITERS`. These
   * break the barrier for the other parties: `ERR_TIMEOUT` after `timeoutMs` (by default the timeout of the barrier), `ERR_CLOSED` if this
   * object is closed, the reason of the signal when it aborts, and any error of `action`.
   */
  async wait(options?: WaitOptions): Promise<number> {
    const { state } = this
    const { timeoutMs = this.timeoutMs, signal } = takeWaitOptions(options)
    signal?.throwIfAborted()
    const deadline = performance.now() + timeoutMs
    let arrival = this.#arrive()
    if (arrival === NOT_NOW) {
      const attempt = () => this.#arrive()
      arrival = await state.entryQueue.wait(this, attempt, 0, { timeoutMs, signal })
    }
    if (arrival.outcome === BARRIER.ACTS) {
      try {
        await this.#action!()
      } catch (error) {
        if (!state.ended) state.cancel(arrival.generation)
        throw error
      }
      return this.#finish(state, arrival)
    }
    if (arrival.outcome !== BARRIER.WAITS) return this.#end(state, arrival.outcome, arrival)
    const { generation, wait } = arrival
    const attempt = () => this.#take(generation)
    const left = { timeoutMs: Math.max(deadline - performance.now(), 0), signal, askedMs: timeoutMs }
    const outcome = await state.waitQueueOf(wait).wait(this, attempt, 0, left, () => state.cancel(generation))
    return this.#end(state, outcome, arrival)
  }

  /**
   * {@link wait}, blocking the thread. Blocks the event loop: signal handlers do not run meanwhile, nor timers and I/O. For
   * scripts and workers.
   *
   * @throws as {@link wait}; `TypeError` when `action` returns a promise.
   */
  waitSync(options?: SyncWaitOptions): number {
    const { state } = this
    const { timeoutMs = this.timeoutMs } = takeSyncWaitOptions(options)
    const deadline = performance.now() + timeoutMs
    const arrival = block(state.entry, () => this.#arrive(), 0, timeoutMs)
    if (arrival === NOT_NOW) throw timeoutError(this, timeoutMs)
    if (arrival.outcome === BARRIER.ACTS) {
      try {
        const result = this.#action!()
        assertNotThenable('action', result)
      } catch (error) {
        if (!state.ended) state.cancel(arrival.generation)
        throw error
      }
      return this.#finish(state, arrival)
    }
    if (arrival.outcome !== BARRIER.WAITS) return this.#end(state, arrival.outcome, arrival)
    const { generation, wait } = arrival
    const left = Math.max(deadline - performance.now(), 0)
    const outcome = block(wait, () => this.#take(generation), 0, left)
    if (outcome !== NOT_NOW) return this.#end(state, outcome, arrival)
    const late = state.cancel(generation)
    if (late === undefined) throw timeoutError(this, timeoutMs)
    return this.#end(state, late, arrival)
  }

  /** Breaks the barrier: current and later waits fail with `ERR_BROKEN_BARRIER`. Idempotent. */
  abort(): void {
    const { object } = this.state
    native.barrierAbort(object)
    this.state.pump()
  }

  /** Restores the barrier to its initial state. Current waits fail with `ERR_BROKEN_BARRIER`. */
  reset(): void {
    const { object } = this.state
    native.barrierReset(object)
    this.state.pump()
  }

  #arrive(): Arrival | typeof NOT_NOW {
    const outcome = native.barrierArrive(this.state.object, this.#action !== undefined)
    if (outcome === BARRIER.BUSY) return NOT_NOW
    const [index, generation, wait] = exchange as unknown as [number, number, number]
    return { outcome, index, generation, wait }
  }

  #take(generation: number): number | typeof NOT_NOW {
    const outcome = native.barrierTake(this.state.object, generation)
    return outcome === BARRIER.WAITS ? NOT_NOW : outcome
  }

  /**
   * Ends the arrival after the action, which may have closed the object. If it closed the last object, other processes see the death of a
   * party.
   */
  #finish(state: BarrierState, arrival: Arrival): number {
    if (state.ended) this.assertOpen()
    return this.#end(state, native.barrierFinish(state.object, arrival.generation), arrival)
  }

  /** Returns or throws the result of a wait that has ended. */
  #end(state: BarrierState, outcome: number, { index }: Arrival): number {
    state.pump()
    if (outcome === BARRIER.TRIPPED) return index
    if (outcome === BARRIER.BROKEN) throw segmentError('ERR_BROKEN_BARRIER', this.subject)
    if (outcome === BARRIER.FULL) throw segmentError('ERR_TOO_MANY_WAITERS', { ...this.subject, limit: MAX_MEMBERS })
    throw segmentError('ERR_CORRUPT', { segment: this.name })
  }
}

/**
 * A meeting point for a fixed number of parties: each waits until all have arrived. It can be used again and again.
 *
 * @remarks A party is one call of `wait`, in any process, worker or task. The barrier breaks when a party cancels its wait (by its
 * timeout, its signal, or the close of its object) or dies while it waits. Current and later waits then fail with
 * `ERR_BROKEN_BARRIER` until `reset`. A death is noticed within a tenth of a second. Corresponds to Python's
 * `multiprocessing.Barrier`, with one difference: the party whose timeout has passed gets `ERR_TIMEOUT`.
 * @example
 * ```ts
 * import { Barrier } from 'procshare'
 * using barrier = new Barrier(2, { action: () => console.log('all are here') })
 * const [first, second] = await Promise.all([barrier.wait(), barrier.wait()])
 * console.assert(first === 0 && second === 1)
 * ```
 */
export const Barrier: SharedClass<
  BarrierObject,
  [parties: number, options?: BarrierOptions],
  [parties: number, options?: MemberOptions<BarrierOptions>],
  [options?: AttachOptions & BarrierHandleOptions]
> = defineKind({
  name: 'Barrier',
  Class: BarrierObject,
  spec: barrierSpec,
  attachSpec,
})
/** A meeting point for a fixed number of parties. */
export type Barrier = BarrierObject
