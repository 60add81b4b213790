/** Request: one request of a client, as the method that serves it sees it. */
import type { Managed } from '../contract/contract.ts'

/** A request was cancelled before it was granted. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled'
}

/** What methods know of a client. Ownerships, units and places in barriers belong to a client, and end with it. */
export interface Client {
  /** Whether the client is gone. Its requests are cancelled first, and then loses what it has in objects. */
  readonly isClosed: boolean
  /**
   * Checks a reply of at least `minBytes` bytes before it is made.
   * @throws {@link ShareError} `ERR_LIMIT` when it cannot be sent.
   */
  assertReply(minBytes: number): void
  /** Checks a reply with these values, among which one text or buffer may be many times. @throws {@link ShareError} `ERR_LIMIT`. */
  assertReplyOf<T extends readonly unknown[]>(values: T): T
  /** A new managed object for the client, such as an iterator: it lives as long as its proxies. */
  make(type: { readonly name: string }, object: object): Managed<never>
}

/** One request. */
export class Request {
  readonly client: Client
  /**
   * The task in the client: 0 is the thread, of a blocking request. Any other number is one asynchronous task, which has it in all
   * its requests. For what tasks own, such as a recursive lock.
   */
  readonly task: number
  #onCancel: (() => void) | undefined
  #onUnanswered: (() => void) | undefined
  #isCancelled = false

  constructor(client: Client, task: number) {
    this.client = client
    this.task = task
  }

  /** Whether the client has cancelled the request, or is gone. */
  get isCancelled(): boolean {
    return this.#isCancelled
  }

  /**
   * Sets what happens when the request is cancelled, or its client is gone, before the method has settled. A method that waits leaves
   * its queue there, and rejects with {@link Cancelled}. There is one such function for each request.
   */
  onCancel(fn: () => void): void {
    this.#onCancel = fn
  }

  /**
   * Sets what happens when the result was not sent, because the client is gone, or because the result cannot be encoded or is too
   * large (then an error is sent). A method that has taken something for the client puts it back there. There is one such function
   * for each request.
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
