/** The proxy of managed conditions. */

import { managerError } from '../../../errors/manager-messages.ts'
import { hasCode } from '../../../errors/share-error.ts'
import type { WaitOptions } from '../../../sync/wait-options.ts'
import { isTruthy, type Truthy } from '../../../truthy.ts'
import { assertFunction, assertNotThenable, takeOptions, typeError } from '../../../validate.ts'
import type { BlockingProxy } from '../../client/blocking.ts'
import { checkedOptions, type NameOptions, proxyType } from '../../client/proxy-type.ts'
import type { operations } from '../../contract/contract.ts'
import type { blockingForm, Form, Result } from '../../contract/form.ts'
import { ManagedLockGuard } from '../lock/guard.ts'
import { type AnyLockProxy, type BlockingLockProxy, LockingProxy } from '../lock/proxy.ts'
import { type ConditionContract, type ConditionOperations, conditionContract, type OwnerOptions } from './contract.ts'

/**
 * A condition variable in the server of a {@link Manager}: an owner of its lock releases the lock and waits until another owner notifies
 * it.
 *
 * @remarks The counterpart of {@link Condition} in shared memory. Its lock is a recursive lock of its own, or the {@link LockProxy} or
 * {@link RLockProxy} with which it was made. `acquire`, `run` and so on are the methods of the lock. The longest wait is notified first. A
 * notification is not lost with a client: an undelivered notification goes to the next waiter.
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
export class ConditionProxy extends LockingProxy implements ConditionContract<'asynchronous'> {
  /** @internal */
  declare readonly [operations]: ConditionOperations
  /** @internal */
  declare readonly [blockingForm]: BlockingConditionProxy

  wait(options: WaitOptions & ManagedOwnerOptions = {}): Promise<true> {
    return this.attempt(() => {
      const { guard, waitOptions } = splitOptions(options)
      return this.requestWait('wait', waitOptions, [this.within, guard], { waits: 'takes back' })
    })
  }

  waitFor<T>(predicate: () => T | PromiseLike<T>, options: WaitOptions & ManagedOwnerOptions = {}): Promise<Truthy<T>> {
    const waited = this.isBlocking ? this.#waitForBlocking(predicate, options) : this.#waitFor(predicate, options)
    return waited as Promise<Truthy<T>>
  }

  notify(count = 1, options: ManagedOwnerOptions = {}): Promise<number> {
    return this.attempt(() => {
      const { guard } = takeOptions('options', options, ['guard'])
      return this.request('notify', [count, this.within, splitOptions({ guard }).guard])
    })
  }

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

  /** In the blocking form, a variable of the type of a promise contains the value. */
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
    this.takeWaitOptions(waitOptions)
    return waitOptions.timeoutMs ?? Infinity
  }

  #isOwned(options: ManagedOwnerOptions): Promise<boolean> {
    return this.request('isOwned', [this.within, splitOptions(options).guard])
  }

  #assertOwned(isOwned: boolean): void {
    if (isOwned) return
    throw managerError('ERR_NOT_OWNER', { type: 'Condition', why: 'lock of the condition' })
  }
}

/** Separates the number of a guard's ownership from the other options. */
function splitOptions(options: WaitOptions & ManagedOwnerOptions): { guard?: number; waitOptions: WaitOptions } {
  const { guard, ...waitOptions } = takeOptions('options', options, ['timeoutMs', 'signal', 'guard'])
  if (guard === undefined) return { waitOptions }
  if (!(guard instanceof ManagedLockGuard)) throw typeError('options.guard', 'a guard of the lock', guard)
  return { guard: guard.ownershipId, waitOptions }
}

/** Replaces the timeout in the error of the last of several waits by the timeout that the caller passed. */
function inFull(error: unknown, timeoutMs: number): unknown {
  if (!hasCode(error, 'ERR_TIMEOUT')) return error
  return managerError('ERR_TIMEOUT', { type: 'Condition', timeoutMs })
}

/** Identifies the owner that calls a method of a {@link ConditionProxy}. */
export type ManagedOwnerOptions = OwnerOptions<'asynchronous'>
/** {@link ManagedOwnerOptions} in the blocking form. */
export type BlockingOwnerOptions = OwnerOptions<'blocking'>

/** The options of a managed condition. */
export interface ManagedConditionOptions<Lock = AnyLockProxy> extends NameOptions {
  /** The lock of the condition, from the same manager. Several conditions may share one. @defaultValue a recursive lock of its own */
  readonly lock?: Lock
}

/** A {@link ConditionProxy} in the blocking form. */
export interface BlockingConditionProxy extends ConditionContract<'blocking'>, BlockingProxy {}

/** The method that makes conditions. */
export interface ConditionFactory<F extends Form> {
  /**
   * Makes a condition, or finds the condition of that name. @throws as {@link Lock}; `TypeError` for a `lock` that is not a lock of this
   * manager.
   */
  Condition(
    options?: ManagedConditionOptions<F extends 'blocking' ? BlockingLockProxy : AnyLockProxy> | string,
  ): Result<F, ConditionProxy>
}

export const conditionProxies = proxyType(conditionContract, ConditionProxy).madeBy<
  ConditionFactory<'asynchronous'>,
  ConditionFactory<'blocking'>
>((make) => (options) => {
  const { lock, ...rest } = checkedOptions(options, ['lock'])
  return make([lock], rest)
})
