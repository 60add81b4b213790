/** What Lock and RLock have in common: everything but who may take the lock once more. */
import { inspect } from 'node:util'
import { ShareError } from '../errors.ts'
import { type Handle, registerShareable } from '../memory/handle.ts'
import {
  Attachment,
  type AttachOptions,
  assertSegmentOptions,
  attachSegment,
  createSegment,
  type Description,
  openSegment,
  SEGMENT_OPTIONS,
  type Segment,
  type SegmentOptions,
  type SegmentSpec,
  take,
} from '../memory/segment.ts'
import { assertSegmentName } from '../memory/segment-name.ts'
import { native } from '../native.ts'
import { assertFunction, assertOptions, valueError } from '../validate.ts'
import { LockGuard } from './lock-guard.ts'
import { LockState } from './lock-state.ts'
import { currentTask, runInside, Task } from './task.ts'
import type { Waiter } from './wait-line.ts'
import { assertSyncWaitOptions, assertWaitOptions, type SyncWaitOptions, type WaitOptions } from './wait-options.ts'

export type LockKind = 'Lock' | 'RLock'

/** Where a lock of its own lies in the cells of its segment. */
export const OWN_CELL = 0

/** A place with a lock: what lock objects are made of inside the library. */
export class LockSite {
  readonly attachment: Attachment
  readonly cell: number
  constructor(attachment: Attachment, cell: number) {
    this.attachment = attachment
    this.cell = cell
  }
}

export const lockCellBytes: number = native.layout.lockCellBytes

/** Makes the lock of a new segment. */
export function initialiseLock(segment: Segment): void {
  native.initLock(segment.native, OWN_CELL)
}

function specOf(kind: LockKind, options: SegmentOptions = {}): SegmentSpec {
  assertOptions('options', options, SEGMENT_OPTIONS)
  assertSegmentOptions(options)
  return { payloadBytes: 0, cellsBytes: lockCellBytes, description: { kind }, options }
}

export function createLock(kind: LockKind, name: string | undefined, options?: SegmentOptions): LockSite {
  return new LockSite(new Attachment(createSegment(name, specOf(kind, options), initialiseLock), kind), OWN_CELL)
}

export function openLock(kind: LockKind, name: string, options?: SegmentOptions): LockSite {
  assertSegmentName(name)
  return new LockSite(take(openSegment(name, specOf(kind, options), initialiseLock), kind), OWN_CELL)
}

/** Attaches to a lock of its own, or, by a handle, to the one inside another object's segment. */
export function attachLock(kind: LockKind, target: string | Handle, options?: AttachOptions): LockSite {
  const segment = attachSegment(target, options)
  const cell = typeof target === 'string' ? undefined : target.cell
  if (cell === undefined) return new LockSite(take(segment, kind), OWN_CELL)
  const attachment = new Attachment(segment, kind)
  const found = lockKindAt(segment.description, cell)
  if (found === kind) return new LockSite(attachment, cell)
  attachment.close()
  throw new ShareError('ERR_KIND', { segment: segment.name, detail: `it has no ${kind} at cell ${cell}` })
}

/** Which lock a segment has at `cell`, going by its description. */
function lockKindAt(description: Description, cell: number): LockKind | undefined {
  if (cell !== OWN_CELL) return undefined
  if (description.kind === 'Lock' || description.kind === 'RLock') return description.kind
  return description.lock === 'own' ? 'RLock' : undefined
}

/**
 * What {@link Lock} and {@link RLock} share.
 *
 * @remarks The lock is a robust mutex in shared memory. When its owner ends while it holds it, by `SIGKILL`, a crash,
 * `process.exit()` or the end of a worker, the next one gets it at once (an asynchronous waiter within 100 ms) with a guard
 * that says `abandoned`.
 */
export abstract class LockBase implements Waiter {
  readonly #attachment: Attachment
  readonly #cell: number
  #state: LockState | undefined
  #keepsAlive = false

  /** @internal */
  constructor(site: LockSite, recursive: boolean) {
    this.#attachment = site.attachment
    this.#cell = site.cell
    try {
      this.#state = LockState.of(site.attachment.segment, site.cell, recursive)
    } catch (error) {
      site.attachment.close()
      throw error
    }
    registerShareable(this)
  }

  /** The name of the segment that the lock is in; for an anonymous one a random one. */
  get name(): string {
    return this.#attachment.name
  }

  /** Whether somebody holds the lock at this moment; by the time you read it, that may have changed. */
  get locked(): boolean {
    return this.#open().held
  }

  /**
   * Who holds the lock at this moment, for people to read: the process id and Node's thread id (0 is the main thread).
   * @remarks A process id means something in its own pid namespace only.
   */
  get owner(): { pid: number; threadId: number } | undefined {
    const owner = this.#open().owner
    return owner && { pid: owner[0], threadId: owner[1] }
  }

  /**
   * Takes the lock without blocking the event loop; those who ask in one environment get it in the order in which they asked.
   *
   * @remarks The lock then belongs to this acquisition alone, and the guard releases it: even a recursive lock does not
   * recognise its owner without {@link run}. A pending acquisition does not keep the process alive, unless {@link ref} was
   * called. If the last owner died, the guard comes with `abandoned: true`: check the data before you trust it.
   * @throws {@link ShareError} `ERR_TIMEOUT` after `timeoutMs`; `ERR_CLOSED` if this handle is or gets closed;
   * `ERR_DEADLOCK` inside `run` of the same lock, if it is not recursive. The signal's reason when it aborts.
   */
  async acquire(options: WaitOptions = {}): Promise<LockGuard> {
    const state = this.#open()
    assertWaitOptions(options)
    return new LockGuard(state, await state.acquire(this, new Task(), options))
  }

