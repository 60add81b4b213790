/** Managed locks: who holds one, and who waits for it. */
import { randomInt } from 'node:crypto'
import { managerError } from '../../../errors/manager-messages.ts'
import type { ShareError } from '../../../errors/share-error.ts'
import { assertInteger, assertTimeout, typeError } from '../../../validate.ts'
import type { Call } from '../call.ts'
import { CallLine, showWaiting } from '../call-line.ts'
import { type ManagedType, methods } from '../managed-type.ts'
import type { Session } from '../session.ts'

/** What an acquisition gives. */
export interface Grant {
  /** The number of the hold, for its release. */
  readonly hold: number
  /** Whether the last owner ended holding the lock. */
  readonly abandoned: boolean
}

/** One owner's hold on a lock. */
export interface Hold {
  readonly id: number
  readonly session: Session
  readonly task: number
  /** The object through which the lock was taken, the lock or a condition: when the client lets go of that, the hold ends. */
  readonly via: object
  /** Its levels; 0 when it was released while a condition's wait had suspended it. */
  depth: number
}

/** Numbers of holds begin anywhere: a guard of another server must not fit. */
let lastHold = randomInt(2 ** 40)

/** Who asks: the tasks around the one that calls, which own what it asks for as well. */
export type Within = readonly number[]

/**
 * A lock.
 *
 *   M1  There is a hold, or nobody is in line.
 *   M2  A hold is in one place: it is the current one, in line, or suspended by a condition's wait, which puts it in line again.
 */
export class ManagedLock {
  readonly isRecursive: boolean
  readonly #type: string
  readonly #line: CallLine<Grant, Hold>
  readonly #suspended = new Set<Hold>()
  #hold: Hold | undefined
  #isAbandoned = false

  constructor(isRecursive: boolean) {
    this.isRecursive = isRecursive
    this.#type = isRecursive ? 'RLock' : 'Lock'
    this.#line = new CallLine(this.#type)
  }

  get isLocked(): boolean {
    return this.#hold !== undefined
  }

  get waiting(): number {
    return this.#line.size
  }

  /**
   * Takes the lock, or waits for it.
   * @throws {@link ShareError} `ERR_TIMEOUT`; `ERR_DEADLOCK` when the caller holds it, and it is not recursive.
   */
  acquire(call: Call, within: Within, timeoutMs?: number, via: object = this): Grant | Promise<Grant> {
    const held = this.#hold
    if (held !== undefined && isOwner(held, call, within)) {
      if (!this.isRecursive) throw managerError('ERR_DEADLOCK', { type: this.#type, why: 'held' })
      return this.#deepen(held)
    }
    const hold = this.#newHold(call, via)
    return held === undefined ? this.#take(hold) : this.#line.wait(call, hold, timeoutMs)
  }

  /** Takes the lock if it is free, or the caller's own recursive one. */
  tryAcquire(call: Call, within: Within, via: object = this): Grant | undefined {
    const held = this.#hold
    if (held === undefined) return this.#take(this.#newHold(call, via))
    return this.isRecursive && isOwner(held, call, within) ? this.#deepen(held) : undefined
  }

  /**
   * Releases the lock, or a level of a recursive one, whoever holds it; a recursive one only for its owner.
   * @throws {@link ShareError} `ERR_NOT_OWNER`.
   */
  release(call: Call, within: Within): void {
    const held = this.#hold
    if (held === undefined) throw this.#notOwner('free')
    if (this.isRecursive && !isOwner(held, call, within)) throw this.#notOwner('not the caller')
    this.#shallow(held)
  }

  /** Releases a level of a hold of the caller; whether another one is left. @throws {@link ShareError} `ERR_NOT_OWNER`. */
  releaseHold(call: Call, id: number): boolean {
    const hold = this.#find(call, id)
    if (hold === undefined) throw this.#notOwner('guard is released')
    if (hold === this.#hold) this.#shallow(hold)
    else hold.depth--
    return hold.depth > 0
  }

  /** The caller's current hold: that of the guard, or the one that it is known to own. */
  owned(call: Call, within: Within, guard: number | undefined): Hold | undefined {
    const held = this.#hold
    if (held === undefined) return undefined
    const isOwned =
      guard === undefined ? isOwner(held, call, within) : held.id === guard && held.session === call.session
    return isOwned ? held : undefined
  }

  /** Lets go of all levels of the current hold, to take it up again later. */
  suspend(): Hold {
    const hold = this.#hold!
    this.#suspended.add(hold)
    this.#passOn()
    return hold
  }

  /** Takes up a hold again, in line with the others. Rejects when the client has let go of the lock before. */
  async resume(call: Call, hold: Hold): Promise<void> {
    if (hold.depth > 0) {
      if (this.#hold === undefined) this.#takeUp(hold)
      else await this.#line.waitPatiently(call, hold)
    }
    this.#suspended.delete(hold)
  }

  /** The client that had a suspended hold is gone. */
  forget(hold: Hold): void {
    hold.depth = 0
    this.#suspended.delete(hold)
  }

  /** Ends what a client has, or waits for, through `via`. */
  leave(session: Session, via: object = this): void {
    const isTheirs = (hold: Hold) => hold.session === session && hold.via === via
    this.#line.endSession(session, isTheirs)
    for (const hold of this.#suspended) {
      if (isTheirs(hold)) this.forget(hold)
    }
    if (this.#hold === undefined || !isTheirs(this.#hold)) return
    this.#isAbandoned = true
    this.#hold.depth = 0
    this.#passOn()
  }

  #newHold(call: Call, via: object): Hold {
    return { id: ++lastHold, session: call.session, task: call.task, via, depth: 1 }
  }

  #find({ session }: Call, id: number): Hold | undefined {
    for (const hold of [this.#hold, ...this.#suspended]) {
      if (hold?.id === id && hold.session === session && hold.depth > 0) return hold
    }
    return undefined
  }

  #take(hold: Hold): Grant {
    this.#hold = hold
    const abandoned = this.#isAbandoned
    this.#isAbandoned = false
    return { hold: hold.id, abandoned }
  }

  /** That the lock was abandoned meanwhile is told to the next one who takes it: this one has been told what it needs. */
  #takeUp(hold: Hold): Grant {
    this.#hold = hold
    return { hold: hold.id, abandoned: false }
  }

  #deepen(hold: Hold): Grant {
    hold.depth++
    return { hold: hold.id, abandoned: false }
  }

  #shallow(hold: Hold): void {
    if (--hold.depth === 0) this.#passOn()
  }

