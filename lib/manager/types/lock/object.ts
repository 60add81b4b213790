/** Managed locks: their owners, and the requests that wait. */

import { randomInt } from 'node:crypto'
import { managerError } from '../../../errors/manager-messages.ts'
import type { ShareError } from '../../../errors/share-error.ts'
import { assertInteger, assertTimeout, typeError } from '../../../validate.ts'
import { type Methods, managedType } from '../../server/managed-type.ts'
import type { Client, Request } from '../../server/request.ts'
import { RequestQueue, showWaiting } from '../../server/request-queue.ts'
import { type Grant, type LockOperations, lockContract, rlockContract, type Tasks } from './contract.ts'

/** One owner's acquisition of a lock. */
export interface Ownership {
  readonly id: number
  readonly client: Client
  readonly task: number
  /**
   * The object through which the lock was acquired: the lock or a condition. When the client has no proxy of that object any more, the
   * ownership ends.
   */
  readonly via: object
  /** Its levels; 0 when it was released while a condition's wait had suspended it. */
  depth: number
}

/** The numbers begin at a random value, so that a guard of another server does not match. */
let lastId = randomInt(2 ** 40)

/**
 * A lock.
 *
 *   M1  There is an ownership, or the queue is empty.
 *   M2  An ownership is in one place: it is the current one, queued, or suspended by a condition's wait, which queues it again.
 */
export class ManagedLock {
  readonly isRecursive: boolean
  readonly #type: string
  readonly #queue: RequestQueue<Grant, Ownership>
  readonly #suspended = new Set<Ownership>()
  #current: Ownership | undefined
  #isAbandoned = false

  constructor(isRecursive: boolean) {
    this.isRecursive = isRecursive
    this.#type = isRecursive ? 'RLock' : 'Lock'
    this.#queue = new RequestQueue(this.#type)
  }

  get isLocked(): boolean {
    return this.#current !== undefined
  }

  get waiting(): number {
    return this.#queue.size
  }

  /**
   * Takes the lock, or waits for it.
   * @throws {@link ShareError} `ERR_TIMEOUT`; `ERR_DEADLOCK` when the caller holds it, and it is not recursive.
   */
  acquire(request: Request, within: Tasks, timeoutMs?: number, via: object = this): Grant | Promise<Grant> {
    const current = this.#current
    if (current !== undefined && isOwner(current, request, within)) {
      if (!this.isRecursive) throw managerError('ERR_DEADLOCK', { type: this.#type, why: 'held' })
      return this.#enter(current)
    }
    const ownership = this.#newOwnership(request, via)
    return current === undefined ? this.#take(ownership) : this.#queue.wait(request, ownership, timeoutMs)
  }

  /** Takes the lock if it is free, or the caller's own recursive one. */
  tryAcquire(request: Request, within: Tasks, via: object = this): Grant | undefined {
    const current = this.#current
    if (current === undefined) return this.#take(this.#newOwnership(request, via))
    return this.isRecursive && isOwner(current, request, within) ? this.#enter(current) : undefined
  }

  /**
   * Releases the lock, or a level of a recursive one. Any client may release a lock; only its owner a recursive one.
   * @throws {@link ShareError} `ERR_NOT_OWNER`.
   */
  release(request: Request, within: Tasks): void {
    const current = this.#current
    if (current === undefined) throw this.#notOwner('free')
    if (this.isRecursive && !isOwner(current, request, within)) throw this.#notOwner('not the caller')
    this.#leaveLevel(current)
  }

  /** Releases a level of an ownership of the caller. Returns whether another level is left. @throws {@link ShareError} `ERR_NOT_OWNER`. */
  releaseOwnership(request: Request, id: number): boolean {
    const ownership = this.#find(request, id)
    if (ownership === undefined) throw this.#notOwner('guard is released')
    if (ownership === this.#current) this.#leaveLevel(ownership)
    else ownership.depth--
    return ownership.depth > 0
  }

  /** The caller's current ownership: the ownership of the guard, or the one that the caller's thread or tasks own. */
  owned(request: Request, within: Tasks, guard: number | undefined): Ownership | undefined {
    const current = this.#current
    if (current === undefined) return undefined
    const isOwned =
      guard === undefined
        ? isOwner(current, request, within)
        : current.id === guard && current.client === request.client
    return isOwned ? current : undefined
  }

  /** Releases all levels of the current ownership, which {@link resume} continues later. */
  suspend(): Ownership {
    const ownership = this.#current!
    this.#suspended.add(ownership)
    this.#handOver()
    return ownership
  }

  /** Continues a suspended ownership, in the order of the queue. Rejects when the client has no proxy of the lock any more. */
  async resume(request: Request, ownership: Ownership): Promise<void> {
    if (ownership.depth > 0) {
      if (this.#current === undefined) this.#takeUp(ownership)
      else await this.#queue.waitPatiently(request, ownership)
    }
    this.#suspended.delete(ownership)
  }

  /** Ends a suspended ownership whose client is gone. */
  abandon(ownership: Ownership): void {
    ownership.depth = 0
    this.#suspended.delete(ownership)
  }

  /** Ends the ownerships and the waits of a client through `via`. */
  disconnect(client: Client, via: object = this): void {
    const isTheirs = (ownership: Ownership) => ownership.client === client && ownership.via === via
    this.#queue.cancelAllOf(client, isTheirs)
    for (const ownership of this.#suspended) {
      if (isTheirs(ownership)) this.abandon(ownership)
    }
    if (this.#current === undefined || !isTheirs(this.#current)) return
    this.#isAbandoned = true
    this.#current.depth = 0
    this.#handOver()
  }

  #newOwnership(request: Request, via: object): Ownership {
    return { id: ++lastId, client: request.client, task: request.task, via, depth: 1 }
  }

  #find({ client }: Request, id: number): Ownership | undefined {
    for (const ownership of [this.#current, ...this.#suspended]) {
      if (ownership?.id === id && ownership.client === client && ownership.depth > 0) return ownership
    }
    return undefined
  }

  #take(ownership: Ownership): Grant {
    this.#current = ownership
    const abandoned = this.#isAbandoned
    this.#isAbandoned = false
    return { ownershipId: ownership.id, abandoned }
  }

  /** If the lock was abandoned during the suspension, the next new owner reports it. The resumed owner has already received its guard. */
  #takeUp(ownership: Ownership): Grant {
    this.#current = ownership
    return { ownershipId: ownership.id, abandoned: false }
  }

  #enter(ownership: Ownership): Grant {
    ownership.depth++
    return { ownershipId: ownership.id, abandoned: false }
  }

  #leaveLevel(ownership: Ownership): void {
    if (--ownership.depth === 0) this.#handOver()
  }

