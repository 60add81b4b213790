/**
 * PortLink: the link of a blocking client to its relay when there is no shared memory for rings. It is a message port. A word of memory
 * counts the arrivals; the blocked thread sleeps on it.
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { managerError } from '../../errors/manager-messages.ts'
import type { ShareError } from '../../errors/share-error.ts'

/** The longest sleep: V8 can terminate a worker only between two sleeps. */
const SLICE_MS = 100

/** Marks the end of the stream of the other side. */
export const END = null

/** The side of the client, with the methods of an end of a pipe that it uses. */
export class PortLink {
  readonly #port: MessagePort
  readonly #arrivals: Int32Array
  readonly #address: string
  #isOver = false

  constructor(port: MessagePort, arrivals: Int32Array, address: string) {
    this.#port = port
    this.#arrivals = arrivals
    this.#address = address
    port.unref()
  }

  /** Never waits, because a port has no limit. */
  sendSync(piece: Uint8Array, _options?: { readonly timeoutMs?: number }): void {
    if (this.#isOver) throw this.#endedError()
    this.#port.postMessage(piece)
  }

  trySend(piece: Uint8Array): boolean {
    this.sendSync(piece)
    return true
  }

  /** Returns the next piece that has arrived, or undefined when none has. @throws {@link ShareError} `ERR_ENDED`. */
  tryRecv(): { readonly value: Uint8Array } | undefined {
    const received = receiveMessageOnPort(this.#port) as { message: Uint8Array | typeof END } | undefined
    if (received !== undefined && received.message !== END) return { value: received.message }
    if (received !== undefined) this.#isOver = true
    if (this.#isOver) throw this.#endedError()
    return undefined
  }

  /** @throws {@link ShareError} `ERR_ENDED`, `ERR_TIMEOUT`. */
  recvSync({ timeoutMs = Infinity }: { readonly timeoutMs?: number } = {}): Uint8Array {
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const seen = Atomics.load(this.#arrivals, 0)
      const received = this.tryRecv()
      if (received !== undefined) return received.value
      const left = deadline - performance.now()
      if (left <= 0) throw managerError('ERR_TIMEOUT', { address: this.#address, timeoutMs })
      Atomics.wait(this.#arrivals, 0, seen, Math.min(left, SLICE_MS))
    }
  }

  close(): void {
    this.#isOver = true
    this.#port.close()
  }

  #endedError(): ShareError {
    return managerError('ERR_ENDED', { address: this.#address, why: 'relay' })
  }
}

/** Returns the function by which the relay sends pieces; END is the last. */
export function portSender(port: MessagePort, arrivals: Int32Array): (piece: Uint8Array | typeof END) => void {
  return (piece) => {
    port.postMessage(piece)
    Atomics.add(arrivals, 0, 1)
    Atomics.notify(arrivals, 0)
  }
}
