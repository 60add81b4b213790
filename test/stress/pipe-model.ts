/** The model of Pipe: two directions, and who has which end. */
import assert from 'node:assert/strict'
import { type Connection, type Handle, Pipe } from 'procshare'
import { failsWith } from '../conformance/assertions.ts'
import { call, PartyError, type Step } from '../conformance/driver.ts'
import { type Seat, Wait } from './cast.ts'
import { allWait, type Model, type Move, mayBlock } from './model.ts'
import { RingModel } from './ring-model.ts'

type End = 0 | 1
const ENDS = [0, 1] as const
const other = (end: End): End => (1 - end) as End

const BYTES = 64
/** How many bytes of the ring a message takes: with a header, and with a byte that says that it is a string. */
const bytesOf = (message: string) => 8 + Math.ceil((1 + message.length) / 8) * 8
const sum = (messages: readonly string[]) => messages.reduce((bytes, message) => bytes + bytesOf(message), 0)

export class PipeModel implements Model {
  /** End 0 is never given up; end 1 belongs to nobody but processes, so it may be nobody's. */
  readonly #ours: Connection
  readonly #handles: readonly [Handle, Handle]
  readonly #holders = [new Set<Seat>(), new Set<Seat>()] as const
  /** By the end that sends. */
  readonly #rings = [newRing(), newRing()] as const
  /** Somebody has died who had end 1: until others take note, he passes for one who lives. */
  #isUnnoticed = false
  #last = 0

  constructor() {
    const [first, second] = new Pipe({ byteLength: BYTES })
    this.#ours = first
    this.#handles = [first.handle, second.handle]
    second.close()
  }

  async move(seat: Seat, move: Move): Promise<void> {
    const end = ((move.count + Number(move.blocking)) % 2) as End
    const suffix = mayBlock(seat, move) ? 'Sync' : ''
    if (move.verb === 5) return this.#close(seat, end)
    await this.#join(seat, end)
    if (move.verb === 0) return this.#send(seat, end, `send${suffix}`)
    if (move.verb === 1) return this.#receive(seat, end, `recv${suffix}`)
    if (move.verb === 2) return move.blocking ? this.#trySend(seat, end) : this.#tryReceive(seat, end)
    if (move.verb === 3) return this.#poll(seat, end, `poll${suffix}`)
    const options = { timeoutMs: 1 }
    if (move.count === 2) return this.#send(seat, end, `send${suffix}`, options)
    return this.#receive(seat, end, `recv${suffix}`, options)
  }

  async give(free: Seat, stopped: Seat): Promise<void> {
    for (const end of ENDS) {
      const { gets, puts } = this.#rings[end]
      const [takes, sends] = [gets, puts].map((waits) => waits.some(({ seat }) => seat === stopped))
      this.#rings[end].lose(stopped)
      if (!takes && !sends) continue
      await this.#join(free, takes ? end : other(end))
      if (takes) await this.#send(free, end, 'send')
      else await this.#receive(free, other(end), 'recv')
    }
  }

