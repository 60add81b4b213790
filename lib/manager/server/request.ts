/** Request: one request of a client, as the argument of the method that serves it. */
import type { Managed } from '../contract/contract.ts'

/** The error of a request that was cancelled before it was granted. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled'
}

/** The part of a client that methods use. Ownerships, units and places in barriers belong to a client, and end with it. */
export interface Client {
  /** Whether the client is gone. Its requests are cancelled first, and then everything that it owns in objects is released. */
  readonly isClosed: boolean
  /**
   * Checks a reply of at least `minBytes` bytes before it is made.
   * @throws {@link ShareError} `ERR_LIMIT` when it cannot be sent.
   */
  assertReply(minBytes: number): void
  /** Checks a reply with these values, in which one text or buffer may occur many times. @throws {@link ShareError} `ERR_LIMIT`. */
  assertReplyOf<T extends readonly unknown[]>(values: T): T
  /** Makes a new managed object for the client, such as an iterator. It lives as long as its proxies. */
  make(type: { readonly name: string }, object: object): Managed<never>
}

/** One request. */
export class Request {
  readonly client: Client
  /**
   * The task in the client, for objects that tasks own, such as a recursive lock. 0 is the thread, for a blocking request. Any other number
   * identifies one asynchronous task in all its requests.
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
   * Sets a function that is called when the request is cancelled, or its client is gone, before the method has settled. There, a method
   * that waits leaves its queue, and rejects with {@link Cancelled}. Each request has one such function.
   */
  onCancel(fn: () => void): void {
    this.#onCancel = fn
  }

  /**
   * Sets a function that is called when the result was not sent. The client may be gone, or the result cannot be encoded or is too large
   * (then an error is sent). There, a method that has taken something for the client puts it back. Each request has one such function.
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
