/**
 * Transport: a stream of frames in both directions. This file has the transport over a socket; ring-transport.ts has the one over a pair of
 * rings in shared memory.
 */
import type { Socket } from 'node:net'
import { FrameReader } from './framing.ts'

const NOTHING = Buffer.alloc(0)

/** The receiver of frames. */
export interface Receiver {
  /** Called when a frame has arrived. Its bytes are valid until this returns. */
  onFrame(frame: Buffer): void
  /** Called when the stream has ended in both directions. The reason is passed unless the other side has closed the stream in order. */
  onClose(reason: Error | undefined): void
  /** Called when all sent frames have left, after `bufferedBytes` was not 0. */
  onDrain?(): void
  /** Called when part of a frame has arrived, or frames wait to leave, and no byte has moved for the time of `watch`. */
  onStall?(): void
}

/** A stream of frames in both directions. */
export interface Transport {
  /** Begins to receive. Called once. */
  start(receiver: Receiver, maxFrameBytes: number): void
  /** Sets the largest length of later frames. */
  allow(maxFrameBytes: number): void
  /** From now on, reports a stall of `stallMs`. */
  watch(stallMs: number): void
  /** Sends a frame, which begins with its length and must not be changed afterwards. Does nothing when the transport is closed. */
  send(frame: Uint8Array): void
  /** The number of bytes that wait to leave. */
  readonly bufferedBytes: number
  /** Receives nothing until `resume`. */
  pause(): void
  resume(): void
  /** Ends the stream when all sent data has left. */
  close(): void
  /** Ends the stream at once. */
  destroy(reason?: Error): void
  /** Whether it keeps the process alive. */
  ref(): void
  unref(): void
}

/** The transport over a socket of node:net or node:tls. */
export class SocketTransport implements Transport {
  readonly #socket: Socket
  #reader: FrameReader | undefined
  #isCorked = false
  #reason: Error | undefined
  #isPaused = false
  /** The bytes that arrived during a pause. */
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
    // The other side has ended its half of the connection, so no reply can reach it.
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
    // All frames of one turn of the event loop leave in one system call.
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
