/**
 * SwitchingTransport: a stream of frames that begins on a socket. It continues in a pair of rings in shared memory when both sides are on
 * one machine and exchange many messages.
 *
 * SWITCH is the last message of the client through the socket; the server reads the rings only after it
 * (docs/internals/manager-protocol.md). The socket stays open and idle, because its end reports at once that the other side is gone.
 */
import type { Socket } from 'node:net'
import { managerError } from '../../errors/manager-messages.ts'
import type { Connection as PipeEnd } from '../../queue/pipe.ts'
import { RingTransport } from './ring-transport.ts'
import { type Receiver, SocketTransport, type Transport } from './transport.ts'

export class SwitchingTransport implements Transport {
  readonly #socket: SocketTransport
  #receiver!: Receiver
  #maxFrameBytes = 0
  #stallMs: number | undefined
  /** The rings to switch to. */
  #prepared: PipeEnd<Uint8Array> | undefined
  /** The rings after the switch. */
  #rings: RingTransport | undefined
  #isPaused = false
  #isClosing = false

  constructor(socket: Socket) {
    this.#socket = new SocketTransport(socket)
  }

  start(receiver: Receiver, maxFrameBytes: number): void {
    this.#receiver = receiver
    this.#maxFrameBytes = maxFrameBytes
    this.#socket.start(
      this.#listener((reason) => void this.#onSocketClose(reason)),
      maxFrameBytes,
    )
  }

  /** Sets the rings to switch to. They are closed with this transport. */
  prepare(rings: PipeEnd<Uint8Array>): void {
    this.#prepared = rings
  }

  /**
   * From now on, sends and receives through the rings. Called once, and not during a pause.
   * @throws {@link ShareError} `ERR_PROTOCOL` when there are no rings.
   */
  switch(): void {
    if (this.#prepared === undefined) throw managerError('ERR_PROTOCOL', { why: 'no rings' })
    const rings = new RingTransport(this.#prepared)
    this.#prepared = undefined
    this.#rings = rings
    if (this.#stallMs !== undefined) rings.watch(this.#stallMs)
    const onClose = (reason: Error | undefined) => {
      if (this.#isClosing) this.#socket.close()
      else this.#socket.destroy(reason)
    }
    rings.start(this.#listener(onClose), this.#maxFrameBytes)
  }

  get hasRings(): boolean {
    return this.#prepared !== undefined || this.#rings !== undefined
  }

  allow(maxFrameBytes: number): void {
    this.#maxFrameBytes = maxFrameBytes
    this.#socket.allow(maxFrameBytes)
    this.#rings?.allow(maxFrameBytes)
  }

  watch(stallMs: number): void {
    this.#stallMs = stallMs
    this.#socket.watch(stallMs)
    this.#rings?.watch(stallMs)
  }

  send(frame: Uint8Array): void {
    if (this.#rings === undefined) this.#socket.send(frame)
    else this.#rings.send(frame)
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedBytes + (this.#rings?.bufferedBytes ?? 0)
  }

  pause(): void {
    this.#isPaused = true
    this.#socket.pause()
    this.#rings?.pause()
  }

  resume(): void {
    this.#isPaused = false
    this.#socket.resume()
    // A frame of the socket may have paused it again.
    if (!this.#isPaused) this.#rings?.resume()
  }

  close(): void {
    this.#isClosing = true
    // The socket is closed after the rings, when all frames have left them.
    if (this.#rings === undefined) this.#socket.close()
    else this.#rings.close()
  }

  destroy(reason?: Error): void {
    this.#rings?.destroy()
    this.#socket.destroy(reason)
  }

  ref(): void {
    this.#socket.ref()
  }

  unref(): void {
    this.#socket.unref()
  }

  #listener(onClose: (reason: Error | undefined) => void): Receiver {
    const receiver = this.#receiver
    return {
      onFrame: (frame) => receiver.onFrame(frame),
      onStall: () => receiver.onStall?.(),
      onDrain: () => {
        if (this.bufferedBytes === 0) receiver.onDrain?.()
      },
      onClose,
    }
  }

  async #onSocketClose(reason: Error | undefined): Promise<void> {
    this.#prepared?.close()
    if (this.#rings !== undefined) {
      await this.#rings.finish()
      this.#rings.destroy()
    }
    this.#receiver.onClose(reason)
  }
}
