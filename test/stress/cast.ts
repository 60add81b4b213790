/** The processes that a random program is played by, and what they wait for at the moment. */

import type { GuardOf, OwnedParty, Started, Target } from '../conformance/driver.ts'
import { processes } from '../conformance/drivers.ts'
import { within } from '../helpers/fixture.ts'

/** Nothing in a program takes longer, so what does is lost. */
const DEADLINE_MS = 10_000

/** A place in the cast; the process in it may be killed and followed by another. */
export class Seat {
  party: OwnedParty
  /** How many waits of its process are pending. */
  pending = 0
  /** Whether its thread is blocked by one of them. */
  blocked = false

  constructor(party: OwnedParty) {
    this.party = party
  }
}

/** A wait of a seat's process. */
export class Wait {
  readonly seat: Seat
  readonly started: Started
  /** The guard that a wait for a condition will hold its lock by. */
  readonly guard: GuardOf | undefined
  readonly isBlocking: boolean

  private constructor(seat: Seat, started: Started, guard: GuardOf | undefined, blocking: boolean) {
    this.seat = seat
    this.started = started
    this.guard = guard
    this.isBlocking = blocking
    seat.pending++
    if (blocking) seat.blocked = true
  }

  static async begin(seat: Seat, target: Target, method: string, guard?: GuardOf): Promise<Wait> {
    const blocking = method.endsWith('Sync')
    const started = await seat.party.start(target, method, ...(guard === undefined ? [] : [{ guard }]))
    const wait = new Wait(seat, started, guard, blocking)
    await seat.party.waits(started)
    return wait
  }

  async end<T>(): Promise<T> {
    const value = await this.started.value
    this.seat.pending--
    if (this.isBlocking) this.seat.blocked = false
    return value as T
  }
}

/** The first of these waits that ends, with what it gives; it is taken out of the list. */
export async function firstOf<T>(waits: Wait[], what: string): Promise<{ wait: Wait; value: T }> {
  const ends = waits.map((wait) => wait.started.value.then(() => wait))
  const wait = await within(Promise.race(ends), DEADLINE_MS, () => `nobody was given ${what}`)
  waits.splice(waits.indexOf(wait), 1)
  return { wait, value: await wait.end<T>() }
}

export class Cast implements AsyncDisposable {
  readonly seats: readonly Seat[]

  private constructor(parties: readonly OwnedParty[]) {
    this.seats = parties.map((party) => new Seat(party))
  }

  static async of(size: number): Promise<Cast> {
    return new Cast(await Promise.all(Array.from({ length: size }, () => processes.start())))
  }

  /** Kills the process of a seat, and puts another there. */
  async kill(seat: Seat): Promise<void> {
    await seat.party.end()
    seat.party = await processes.start()
    seat.pending = 0
    seat.blocked = false
  }

  /** Makes all processes such that have nothing. After a failure they may be blocked for good: then they are replaced. */
  async reset(failed: boolean): Promise<void> {
    for (const seat of this.seats) {
      if (failed) await this.kill(seat)
      else await seat.party.reset()
      seat.pending = 0
      seat.blocked = false
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.seats.map(({ party }) => party[Symbol.asyncDispose]()))
  }
}
