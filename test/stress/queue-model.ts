/** The model of Queue. */
import assert from 'node:assert/strict'
import { type JoinableQueue, Queue } from 'procshare'
import { failsWith } from '../conformance/assertions.ts'
import { call, type Step } from '../conformance/driver.ts'
import { type Seat, Wait } from './cast.ts'
import { allWait, type Model, type Move, mayBlock } from './model.ts'
import { RingModel } from './ring-model.ts'

const MAX_ITEMS = 3
/** Room for so many items of whatever length they have here, and not much more: so the ring goes round every few items. */
export const SMALL = { maxSize: MAX_ITEMS, byteLength: 104 }

export class QueueModel implements Model {
  protected readonly queue: Queue | JoinableQueue
  protected readonly ring = new RingModel((present, more) => present.length + more.length <= MAX_ITEMS)
  #last = 0

  constructor(queue: Queue | JoinableQueue = new Queue(SMALL)) {
    this.queue = queue
  }

  async move(seat: Seat, move: Move): Promise<void> {
    const suffix = mayBlock(seat, move) ? 'Sync' : ''
    if (move.verb === 0) return this.#put(seat, `put${suffix}`, [this.#item()])
    if (move.verb === 1) return this.#get(seat, call(this.queue, `get${suffix}`), 1)
    if (move.verb === 2) return move.blocking ? this.#tryPut(seat) : this.#tryGet(seat)
    if (move.verb === 3) return this.#put(seat, `putMany${suffix}`, this.#items(move.count))
    if (move.verb === 4) return this.#get(seat, call(this.queue, `getMany${suffix}`, move.count), move.count)
    return this.other(seat, move)
  }

  /** What is left: putting and taking for no longer than a moment. */
  protected async other(seat: Seat, move: Move): Promise<void> {
    const suffix = mayBlock(seat, move) ? 'Sync' : ''
    const options = { timeoutMs: 1 }
    if (move.count === 1) return this.#put(seat, `put${suffix}`, [this.#item()], options)
    if (move.count === 2) return this.#put(seat, `putMany${suffix}`, this.#items(2), options)
    const step = call(this.queue, `get${suffix}`, options)
    if (this.ring.length > 0) await this.#get(seat, step, 1)
    else await failsWith('ERR_TIMEOUT', seat.party.errorOf(step))
  }

  async give(free: Seat, stopped: Seat): Promise<void> {
    this.ring.lose(stopped)
    const item = this.#item()
    if (this.ring.hasRoomFor(free, [item])) await this.#put(free, 'put', [item])
    else if (this.ring.length > 0) await this.#get(free, call(this.queue, 'get'), 1)
  }

  async lost(seat: Seat): Promise<void> {
    this.ring.lose(seat)
  }

  async check(): Promise<void> {
    await allWait([...this.ring.puts, ...this.ring.gets])
    assert.equal(this.queue.size, this.ring.length)
  }

  async drain(free: Seat): Promise<boolean> {
    if (this.ring.gets.length > 0) await this.#put(free, 'put', [this.#item()])
    else if (this.ring.puts.length > 0) await this.#get(free, call(this.queue, 'get'), 1)
    else return false
    return true
  }

  async finish(free: Seat): Promise<void> {
    await free.party.call(this.queue, 'end')
    await failsWith('ERR_ENDED', free.party.errorOf(call(this.queue, 'put', 'late')))
    while (this.ring.length > 0) await this.#get(free, call(this.queue, 'get'), 1)
    await failsWith('ERR_ENDED', free.party.errorOf(call(this.queue, 'get')))
  }

  close(): void {
    this.queue.close()
  }

  async #put(seat: Seat, method: string, items: string[], options?: { timeoutMs: number }): Promise<void> {
    const many = method.startsWith('putMany')
    const step = call(this.queue, method, many ? items : items[0], ...(options === undefined ? [] : [options]))
    if (this.ring.hasRoomFor(seat, items)) {
      await seat.party.perform(step)
      await this.ring.put(seat, items)
    } else if (options === undefined) {
      this.ring.awaitRoom(await Wait.begin(seat, step), items)
    } else {
      await failsWith('ERR_TIMEOUT', seat.party.errorOf(step))
    }
  }

  async #get(seat: Seat, step: Step, most: number): Promise<void> {
    const due = Math.min(most, this.ring.length)
    if (due === 0) return this.ring.awaitItem(await Wait.begin(seat, step))
    const items = [await seat.party.perform<string | string[]>(step)].flat()
    assert.equal(items.length, due)
    await this.ring.take(items)
  }

  async #tryPut(seat: Seat): Promise<void> {
    const items = [this.#item()]
    const hasRoom = this.ring.hasRoomFor(seat, items)
    assert.equal(await seat.party.call(this.queue, 'tryPut', ...items), hasRoom)
    if (hasRoom) await this.ring.put(seat, items)
  }

  async #tryGet(seat: Seat): Promise<void> {
    const got = await seat.party.call<{ value: string } | undefined>(this.queue, 'tryGet')
    assert.equal(got !== undefined, this.ring.length > 0)
    if (got !== undefined) await this.ring.take([got.value])
  }

  /** One like no other; of some length or other. */
  #item(): string {
    const number = ++this.#last
    return String(number).padEnd((number % 4) * 6, '.')
  }

  #items(count: number): string[] {
    return Array.from({ length: count }, () => this.#item())
  }
}