  /** Hands the lock over to the next request. */
  #handOver(): void {
    this.#current = undefined
    for (const waiting of this.#queue) {
      const { demand: ownership } = waiting
      const isSuspended = this.#suspended.delete(ownership)
      const isReleased = ownership.depth === 0 // it was released while it was queued to be resumed
      this.#queue.grant(waiting, isReleased || isSuspended ? this.#takeUp(ownership) : this.#take(ownership))
      if (!isReleased) return
      this.#current = undefined
    }
  }

  #notOwner(why: 'free' | 'not the caller' | 'guard is released'): ShareError {
    return managerError('ERR_NOT_OWNER', { type: this.#type, why })
  }
}

function isOwner({ client, task }: Ownership, request: Request, within: Tasks): boolean {
  return client === request.client && (task === request.task || within.includes(task))
}

export function assertTasks(within: unknown): Tasks {
  if (within === undefined) return []
  if (!Array.isArray(within)) throw typeError('within', 'an array', within)
  return within
}

/** The methods of locks, for objects that have one: locks themselves, and conditions. */
export function lockMethods<T extends object>(lockOf: (object: T) => ManagedLock): Methods<LockOperations, T> {
  return {
    acquire: (object, request, timeoutMs, within) => {
      assertTimeout('options.timeoutMs', timeoutMs)
      return lockOf(object).acquire(request, assertTasks(within), timeoutMs, object)
    },
    tryAcquire: (object, request, within) => lockOf(object).tryAcquire(request, assertTasks(within), object),
    release: (object, request, within) => lockOf(object).release(request, assertTasks(within)),
    releaseOwnership: (object, request, ownershipId) => {
      assertInteger('ownershipId', ownershipId, 0, Number.MAX_SAFE_INTEGER)
      return lockOf(object).releaseOwnership(request, ownershipId)
    },
    locked: (object) => lockOf(object).isLocked,
  }
}

function typeOfLocks(contract: typeof lockContract, isRecursive: boolean) {
  return managedType(contract, () => new ManagedLock(isRecursive), {
    methods: lockMethods((lock) => lock),
    disconnect: (lock, client) => lock.disconnect(client),
    show: (lock) => `${contract.type}(${lock.isLocked ? 'locked' : 'free'}${showWaiting(lock.waiting)})`,
  })
}

export const lockType = typeOfLocks(lockContract, false)
export const rlockType = typeOfLocks(rlockContract, true)
