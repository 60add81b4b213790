/** Condition: waits for a change of the data that a lock protects. */
import { segmentError } from '../errors/segment-messages.ts'
import { hasCode } from '../errors/share-error.ts'
import type { Handle } from '../memory/handle.ts'
import type { AttachOptions } from '../memory/segment.ts'
import { assertedName } from '../memory/segment-name.ts'
import { registerKind } from '../memory/shareable.ts'
import { attachSite, createSite, openSite, Site } from '../memory/site.ts'
import { isTruthy, type Truthy } from '../truthy.ts'
import { assertFunction, assertInteger, assertNotThenable, typeError } from '../validate.ts'
import { type ConditionOptions, conditionSpec, KIND, parkingSite } from './condition-site.ts'
import { LockBase } from './lock-base.ts'
import { LockGuard } from './lock-guard.ts'
import type { LockState } from './lock-state.ts'
import { LockUse } from './lock-use.ts'
import { ParkingState } from './parking.ts'
import type { AnyLock } from './rlock.ts'
import { SharedObject, stateAt } from './shared-object.ts'
import { assertSyncWaitOptions, assertWaitOptions, type SyncWaitOptions, type WaitOptions } from './wait-options.ts'
import { NOT_NOW, timeoutError } from './wait-queue.ts'

/** The key of all waits: a condition has one only. */
const KEY = 0

/** Identifies the caller as the owner of the lock. */
export interface OwnerOptions {
  /**
   * The guard through which the caller holds the lock. Required for a guard of `await acquire()`; an owner that acquired synchronously,
   * or runs inside `run`, is recognised without it.
   */
  readonly guard?: LockGuard | undefined
}

/**
 * A condition variable: an owner of its lock releases the lock and waits until another owner notifies it.
 *
 * @remarks Wait in a loop, or with `waitFor`: when a waiter has the lock again, another owner may have had it in between. A notification
 * goes to waiters of that moment, and is lost without any. A killed waiter loses no notification: one that it did not take goes to
 * another waiter within a tenth of a second. Corresponds to Python's `multiprocessing.Condition`.
 * @example
 * ```ts
 * import { Condition, Value } from 'procshare'
 * using condition = new Condition()
 * using ready = new Value('?', false, { lock: condition.lock })
 *
 * const waiting = condition.run(() => condition.waitFor(() => ready.value))
 * await condition.run(() => {
 *   ready.value = true
 *   condition.notifyAll()
 * })
 * console.assert(await waiting)
 * ```
 */
export class Condition extends SharedObject<ParkingState> {
  readonly #lock: LockUse

