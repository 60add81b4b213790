/** Call: one request of a client, as the method that serves it sees it. */
import type { Session } from './session.ts'

/** Why a wait ended without having been granted. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled'
}

/** One request. */
export class Call {
  /** The client. Locks, units and places in barriers belong to it, and end with it. */
  readonly session: Session
  /**
   * Who in the client: 0 is the thread, of a blocking call. Any other number is one asynchronous task, which has it in all its
   * calls. For what is owned, such as a recursive lock.
   */
  readonly task: number
  #onCancel: (() => void) | undefined
  #onUnanswered: (() => void) | undefined
  #isCancelled = false

  constructor(session: Session, task: number) {
    this.session = session
    this.task = task
  }

  /** Whether the client has asked to give the call up, or is gone. */
  get isCancelled(): boolean {
    return this.#isCancelled
  }

  /**
   * What to do when the client gives the call up, or leaves, before the method has settled. A method that waits takes itself out of
   * its line there, and rejects with {@link Cancelled}. There is one such function per call.
   */
  onCancel(fn: () => void): void {
    this.#onCancel = fn
  }

  /**
   * What to do when the result has not been sent, because the client is gone, or because it cannot be encoded or is too large (then an
   * error is sent). A method that has taken something for the client puts it back there. There is one such function per call.
   */
  onUnanswered(fn: () => void): void {
    this.#onUnanswered = fn
  }

  /** @internal */
  leaveUnanswered(): void {
    this.#onUnanswered?.()
  }

  /** @internal */
  cancel(): void {
    if (this.#isCancelled) return
    this.#isCancelled = true
    this.#onCancel?.()
  }
}
