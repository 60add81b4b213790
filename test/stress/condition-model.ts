/** The model of Condition. */
import assert from 'node:assert/strict'
import { Condition } from 'procshare'
import { call, type GuardOf } from '../conformance/driver.ts'
import { firstOf, type Seat, Wait } from './cast.ts'
import { allWait, type Model, type Move, mayBlock, withoutThoseOf } from './model.ts'

export class ConditionModel implements Model {
  readonly #condition = new Condition()
  #waits: Wait[] = []
  /** There was a notification in the last moments of a process. */
  #isGiven = false

  async move(seat: Seat, move: Move): Promise<void> {
    const verb = move.verb % 3
    if (verb !== 2) return this.#notify(seat, verb === 0 ? move.count : Infinity)
    const suffix = mayBlock(seat, move) ? 'Sync' : ''
    const guard = await seat.party.call<GuardOf>(this.#condition, `acquire${suffix}`)
    assert.equal(guard.abandoned, false)
    this.#waits.push(await Wait.begin(seat, call(this.#condition, `wait${suffix}`, { guard }), guard))
  }

  async give(free: Seat, stopped: Seat): Promise<void> {
    // What nobody inherits may wake one who comes later, for nothing.
    if (withoutThoseOf(stopped, this.#waits).length === 0) return
    this.#isGiven = true
    const guard = await free.party.call<GuardOf>(this.#condition, 'acquire')
    assert.equal(await free.party.call(this.#condition, 'notify', 1, { guard }), 1)
    await free.party.release(guard)
  }

  async lost(seat: Seat): Promise<void> {
    this.#waits = withoutThoseOf(seat, this.#waits)
    if (this.#isGiven) await this.#goOn(1)
    this.#isGiven = false
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
    assert.equal(woken, due) // the dead count for nobody
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
