/**
 * SwitchingTransport: a stream of frames that begins on a socket and goes on in a pair of rings in shared memory, when both sides turn
 * out to be on one machine and have much to say.
 *
 * Each side goes on sending to the socket until it switches, and receives from both, so nothing is lost or overtaken that must not be:
 * docs/manager-protocol.md. The socket stays, silent, because its end tells at once that the other side is gone.
 */
import type { Socket } from 'node:net'
import { ShareError } from '../../errors.ts'
import type { Connection } from '../../queue/pipe.ts'
import { RingTransport } from './ring-transport.ts'
import { type Receiver, SocketTransport, type Transport } from './transport.ts'

export class SwitchingTransport implements Transport {
  readonly #socket: SocketTransport
  #receiver!: Receiver
  #maxFrameBytes = 0
  #stallMs: number | undefined
  #rings: RingTransport | undefined
  /** What frames are sent by. */
  #sender: Transport
  #isPaused = false
  #isClosing = false

  constructor(socket: Socket) {
    this.#socket = new SocketTransport(socket)
    this.#sender = this.#socket
  }

  start(receiver: Receiver, maxFrameBytes: number): void {
    this.#receiver = receiver
    this.#maxFrameBytes = maxFrameBytes
    this.#socket.start(
      this.#listener((reason) => void this.#onSocketClose(reason)),
      maxFrameBytes,
    )
  }

  /** From now on, receives from these rings as well, which end with this; `sendBy` them at any time after. */
  receiveFrom(rings: Connection<Uint8Array>): void {
    this.#rings = new RingTransport(rings)
    if (this.#stallMs !== undefined) this.#rings.watch(this.#stallMs)
    if (this.#isPaused) this.#rings.pause()
    const onClose = (reason: Error | undefined) => {
      if (this.#isClosing) this.#socket.close()
      else this.#socket.destroy(reason)
    }
    this.#rings.start(this.#listener(onClose), this.#maxFrameBytes)
  }

  /** From now on, sends by the rings. @throws {@link ShareError} `ERR_PROTOCOL` when there are none. */
  sendByRings(): void {
    if (this.#rings === undefined)
      throw new ShareError('ERR_PROTOCOL', { detail: 'a switch to rings that there are not' })
    this.#sender = this.#rings
  }

  get hasRings(): boolean {
    return this.#rings !== undefined
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
    this.#sender.send(frame)
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
    this.#rings?.resume()
  }

  close(): void {
    this.#isClosing = true
    // The socket follows the rings, when what was sent has left them.
    if (this.#rings !== undefined) this.#rings.close()
    else this.#socket.close()
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
    const rings = this.#rings
    if (rings !== undefined) {
      await rings.finish()
      rings.destroy()
    }
    this.#receiver.onClose(reason)
  }
}
