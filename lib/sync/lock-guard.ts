/** LockGuard: the right to release a lock once. */
import { segmentError } from '../errors/segment-messages.ts'
import type { LockState } from './lock-state.ts'

/**
 * The result of an acquisition: the lock is held until its guard is released.
 *
 * @remarks `using guard = lock.acquireSync()` releases at the end of the block, even when the block throws. A guard that is lost without a
 * release keeps the lock until the lock is closed in this process or worker, or until the process or worker ends. The next owner then finds
 * the lock abandoned. A held lock is not garbage-collected, even if the program has no reference to it. The exception is an anonymous lock
 * whose handle was never read, because no other process can wait for it.
 * @example
 * ```ts
 * import { Lock } from 'procshare'
 * using lock = new Lock()
 * {
 *   using guard = lock.acquireSync()
 *   if (guard.abandoned) console.warn('the last owner died at work: check the data')
 * }
 * console.assert(!lock.locked)
 * ```
 */
export class LockGuard {
  /** Whether the last owner ended while it held the lock, so that the protected data may be incomplete. */
  readonly abandoned: boolean
  readonly #ownership: number
  #state: LockState | undefined

  /** @internal */
  constructor(state: LockState, abandoned: boolean, ownership: number = state.ownership) {
    this.#state = state
    this.#ownership = ownership
    this.abandoned = abandoned
    state.segment.pin()
  }

  /** Whether the guard no longer holds the lock: it was released, or the last object of the lock in this process or worker was closed. */
  get released(): boolean {
    return this.#state === undefined || this.#state.ended
  }

  /** Whether this guard holds the lock of that state. @internal */
  isOf(state: LockState): boolean {
    return this.#state === state && this.#ownership === state.ownership
  }

  /**
   * Releases the lock, or one level of a recursive one.
   * @throws {@link ShareError} `ERR_NOT_OWNER` for a second call, and after the last object of the lock was closed.
   */
  release(): void {
    const state = this.#state
    this.#state = undefined
    if (state === undefined || state.ended) throw segmentError('ERR_NOT_OWNER', { why: 'guard is released' })
    state.segment.unpin()
    state.leave(this.#ownership)
  }

  /** Releases the lock unless it was released before. */
  [Symbol.dispose](): void {
    if (this.#state !== undefined && !this.#state.ended) this.release()
  }
}
