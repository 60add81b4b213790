/** Managed conditions: requests that have released the lock and wait to be notified. */

import { managerError } from '../../../errors/manager-messages.ts'
import { assertInteger, assertTimeout, typeError } from '../../../validate.ts'
import { managedType } from '../../server/managed-type.ts'
import { Referent } from '../../server/referent.ts'
import type { Client, Request } from '../../server/request.ts'
import { RequestQueue, showWaiting, type WaitingRequest } from '../../server/request-queue.ts'
import type { Tasks } from '../lock/contract.ts'
import { assertTasks, lockMethods, ManagedLock, type Ownership } from '../lock/object.ts'
import { conditionContract } from './contract.ts'

/** The number of an ownership, for a caller that no task identifies. */
type Guard = number | undefined

class ManagedCondition {
  readonly lock: ManagedLock
  readonly #queue = new RequestQueue<true, Ownership>('Condition', (waiting, reason) => this.#cancel(waiting, reason))

  constructor(lock: ManagedLock) {
    this.lock = lock
  }

  get waiting(): number {
    return this.#queue.size
  }

  /**
   * Releases the lock until the request is notified. @throws {@link ShareError} `ERR_NOT_OWNER`. On rejection, the caller has the lock
   * again.
   */
  wait(request: Request, timeoutMs: number | undefined, within: Tasks, guard: Guard): Promise<true> {
    const ownership = this.#assertOwned(request, within, guard)
    const notified = this.#queue.wait(request, ownership, timeoutMs)
    this.lock.suspend()
    return notified
  }

  /** Ends up to `count` waits; returns the number of ended waits. @throws {@link ShareError} `ERR_NOT_OWNER`. */
  notify(request: Request, count: number, within: Tasks, guard: Guard): number {
    this.#assertOwned(request, within, guard)
    return this.#notify(count)
  }

  disconnect(client: Client): void {
    this.#queue.cancelAllOf(client)
    this.lock.disconnect(client, this)
  }

  #notify(count: number): number {
    let notified = 0
    for (const waiting of this.#queue) {
      if (notified >= count) break
      notified++
      this.#queue.grant(waiting, this.#takeNotice(waiting))
    }
    return notified
  }

  /** A notified request returns with the lock. If its client is gone before that, the notification goes to the next waiter. */
  async #takeNotice({ request, demand: ownership }: WaitingRequest<true, Ownership>): Promise<true> {
    try {
      await this.lock.resume(request, ownership)
      return true
    } catch (error) {
      this.#notify(1)
      throw error
    }
  }

  #cancel({ request, demand: ownership, reject }: WaitingRequest<true, Ownership>, reason: unknown): void {
    if (request.client.isClosed) {
      this.lock.abandon(ownership)
      reject(reason)
    } else {
      const fail = () => reject(reason)
      this.lock.resume(request, ownership).then(fail, fail)
    }
  }

  #assertOwned(request: Request, within: Tasks, guard: Guard): Ownership {
    const ownership = this.lock.owned(request, within, guard)
    if (ownership !== undefined) return ownership
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

export const conditionType = managedType(
  conditionContract,
  ([lock]: readonly [lock?: unknown]) => new ManagedCondition(lockOf(lock)),
  {
    methods: {
      ...lockMethods<ManagedCondition>(({ lock }) => lock),
      wait: (condition, request, timeoutMs, within, guard) => {
        assertTimeout('options.timeoutMs', timeoutMs)
        return condition.wait(request, timeoutMs, assertTasks(within), assertGuard(guard))
      },
      notify: (condition, request, count = 1, within, guard) => {
        if (count !== Infinity) assertInteger('count', count, 0, Number.MAX_SAFE_INTEGER)
        return condition.notify(request, count as number, assertTasks(within), assertGuard(guard))
      },
      isOwned: (condition, request, within, guard) =>
        condition.lock.owned(request, assertTasks(within), assertGuard(guard)) !== undefined,
    },
    disconnect: (condition, client) => condition.disconnect(client),
    show: ({ lock, waiting }) => `Condition(${lock.isLocked ? 'locked' : 'free'}${showWaiting(waiting)})`,
  },
)
