/** The model of JoinableQueue: what it has beyond a Queue. */
import assert from 'node:assert/strict'
import { JoinableQueue } from 'procshare'
import { failsWith } from '../conformance/assertions.ts'
import { call } from '../conformance/driver.ts'
import { type Seat, Wait } from './cast.ts'
import { allWait, type Move, mayBlock, withoutThoseOf } from './model.ts'
import { QueueModel, SMALL } from './queue-model.ts'

export class JoinableQueueModel extends QueueModel {
  declare protected readonly queue: JoinableQueue
  #done = 0
  #joins: Wait[] = []

  constructor() {
    super(new JoinableQueue(SMALL))
  }

  protected override async other(seat: Seat, move: Move): Promise<void> {
    // What a killed process has taken it will not report any more, so others may report for it.
    if (move.count === 1) return this.#report(seat, 1)
    if (move.count === 2) return this.#report(seat, Math.max(this.#unfinished, 1))
    const step = call(this.queue, mayBlock(seat, move) ? 'joinSync' : 'join')
    if (this.#unfinished === 0) await seat.party.perform(step)
    else this.#joins.push(await Wait.begin(seat, step))
  }

  override async lost(seat: Seat): Promise<void> {
    await super.lost(seat)
    this.#joins = withoutThoseOf(seat, this.#joins)
  }

  override async check(): Promise<void> {
    await super.check()
    await allWait(this.#joins)
    assert.equal(this.queue.unfinished, this.#unfinished)
  }

  override async drain(free: Seat): Promise<boolean> {
    if (await super.drain(free)) return true
    if (this.#joins.length === 0) return false
    await this.#report(free, this.#unfinished)
    return true
  }

  get #unfinished(): number {
    return this.ring.accepted - this.#done
  }

  async #report(seat: Seat, count: number): Promise<void> {
    const step = call(this.queue, 'taskDone', count)
    if (count > this.#unfinished) return failsWith('ERR_TASK_DONE', seat.party.errorOf(step))
    await seat.party.perform(step)
    this.#done += count
    if (this.#unfinished > 0) return
    for (const join of this.#joins.splice(0)) await join.end()
  }
}
