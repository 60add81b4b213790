/** The guards of managed locks. */

import { managerError } from '../../../errors/manager-messages.ts'
import type { LockGuard } from './contract.ts'

/** Releases one level of an ownership; returns whether another one is left. */
type Release = () => Promise<boolean>

/**
 * The result of an acquisition of a managed lock: the lock is held until its guard is released, or the client ends.
 *
 * @remarks `await using guard = await lock.acquire()` releases at the end of the block, even when the block throws. `using` does so without
 * waiting for the server's answer.
 * @example
 * ```ts
 * import { Manager } from 'procshare'
 * await using manager = await Manager.start()
 * const lock = await manager.Lock()
 * {
 *   await using guard = await lock.acquire()
 *   if (guard.abandoned) console.warn('the last owner died at work: check the data')
 * }
 * console.assert(!(await lock.locked))
 * ```
 */
export class ManagedLockGuard implements LockGuard<'asynchronous'>, AsyncDisposable {
  readonly abandoned: boolean
  /** The number of the ownership in the server. @internal */
  readonly ownershipId: number
  readonly #isBlocking: boolean
  #release: Release | undefined

  /** @internal */
  constructor(ownershipId: number, abandoned: boolean, release: Release, isBlocking: boolean) {
    this.ownershipId = ownershipId
    this.abandoned = abandoned
    this.#release = release
    this.#isBlocking = isBlocking
  }

  get released(): boolean {
    return this.#release === undefined
  }

  release(): Promise<void> {
    try {
      const released = this.leave()
      return (released instanceof Promise ? released.then(() => {}) : undefined) as Promise<void>
    } catch (error) {
      if (this.#isBlocking) throw error
      return Promise.reject(error)
    }
  }

  /** Like {@link release}, but returns whether the ownership lasts. @internal */
  leave(): Promise<boolean> {
    const release = this.#release
    this.#release = undefined
    if (release !== undefined) return release()
    throw managerError('ERR_NOT_OWNER', { type: 'Lock', why: 'guard is released' })
  }

  /** Begins to release the lock, unless it was released before. Errors are ignored. */
  [Symbol.dispose](): void {
    if (this.released) return
    const released = this.release() as Promise<void> | undefined
    released?.catch(() => {})
  }

  /** Releases the lock unless it was released before. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.released) await this.release()
  }
}

/** The guard of a lock in the blocking form. */
export interface BlockingLockGuard extends LockGuard<'blocking'> {}
