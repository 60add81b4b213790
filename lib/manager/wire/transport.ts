/**
 * Transport: a stream of frames in both directions. Over a socket it is here, over a pair of rings in shared memory in
 * ring-transport.ts.
 */
import type { Socket } from 'node:net'
import { FrameReader } from './framing.ts'

const NOTHING = Buffer.alloc(0)

/** The receiver of frames. */
export interface Receiver {
  /** A frame has arrived; its bytes are valid until this returns. */
  onFrame(frame: Buffer): void
  /** The stream has ended, in both directions; with the reason, unless the other side has closed it in order. */
  onClose(reason: Error | undefined): void
  /** All sent frames have left, after `bufferedBytes` was not 0. */
  onDrain?(): void
  /** A frame has arrived in part, or frames wait to leave, and no byte has moved for the time of `watch`. */
  onStall?(): void
}

/** A stream of frames in both directions. */
export interface Transport {
  /** Begins to receive. Once. */
  start(receiver: Receiver, maxFrameBytes: number): void
  /** Sets how long frames may be from now on. */
  allow(maxFrameBytes: number): void
  /** From now on, reports a stall of `stallMs`. */
  watch(stallMs: number): void
  /** Sends a frame, which begins with its length and is not to be changed any more. Nothing happens when the transport is closed. */
  send(frame: Uint8Array): void
  /** How many bytes wait to leave. */
  readonly bufferedBytes: number
  /** Receives nothing until `resume`. */
  pause(): void
  resume(): void
  /** Ends the stream when what was sent has left. */
  close(): void
  /** Ends the stream at once. */
  destroy(reason?: Error): void
  /** Whether it keeps the process alive. */
  ref(): void
  unref(): void
}

/** Over a socket of node:net or node:tls. */
export class SocketTransport implements Transport {
  readonly #socket: Socket
  #reader: FrameReader | undefined
  #isCorked = false
  #reason: Error | undefined
  #isPaused = false
  /** What arrived while we were paused. */
  #held: Buffer[] = []

  constructor(socket: Socket) {
    this.#socket = socket
  }

  start(receiver: Receiver, maxFrameBytes: number): void {
    const socket = this.#socket
    const reader = new FrameReader(maxFrameBytes)
    this.#reader = reader
    const onFrame = (frame: Buffer) => {
      receiver.onFrame(frame)
      return !socket.destroyed && !this.#isPaused
    }
    this.#deliver = (chunk) => {
      try {
        reader.push(chunk, onFrame)
      } catch (error) {
        this.destroy(error as Error)
      }
    }
    socket.on('data', (chunk: Buffer) => {
      if (this.#isPaused) this.#held.push(chunk)
      else this.#deliver(chunk)
    })
    socket.on('drain', () => receiver.onDrain?.())
    socket.on('timeout', () => {
      if (reader.isMidway || socket.writableLength > 0) receiver.onStall?.()
    })
    socket.on('error', (error) => {
      this.#reason ??= error
    })
    // The other side has ended its half: no reply can reach it.
    socket.on('end', () => socket.destroy())
    socket.once('close', () => receiver.onClose(this.#reason))
  }

  allow(maxFrameBytes: number): void {
    this.#reader?.allow(maxFrameBytes)
  }

  watch(stallMs: number): void {
    this.#socket.setTimeout(stallMs)
  }

  send(frame: Uint8Array): void {
    const socket = this.#socket
    if (socket.destroyed || socket.writableEnded) return
    // All that is sent in one turn of the event loop leaves in one system call.
    if (!this.#isCorked) {
      this.#isCorked = true
      socket.cork()
      queueMicrotask(this.#uncork)
    }
    socket.write(frame)
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength
  }

  pause(): void {
    this.#isPaused = true
    this.#socket.pause()
  }

  resume(): void {
    this.#isPaused = false
    const held = this.#held
    this.#held = []
    for (const chunk of [NOTHING, ...held]) {
      if (this.#isPaused) this.#held.push(chunk)
      else this.#deliver(chunk)
    }
    if (!this.#isPaused) this.#socket.resume()
  }

  close(): void {
    this.#socket.end()
  }

  destroy(reason?: Error): void {
    this.#reason ??= reason
    this.#socket.destroy()
  }

  ref(): void {
    this.#socket.ref()
  }

  unref(): void {
    this.#socket.unref()
  }

  #deliver: (chunk: Buffer) => void = () => {}

  readonly #uncork = () => {
    this.#isCorked = false
    this.#socket.uncork()
  }
}
