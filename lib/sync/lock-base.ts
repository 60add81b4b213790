/** The base class of Lock and RLock, which differ only in whether the owner may take the lock once more. */
import type { KindSpec } from '../memory/kind.ts'
import type { Placement } from '../memory/placement.ts'
import { type Segment, type SegmentOptions, takeSegmentOptions } from '../memory/segment.ts'
import { native } from '../native.ts'
import { assertFunction, assertNotThenable } from '../validate.ts'
import { LockGuard } from './lock-guard.ts'
import { LockState } from './lock-state.ts'
import { SharedObject } from './shared-object.ts'
import { currentTask, runInside, Task } from './task.ts'
import { type SyncWaitOptions, takeSyncWaitOptions, takeWaitOptions, type WaitOptions } from './wait-options.ts'

export const lockCellBytes: number = native.layout.lockCellBytes

/** Makes the lock of a new segment. */
export function initialiseLock(segment: Segment, cell: number): void {
  native.initLock(segment.native, cell)
}

/** How a lock is created. */
export function lockSpec(kind: 'Lock' | 'RLock', given: SegmentOptions | undefined): KindSpec<undefined> {
  const options = takeSegmentOptions(given)
  return { description: { kind }, cellsBytes: lockCellBytes, initialise: initialiseLock, options }
}

/**
 * The common part of {@link Lock} and {@link RLock}.
 *
 * @remarks The lock is a robust mutex in shared memory. When its owner ends while it holds the lock, by `SIGKILL`, a crash,
 * `process.exit()` or the end of a worker, the next waiter gets it. A blocking waiter gets it immediately, an asynchronous one within 100
 * ms. The guard is then `abandoned`.
 */
export abstract class LockBase extends SharedObject<LockState> {
  /** @internal */
  constructor(placement: Placement, recursive: boolean) {
    super(placement, LockState.of(placement.attachment.segment, placement.cell, recursive))
  }

  /** Whether the lock is held at this moment; the answer may be out of date when the caller gets it. */
  get locked(): boolean {
    return this.state.held
  }

  /**
   * The owner of the lock at this moment, for information: its process id and Node's thread id (0 is the main thread).
   * @remarks The process id is that of the owner's own pid namespace.
   */
  get owner(): { pid: number; threadId: number } | undefined {
    const owner = this.state.owner
    return owner && { pid: owner[0], threadId: owner[1] }
  }

  /**
   * Takes the lock without blocking the event loop. Within one process or worker, requests are granted in the order of the calls.
   *
   * @remarks The lock belongs to this acquisition alone, and the guard releases it: a recursive lock, too, recognises its owner only inside
   * {@link run}. A pending acquisition keeps the process alive, unless {@link unref} was called. If the last owner died, the guard is
   * `abandoned`: check the data before using it.
   * @throws {@link ShareError} `ERR_TIMEOUT` after `timeoutMs`; `ERR_CLOSED` if this object is closed, before or during the wait;
   * `ERR_DEADLOCK` inside `run` of the same lock, if it is not recursive. The signal's reason when it aborts.
   */
  async acquire(options?: WaitOptions): Promise<LockGuard> {
    const state = this.state
    options = takeWaitOptions(options)
    const { ownership, abandoned } = await state.acquire(this, new Task(), options)
    return new LockGuard(state, abandoned, ownership)
  }

  /**
   * Takes the lock for this thread, blocking it until the lock is free. Blocks the event loop: signal handlers do not run
   * meanwhile, nor timers and I/O. For scripts and workers.
   *
   * @throws {@link ShareError} `ERR_TIMEOUT` after `timeoutMs`; `ERR_DEADLOCK` at once when this thread or one of its tasks owns the lock,
   * because the request could never be granted; `ERR_CLOSED`.
   */
  acquireSync(options?: SyncWaitOptions): LockGuard {
    const state = this.state
    if (options === undefined) return new LockGuard(state, state.enter())
    return new LockGuard(state, state.enter(takeSyncWaitOptions(options).timeoutMs))
  }

  /**
   * Takes the lock for this thread if it is free; otherwise returns `undefined`.
   * @throws {@link ShareError} `ERR_CLOSED`.
   */
  tryAcquire(): LockGuard | undefined {
    const state = this.state
    const abandoned = state.tryEnter()
    return abandoned === undefined ? undefined : new LockGuard(state, abandoned)
  }

  /**
   * Runs `fn` while holding the lock, without blocking the event loop, and resolves to its result.
   *
   * @remarks Everything that runs as part of `fn`, across its awaits, counts as the owner. The lock is released when `fn` returns or
   * throws, and when its promise settles.
   * @throws as {@link acquire}, and whatever `fn` throws.
   */
  async run<T>(fn: (guard: { readonly abandoned: boolean }) => T | PromiseLike<T>, options?: WaitOptions): Promise<T> {
    const state = this.state
    assertFunction('fn', fn)
    options = takeWaitOptions(options)
    const task = new Task(currentTask())
    const { ownership, abandoned } = await state.acquire(this, task, options)
    state.segment.pin()
    try {
      return await runInside(task, () => fn({ abandoned }))
    } finally {
      state.segment.unpin()
      state.leave(ownership)
      task.ended = !state.isHeldFor(task) // the lock is held while an inner `run` that was not awaited goes on
    }
  }

  /**
   * Runs `fn` while this thread holds the lock, blocking until it is free, and returns its result. Blocks the event loop:
   * signal handlers do not run meanwhile, nor timers and I/O. For scripts and workers.
   *
   * @throws as {@link acquireSync}, and whatever `fn` throws; `TypeError` when `fn` returns a promise, since the lock would be
   * released before it settles.
   */
  runSync<T>(fn: (guard: { readonly abandoned: boolean }) => T, options?: SyncWaitOptions): T {
    const state = this.state
    assertFunction('fn', fn)
    const abandoned = state.enter(options === undefined ? undefined : takeSyncWaitOptions(options).timeoutMs)
    const { ownership } = state
    try {
      const result = fn({ abandoned })
      assertNotThenable('fn', result, ' (use run)')
      return result
    } finally {
      state.leave(ownership)
    }
  }

  /** @internal */
  protected override shownState(): unknown {
    return this.locked ? { locked: true, owner: this.owner } : { locked: false }
  }

  /**
   * Closes this object; pending acquisitions through it are rejected with `ERR_CLOSED`. Idempotent.
   *
   * @remarks Guards stay valid as long as another object of the same lock is open in this process or worker. When the last one is
   * closed, a lock that is still held is released, and its next owner finds it abandoned.
   */
  override close(): void {
    super.close()
  }
}
