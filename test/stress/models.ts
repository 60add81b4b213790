/**
 * Sequential models of the objects: each knows what every step must come to, performs it on the real object through one of
 * the processes, and compares. Where several outcomes are right (which of many waiters is served), the model follows the
 * real object; that exactly so many are served, and nobody else, it insists on.
 */
import assert from 'node:assert/strict'
import { BoundedSemaphore, Condition, Event, Lock, RLock, Semaphore } from 'procshare'
import { failsWith } from '../conformance/assertions.ts'
import { call, type GuardOf } from '../conformance/driver.ts'
import { firstOf, type Seat, Wait } from './cast.ts'

/** A step of a random program. What it means is up to the model. */
export interface Move {
  readonly verb: number
  readonly blocking: boolean
  readonly count: number
}

export interface Model {
  /** One step, by the process of a seat that is not blocked. */
  move(seat: Seat, move: Move): Promise<void>
  /** The process of the seat is gone. */
  lost(seat: Seat): Promise<void>
  /** That nobody has been served who should not. */
  check(): Promise<void>
  /** Gives back something that others wait for, if there is such a thing and a process that is free to do so. */
  drain(free: Seat): Promise<boolean>
  /** Nobody waits any more: compares what is left. */
  finish(free: Seat): Promise<void>
  close(): void
}

/** Only a process that waits for nothing else may be blocked: what it waits for could not be given to it meanwhile. */
const mayBlock = (seat: Seat, { blocking }: Move) => blocking && seat.pending === 0

const withoutThoseOf = (seat: Seat, waits: readonly Wait[]) => waits.filter((wait) => wait.seat !== seat)

async function allWait(waits: readonly Wait[]): Promise<void> {
  for (const { seat, started } of waits) await seat.party.waits(started)
}

export class LockModel implements Model {
  readonly #lock: Lock | RLock
  readonly #isRecursive: boolean
  #owner: Seat | undefined
  #guard: GuardOf | undefined
  #isOfThread = false
  #abandoned = false
  #waits: Wait[] = []

  constructor(recursive: boolean) {
    this.#isRecursive = recursive
    this.#lock = recursive ? new RLock() : new Lock()
  }

