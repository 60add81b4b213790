/** The model of Event. */
import assert from 'node:assert/strict'
import { Event } from 'procshare'
import { call } from '../conformance/driver.ts'
import { firstOf, type Seat, Wait } from './cast.ts'
import { allWait, type Model, type Move, mayBlock, withoutThoseOf } from './model.ts'

export class EventModel implements Model {
  readonly #event = new Event()
  #isSet = false
  #waits: Wait[] = []

  async move(seat: Seat, move: Move): Promise<void> {
    const verb = move.verb % 3
    if (verb === 0) {
      await seat.party.call(this.#event, 'set')
      this.#isSet = true
      if (move.blocking) {
        await seat.party.call(this.#event, 'clear')
        this.#isSet = false
      }
      while (this.#waits.length > 0) await firstOf(this.#waits, 'the event')
    } else if (verb === 1) {
      await seat.party.call(this.#event, 'clear')
      this.#isSet = false
    } else {
      const method = mayBlock(seat, move) ? 'waitSync' : 'wait'
      if (this.#isSet) assert.equal(await seat.party.call(this.#event, method), true)
      else this.#waits.push(await Wait.begin(seat, call(this.#event, method)))
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