  /**
   * Takes the lock for this thread, blocking it until the lock is free.
   *
   * @remarks Blocks the event loop: for short critical sections, scripts and workers.
   * @throws {@link ShareError} `ERR_TIMEOUT` after `timeoutMs`; `ERR_DEADLOCK` at once when this thread, or a task of it,
   * holds the lock, because that could never be granted; `ERR_CLOSED`.
   */
  acquireSync(options?: SyncWaitOptions): LockGuard {
    const state = this.#open()
    if (options === undefined) return new LockGuard(state, state.enter())
    assertSyncWaitOptions(options)
    return new LockGuard(state, state.enter(options.timeoutMs))
  }

  /**
   * Takes the lock for this thread if it is free, and gives `undefined` if it is not.
   * @throws {@link ShareError} `ERR_CLOSED`.
   */
  tryAcquire(): LockGuard | undefined {
    const state = this.#open()
    const abandoned = state.tryEnter()
    return abandoned === undefined ? undefined : new LockGuard(state, abandoned)
  }

  /**
   * Runs `fn` while holding the lock, without blocking the event loop, and gives what it returns or resolves to.
   *
   * @remarks Everything that runs as part of `fn`, across its awaits, counts as the owner. The lock is released when `fn`
   * has settled, however it does.
   * @throws as {@link acquire}, and whatever `fn` throws.
   */
  async run<T>(
    fn: (guard: { readonly abandoned: boolean }) => T | PromiseLike<T>,
    options: WaitOptions = {},
  ): Promise<T> {
    const state = this.#open()
    assertFunction('fn', fn)
    assertWaitOptions(options)
    const task = new Task(currentTask())
    const abandoned = await state.acquire(this, task, options)
    try {
      return await runInside(task, () => fn({ abandoned }))
    } finally {
      state.leave()
    }
  }

  /**
   * Runs `fn` while this thread holds the lock, blocking until it is free, and gives what it returns.
   *
   * @throws as {@link acquireSync}, and whatever `fn` throws; `TypeError` when `fn` returns a promise, since the lock would be
   * released before it settles.
   */
  runSync<T>(fn: (guard: { readonly abandoned: boolean }) => T, options?: SyncWaitOptions): T {
    const state = this.#open()
    assertFunction('fn', fn)
    if (options !== undefined) assertSyncWaitOptions(options)
    const abandoned = state.enter(options?.timeoutMs)
    try {
      const result = fn({ abandoned })
      if (result instanceof Promise) throw valueError('fn', 'a function that does not return a promise (use run)', fn)
      return result
    } finally {
      state.leave()
    }
  }

  /** Makes pending acquisitions through this object keep the process alive. */
  ref(): this {
    return this.#setKeepsAlive(true)
  }

  /** Undoes {@link ref}. */
  unref(): this {
    return this.#setKeepsAlive(false)
  }

  /** A plain description with which others attach. */
  get handle(): Handle {
    const handle = this.#attachment.handle
    const { kind } = this.#attachment.segment.description
    return kind === 'Lock' || kind === 'RLock' ? handle : { ...handle, cell: this.#cell }
  }

  /** The same as `handle`, for `JSON.stringify` and `process.send`. */
  toJSON(): Handle {
    return this.handle
  }

  /**
   * Ends this handle; acquisitions that are pending through it are rejected with `ERR_CLOSED`. Idempotent.
   *
   * @remarks Guards stay good as long as another handle of the lock is open in this environment. When the last one is
   * closed, a lock that is still held is released, and its next owner is told that it was abandoned.
   */
  close(): void {
    const state = this.#state
    if (state === undefined) return
    this.#state = undefined
    state.failWaiter(this, this.#attachment.closedError())
    this.#attachment.close()
  }

  /**
   * Removes the name now. Those who are attached go on; nobody new can attach.
   * @throws {@link ShareError} `ENOENT` when it is gone already; `ERR_CLOSED`.
   */
  unlink(): void {
    this.#attachment.unlink()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  [inspect.custom](): string {
    return this.#state === undefined ? `${this.subject} (closed)` : this.subject
  }

  /** @internal */
  get subject(): string {
    return this.#attachment.subject
  }

  /** @internal */
  get keepsAlive(): boolean {
    return this.#keepsAlive
  }

  /** Where the lock is, for objects that take it on each access. @internal */
  static siteOf(lock: LockBase): LockSite {
    lock.#attachment.assertOpen()
    return new LockSite(lock.#attachment, lock.#cell)
  }

  /** @internal */
  static isClosed(lock: LockBase): boolean {
    return lock.#state === undefined
  }

  #open(): LockState {
    const state = this.#state
    if (state === undefined) throw this.#attachment.closedError()
    return state
  }

  #setKeepsAlive(yes: boolean): this {
    this.#keepsAlive = yes
    this.#state?.refreshKeepAlive(this)
    return this
  }
}
