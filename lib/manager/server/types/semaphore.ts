/** Managed semaphores: how many units there are, and who has taken how many. */
import { managerError } from '../../../errors/manager-messages.ts'
import { assertBoolean, assertInteger, assertTimeout } from '../../../validate.ts'
import type { Call } from '../call.ts'
import { CallLine, showWaiting } from '../call-line.ts'
import { type ManagedType, methods } from '../managed-type.ts'
import type { Session } from '../session.ts'

/** What the value of a semaphore can be at most, as in Python. */
const MAX_VALUE = 2 ** 31 - 1

/**
 * A semaphore.
 *
 *   M1  There are no units, or nobody is in line.
 *   M2  The units that there are and those that clients have are never more than the limit.
 */
class ManagedSemaphore {
  readonly limit: number
  readonly #type: string
  readonly #isRecoverable: boolean
  readonly #line: CallLine<void>
  /** How many units each client has; who has had some for longest comes first. */
  readonly #holders = new Map<Session, number>()
  #value: number

  constructor(name: string, value: number, limit: number, isRecoverable: boolean) {
    this.limit = limit
    this.#type = name
    this.#isRecoverable = isRecoverable
    this.#line = new CallLine(name)
    this.#value = value
  }

  get value(): number {
    return this.#value
  }

  get waiting(): number {
    return this.#line.size
  }

  tryAcquire({ session }: Call): boolean {
    if (this.#value === 0) return false
    this.#take(session)
    return true
  }

  acquire(call: Call, timeoutMs: number | undefined): void | Promise<void> {
    if (!this.tryAcquire(call)) return this.#line.wait(call, undefined, timeoutMs)
  }

  /** @throws {@link ShareError} `ERR_OVER_RELEASE` when the value would go beyond the limit. */
  release({ session }: Call, units: number): void {
    if (this.#value + units > this.limit) {
      throw managerError('ERR_OVER_RELEASE', { type: this.#type, units, max: this.limit })
    }
    let left = this.#takeBack(session, units)
    for (const holder of this.#holders.keys()) {
      if (left === 0) break
      left = this.#takeBack(holder, left)
    }
    this.#give(units)
  }

  leave(session: Session): void {
    this.#line.endSession(session)
    const units = this.#holders.get(session) ?? 0
    this.#holders.delete(session)
    if (this.#isRecoverable) this.#give(units)
  }

  #take(session: Session): void {
    this.#value--
    this.#holders.set(session, (this.#holders.get(session) ?? 0) + 1)
  }

  /** Takes up to so many units from what a client has; how many are left to find. */
  #takeBack(session: Session, units: number): number {
    const held = this.#holders.get(session) ?? 0
    if (held > units) this.#holders.set(session, held - units)
    else this.#holders.delete(session)
    return Math.max(units - held, 0)
  }

  #give(units: number): void {
    this.#value += units
    for (const waiting of this.#line) {
      if (this.#value === 0) break
      this.#take(waiting.call.session)
      this.#line.grant(waiting, undefined)
    }
  }
}

function typeOfSemaphores(name: 'Semaphore' | 'BoundedSemaphore'): ManagedType {
  return {
    name,
    create: ([value = 1, recoverable = true]) => {
      assertInteger('value', value, 0, MAX_VALUE)
      assertBoolean('options.recoverable', recoverable)
      return new ManagedSemaphore(name, value, name === 'Semaphore' ? MAX_VALUE : value, recoverable)
    },
    methods: methods({
      acquire: (semaphore: ManagedSemaphore, call, timeoutMs: unknown) => {
        assertTimeout('options.timeoutMs', timeoutMs)
        return semaphore.acquire(call, timeoutMs)
      },
      tryAcquire: (semaphore: ManagedSemaphore, call) => semaphore.tryAcquire(call),
      release: (semaphore: ManagedSemaphore, call, units: unknown = 1) => {
        assertInteger('units', units, 1, MAX_VALUE)
        semaphore.release(call, units)
      },
      value: (semaphore: ManagedSemaphore) => semaphore.value,
    }),
    leave: (semaphore: ManagedSemaphore, session) => semaphore.leave(session),
    show: (semaphore: ManagedSemaphore) => `${name}(value=${semaphore.value}${showWaiting(semaphore.waiting)})`,
  }
}

export const semaphoreType = typeOfSemaphores('Semaphore')
export const boundedSemaphoreType = typeOfSemaphores('BoundedSemaphore')
