/** Parking: waits for a key that end when somebody says so, for as many as he says. What conditions and words have. */
import { segmentError } from '../errors/segment-messages.ts'
import type { Attachment } from '../memory/segment.ts'
import { type NativeObject, native, PARK } from '../native.ts'
import { ObjectState } from './shared-object.ts'
import { block, NOT_NOW, type Waiter, WaitLine } from './wait-line.ts'
import type { WaitOptions } from './wait-options.ts'

/** How many pairs of a process or worker and a key there can be at the same time for which somebody waits. */
export const RECORDS = 256

/** Where in a segment the waits are. */
export interface ParkingPlacement {
  readonly attachment: Pick<Attachment, 'segment' | 'name'>
  readonly cell: number
}

export class ParkingState extends ObjectState<'Parking'> {
  /** One for each native wait. */
  readonly #lines = new Map<number, WaitLine>()
  readonly #name: string

  constructor({ attachment, cell }: ParkingPlacement) {
    super(native.bindParking(attachment.segment.native, cell))
    this.#name = attachment.name
  }

  /**
   * Begins a wait for `key`, which one of the methods of the result must follow.
   * @throws {@link ShareError} `ERR_TOO_MANY_WAITERS`, `ERR_CORRUPT`.
   */
  park(key: number, waiter: Waiter): Parked {
    return this.parked(native.park(this.object, key), key, waiter)
  }

  /** The wait that a native function has begun. @param id - what it has answered */
  parked(id: number, key: number, waiter: Waiter): Parked {
    if (id >= 0) return new Parked(this.object, key, id, this.#lineOf(id), waiter)
    if (id === PARK.FULL) throw segmentError('ERR_TOO_MANY_WAITERS', { ...waiter.subject, limit: RECORDS })
    throw segmentError('ERR_CORRUPT', { segment: this.#name })
  }

  /** Ends up to `count` waits for `key`; says how many there were. */
  unpark(key: number, count: number): number {
    const woken = native.unpark(this.object, key, Math.min(count, Number.MAX_SAFE_INTEGER))
    if (woken > 0) for (const line of this.#lines.values()) line.pump() // our own tasks need no wake-up
    return woken
  }

  #lineOf(id: number): WaitLine {
    let line = this.#lines.get(id)
    if (line === undefined) {
      line = this.addLine(new WaitLine(id))
      this.#lines.set(id, line)
    }
    return line
  }
}

/** A wait that has begun. */
export class Parked {
  readonly #object: NativeObject<'Parking'>
  readonly #key: number
  readonly #id: number
  readonly #line: WaitLine
  readonly #waiter: Waiter

  constructor(object: NativeObject<'Parking'>, key: number, id: number, line: WaitLine, waiter: Waiter) {
    this.#object = object
    this.#key = key
    this.#id = id
    this.#line = line
    this.#waiter = waiter
  }

  /** Rejects with what ended the wait, unless it was over by then. */
  wait(options: WaitOptions): Promise<true> {
    return this.#line.wait(this.#waiter, this.#attempt, 0, options, () => this.#leave())
  }

  /** NOT_NOW after the timeout, when the wait was not over by then. */
  waitSync(timeoutMs: number): true | typeof NOT_NOW {
    const answer = block(this.#id, this.#attempt, 0, timeoutMs)
    return answer === NOT_NOW ? (this.#leave() ?? NOT_NOW) : answer
  }

  readonly #attempt = (): true | typeof NOT_NOW => (native.parkTake(this.#object, this.#key) ? true : NOT_NOW)

  #leave(): true | undefined {
    return native.parkLeave(this.#object, this.#key) || undefined
  }
}
