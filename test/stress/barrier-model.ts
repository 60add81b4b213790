/** The model of Barrier. */
import assert from 'node:assert/strict'
import { Barrier } from 'procshare'
import { failsWith } from '../conformance/assertions.ts'
import { call } from '../conformance/driver.ts'
import { type Seat, Wait } from './cast.ts'
import { allWait, type Model, type Move, mayBlock, withoutThoseOf } from './model.ts'

const PARTIES = 3
const BROKEN = 'ERR_BROKEN_BARRIER'

export class BarrierModel implements Model {
  readonly #barrier = new Barrier(PARTIES)
  /** In the order of arrival. */
  #waits: Wait[] = []
  #isBroken = false
  /** Somebody has died who waited alone: whoever comes next finds that out. */
  #isUnnoticed = false

  async move(seat: Seat, move: Move): Promise<void> {
    const method = mayBlock(seat, move) ? 'waitSync' : 'wait'
    if (move.verb === 0) return this.#renew(seat, move.blocking ? 'abort' : 'reset')
    if (move.verb === 1) return this.#arrive(seat, method, { timeoutMs: move.count - 1 })
    return this.#arrive(seat, method)
  }

  async lost(seat: Seat): Promise<void> {
    const left = withoutThoseOf(seat, this.#waits)
    if (left.length === this.#waits.length) return
    this.#waits = left
    this.#isUnnoticed = left.length === 0
    await this.#break()
  }

  async check(): Promise<void> {
    await allWait(this.#waits)
    if (this.#isUnnoticed) return
    assert.deepEqual([this.#barrier.broken, this.#barrier.waiting], [this.#isBroken, this.#waits.length])
  }

  async drain(free: Seat): Promise<boolean> {
    if (this.#waits.length === 0) return false
    await this.#arrive(free, 'wait')
    return true
  }

  async finish(free: Seat): Promise<void> {
    await this.#renew(free, 'reset')
    for (let i = 0; i < PARTIES; i++) await this.#arrive(free, 'wait')
    await this.check()
  }

  close(): void {
    this.#barrier.close()
  }

  async #arrive(seat: Seat, method: string, options?: { timeoutMs: number }): Promise<void> {
    const step = call(this.#barrier, method, ...(options === undefined ? [] : [options]))
    if (this.#isBroken) {
      await failsWith(BROKEN, seat.party.errorOf(step))
      this.#isUnnoticed = false
    } else if (this.#waits.length === PARTIES - 1) {
      assert.equal(await seat.party.perform(step), PARTIES - 1)
      for (const [i, wait] of this.#waits.splice(0).entries()) assert.equal(await wait.end(), i)
    } else if (options === undefined) {
      this.#waits.push(await Wait.begin(seat, step))
    } else {
      await failsWith('ERR_TIMEOUT', seat.party.errorOf(step))
      await this.#break()
    }
  }

  async #renew(seat: Seat, method: 'abort' | 'reset'): Promise<void> {
    await seat.party.call(this.#barrier, method)
    await this.#break()
    this.#isBroken = method === 'abort'
    this.#isUnnoticed = false
  }

  async #break(): Promise<void> {
    this.#isBroken = true
    for (const wait of this.#waits.splice(0)) await wait.fails(BROKEN)
  }
}
