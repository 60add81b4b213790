/** The processes that a random program is played by, and what they wait for at the moment. */

import { failsWith } from '../conformance/assertions.ts'
import { blocks, type GuardOf, type OwnedParty, type Started, type Step } from '../conformance/driver.ts'
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

  static async begin(seat: Seat, step: Step, guard?: GuardOf): Promise<Wait> {
    const started = await seat.party.begin(step)
    const wait = new Wait(seat, started, guard, blocks(step))
    await seat.party.waits(started)
    return wait
  }

  /** It ends now, with what this gives. */
  async end<T>(): Promise<T> {
    const value = await within(this.started.value, DEADLINE_MS, () => 'a wait has not ended')
    this.#isOver()
    return value as T
  }

  /** It fails now, with this code. */
  async fails(code: string): Promise<void> {
    await failsWith(
      code,
      within(this.started.error, DEADLINE_MS, () => `a wait has not failed with ${code}`),
    )
    this.#isOver()
  }

  #isOver(): void {
    this.seat.pending--
    if (this.isBlocking) this.seat.blocked = false
  }
}

/** Of what belongs to seats, the first of each seat: one process serves its waits in order. */
export function firstOfEach<T>(all: readonly T[], seatOf: (one: T) => Seat): T[] {
  return all.filter((one, i) => all.findIndex((other) => seatOf(other) === seatOf(one)) === i)
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
  /** Who takes the next empty seat. The waits of others go on while a process starts, which may take seconds. */
  #next = standIn()

  private constructor(parties: readonly OwnedParty[]) {
    this.seats = parties.map((party) => new Seat(party))
  }

  static async of(size: number): Promise<Cast> {
    return new Cast(await Promise.all(Array.from({ length: size }, () => processes.start())))
  }

  /** Kills the process of a seat, and puts another there. */
  async kill(seat: Seat): Promise<void> {
    await seat.party.end()
    seat.party = await this.#next
    this.#next = standIn()
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
    const parties = [...this.seats.map(({ party }) => party), await this.#next]
    await Promise.all(parties.map((party) => party[Symbol.asyncDispose]()))
  }
}

function standIn(): Promise<OwnedParty> {
  const starting = processes.start()
  starting.catch(() => {}) // who takes it is told
  return starting
}