  /**
   * Makes an anonymous condition; others attach to it through its `handle`.
   * @throws `TypeError` for a `lock` that is none; {@link ShareError} `ENOSPC`, `ENOMEM`, `EMFILE` when the system has no room.
   */
  constructor(options: ConditionOptions = {}, given?: unknown) {
    const site = options instanceof Site ? options : createSite(undefined, conditionSpec(options), options)
    super(site, stateAt(parkingSite(site), ParkingState))
    const lock = options instanceof Site ? given : options.lock
    try {
      this.#lock = new LockUse(site, lock instanceof LockBase ? lock : undefined, undefined)
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** Makes a condition of that name. @throws {@link ShareError} `EEXIST` when there is one; as the constructor. */
  static create(name: string, options: ConditionOptions = {}): Condition {
    return conditionAt(createSite(assertedName(name), conditionSpec(options), options), options.lock)
  }

  /** Attaches to a condition by name or handle. @throws {@link ShareError} as {@link SharedMemory.attach}. */
  static attach(target: string | Handle, options?: AttachOptions): Condition {
    return conditionAt(attachSite(KIND, target, options))
  }

  /**
   * Attaches to the condition of that name, or creates it: of many who do so at once exactly one creates.
   * @throws {@link ShareError} `ERR_TYPE` when it exists with another lock than `options.lock` says.
   */
  static open(name: string, options: ConditionOptions = {}): Condition {
    return conditionAt(openSite(name, conditionSpec(options), options), options.lock)
  }

  /** The lock that the condition belongs to. @throws {@link ShareError} `ERR_CLOSED`. */
  get lock(): AnyLock {
    return this.#lock.lock
  }

  /** @internal */
  protected override shownState(): unknown {
    return { locked: this.lock.locked }
  }

  /** {@link Lock.acquire} of the lock. */
  acquire(options?: WaitOptions): Promise<LockGuard> {
    return this.lock.acquire(options)
  }

  /**
   * {@link Lock.acquireSync} of the lock. Blocks the event loop: signal handlers do not run meanwhile, nor timers and I/O.
   * For scripts and workers.
   */
  acquireSync(options?: SyncWaitOptions): LockGuard {
    return this.lock.acquireSync(options)
  }

  /** {@link Lock.tryAcquire} of the lock. */
  tryAcquire(): LockGuard | undefined {
    return this.lock.tryAcquire()
  }

  /** {@link Lock.run} of the lock. */
  run<T>(fn: (guard: { readonly abandoned: boolean }) => T | PromiseLike<T>, options?: WaitOptions): Promise<T> {
    return this.lock.run(fn, options)
  }

  /**
   * {@link Lock.runSync} of the lock. Blocks the event loop: signal handlers do not run meanwhile, nor timers and I/O. For
   * scripts and workers.
   */
  runSync<T>(fn: (guard: { readonly abandoned: boolean }) => T, options?: SyncWaitOptions): T {
    return this.lock.runSync(fn, options)
  }

  /**
   * Releases the lock, waits for a notification without blocking the event loop, takes the lock again, and resolves to true.
   *
   * @remarks All levels of a recursive lock are released and taken again. However the wait ends, the caller owns the lock afterwards;
   * the timeout does not bound taking it again. If the lock was abandoned meanwhile, the next acquisition reports it. A pending wait keeps
   * the process alive, unless {@link unref} was called.
   * @throws {@link ShareError} `ERR_NOT_OWNER` when the caller does not own the lock; `ERR_TIMEOUT` after `timeoutMs`;
   * `ERR_CLOSED` if this object is closed, or gets closed meanwhile; `ERR_TOO_MANY_WAITERS`. The reason of the signal when it aborts.
   */
  async wait(options: WaitOptions & OwnerOptions = {}): Promise<true> {
    const { state } = this
    const { guard, ...waitOptions } = options
    assertWaitOptions(waitOptions)
    waitOptions.signal?.throwIfAborted()
    const lock = this.#ownedLock(guard)
    const parked = state.park(KEY, this)
    const ownership = lock.suspend()
    try {
      return await parked.wait(waitOptions)
    } finally {
      await lock.resume(this, ownership)
    }
  }

  /**
   * {@link wait}, blocking the thread. Blocks the event loop: signal handlers do not run meanwhile, nor timers and I/O. For
   * scripts and workers.
   *
   * @throws as {@link wait}.
   */
  waitSync(options: SyncWaitOptions & OwnerOptions = {}): true {
    const { state } = this
    const { guard, ...waitOptions } = options
    assertSyncWaitOptions(waitOptions)
    const { timeoutMs = Infinity } = waitOptions
    const lock = this.#ownedLock(guard)
    const parked = state.park(KEY, this)
    const ownership = lock.suspend()
    try {
      if (parked.waitSync(timeoutMs) === NOT_NOW) throw timeoutError(this, timeoutMs)
      return true
    } finally {
      lock.resumeSync(ownership)
    }
  }

  /**
   * Waits until `predicate` returns a truthy value, and resolves to that. It is called with the lock held: at once, after each
   * notification, and after the timeout. It may return a promise.
   * @throws as {@link wait}, and whatever `predicate` throws.
   */
  async waitFor<T>(predicate: () => T | PromiseLike<T>, options: WaitOptions & OwnerOptions = {}): Promise<Truthy<T>> {
    assertFunction('predicate', predicate)
    const { guard, ...waitOptions } = options
    assertWaitOptions(waitOptions)
    this.#ownedLock(guard)
    const { timeoutMs = Infinity } = waitOptions
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const result = await predicate()
      if (isTruthy(result)) return result
      try {
        await this.wait({ ...options, timeoutMs: Math.max(deadline - performance.now(), 0) })
      } catch (error) {
        const late = hasCode(error, 'ERR_TIMEOUT') && (await predicate())
        if (isTruthy(late)) return late
        throw this.#inFull(error, timeoutMs)
      }
    }
  }

  /**
   * {@link waitFor}, blocking the thread. Blocks the event loop: signal handlers do not run meanwhile, nor timers and I/O.
   * For scripts and workers.
   *
   * @throws as {@link wait}, and whatever `predicate` throws.
   */
  waitForSync<T>(predicate: () => T, options: SyncWaitOptions & OwnerOptions = {}): Truthy<T> {
    assertFunction('predicate', predicate)
    const { guard, ...waitOptions } = options
    assertSyncWaitOptions(waitOptions)
    this.#ownedLock(guard)
    const { timeoutMs = Infinity } = waitOptions
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const result = predicate()
      assertNotThenable('predicate', result, ' (use waitFor)')
      if (isTruthy(result)) return result
      try {
        this.waitSync({ ...options, timeoutMs: Math.max(deadline - performance.now(), 0) })
      } catch (error) {
        const late = hasCode(error, 'ERR_TIMEOUT') && predicate()
        if (isTruthy(late)) return late
        throw this.#inFull(error, timeoutMs)
      }
    }
  }

