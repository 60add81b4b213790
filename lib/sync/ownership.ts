/**
 * Holds: each time that a lock is taken from free to held is a hold with a number of its own. Whoever leaves says which one he
 * leaves, for that may be suspended by then, or be over (S5 of lock-state.ts).
 */
import type { Task } from './task.ts'

/** Numbers stay small integers. There are never as many holds at the same time. */
const MAX_OWNERSHIPS = 2 ** 30
let last = 0

/** The number of a new hold; never 0, which is none. */
export function nextOwnership(): number {
  last = last === MAX_OWNERSHIPS - 1 ? 1 : last + 1
  return last
}

/** What an asynchronous acquisition gives. */
export interface Grant {
  readonly ownership: number
  /** Whether the last owner died holding the lock. */
  readonly abandoned: boolean
}

/** A hold that was let go of, to be taken up again. */
export interface SuspendedOwnership {
  readonly id: number
  readonly task: Task | undefined
  /** Its levels; 0 when whoever had it has left meanwhile. */
  depth: number
}

/** Those of one lock. */
export class SuspendedOwnerships {
  readonly #ownerships = new Map<number, SuspendedOwnership>()

  add(ownership: SuspendedOwnership): void {
    this.#ownerships.set(ownership.id, ownership)
  }

  /** Somebody leaves a hold that is not there any more: it is suspended, or the end of the lock has released it. */
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
