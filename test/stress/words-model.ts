/** The model of wait, waitAsync and notify, on two elements of an array. */
import assert from 'node:assert/strict'
import { SharedArray } from 'procshare'
import type { Step } from '../conformance/driver.ts'
import { firstOf, firstOfEach, type Seat, Wait } from './cast.ts'
import { allWait, type Model, type Move, mayBlock, withoutThoseOf } from './model.ts'

export class WordsModel implements Model {
  readonly #words = new SharedArray('i', 2)
  readonly #values: [number, number] = [0, 0]
  /** By element. */
  #waits: [Wait[], Wait[]] = [[], []]
  /** For which element there was a notification in the last moments of a process. */
  #given: 0 | 1 | undefined

  async move(seat: Seat, move: Move): Promise<void> {
    const index = ((move.count + Number(move.blocking)) % 2) as 0 | 1
    if (move.verb === 0) return this.#notify(seat, index, move.blocking ? move.count : Infinity)
    if (move.verb === 1) return this.#store(seat, index)
    const blocks = mayBlock(seat, move)
    if (move.verb === 2) return this.#waitBriefly(seat, index, blocks)
    if (move.verb === 3) return this.#waitInVain(seat, index, blocks)
    this.#waits[index].push(await Wait.begin(seat, this.#wait(blocks, index, this.#values[index])))
  }

  async give(free: Seat, stopped: Seat): Promise<void> {
    const index = this.#waits[1].some(({ seat }) => seat === stopped) ? 1 : 0
    // What nobody inherits may wake one who comes later, for nothing.
    if (withoutThoseOf(stopped, this.#waits[index]).length === 0) return
    this.#given = index
    assert.equal(await free.party.perform(this.#word('notify', index, 1)), 1)
  }

  async lost(seat: Seat): Promise<void> {
    this.#waits = [withoutThoseOf(seat, this.#waits[0]), withoutThoseOf(seat, this.#waits[1])]
    if (this.#given !== undefined) await this.#served(this.#given)
    this.#given = undefined
  }

  async check(): Promise<void> {
    await allWait(this.#waits.flat())
  }

  async drain(free: Seat): Promise<boolean> {
    if (this.#waits.flat().length === 0) return false
    for (const index of [0, 1] as const) await this.#notify(free, index, Infinity)
    return true
  }

  async finish(free: Seat): Promise<void> {
    for (const index of [0, 1] as const) await this.#notify(free, index, Infinity)
    assert.deepEqual([...this.#words], this.#values)
  }

  close(): void {
    this.#words.close()
  }

  async #notify(seat: Seat, index: 0 | 1, count: number): Promise<void> {
    const waits = this.#waits[index]
    const due = Math.min(count, waits.length)
    assert.equal(await seat.party.perform(this.#word('notify', index, count)), due) // the dead count for nobody
    for (let i = 0; i < due; i++) await this.#served(index)
  }

  async #served(index: 0 | 1): Promise<void> {
    const waits = this.#waits[index]
    const { wait, value } = await firstOf(
      firstOfEach(waits, ({ seat }) => seat),
      'the notification',
    )
    waits.splice(waits.indexOf(wait), 1)
    assert.deepEqual(value, wait.isBlocking ? 'ok' : { async: true, value: 'ok' })
  }

  /** What those wait for who do is another number from now on; but nobody is told. */
  async #store(seat: Seat, index: 0 | 1): Promise<void> {
    this.#values[index]++
    await seat.party.call(this.#words, 'set', [this.#values[index]], index)
  }

  async #waitBriefly(seat: Seat, index: 0 | 1, blocks: boolean): Promise<void> {
    const result = await seat.party.perform(this.#wait(blocks, index, this.#values[index], 1))
    assert.deepEqual(result, blocks ? 'timed-out' : { async: true, value: 'timed-out' })
  }

  async #waitInVain(seat: Seat, index: 0 | 1, blocks: boolean): Promise<void> {
    const result = await seat.party.perform(this.#wait(blocks, index, this.#values[index] - 1))
    assert.deepEqual(result, blocks ? 'not-equal' : { async: false, value: 'not-equal' })
  }

  #wait(blocks: boolean, index: number, value: number, ...timeout: number[]): Step {
    return this.#word(blocks ? 'wait' : 'waitAsync', index, value, ...timeout)
  }

  #word(method: string, ...args: unknown[]): Step {
    return { do: 'word', on: this.#words.handle, method, args }
  }
}
