/** The proxies of managed locks, and what those of conditions have in common with them. */
import { currentTask, runInside, Task } from '../../../sync/task.ts'
import type { SyncWaitOptions, WaitOptions } from '../../../sync/wait-options.ts'
import { assertFunction, assertNotThenable } from '../../../validate.ts'
import type { Grant } from '../../server/types/lock.ts'
import type { Blocking, BlockingMethods, blockingForm } from '../blocking.ts'
import type { ManagedProxy } from '../proxy.ts'
import { registerProxy } from '../proxy-classes.ts'
import { newTaskNumber, numberOf } from '../tasks.ts'
import { type BlockingLockGuard, ManagedLockGuard } from './lock-guard.ts'
import { WaitingProxy } from './waiting.ts'

/** What a function under a lock is told. */
export interface Abandonment {
  /** Whether the last owner ended while it held the lock. */
  readonly abandoned: boolean
}

/** A release is made whatever has become of the signal of the wait. */
const RELEASE = { isPlain: true } as const

/** What {@link LockProxy}, {@link RLockProxy} and {@link ConditionProxy} share. */
export abstract class LockingProxy extends WaitingProxy {
  /**
   * Takes the lock; those who ask get it in the order in which their requests arrive.
   *
   * @remarks The lock then belongs to this acquisition alone, and the guard releases it: even a recursive lock does not
   * recognise its owner without {@link run}. If the last owner died, or let go of its proxy while it held the lock, the guard comes
   * with `abandoned: true`: check the data before you trust it. In the blocking form the lock belongs to the thread.
   * @throws {@link ShareError} `ERR_TIMEOUT` after `timeoutMs`; `ERR_DEADLOCK` inside `run` of the same lock, if it is not recursive. The
   * signal's reason when it aborts. As every call.
   */
  acquire(options?: WaitOptions): Promise<ManagedLockGuard> {
    return this.#acquire(options, this.#newTask())
  }

  /** Takes the lock if it is free, and gives `undefined` if it is not. @throws {@link ShareError} as every call. */
  tryAcquire(): Promise<ManagedLockGuard | undefined> {
    return this.attempt(() => {
      const granted = this.call<Grant | undefined>('tryAcquire', [this.within], {
        task: this.#newTask(),
        undo: this.#undo,
      })
      return this.after(granted, (grant) => grant && this.#guard(grant))
    })
  }

  /**
   * Releases the lock, whoever holds it; a recursive one, or one level of it, only as its owner: inside {@link run}, or in the blocking
   * form.
   * @throws {@link ShareError} `ERR_NOT_OWNER` when it is not held, or a recursive one not by the caller. As every call.
   */
  release(): Promise<void> {
    return this.call('release', [this.within])
  }

  /** Whether somebody holds the lock at this moment. @throws {@link ShareError} as every call. */
  get locked(): Promise<boolean> {
    return this.call('isLocked')
  }

  /**
   * Runs `fn` while holding the lock, and gives what it returns or resolves to. In the blocking form it may not return a promise.
   *
   * @remarks Everything that runs as part of `fn`, across its awaits, counts as the owner. The lock is released when `fn`
   * has settled, however it does.
   * @throws as {@link acquire}, and whatever `fn` throws.
   */
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
      await leave(guard, task).catch(() => {}) // the first error says more
      throw error
    }
    await leave(guard, task)
    return result
  }

  #runBlocking<T>(fn: (lock: Abandonment) => T, options: WaitOptions | undefined): T {
    assertFunction('fn', fn)
    // The blocking form: what is typed as a promise is the value.
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
      const granted = this.callAndWait<Grant>('acquire', options, [this.within], { task, undo: this.#undo })
      return this.after(granted, (grant) => this.#guard(grant))
    })
  }

  #guard({ hold, abandoned }: Grant): ManagedLockGuard {
    const release = () => this.call<boolean>('releaseHold', [hold], RELEASE)
    return new ManagedLockGuard(hold, abandoned, release, this.isBlocking)
  }

  readonly #undo = (grant: Grant | undefined) => {
    if (grant !== undefined) this.post('releaseHold', [grant.hold])
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
    task.ended = !isHeld // as it is while a `run` inside, which nobody has awaited, goes on
  }
}

/** The methods of a lock in the blocking form. */
export interface BlockingLocking {
  /** {@link LockProxy.acquire} for the thread, which is blocked until it has the lock. */
  acquire(options?: SyncWaitOptions): BlockingLockGuard
  /** {@link LockProxy.tryAcquire} for the thread. */
  tryAcquire(): BlockingLockGuard | undefined
  /** {@link LockProxy.release}. */
  release(): void
  /** {@link LockProxy.locked}. */
  readonly locked: boolean
  /** {@link LockProxy.run} for the thread; `fn` may not return a promise. */
  run<T>(fn: (lock: Abandonment) => T, options?: SyncWaitOptions): T
}

/**
 * A lock in the server of a {@link Manager}, which one owner holds at a time: a client, or an asynchronous task of one.
 *
 * @remarks What {@link Lock} is in shared memory, for clients anywhere. When its owner's connection ends, however the owner ends, the next
 * one gets it. As in Python, anybody may {@link release} it; the owner's guard does so only while it is the owner's.
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
 * A recursive lock in the server of a {@link Manager}: its owner takes it again at no risk, and it is free when every level has been released.
 *
 * @remarks What {@link RLock} is in shared memory. The owner is the thread in the blocking form, and whatever runs inside `run(fn)` in the
 * asynchronous one. The guard of `await acquire()` belongs to nobody who could be recognised, so nothing re-enters under it.
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
export interface BlockingLockProxy extends BlockingMethods<ManagedProxy>, BlockingLocking {}

/** Either kind of lock, in either form. */
export type AnyLockProxy = LockProxy | RLockProxy
export type AnyBlockingLockProxy = Blocking<AnyLockProxy>

registerProxy('Lock', LockProxy)
registerProxy('RLock', RLockProxy)
