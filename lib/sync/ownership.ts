/**
 * Ownerships: each acquisition of a free lock is an ownership with a number of its own. The function leave() takes that number, because the
 * ownership may already be suspended or over (S5 of lock-state.ts).
 */
import type { Task } from './task.ts'

/**
 * Keeps the numbers small integers. Two current ownerships never get the same number, because there are never that many at the same time.
 */
const MAX_OWNERSHIPS = 2 ** 30
let last = 0

/** The number of a new ownership. It is never 0, which means none. */
export function nextOwnership(): number {
  last = last === MAX_OWNERSHIPS - 1 ? 1 : last + 1
  return last
}

/** The result of an asynchronous acquisition. */
export interface Grant {
  readonly ownership: number
  /** Whether the last owner died holding the lock. */
  readonly abandoned: boolean
}

/** An ownership whose lock was released, to be resumed later. */
export interface SuspendedOwnership {
  readonly id: number
  readonly task: Task | undefined
  /** Its levels; 0 when all of them were left during the suspension. */
  depth: number
}

/** The suspended ownerships of one lock. */
export class SuspendedOwnerships {
  readonly #ownerships = new Map<number, SuspendedOwnership>()

  add(ownership: SuspendedOwnership): void {
    this.#ownerships.set(ownership.id, ownership)
  }

  /** Leaves an ownership that is not the current one: it is suspended, or the end of the lock has released it. */
  leave(id: number): void {
    const ownership = this.#ownerships.get(id)
    if (ownership !== undefined) ownership.depth--
  }

  remove({ id }: SuspendedOwnership): void {
    this.#ownerships.delete(id)
  }

  clear(): void {
    this.#ownerships.clear()
  }
}