  async lost(seat: Seat): Promise<void> {
    for (const ring of this.#rings) ring.lose(seat)
    this.#holders[0].delete(seat)
    if (!this.#holders[1].delete(seat)) return
    this.#isUnnoticed = true
    await this.#endIfAlone()
  }

  async check(): Promise<void> {
    await allWait(this.#rings.flatMap(({ puts, gets }) => [...puts, ...gets]))
  }

  async drain(free: Seat): Promise<boolean> {
    for (const end of ENDS) {
      const { gets, puts } = this.#rings[end]
      const busy = gets.length > 0 ? end : other(end)
      if (gets.length + puts.length === 0) continue
      await this.#join(free, busy)
      if (gets.length > 0) await this.#send(free, busy, 'send')
      else await this.#receive(free, busy, 'recv')
      return true
    }
    return false
  }

  async finish(free: Seat): Promise<void> {
    for (const end of ENDS) await this.#join(free, end)
    for (const end of ENDS) {
      while (this.#rings[other(end)].length > 0) await this.#receive(free, end, 'recv')
      await this.#poll(free, end, 'poll')
    }
  }

  close(): void {
    this.#ours.close()
  }

  async #join(seat: Seat, end: End): Promise<void> {
    if (this.#holders[end].has(seat)) return
    await seat.party.perform({ do: 'attach', on: this.#handles[end] })
    this.#holders[end].add(seat)
  }

  async #close(seat: Seat, end: End): Promise<void> {
    if (!this.#holders[end].delete(seat)) return
    await seat.party.call(this.#handles[end], 'close')
    await this.#rings[end].failPuts('ERR_CLOSED', seat)
    await this.#rings[other(end)].failGets('ERR_CLOSED', seat)
    await this.#endIfAlone()
  }

  /** Whether nobody has the other end. */
  #isAlone(end: End): boolean {
    return end === 0 && this.#holders[1].size === 0
  }

  async #endIfAlone(): Promise<void> {
    if (!this.#isAlone(0)) return
    if (this.#rings[0].puts.length + this.#rings[1].gets.length > 0) this.#isUnnoticed = false
    await this.#rings[0].failPuts('ERR_ENDED')
    await this.#rings[1].failGets('ERR_ENDED')
  }

  async #send(seat: Seat, end: End, method: string, options?: { timeoutMs: number }): Promise<void> {
    const message = this.#message()
    const step = call(this.#handles[end], method, message, ...(options === undefined ? [] : [options]))
    const ring = this.#rings[end]
    const hasRoom = ring.hasRoomFor(seat, [message])
    if (this.#isAlone(end)) {
      if (await this.#isHeard(seat, step, hasRoom)) await ring.put(seat, [message])
    } else if (hasRoom) {
      await seat.party.perform(step)
      await ring.put(seat, [message])
    } else if (options === undefined) {
      ring.awaitRoom(await Wait.begin(seat, step), [message])
    } else {
      await failsWith('ERR_TIMEOUT', seat.party.errorOf(step))
    }
  }

  async #trySend(seat: Seat, end: End): Promise<void> {
    const message = this.#message()
    const step = call(this.#handles[end], 'trySend', message)
    const hasRoom = this.#rings[end].hasRoomFor(seat, [message])
    if (!this.#isAlone(end)) assert.equal(await seat.party.perform(step), hasRoom)
    else if (!(await this.#isHeard(seat, step, hasRoom))) return
    if (hasRoom) await this.#rings[end].put(seat, [message])
  }

  /** Sends to nobody: that fails, but one who has died may pass for one who lives while there is room. */
  async #isHeard(seat: Seat, step: Step, hasRoom: boolean): Promise<boolean> {
    try {
      await seat.party.perform(step)
      assert.ok(this.#isUnnoticed && hasRoom, 'sent to nobody')
      return true
    } catch (error) {
      if (!(error instanceof PartyError)) throw error
      await failsWith('ERR_ENDED', error.failure)
      this.#isUnnoticed = false
      return false
    }
  }

  async #receive(seat: Seat, end: End, method: string, options?: { timeoutMs: number }): Promise<void> {
    const step = call(this.#handles[end], method, ...(options === undefined ? [] : [options]))
    const ring = this.#rings[other(end)]
    if (ring.length > 0) {
      await ring.take([await seat.party.perform<string>(step)])
    } else if (this.#isAlone(end)) {
      await failsWith('ERR_ENDED', seat.party.errorOf(step))
      this.#isUnnoticed = false
    } else if (options === undefined) {
      ring.awaitItem(await Wait.begin(seat, step))
    } else {
      await failsWith('ERR_TIMEOUT', seat.party.errorOf(step))
    }
  }

  async #tryReceive(seat: Seat, end: End): Promise<void> {
    const step = call(this.#handles[end], 'tryRecv')
    const ring = this.#rings[other(end)]
    if (ring.length > 0) {
      const { value } = await seat.party.perform<{ value: string }>(step)
      await ring.take([value])
    } else if (this.#isAlone(end)) {
      await failsWith('ERR_ENDED', seat.party.errorOf(step))
      this.#isUnnoticed = false
    } else {
      assert.equal(await seat.party.perform(step), undefined)
    }
  }

  async #poll(seat: Seat, end: End, method: string): Promise<void> {
    const hasMessage = this.#rings[other(end)].length > 0
    const isAtEnd = !hasMessage && this.#isAlone(end)
    assert.equal(await seat.party.call(this.#handles[end], method, { timeoutMs: 1 }), hasMessage || isAtEnd)
    if (isAtEnd) this.#isUnnoticed = false
  }

  /** One like no other, short or long. */
  #message(): string {
    const number = ++this.#last
    return String(number).padEnd(number % 3 === 0 ? 12 : 3, '.')
  }
}

function newRing(): RingModel {
  return new RingModel((present, more) => sum(present) + sum(more) <= BYTES)
}
