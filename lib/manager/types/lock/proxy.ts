/** The proxies of managed locks, and their common part with proxies of conditions. */

import { currentTask, runInside, Task } from '../../../sync/task.ts'
import type { WaitOptions } from '../../../sync/wait-options.ts'
import { assertFunction, assertNotThenable } from '../../../validate.ts'
import type { BlockingProxy } from '../../client/blocking.ts'
import { checkedOptions, type NameOptions, proxyType } from '../../client/proxy-type.ts'
import { newTaskNumber, numberOf } from '../../client/tasks.ts'
import { WaitingProxy } from '../../client/waiting-proxy.ts'
import type { operations } from '../../contract/contract.ts'
import type { blockingForm, Form, Result } from '../../contract/form.ts'
import {
  type Abandonment,
  type Grant,
  type LockContract,
  type LockOperations,
  lockContract,
  rlockContract,
} from './contract.ts'
import { type BlockingLockGuard, ManagedLockGuard } from './guard.ts'

/** A release is sent even if the signal of the wait has aborted. */
const RELEASE = { isPlain: true } as const

/** The common part of {@link LockProxy}, {@link RLockProxy} and {@link ConditionProxy}. */
export abstract class LockingProxy extends WaitingProxy implements LockContract<'asynchronous'> {
  /** @internal */
  declare readonly [operations]: LockOperations

  acquire(options?: WaitOptions): Promise<ManagedLockGuard> {
    return this.#acquire(options, this.#newTask())
  }

  tryAcquire(): Promise<ManagedLockGuard | undefined> {
    return this.attempt(() => {
      const granted = this.request('tryAcquire', [this.within], {
        task: this.#newTask(),
        undo: this.#undo,
      })
      return this.after(granted, (grant) => grant && this.#guard(grant))
    })
  }

  release(): Promise<void> {
    return this.request('release', [this.within])
  }

  get locked(): Promise<boolean> {
    return this.request('locked', [])
  }

  run<T>(fn: (lock: Abandonment) => T | PromiseLike<T>, options?: WaitOptions): Promise<T> {
    return (this.isBlocking ? this.#runBlocking(fn, options) : this.#run(fn, options)) as Promise<T>
  }

  async #run<T>(fn: (lock: Abandonment) => T | PromiseLike<T>, options: WaitOptions | undefined): Promise<T> {
    assertFunction('fn', fn)
    const task = new Task(currentTask())
    const guard = await this.#acquire(options, numberOf(task))
    const { abandoned } = guard
    let result: T
    try {
      result = await runInside(task, () => fn({ abandoned }))
    } catch (error) {
      await leave(guard, task).catch(() => {}) // the first error is the one to report
      throw error
    }
    await leave(guard, task)
    return result
  }

  #runBlocking<T>(fn: (lock: Abandonment) => T, options: WaitOptions | undefined): T {
    assertFunction('fn', fn)
    // In the blocking form, a variable of the type of a promise contains the value.
    const guard = this.acquire(options) as unknown as BlockingLockGuard
    let result: T
    try {
      result = fn({ abandoned: guard.abandoned })
      assertNotThenable('fn', result)
    } catch (error) {
      guard[Symbol.dispose]()
      throw error
    }
    guard.release()
    return result
  }

  #acquire(options: WaitOptions | undefined, task: number): Promise<ManagedLockGuard> {
    return this.attempt(() => {
      const granted = this.requestWait('acquire', options, [this.within], { task, undo: this.#undo })
      return this.after(granted, (grant) => this.#guard(grant))
    })
  }

  #guard({ ownershipId, abandoned }: Grant): ManagedLockGuard {
    const release = () => this.request('releaseOwnership', [ownershipId], RELEASE)
    return new ManagedLockGuard(ownershipId, abandoned, release, this.isBlocking)
  }

  readonly #undo = (grant: Grant | undefined) => {
    if (grant !== undefined) this.post('releaseOwnership', [grant.ownershipId])
  }

  #newTask(): number {
    return this.isBlocking ? 0 : newTaskNumber()
  }
}

async function leave(guard: ManagedLockGuard, task: Task): Promise<void> {
  let isHeld = false
  try {
    isHeld = await guard.leave()
  } finally {
    task.ended = !isHeld // the lock is held while an inner `run` that was not awaited goes on
  }
}

/**
 * A lock in the server of a {@link Manager} with one owner at a time: a client, or an asynchronous task of one.
 *
 * @remarks The counterpart of {@link Lock} in shared memory, for clients on any machine. When the connection of its owner ends, the next
 * request gets the lock. As in Python, any client may {@link release} it; a guard releases only its own acquisition.
 * @example
 * ```ts
 * import { Manager } from 'procshare'
 * await using manager = await Manager.start()
 * const lock = await manager.Lock('nightly-report')
 * await lock.run(async () => {
 *   // only one of all clients is here
 * }, { timeoutMs: 1_000 })
 * ```
 */
export class LockProxy extends LockingProxy {
  /** @internal */
  declare readonly [blockingForm]: BlockingLockProxy
}

/**
 * A recursive lock in the server of a {@link Manager}: its owner may acquire it again, and it is free when every level has been released.
 *
 * @remarks The counterpart of {@link RLock} in shared memory. The owner is the thread in the blocking form, and everything that runs inside
 * `run(fn)` in the asynchronous form. An acquisition by `await acquire()` belongs to no task, so the lock cannot be taken again under it.
 * @example
 * ```ts
 * import { Manager } from 'procshare'
 * await using manager = await Manager.start()
 * const lock = await manager.RLock()
 * await lock.run(() => lock.run(async () => console.assert(await lock.locked)))
 * console.assert(!(await lock.locked))
 * ```
 */
export class RLockProxy extends LockingProxy {
  /** @internal */
  declare readonly [blockingForm]: BlockingLockProxy
}

/** A {@link LockProxy} or {@link RLockProxy} in the blocking form. */
export interface BlockingLockProxy extends LockContract<'blocking'>, BlockingProxy {
  /** @internal */
  readonly [operations]: LockOperations
}

/** Either kind of lock. */
export type AnyLockProxy = LockProxy | RLockProxy

/** The method that makes locks. */
export interface LockFactory<F extends Form> {
  /**
   * Makes a lock, or finds the lock of that name. @throws {@link ShareError} `ERR_KIND` for a name of an object of another type; as every
   * call.
   */
  Lock(options?: NameOptions | string): Result<F, LockProxy>
}

/** The method that makes recursive locks. */
export interface RLockFactory<F extends Form> {
  /** Makes a recursive lock, or finds the recursive lock of that name. @throws as {@link Lock}. */
  RLock(options?: NameOptions | string): Result<F, RLockProxy>
}

export const lockProxies = proxyType(lockContract, LockProxy).madeBy<
  LockFactory<'asynchronous'>,
  LockFactory<'blocking'>
>((make) => (options) => make([], checkedOptions(options, [])))

export const rlockProxies = proxyType(rlockContract, RLockProxy).madeBy<
  RLockFactory<'asynchronous'>,
  RLockFactory<'blocking'>
>((make) => (options) => make([], checkedOptions(options, [])))
