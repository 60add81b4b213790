/** The proxy of managed conditions. */
import { managerError } from '../../../errors/manager-messages.ts'
import { hasCode } from '../../../errors/share-error.ts'
import type { SyncWaitOptions, WaitOptions } from '../../../sync/wait-options.ts'
import { isTruthy, type Truthy } from '../../../truthy.ts'
import { assertFunction, assertNotThenable, assertOptions, typeError } from '../../../validate.ts'
import type { BlockingMethods, blockingForm } from '../blocking.ts'
import type { ManagedProxy } from '../proxy.ts'
import { registerProxy } from '../proxy-classes.ts'
import { type BlockingLocking, LockingProxy } from './lock.ts'
import { type BlockingLockGuard, ManagedLockGuard } from './lock-guard.ts'

/** Who calls a method of a {@link ConditionProxy}. */
export interface ManagedOwnerOptions {
  /**
   * The guard through which the caller holds the lock. Needed for a guard of `await acquire()`: what is held in the blocking form, or
   * inside `run`, is recognised without.
   */
  readonly guard?: ManagedLockGuard | undefined
}

/** {@link ManagedOwnerOptions} in the blocking form. */
export interface BlockingOwnerOptions {
  readonly guard?: BlockingLockGuard | undefined
}

/**
 * A condition variable in the server of a {@link Manager}: those who hold its lock wait, letting go of the lock meanwhile, until somebody who
 * holds the lock notifies them.
 *
 * @remarks What {@link Condition} is in shared memory. Its lock is a recursive one of its own, or the {@link LockProxy} or {@link RLockProxy} that
 * it was made with; `acquire`, `run` and so on are those of the lock. Those who have waited for longest are notified first. A
 * waiter that is gone takes no notification from others: one that it has not answered goes to the next.
 * @example
 * ```ts
 * import { Manager } from 'procshare'
 * await using manager = await Manager.start()
 * const condition = await manager.Condition()
 * let ready = false
 * const waiting = condition.run(() => condition.waitFor(() => ready))
 * await condition.run(async () => {
 *   ready = true
 *   await condition.notifyAll()
 * })
 * console.assert(await waiting)
 * ```
 */
export class ConditionProxy extends LockingProxy {
  /** @internal */
  declare readonly [blockingForm]: BlockingConditionProxy

  /**
   * Lets go of the lock, waits to be notified, takes the lock again, and gives true.
   *
   * @remarks All levels of a recursive lock are let go and taken again. However the wait ends, the caller holds the lock afterwards, unless
   * the connection has ended; taking it again is not bounded by the timeout. If somebody has died holding the lock meanwhile, the
   * news goes to whoever takes it next.
   * @throws {@link ShareError} `ERR_NOT_OWNER` when the caller does not hold the lock; `ERR_TIMEOUT` after `timeoutMs`; the signal's reason when it
   * aborts. As every call.
   */
  wait(options: WaitOptions & ManagedOwnerOptions = {}): Promise<true> {
    return this.attempt(() => {
      const { guard, waitOptions } = splitOptions(options)
      return this.callAndWait('wait', waitOptions, [this.within, guard], { waits: 'takes back' })
    })
  }

  /**
   * Waits until `predicate` holds, which is asked with the lock held: at once, after each notification, and after the timeout; gives what it
   * returned. `predicate` may return a promise, but not in the blocking form.
   * @throws as {@link wait}, and whatever `predicate` throws.
   */
  waitFor<T>(predicate: () => T | PromiseLike<T>, options: WaitOptions & ManagedOwnerOptions = {}): Promise<Truthy<T>> {
    const waited = this.isBlocking ? this.#waitForBlocking(predicate, options) : this.#waitFor(predicate, options)
    return waited as Promise<Truthy<T>>
  }

  /**
   * Ends the waits of up to `count` waiters, and says how many there were. They go on when they get the lock, which the caller still holds.
   * @throws {@link ShareError} `ERR_NOT_OWNER` when the caller does not hold the lock; as every call.
   */
  notify(count = 1, options: ManagedOwnerOptions = {}): Promise<number> {
    return this.attempt(() => {
      assertOptions('options', options, ['guard'])
      return this.call('notify', [count, this.within, splitOptions(options).guard])
    })
  }