  /**
   * Ends the waits of up to `count` waiters, and returns how many. They go on when they get the lock, which the caller still owns.
   * @throws {@link ShareError} `ERR_NOT_OWNER` when the caller does not own the lock; `ERR_CLOSED`.
   */
  notify(count = 1, { guard }: OwnerOptions = {}): number {
    const { state } = this
    if (count !== Infinity) assertInteger('count', count, 0, Number.MAX_SAFE_INTEGER)
    this.#ownedLock(guard)
    return state.unpark(KEY, count)
  }

  /** Ends the waits of all waiters, and returns how many. @throws as {@link notify}. */
  notifyAll(options?: OwnerOptions): number {
    return this.notify(Infinity, options)
  }

  /** {@link Lock.ref}, of the condition and of its lock, which may be a given one. */
  override ref(): this {
    super.ref()
    this.#lock.setKeepsAlive(true)
    return this
  }

  /** {@link Lock.unref}, of the condition and of its lock, which may be a given one. */
  override unref(): this {
    super.unref()
    this.#lock.setKeepsAlive(false)
    return this
  }

  override close(): void {
    super.close()
    this.#lock?.close()
  }

  /** The error of the last of several waits, with the timeout that the caller passed. */
  #inFull(error: unknown, timeoutMs: number): unknown {
    return hasCode(error, 'ERR_TIMEOUT') ? timeoutError(this, timeoutMs) : error
  }

  /** The state of the lock. @throws `ERR_NOT_OWNER` unless the caller owns it. */
  #ownedLock(guard: LockGuard | undefined): LockState {
    if (guard !== undefined && !(guard instanceof LockGuard))
      throw typeError('options.guard', 'a guard of the lock', guard)
    this.assertOpen()
    const lock = this.#lock.state!
    if (lock.isOwnedBy(guard)) return lock
    throw segmentError('ERR_NOT_OWNER', { ...this.subject, part: 'lock', why: 'lock is not held' })
  }
}

/** The condition at a site. */
export function conditionAt(site: Site, lock?: AnyLock): Condition {
  return new (Condition as unknown as new (site: Site, lock?: AnyLock) => Condition)(site, lock)
}

registerKind(KIND, (handle, options) => Condition.attach(handle, options))
