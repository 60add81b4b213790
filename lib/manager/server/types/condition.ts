/** Managed conditions: who waits to be notified, having let go of the lock. */
import { managerError } from '../../../errors/manager-messages.ts'
import { assertInteger, assertTimeout, typeError } from '../../../validate.ts'
import type { Call } from '../call.ts'
import { CallLine, showWaiting, type WaitingCall } from '../call-line.ts'
import { type ManagedType, methods } from '../managed-type.ts'
import { Referent } from '../referent.ts'
import type { Session } from '../session.ts'
import { assertWithin, type Hold, ManagedLock, type Within } from './lock.ts'

/** The number of a hold, for a caller who cannot be recognised. */
type Guard = number | undefined

class ManagedCondition {
  readonly lock: ManagedLock
  readonly #line = new CallLine<true, Hold>('Condition', (waiting, reason) => this.#giveUp(waiting, reason))

  constructor(lock: ManagedLock) {
    this.lock = lock
  }

  get waiting(): number {
    return this.#line.size
  }

  /** Lets go of the lock until it is notified. @throws {@link ShareError} `ERR_NOT_OWNER`; rejects with the lock taken again. */
  wait(call: Call, timeoutMs: number | undefined, within: Within, guard: Guard): Promise<true> {
    const hold = this.#assertOwned(call, within, guard)
    const notified = this.#line.wait(call, hold, timeoutMs)
    this.lock.suspend()
    return notified
  }

  /** Ends the waits of up to `count` callers; says of how many. @throws {@link ShareError} `ERR_NOT_OWNER`. */
  notify(call: Call, count: number, within: Within, guard: Guard): number {
    this.#assertOwned(call, within, guard)
    return this.#notify(count)
  }

  leave(session: Session): void {
    this.#line.endSession(session)
    this.lock.leave(session, this)
  }

  #notify(count: number): number {
    let notified = 0
    for (const waiting of this.#line) {
      if (notified >= count) break
      notified++
      this.#line.grant(waiting, this.#takeNotice(waiting))
    }
    return notified
  }

  /** One who has been notified comes back with the lock; who is gone before that leaves the notification to the next. */
  async #takeNotice({ call, demand: hold }: WaitingCall<true, Hold>): Promise<true> {
    try {
      await this.lock.resume(call, hold)
      return true
    } catch (error) {
      this.#notify(1)
      throw error
    }
  }

  #giveUp({ call, demand: hold, reject }: WaitingCall<true, Hold>, reason: unknown): void {
    if (call.session.isClosed) {
      this.lock.forget(hold)
      reject(reason)
    } else {
      const fail = () => reject(reason)
      this.lock.resume(call, hold).then(fail, fail)
    }
  }

  #assertOwned(call: Call, within: Within, guard: Guard): Hold {
    const hold = this.lock.owned(call, within, guard)
    if (hold !== undefined) return hold
    throw managerError('ERR_NOT_OWNER', { type: 'Condition', why: 'lock of the condition' })
  }
}

function lockOf(lock: unknown): ManagedLock {
  if (lock === undefined) return new ManagedLock(true)
  if (lock instanceof Referent && lock.object instanceof ManagedLock) return lock.object
  throw typeError('options.lock', 'a Lock or RLock of the same manager', lock)
}

function assertGuard(guard: unknown): Guard {
  if (guard !== undefined) assertInteger('options.guard', guard, 0, Number.MAX_SAFE_INTEGER)
  return guard
}

export const conditionType: ManagedType = {
  name: 'Condition',
  create: ([lock]) => new ManagedCondition(lockOf(lock)),
  methods: methods({
    acquire: (condition: ManagedCondition, call, timeoutMs: unknown, within: unknown) => {
      assertTimeout('options.timeoutMs', timeoutMs)
      return condition.lock.acquire(call, assertWithin(within), timeoutMs, condition)
    },
    tryAcquire: (condition: ManagedCondition, call, within: unknown) =>
      condition.lock.tryAcquire(call, assertWithin(within), condition),
    release: (condition: ManagedCondition, call, within: unknown) => condition.lock.release(call, assertWithin(within)),
    releaseHold: (condition: ManagedCondition, call, hold: unknown) => {
      assertInteger('hold', hold, 0, Number.MAX_SAFE_INTEGER)
      return condition.lock.releaseHold(call, hold)
    },
    isLocked: (condition: ManagedCondition) => condition.lock.isLocked,
    wait: (condition: ManagedCondition, call, timeoutMs: unknown, within: unknown, guard: unknown) => {
      assertTimeout('options.timeoutMs', timeoutMs)
      return condition.wait(call, timeoutMs, assertWithin(within), assertGuard(guard))
    },
    notify: (condition: ManagedCondition, call, count: unknown = 1, within: unknown, guard: unknown) => {
      if (count !== Infinity) assertInteger('count', count, 0, Number.MAX_SAFE_INTEGER)
      return condition.notify(call, count as number, assertWithin(within), assertGuard(guard))
    },
    isOwned: (condition: ManagedCondition, call, within: unknown, guard: unknown) =>
      condition.lock.owned(call, assertWithin(within), assertGuard(guard)) !== undefined,
  }),
  leave: (condition: ManagedCondition, session) => condition.leave(session),
  show: ({ lock, waiting }: ManagedCondition) =>
    `Condition(${lock.isLocked ? 'locked' : 'free'}${showWaiting(waiting)})`,
}
