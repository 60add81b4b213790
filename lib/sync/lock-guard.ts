/** LockGuard: the right to release a lock once. */
import { segmentError } from '../errors/segment-messages.ts'
import type { LockState } from './lock-state.ts'

/**
 * What an acquisition gives: a lock is held until its guard is released.
 *
 * @remarks `using guard = lock.acquireSync()` releases at the end of the block, also when it is left by an error. A guard
 * that is lost without being released keeps the lock until the lock is closed in this process or worker, or the process or worker
 * ends; the next owner is then told that it was abandoned. A lock that is held is not collected, even if the program has no reference to
 * it any more, unless it is anonymous and its handle was never read: nobody else can wait for that one.
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
  /** Whether the last owner ended while it held the lock, so that what the lock protects may be half-changed. */
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

  /** Whether the lock is not held through this guard any more: it was released, or the lock's last handle was closed. */
  get released(): boolean {
    return this.#state === undefined || this.#state.ended
  }

  /** Whether the lock of that state is held through this guard. @internal */
  isOf(state: LockState): boolean {
    return this.#state === state && this.#ownership === state.ownership
  }

  /**
   * Releases the lock, or one level of a recursive one.
   * @throws {@link ShareError} `ERR_NOT_OWNER` the second time, and after the lock's last handle was closed.
   */
  release(): void {
    const state = this.#state
    this.#state = undefined
    if (state === undefined || state.ended) throw segmentError('ERR_NOT_OWNER', { why: 'guard is released' })
    state.segment.unpin()
    state.leave(this.#ownership)
  }

  /** Releases the lock unless that has been done. */
  [Symbol.dispose](): void {
    if (this.#state !== undefined && !this.#state.ended) this.release()
  }
}
