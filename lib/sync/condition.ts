/** Condition: waits for a change of the data that a lock protects. */
import { segmentError } from '../errors/segment-messages.ts'
import { hasCode } from '../errors/share-error.ts'
import type { Handle } from '../memory/handle.ts'
import { type AttachSpec, defineKind, type KindSpec } from '../memory/kind.ts'
import type { Member } from '../memory/member.ts'
import { Placement } from '../memory/placement.ts'
import { type AttachOptions, type SegmentOptions, takeAttachOptions, takeSegmentOptions } from '../memory/segment.ts'
import { assertOwnCopy } from '../memory/shareable.ts'
import { native } from '../native.ts'
import { isTruthy, type Truthy } from '../truthy.ts'
import { assertFunction, assertInteger, assertNotThenable, takeOptions, typeError } from '../validate.ts'
import { initialiseLock, LockBase, lockCellBytes } from './lock-base.ts'
import { LockGuard } from './lock-guard.ts'
import type { LockState } from './lock-state.ts'
import {
  chooseLock,
  type LockChoice,
  LockUse,
  lockEntry,
  lockMismatch,
  type MemberLock,
  takeMemberLock,
} from './lock-use.ts'
import { MAX_RECORDS, ParkingState } from './parking.ts'
import type { AnyLock } from './rlock.ts'
import { SharedObject, stateAt } from './shared-object.ts'
import { type SyncWaitOptions, takeSyncWaitOptions, takeWaitOptions, type WaitOptions } from './wait-options.ts'
import { NOT_NOW, timeoutError } from './wait-queue.ts'

/** The key of all waits: a condition has only one. */
const KEY = 0

/** Identifies the caller as the owner of the lock. */
export interface OwnerOptions {
  /**
   * The guard through which the caller holds the lock. Required for a guard of `await acquire()`; an owner that acquired synchronously,
   * or runs inside `run`, is recognised without it.
   */
  readonly guard?: LockGuard | undefined
}

/** How a {@link Condition} is created. */
export interface ConditionOptions extends SegmentOptions {
  /**
   * The lock that the condition belongs to; several conditions may share one.
   * @defaultValue a recursive lock of its own
   */
  readonly lock?: AnyLock
}

/** How a {@link Condition} is created as a member of a {@link SharedState}. */
export interface ConditionMemberOptions {
  /**
   * The member whose lock the condition belongs to.
   * @defaultValue a recursive lock of its own
   */
  readonly lock?: MemberLock
}

/** The part of a condition that exists in this process only. */
interface Local {
  /** The lock that the program has given. */
  readonly lock: AnyLock | undefined
  readonly attachOptions: AttachOptions | undefined
}

/** The arguments: a lock, as in Python, with or without options; or options alone. */
type Given = [lock: AnyLock, options?: SegmentOptions | undefined] | [options?: ConditionOptions | undefined]

/** How a condition is created, opened and checked. */
function conditionSpec(...[first, second]: Given): KindSpec<Local> {
  assertOwnCopy('lock', first)
  if (first instanceof LockBase) return specFor(takeSegmentOptions<SegmentOptions>(second), first)
  if (second !== undefined) throw typeError('lock', 'a Lock or an RLock', first)
  const options = takeSegmentOptions<ConditionOptions>(first, ['lock'])
  return specFor(options, options.lock)
}

function specFor(options: SegmentOptions, lock: AnyLock | undefined): KindSpec<Local> {
  if (typeof lock === 'boolean') throw typeError('options.lock', 'a Lock or an RLock', lock)
  const choice = lock === undefined ? 'own' : chooseLock(lock, options.persist)
  return kindSpec(choice, lock !== undefined, options, { lock, attachOptions: undefined })
}

function memberSpec(given?: ConditionMemberOptions): KindSpec<Local> {
  const options = takeSegmentOptions<SegmentOptions & ConditionMemberOptions>(given, ['lock'])
  const { lock } = options
  const choice = lock === undefined ? 'own' : takeMemberLock(lock, "{ member: 'the name of another member' }")
  return kindSpec(choice, lock !== undefined, options, undefined)
}