  async move(seat: Seat, move: Move): Promise<void> {
    if (move.verb === 0) return void (await this.#release())
    if (move.verb === 1) return this.#try(seat)
    if (this.#owner === undefined) {
      const method = mayBlock(seat, move) ? 'acquireSync' : 'acquire'
      this.#grant(seat, await seat.party.call<GuardOf>(this.#lock, method))
      this.#isOfThread = method === 'acquireSync'
    } else if (this.#owner === seat && mayBlock(seat, move)) {
      const step = call(this.#lock, 'acquireSync')
      // A guard of `await acquire()` belongs to nobody who could be recognised.
      if (this.#isRecursive && this.#isOfThread) await seat.party.release(await seat.party.perform<GuardOf>(step))
      else await failsWith('ERR_DEADLOCK', seat.party.errorOf(step))
    } else {
      const method = mayBlock(seat, move) ? 'acquireSync' : 'acquire'
      this.#waits.push(await Wait.begin(seat, this.#lock, method))
    }
  }

  async lost(seat: Seat): Promise<void> {
    this.#waits = withoutThoseOf(seat, this.#waits)
    if (this.#owner !== seat) return
    this.#owner = undefined
    this.#abandoned = true
    await this.#serveNext()
  }

  async check(): Promise<void> {
    await allWait(this.#waits)
    assert.equal(this.#lock.locked, this.#owner !== undefined)
    assert.equal(this.#lock.owner?.pid, this.#owner?.party.pid)
  }

  drain(): Promise<boolean> {
    return this.#release()
  }

  async finish(): Promise<void> {
    assert.equal(this.#lock.locked, false)
  }

  close(): void {
    this.#lock.close()
  }

  async #try(seat: Seat): Promise<void> {
    if (this.#owner === undefined) {
      // Not tryAcquire: whoever holds a recursive lock synchronously would be granted it again.
      const guard = await seat.party.call<GuardOf>(this.#lock, 'acquire', { timeoutMs: 0 })
      this.#grant(seat, guard)
      this.#isOfThread = false
    } else {
      await failsWith('ERR_TIMEOUT', seat.party.errorOf(call(this.#lock, 'acquire', { timeoutMs: 0 })))
    }
  }

  /** The owner cannot be blocked by this lock; if it is by another, it does not get to release this one. */
  async #release(): Promise<boolean> {
    if (this.#owner === undefined || this.#owner.blocked) return false
    await this.#owner.party.release(this.#guard!)
    this.#owner = undefined
    await this.#serveNext()
    return true
  }

  async #serveNext(): Promise<void> {
    if (this.#waits.length === 0) return
    const { wait, value } = await firstOf<GuardOf>(this.#waits, 'the lock')
    this.#grant(wait.seat, value)
    this.#isOfThread = wait.isBlocking
  }

  #grant(seat: Seat, guard: GuardOf): void {
    assert.equal(guard.abandoned, this.#abandoned)
    this.#abandoned = false
    this.#owner = seat
    this.#guard = guard
  }
}

const UNITS = 3

export class SemaphoreModel implements Model {
  readonly #semaphore: Semaphore | BoundedSemaphore
  readonly #recoverable: boolean
  /** Who has how many, as far as he has not released them himself. */
  readonly #held = new Map<Seat, number>()
  #value = UNITS
  #waits: Wait[] = []

  constructor(recoverable: boolean) {
    this.#recoverable = recoverable
    this.#semaphore = recoverable ? new Semaphore(UNITS, { recoverable }) : new BoundedSemaphore(UNITS)
  }

  async move(seat: Seat, move: Move): Promise<void> {
    if (move.verb === 0) return this.#release(seat, move.count)
    if (move.verb === 1) {
      assert.equal(await seat.party.call(this.#semaphore, 'tryAcquire'), this.#value > 0)
      if (this.#value > 0) this.#take(seat)
      return
    }
    const method = mayBlock(seat, move) ? 'acquireSync' : 'acquire'
    if (this.#value > 0) {
      await seat.party.call(this.#semaphore, method)
      this.#take(seat)
    } else {
      this.#waits.push(await Wait.begin(seat, this.#semaphore, method))
    }
  }

  async lost(seat: Seat): Promise<void> {
    this.#waits = withoutThoseOf(seat, this.#waits)
    const units = this.#heldBy(seat)
    this.#held.delete(seat)
    if (this.#recoverable) await this.#serve(units)
  }

  async check(): Promise<void> {
    await allWait(this.#waits)
    // Units of the dead come back when somebody asks.
    if (!this.#recoverable) assert.equal(this.#semaphore.value, this.#value)
  }

  async drain(free: Seat): Promise<boolean> {
    if (this.#waits.length === 0) return false
    const holder = [...this.#held].find(([seat, units]) => units > 0 && !seat.blocked)?.[0]
    if (this.#recoverable && holder === undefined) return false
    await this.#release(holder ?? free, 1)
    return true
  }

  async finish({ party }: Seat): Promise<void> {
    for (; this.#value > 0; this.#value--) assert.equal(await party.call(this.#semaphore, 'tryAcquire'), true)
    assert.equal(await party.call(this.#semaphore, 'tryAcquire'), false)
  }

  close(): void {
    this.#semaphore.close()
  }

  async #release(seat: Seat, count: number): Promise<void> {
    const step = call(this.#semaphore, 'release', count)
    if (this.#recoverable && this.#heldBy(seat) < count) return failsWith('ERR_NOT_OWNER', seat.party.errorOf(step))
    if (!this.#recoverable && this.#value + count > UNITS) {
      return failsWith('ERR_OVER_RELEASE', seat.party.errorOf(step))
    }
    await seat.party.perform(step)
    this.#held.set(seat, Math.max(this.#heldBy(seat) - count, 0))
    await this.#serve(count)
  }

  async #serve(units: number): Promise<void> {
    this.#value += units
    while (this.#value > 0 && this.#waits.length > 0) {
      const { wait } = await firstOf(this.#waits, 'a unit')
      this.#take(wait.seat)
    }
  }

  #take(seat: Seat): void {
    this.#value--
    this.#held.set(seat, this.#heldBy(seat) + 1)
  }

  #heldBy(seat: Seat): number {
    return this.#held.get(seat) ?? 0
  }
}

export class EventModel implements Model {
  readonly #event = new Event()
  #isSet = false
  #waits: Wait[] = []

  async move(seat: Seat, move: Move): Promise<void> {
    if (move.verb === 0) {
      await seat.party.call(this.#event, 'set')
      this.#isSet = true
      if (move.blocking) {
        await seat.party.call(this.#event, 'clear')
        this.#isSet = false
      }
      while (this.#waits.length > 0) await firstOf(this.#waits, 'the event')
    } else if (move.verb === 1) {
      await seat.party.call(this.#event, 'clear')
      this.#isSet = false
    } else {
      const method = mayBlock(seat, move) ? 'waitSync' : 'wait'
      if (this.#isSet) assert.equal(await seat.party.call(this.#event, method), true)
      else this.#waits.push(await Wait.begin(seat, this.#event, method))
    }
  }

  async lost(seat: Seat): Promise<void> {
    this.#waits = withoutThoseOf(seat, this.#waits)
  }

  async check(): Promise<void> {
    await allWait(this.#waits)
    assert.equal(this.#event.isSet, this.#isSet)
  }

  async drain(free: Seat): Promise<boolean> {
    if (this.#waits.length === 0) return false
    await this.move(free, { verb: 0, blocking: true, count: 1 })
    return true
  }

  async finish(): Promise<void> {}

  close(): void {
    this.#event.close()
  }
}

export class ConditionModel implements Model {
  readonly #condition = new Condition()
  #waits: Wait[] = []
  /** Killed waiters that nobody has taken note of yet, perhaps. */
  #ghosts = 0

  async move(seat: Seat, move: Move): Promise<void> {
    if (move.verb !== 2) return this.#notify(seat, move.verb === 0 ? move.count : Infinity)
    const suffix = mayBlock(seat, move) ? 'Sync' : ''
    const guard = await seat.party.call<GuardOf>(this.#condition, `acquire${suffix}`)
    assert.equal(guard.abandoned, false)
    this.#waits.push(await Wait.begin(seat, this.#condition, `wait${suffix}`, guard))
  }

  async lost(seat: Seat): Promise<void> {
    const left = withoutThoseOf(seat, this.#waits)
    this.#ghosts += this.#waits.length - left.length
    this.#waits = left
  }

  async check(): Promise<void> {
    await allWait(this.#waits)
    assert.equal(this.#condition.lock.locked, false)
  }

  async drain(free: Seat): Promise<boolean> {
    if (this.#waits.length === 0) return false
    await this.#notify(free, Infinity)
    return true
  }

  async finish(free: Seat): Promise<void> {
    const guard = await free.party.call<GuardOf>(this.#condition, 'tryAcquire')
    assert.equal(await free.party.call(this.#condition, 'notifyAll'), 0)
    await free.party.release(guard)
  }

  close(): void {
    this.#condition.close()
  }

  async #notify(seat: Seat, count: number): Promise<void> {
    const guard = await seat.party.call<GuardOf>(this.#condition, 'acquire')
    const woken = await seat.party.call<number>(this.#condition, 'notify', count, { guard })
    const due = Math.min(count, this.#waits.length)
    assert.ok(woken >= due && woken <= Math.min(count, this.#waits.length + this.#ghosts), `${woken} woken, ${due} due`)
    await seat.party.release(guard)
    await this.#goOn(due)
  }

  async #goOn(due: number): Promise<void> {
    for (let i = 0; i < due; i++) {
      const { wait, value } = await firstOf(this.#waits, 'the notification')
      assert.equal(value, true)
      await wait.seat.party.release(wait.guard!)
    }
  }
}
