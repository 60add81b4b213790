/** The base class of waitable objects: name, handle, `close()`, `ref()` and `unref()`. */
import { type InspectOptions, inspect } from 'node:util'
import { nameOf, type Subject } from '../errors/segment-messages.ts'
import { inspected } from '../inspection.ts'
import type { Handle } from '../memory/handle.ts'
import type { Placement } from '../memory/placement.ts'
import { type CellState, cellStateAt } from '../memory/segment.ts'
import { registerShareable } from '../memory/shareable.ts'
import { type NativeObject, native } from '../native.ts'
import type { Waiter, WaitLine } from './wait-line.ts'

/** An object as one environment sees it: one per environment and cell, however many objects are attached to it. */
export abstract class ObjectState<Kind extends string> implements CellState {
  readonly object: NativeObject<Kind>
  readonly #lines: WaitLine[] = []
  #ended = false

  constructor(object: NativeObject<Kind>) {
    this.object = object
  }

  /** The lines in which those stand who wait for the object. */
  get lines(): Iterable<WaitLine> {
    return this.#lines
  }

  /** Whether the environment has closed its last handle, as a callback of the program may do in the middle of a method. */
  get ended(): boolean {
    return this.#ended
  }

  end(): void {
    this.#ended = true
    native.endObject(this.object)
  }

  protected addLine<Line extends WaitLine>(line: Line): Line {
    this.#lines.push(line)
    return line
  }
}

/** The state of the object at a placement; made at its first use. */
export function stateAt<State extends CellState>(
  placement: Placement,
  type: new (placement: Placement) => State,
): State {
  return cellStateAt(placement.attachment.segment, placement.cell, type, () => new type(placement))
}

/** What objects share that can be waited for: locks, semaphores, events, conditions, barriers and queues. */
export abstract class SharedObject<State extends { readonly lines: Iterable<WaitLine> }> implements Waiter {
  readonly #placement: Placement
  #state: State | undefined
  #keepsAlive = true

  /** @internal */
  constructor(placement: Placement, state: State) {
    this.#placement = placement
    this.#state = state
    registerShareable(this)
  }

  /** The name of the segment that the object is in; for an anonymous one a random one. */
  get name(): string {
    return this.#placement.attachment.name
  }

  /**
   * How many main threads and workers, of all processes, have the segment open at this moment, this one included.
   *
   * @remarks One counts once, however many objects it has there. A process that was killed does not count, nor one whose last object was
   * closed or collected. By the time you read the number it may have changed.
   * @throws {@link ShareError} `ERR_CLOSED`.
   */
  get memberCount(): number {
    return this.#placement.attachment.memberCount
  }

  /** A plain description with which others attach. The object stays until {@link close} then: see {@link Handle}. */
  get handle(): Handle {
    return this.#placement.handleOf(this)
  }

  /** The same as `handle`, for `JSON.stringify` and `process.send`. */
  toJSON(): Handle {
    return this.handle
  }

  /**
   * Makes pending asynchronous waits through this object keep the process alive, as they do unless {@link unref} was called.
   * @returns the object itself
   */
  ref(): this {
    return this.#setKeepsAlive(true)
  }

  /**
   * Lets the process, or worker, end although asynchronous waits through this object are pending, also those that are already: as
   * `unref()` of a timer does. Undone by {@link ref}.
   * @returns the object itself
   */
  unref(): this {
    return this.#setKeepsAlive(false)
  }

  /** Ends this handle; waits that are pending through it are rejected with `ERR_CLOSED`. Idempotent. */
  close(): void {
    const state = this.#state
    if (state === undefined) return
    this.#state = undefined
    const error = this.#placement.attachment.closedError()
    for (const line of state.lines) line.failWaiter(this, error)
    this.#placement.attachment.close()
  }

  /**
   * Removes the name now. Those who are attached go on; nobody new can attach.
   * @throws {@link ShareError} `ENOENT` when it is gone already; `ERR_CLOSED`.
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

  /** What `util.inspect` shows of the state at this moment; it must not wait. @internal */
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

  /** Where the object is, for others that use it. @internal */
  static placementOf(object: SharedObject<{ readonly lines: Iterable<WaitLine> }>): Placement {
    object.#placement.attachment.assertOpen()
    return object.#placement
  }

  /** @internal */
  static isClosed(object: SharedObject<{ readonly lines: Iterable<WaitLine> }>): boolean {
    return object.#state === undefined
  }

  /** The state, asserted to be open. @internal */
  protected get state(): State {
    if (this.#state === undefined) throw this.#placement.attachment.closedError()
    return this.#state
  }

  #setKeepsAlive(yes: boolean): this {
    this.#keepsAlive = yes
    for (const line of this.#state?.lines ?? []) line.refreshKeepAlive()
    return this
  }
}