  /** Ends the waits of all waiters, and says how many there were. @throws as {@link notify}. */
  notifyAll(options?: ManagedOwnerOptions): Promise<number> {
    return this.notify(Infinity, options)
  }

  async #waitFor<T>(
    predicate: () => T | PromiseLike<T>,
    options: WaitOptions & ManagedOwnerOptions,
  ): Promise<Truthy<T>> {
    const timeoutMs = this.#assertWaitForOptions(predicate, options)
    this.#assertOwned(await this.#isOwned(options))
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const result = await predicate()
      if (isTruthy(result)) return result
      try {
        await this.wait({ ...options, timeoutMs: Math.max(deadline - performance.now(), 0) })
      } catch (error) {
        const late = hasCode(error, 'ERR_TIMEOUT') && (await predicate())
        if (isTruthy(late)) return late
        throw inFull(error, timeoutMs)
      }
    }
  }

  /** The blocking form: what is typed as a promise is the value. */
  #waitForBlocking<T>(predicate: () => T, options: WaitOptions & ManagedOwnerOptions): Truthy<T> {
    const timeoutMs = this.#assertWaitForOptions(predicate, options)
    this.#assertOwned(this.#isOwned(options) as unknown as boolean)
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const result = predicate()
      assertNotThenable('predicate', result, ' (use waitFor)')
      if (isTruthy(result)) return result
      try {
        this.wait({ ...options, timeoutMs: Math.max(deadline - performance.now(), 0) })
      } catch (error) {
        const late = hasCode(error, 'ERR_TIMEOUT') && predicate()
        if (isTruthy(late)) return late
        throw inFull(error, timeoutMs)
      }
    }
  }

  #assertWaitForOptions(predicate: unknown, options: WaitOptions & ManagedOwnerOptions): number {
    assertFunction('predicate', predicate)
    const { waitOptions } = splitOptions(options)
    this.assertWaitOptions(waitOptions)
    return waitOptions.timeoutMs ?? Infinity
  }

  #isOwned(options: ManagedOwnerOptions): Promise<boolean> {
    return this.call('isOwned', [this.within, splitOptions(options).guard])
  }

  #assertOwned(isOwned: boolean): void {
    if (isOwned) return
    throw managerError('ERR_NOT_OWNER', { type: 'Condition', why: 'lock of the condition' })
  }
}

/** The number of the hold that a guard stands for, and the other options. */
function splitOptions(options: WaitOptions & ManagedOwnerOptions): { guard?: number; waitOptions: WaitOptions } {
  assertOptions('options', options, ['timeoutMs', 'signal', 'guard'])
  const { guard, ...waitOptions } = options
  if (guard === undefined) return { waitOptions }
  if (!(guard instanceof ManagedLockGuard)) throw typeError('options.guard', 'a guard of the lock', guard)
  return { guard: guard.hold, waitOptions }
}

/** The error of the last of several waits, as that of the one that the caller has asked for. */
function inFull(error: unknown, timeoutMs: number): unknown {
  if (!hasCode(error, 'ERR_TIMEOUT')) return error
  return managerError('ERR_TIMEOUT', { type: 'Condition', timeoutMs })
}

/** A {@link ConditionProxy} in the blocking form. */
export interface BlockingConditionProxy extends BlockingMethods<ManagedProxy>, BlockingLocking {
  /** {@link ConditionProxy.wait}, blocking the thread. */
  wait(options?: SyncWaitOptions & BlockingOwnerOptions): true
  /** {@link ConditionProxy.waitFor}, blocking the thread. */
  waitFor<T>(predicate: () => T, options?: SyncWaitOptions & BlockingOwnerOptions): Truthy<T>
  /** {@link ConditionProxy.notify}. */
  notify(count?: number, options?: BlockingOwnerOptions): number
  /** {@link ConditionProxy.notifyAll}. */
  notifyAll(options?: BlockingOwnerOptions): number
}

registerProxy('Condition', ConditionProxy)
