/** The model of Lock and RLock. */
import assert from 'node:assert/strict'
import { Lock, RLock } from 'procshare'
import { failsWith } from '../conformance/assertions.ts'
import { call, type GuardOf } from '../conformance/driver.ts'
import { firstOf, type Seat, Wait } from './cast.ts'
import { allWait, type Model, type Move, mayBlock, withoutThoseOf } from './model.ts'

export class LockModel implements Model {
  readonly #lock: Lock | RLock
  readonly #isRecursive: boolean
  #owner: Seat | undefined
  #guard: GuardOf | undefined
  #isOfThread = false
  #abandoned = false
  /** One who waited has died, who may have reserved the next turn for some milliseconds. */
  #isPerhapsReserved = false
  #waits: Wait[] = []

  constructor(recursive: boolean) {
    this.#isRecursive = recursive
    this.#lock = recursive ? new RLock() : new Lock()
  }

  async move(seat: Seat, move: Move): Promise<void> {
    const verb = move.verb % 3
    if (verb === 0) return void (await this.#release())
    if (verb === 1) return this.#try(seat)
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
      this.#waits.push(await Wait.begin(seat, call(this.#lock, method)))
    }
  }

  async lost(seat: Seat): Promise<void> {
    const waits = withoutThoseOf(seat, this.#waits)
    if (waits.length < this.#waits.length) this.#isPerhapsReserved = true
    this.#waits = waits
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
      const timeoutMs = this.#isPerhapsReserved ? 1_000 : 0
      const guard = await seat.party.call<GuardOf>(this.#lock, 'acquire', { timeoutMs })
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
    // Who takes over from a dead owner leaves it to those who have it.
    if (!guard.abandoned) this.#isPerhapsReserved = false
    this.#abandoned = false
    this.#owner = seat
    this.#guard = guard
  }
}