/** @param isGiven - whether the caller has chosen the lock */
function kindSpec(
  lock: LockChoice,
  isGiven: boolean,
  options: SegmentOptions,
  local: Local | undefined,
): KindSpec<Local> {
  const lockBytes = lock === 'own' ? lockCellBytes : 0
  return {
    options,
    local,
    description: { kind: 'Condition', lock: lockEntry(lock) },
    cellsBytes: lockBytes + native.parkingBytes(MAX_RECORDS),
    initialise: (segment, cell) => {
      if (lock === 'own') initialiseLock(segment, cell)
      native.initParking(segment.native, cell + lockBytes, MAX_RECORDS)
    },
    check: (found) => (isGiven ? lockMismatch(found.lock, lockEntry(lock)) : undefined),
  }
}

/** The placement of the condition's waits: after its own lock, if it has one. */
function parkingOf({ attachment, cell, description }: Placement): Placement {
  return new Placement(attachment, cell + (description.lock === 'own' ? lockCellBytes : 0), description)
}

export class ConditionObject extends SharedObject<ParkingState> {
  readonly #lock: LockUse

  constructor(placement: Placement, local: Local | undefined) {
    super(placement, stateAt(parkingOf(placement), ParkingState))
    this.#lock = new LockUse(placement, local?.lock, local?.attachOptions)
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
   * @remarks All levels of a recursive lock are released and taken again. However the wait ends, the caller owns the lock afterwards. The
   * timeout does not limit the time for taking the lock again. If the lock was abandoned during the wait, the next acquisition reports it.
   * A pending wait keeps the process alive, unless {@link unref} was called.
   * @throws {@link ShareError} `ERR_NOT_OWNER` when the caller does not own the lock; `ERR_TIMEOUT` after `timeoutMs`; `ERR_CLOSED` if this
   * object is closed, before or during the wait; `ERR_TOO_MANY_WAITERS`. The reason of the signal when it aborts.
   */
  async wait(options?: WaitOptions & OwnerOptions): Promise<true> {
    const { state } = this
    const { guard, waitOptions } = splitOptions(options, takeWaitOptions)
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
  waitSync(options?: SyncWaitOptions & OwnerOptions): true {
    const { state } = this
    const { guard, waitOptions } = splitOptions(options, takeSyncWaitOptions)
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
   * Waits until `predicate` returns a truthy value, and resolves to that value. The predicate is called with the lock held: at once, after
   * each notification, and after the timeout. It may return a promise.
   * @throws as {@link wait}, and whatever `predicate` throws.
   */
  async waitFor<T>(predicate: () => T | PromiseLike<T>, options?: WaitOptions & OwnerOptions): Promise<Truthy<T>> {
    assertFunction('predicate', predicate)
    const { guard, waitOptions } = splitOptions(options, takeWaitOptions)
    this.#ownedLock(guard)
    const { timeoutMs = Infinity } = waitOptions
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const result = await predicate()
      if (isTruthy(result)) return result
      try {
        await this.wait({ guard, ...waitOptions, timeoutMs: Math.max(deadline - performance.now(), 0) })
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
  waitForSync<T>(predicate: () => T, options?: SyncWaitOptions & OwnerOptions): Truthy<T> {
    assertFunction('predicate', predicate)
    const { guard, waitOptions } = splitOptions(options, takeSyncWaitOptions)
    this.#ownedLock(guard)
    const { timeoutMs = Infinity } = waitOptions
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const result = predicate()
      assertNotThenable('predicate', result, ' (use waitFor)')
      if (isTruthy(result)) return result
      try {
        this.waitSync({ guard, timeoutMs: Math.max(deadline - performance.now(), 0) })
      } catch (error) {
        const late = hasCode(error, 'ERR_TIMEOUT') && predicate()
        if (isTruthy(late)) return late
        throw this.#inFull(error, timeoutMs)
      }
    }
  }

  /**
   * Ends the waits of up to `count` waiters, and returns their number. The waiters continue when they get the lock, which the caller still
   * owns.
   * @throws {@link ShareError} `ERR_NOT_OWNER` when the caller does not own the lock; `ERR_CLOSED`.
   */
  notify(count = 1, options?: OwnerOptions): number {
    const { state } = this
    const { guard } = takeOptions('options', options, ['guard'])
    if (count !== Infinity) assertInteger('count', count, 0, Number.MAX_SAFE_INTEGER)
    this.#ownedLock(guard)
    return state.unpark(KEY, count)
  }

  /** Ends the waits of all waiters, and returns their number. @throws as {@link notify}. */
  notifyAll(options?: OwnerOptions): number {
    return this.notify(Infinity, options)
  }

  /** Applies {@link Lock.ref} to the condition and to its lock, even to a lock that was passed in. */
  override ref(): this {
    super.ref()
    this.#lock.setKeepsAlive(true)
    return this
  }

  /** Applies {@link Lock.unref} to the condition and to its lock, even to a lock that was passed in. */
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

/** Separates the guard that the caller has passed in from the other options, which `take` copies. */
function splitOptions<Options extends WaitOptions>(
  given: (Options & OwnerOptions) | undefined,
  take: (options: Options | undefined) => Options,
): { readonly guard: LockGuard | undefined; readonly waitOptions: Options } {
  if (given === undefined || !Object.hasOwn(given, 'guard')) return { guard: undefined, waitOptions: take(given) }
  const { guard, ...waitOptions } = takeOptions('options', given, ['timeoutMs', 'signal', 'guard'])
  return { guard, waitOptions: take(waitOptions as unknown as Options) }
}

/** The constructor of {@link Condition}. */
export interface ConditionConstructor {
  /**
   * Makes an anonymous condition of a lock, which is an argument or the option `lock`; other processes attach to it through its `handle`.
   * @throws `TypeError` for a `lock` that is not a lock; {@link ShareError} `ENOSPC`, `ENOMEM`, `EMFILE` when the system has no room.
   */
  new (lock: AnyLock, options?: SegmentOptions): Condition
  new (options?: ConditionOptions): Condition
  /** Makes a condition of that name. @throws {@link ShareError} `EEXIST` when there is one; as the constructor. */
  create(name: string, lock: AnyLock, options?: SegmentOptions): Condition
  create(name: string, options?: ConditionOptions): Condition
  /** Attaches to a condition by name or handle. @throws {@link ShareError} as {@link SharedMemory.attach}. */
  attach(target: string | Handle, options?: AttachOptions): Condition
  /**
   * Attaches to the condition of that name, or creates it. If many processes do so at the same time, exactly one creates it.
   * @throws {@link ShareError} `ERR_TYPE` when it exists with another lock than was given.
   */
  open(name: string, lock: AnyLock, options?: SegmentOptions): Condition
  open(name: string, options?: ConditionOptions): Condition
  /** Describes a member of a {@link SharedState}. */
  (options?: ConditionMemberOptions): Member<Condition>
  readonly prototype: Condition
}

/**
 * A condition variable: an owner of its lock releases the lock and waits until another owner notifies it.
 *
 * @remarks Wait in a loop, or with `waitFor`: another owner may have held the lock before the waiter got it again. A notification goes to
 * current waiters, and is lost when there are none. If a waiter is killed before it takes a notification, another waiter gets the
 * notification within a tenth of a second. Corresponds to Python's `multiprocessing.Condition`.
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
export const Condition: ConditionConstructor = defineKind({
  name: 'Condition',
  Class: ConditionObject,
  spec: conditionSpec,
  memberSpec,
  attachSpec: (given?: AttachOptions): AttachSpec<Local> => {
    const attachOptions = takeAttachOptions(given)
    return { options: attachOptions, local: { lock: undefined, attachOptions } }
  },
})
/** A condition variable. */
export type Condition = ConditionObject
