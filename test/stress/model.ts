/**
 * Sequential models of the objects: each knows what every step must come to, performs it on the real object through one of
 * the processes, and compares. Where several outcomes are right (which of many waiters is served), the model follows the
 * real object; that exactly so many are served, and nobody else, it insists on.
 */
import type { Seat, Wait } from './cast.ts'

/** A model has up to this many kinds of steps: that can be divided by 2 and by 3. */
export const VERBS = 6

/** A step of a random program. What it means is up to the model. */
export interface Move {
  /** Below VERBS. */
  readonly verb: number
  readonly blocking: boolean
  readonly count: number
}

export interface Model {
  /** One step, by the process of a seat that is not blocked. */
  move(seat: Seat, move: Move): Promise<void>
  /**
   * Through the process of a free seat something comes that the one of `stopped` waits for, perhaps. That one stands still, so
   * it can take nothing; it is killed then, and what it had been given goes to others.
   */
  give?(free: Seat, stopped: Seat): Promise<void>
  /** The process of the seat is gone. */
  lost(seat: Seat): Promise<void>
  /** That nobody has been served who should not. */
  check(): Promise<void>
  /** Gives back something that others wait for, if there is such a thing and a process that is free to do so. */
  drain(free: Seat): Promise<boolean>
  /** Nobody waits any more: compares what is left. */
  finish(free: Seat): Promise<void>
  close(): void
}

/** Only a process that waits for nothing else may be blocked: what it waits for could not be given to it meanwhile. */
export const mayBlock = (seat: Seat, { blocking }: Move) => blocking && seat.pending === 0

export const withoutThoseOf = (seat: Seat, waits: readonly Wait[]) => waits.filter((wait) => wait.seat !== seat)

export async function allWait(waits: readonly Wait[]): Promise<void> {
  await Promise.all(waits.map(({ seat, started }) => seat.party.waits(started)))
}
