/** The base class of waitable objects: name, handle, `close()`, `ref()` and `unref()`. */
import { type InspectOptions, inspect } from 'node:util'
import { nameOf, type Subject } from '../errors/segment-messages.ts'
import { inspected } from '../inspection.ts'
import type { Handle } from '../memory/handle.ts'
import type { Placement } from '../memory/placement.ts'
import { type CellState, cellStateAt } from '../memory/segment.ts'
import { registerShareable } from '../memory/shareable.ts'
import { type NativeObject, native } from '../native.ts'
import type { Waiter, WaitQueue } from './wait-queue.ts'

/**
 * An object in one environment. There is one state per environment and cell, regardless of the number of the program's objects for that
 * cell.
 */
export abstract class ObjectState<Kind extends string> implements CellState {
  readonly object: NativeObject<Kind>
  readonly #waitQueues: WaitQueue[] = []
  #ended = false

  constructor(object: NativeObject<Kind>) {
    this.object = object
  }

  /** The wait queues of the object. */
  get waitQueues(): Iterable<WaitQueue> {
    return this.#waitQueues
  }

  /** Whether the environment has closed its last object, as a callback of the program may do in the middle of a method. */
  get ended(): boolean {
    return this.#ended
  }

  end(): void {
    this.#ended = true
    native.unbindObject(this.object)
  }

  protected addWaitQueue<Queue extends WaitQueue>(waitQueue: Queue): Queue {
    this.#waitQueues.push(waitQueue)
    return waitQueue
  }
}

/** The state of the object at a placement; made at its first use. */
export function stateAt<State extends CellState>(
  placement: Placement,
  type: new (placement: Placement) => State,
): State {
  return cellStateAt(placement.attachment.segment, placement.cell, type, () => new type(placement))
}

/** The base class of waitable objects: locks, semaphores, events, conditions, barriers and queues. */
export abstract class SharedObject<State extends { readonly waitQueues: Iterable<WaitQueue> }> implements Waiter {
  readonly #placement: Placement
  #state: State | undefined
  #keepsAlive = true

  /** @internal */
  constructor(placement: Placement, state: State) {
    this.#placement = placement
    this.#state = state
    registerShareable(this)
  }

  /** The name of the segment of the object; that of an anonymous object is random. */
  get name(): string {
    return this.#placement.attachment.name
  }

  /**
   * The number of main threads and workers, of all processes, that have the segment open at this moment, including this one.
   *
   * @remarks Each counts once, even if it has several objects in the segment. A process that was killed does not count, nor does one whose
   * last object was closed or collected. The number may have changed by the time you read it.
   * @throws {@link ShareError} `ERR_CLOSED`.
   */
  get memberCount(): number {
    return this.#placement.attachment.memberCount
  }

  /**
   * A plain description with which other processes attach. After the handle has been read, the object stays until {@link close}: see
   * {@link Handle}.
   */
  get handle(): Handle {
    return this.#placement.handleOf(this)
  }

  /** The same as `handle`, for `JSON.stringify` and `process.send`. */
  toJSON(): Handle {
    return this.handle
  }

  /**
   * Makes pending asynchronous waits of this object keep the process alive, as they do by default. Undoes {@link unref}.
   * @returns the object itself
   */
  ref(): this {
    return this.#setKeepsAlive(true)
  }

  /**
   * Lets the process or worker end while asynchronous waits of this object are pending, including those that are pending now, as
   * `unref()` of a timer does. Undone by {@link ref}.
   * @returns the object itself
   */
  unref(): this {
    return this.#setKeepsAlive(false)
  }

  /** Closes this object; pending waits of it are rejected with `ERR_CLOSED`. Idempotent. */
  close(): void {
    const state = this.#state
    if (state === undefined) return
    this.#state = undefined
    const error = this.#placement.attachment.closedError()
    for (const waitQueue of state.waitQueues) waitQueue.failWaiter(this, error)
    this.#placement.attachment.close()
  }

  /**
   * Removes the name now. Attached processes go on; no other process can attach.
   * @throws {@link ShareError} `ENOENT` when the name was removed before; `ERR_CLOSED`.
   */
  unlink(): void {
    this.#placement.attachment.unlink()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  [inspect.custom](_depth: number, options: InspectOptions): string {
    return inspected(nameOf(this.subject), this.#state === undefined, () => this.shownState(), options)
  }

  /** The state that `util.inspect` shows; reading it must not wait. @internal */
  protected shownState(): unknown {
    return undefined
  }

  /** @internal */
  get subject(): Subject {
    return this.#placement.attachment.subject
  }

  /** @internal */
  get keepsAlive(): boolean {
    return this.#keepsAlive
  }

  /** @throws {@link ShareError} `ERR_CLOSED`. @internal */
  protected assertOpen(): void {
    if (this.#state === undefined) throw this.#placement.attachment.closedError()
  }

  /** The placement of the object, for other objects that use it. @internal */
  static placementOf(object: SharedObject<{ readonly waitQueues: Iterable<WaitQueue> }>): Placement {
    object.#placement.attachment.assertOpen()
    return object.#placement
  }

  /** @internal */
  static isClosed(object: SharedObject<{ readonly waitQueues: Iterable<WaitQueue> }>): boolean {
    return object.#state === undefined
  }

  /** The state, asserted to be open. @internal */
  protected get state(): State {
    if (this.#state === undefined) throw this.#placement.attachment.closedError()
    return this.#state
  }

  #setKeepsAlive(yes: boolean): this {
    this.#keepsAlive = yes
    for (const waitQueue of this.#state?.waitQueues ?? []) waitQueue.refreshKeepAlive()
    return this
  }
}
