/** The model of Semaphore, recoverable, and BoundedSemaphore. */
import assert from 'node:assert/strict'
import { BoundedSemaphore, Semaphore } from 'procshare'
import { failsWith } from '../conformance/assertions.ts'
import { call } from '../conformance/driver.ts'
import { firstOf, type Seat, Wait } from './cast.ts'
import { allWait, type Model, type Move, mayBlock, withoutThoseOf } from './model.ts'

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
    this.#semaphore = recoverable ? new Semaphore(UNITS, { recoverable }) : new BoundedSemaphore(UNITS, { recoverable })
  }

  async move(seat: Seat, move: Move): Promise<void> {
    const verb = move.verb % 3
    if (verb === 0) return this.#release(seat, move.count)
    if (verb === 1) {
      assert.equal(await seat.party.call(this.#semaphore, 'tryAcquire'), this.#value > 0)
      if (this.#value > 0) this.#take(seat)
      return
    }
    const method = mayBlock(seat, move) ? 'acquireSync' : 'acquire'
    if (this.#value > 0) {
      await seat.party.call(this.#semaphore, method)
      this.#take(seat)
    } else {
      this.#waits.push(await Wait.begin(seat, call(this.#semaphore, method)))
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