  /** Gives the lock to the next in line. */
  #passOn(): void {
    this.#hold = undefined
    for (const waiting of this.#line) {
      const { demand: hold } = waiting
      const isSuspended = this.#suspended.delete(hold)
      const isReleased = hold.depth === 0 // while it was in line to be taken up again
      this.#line.grant(waiting, isReleased || isSuspended ? this.#takeUp(hold) : this.#take(hold))
      if (!isReleased) return
      this.#hold = undefined
    }
  }

  #notOwner(why: 'free' | 'not the caller' | 'guard is released'): ShareError {
    return managerError('ERR_NOT_OWNER', { type: this.#type, why })
  }
}

function isOwner({ session, task }: Hold, call: Call, within: Within): boolean {
  return session === call.session && (task === call.task || within.includes(task))
}

export function assertWithin(within: unknown): Within {
  if (within === undefined) return []
  if (!Array.isArray(within)) throw typeError('within', 'an array', within)
  return within
}

/** The type of locks that are recursive, or not. */
export function typeOfLocks(name: string, isRecursive: boolean): ManagedType {
  return {
    name,
    create: () => new ManagedLock(isRecursive),
    methods: methods({
      acquire: (lock: ManagedLock, call, timeoutMs: unknown, within: unknown) => {
        assertTimeout('options.timeoutMs', timeoutMs)
        return lock.acquire(call, assertWithin(within), timeoutMs)
      },
      tryAcquire: (lock: ManagedLock, call, within: unknown) => lock.tryAcquire(call, assertWithin(within)),
      release: (lock: ManagedLock, call, within: unknown) => lock.release(call, assertWithin(within)),
      releaseHold: (lock: ManagedLock, call, hold: unknown) => {
        assertInteger('hold', hold, 0, Number.MAX_SAFE_INTEGER)
        return lock.releaseHold(call, hold)
      },
      isLocked: (lock: ManagedLock) => lock.isLocked,
    }),
    leave: (lock: ManagedLock, session) => lock.leave(session),
    show: (lock: ManagedLock) => `${name}(${lock.isLocked ? 'locked' : 'free'}${showWaiting(lock.waiting)})`,
  }
}

export const lockType = typeOfLocks('Lock', false)
