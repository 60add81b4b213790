/**
 * RingTransport: a stream of frames over a pair of rings in shared memory, as the side sees it that has an event loop to serve. The other
 * side is a client that blocks (blocking-channel.ts).
 *
 * A frame may be longer than a ring, so what is put into the rings is a stream of bytes in pieces, as with a socket.
 */
import { hasCode, ShareError } from '../../errors.ts'
import type { Connection } from '../../queue/pipe.ts'
import { FrameReader } from './framing.ts'
import type { Receiver, Transport } from './transport.ts'

export const RING_BYTES = 256 * 1024
/** Several fit into a ring, so that one can be read while the next is written. */
const PIECE_BYTES = 32 * 1024
/** So many pieces may be served one after the other before the event loop has its turn. */
const MOST_IN_A_ROW = 64

const NOTHING = Buffer.alloc(0)

/** Those of `bytes` that are put into a ring at once. */
export function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.byteLength; start += PIECE_BYTES) {
    yield new Uint8Array(bytes.buffer, bytes.byteOffset + start, Math.min(PIECE_BYTES, bytes.byteLength - start))
  }
}

/** What has come out of a ring, as the reader of frames takes it. */
export function asBuffer(piece: Uint8Array): Buffer {
  return Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
}

export class RingTransport implements Transport {
  readonly #rings: Connection<Uint8Array>
  #receiver: Receiver | undefined
  #reader: FrameReader | undefined
  #isClosed = false
  #isClosing = false
  #isReceiving = false
  #isPaused = false
  #stall: { readonly timeoutMs: number } | undefined
  /** Pieces that wait for room. */
  readonly #outgoing: Uint8Array[] = []
  #bufferedBytes = 0

  constructor(rings: Connection<Uint8Array>) {
    this.#rings = rings
  }

  start(receiver: Receiver, maxFrameBytes: number): void {
    this.#receiver = receiver
    this.#reader = new FrameReader(maxFrameBytes)
    void this.#receive()
  }

  allow(maxFrameBytes: number): void {
    this.#reader?.allow(maxFrameBytes)
  }

  watch(stallMs: number): void {
    this.#stall = { timeoutMs: stallMs }
  }

  send(frame: Uint8Array): void {
    if (this.#isClosed || this.#isClosing) return
    for (const piece of piecesOf(frame)) {
      if (this.#bufferedBytes > 0 || !this.#trySend(piece)) {
        if (this.#bufferedBytes === 0) queueMicrotask(() => void this.#sendRest())
        this.#outgoing.push(piece)
        this.#bufferedBytes += piece.byteLength
      }
    }
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    void this.#receive()
  }

  close(): void {
    this.#isClosing = true
    if (this.#bufferedBytes === 0) this.destroy()
  }

  destroy(reason?: Error): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#rings.close()
    this.#receiver?.onClose(reason)
  }

  ref(): void {
    this.#rings.ref()
  }

  unref(): void {
    this.#rings.unref()
  }

  async #receive(): Promise<void> {
    if (this.#isReceiving) return
    this.#isReceiving = true
    const reader = this.#reader!
    const onFrame = (frame: Buffer) => {
      this.#receiver!.onFrame(frame)
      return !this.#isClosed && !this.#isPaused
    }
    try {
      reader.push(NOTHING, onFrame) // what had arrived when we were paused
      for (let inARow = 0; !this.#isClosed && !this.#isPaused; inARow++) {
        const ready = this.#rings.tryRecv()
        if (ready === undefined) inARow = 0
        else if (inARow === MOST_IN_A_ROW) {
          inARow = 0
          await new Promise(setImmediate)
        }
        const piece = ready?.value ?? (await this.#rings.recv(reader.isMidway ? this.#stall : undefined))
        // Whoever can write into the ring can put anything there.
        if (!((piece as unknown) instanceof Uint8Array)) {
          throw new ShareError('ERR_PROTOCOL', { detail: 'something in a ring that is no bytes' })
        }
        reader.push(asBuffer(piece), onFrame)
      }
    } catch (error) {
      if (hasCode(error, 'ERR_TIMEOUT')) this.#receiver?.onStall?.()
      else this.#fail(error)
    } finally {
      this.#isReceiving = false
    }
  }

  #trySend(piece: Uint8Array): boolean {
    try {
      return this.#rings.trySend(piece)
    } catch (error) {
      this.#fail(error)
      return true
    }
  }

  async #sendRest(): Promise<void> {
    try {
      while (this.#outgoing.length > 0 && !this.#isClosed) {
        const piece = this.#outgoing.shift()!
        await this.#rings.send(piece, this.#stall)
        this.#bufferedBytes -= piece.byteLength
      }
      this.#receiver?.onDrain?.()
      if (this.#isClosing) this.destroy()
    } catch (error) {
      if (hasCode(error, 'ERR_TIMEOUT')) this.#receiver?.onStall?.()
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    const isEnd = hasCode(error, 'ERR_ENDED') || hasCode(error, 'ERR_CLOSED')
    this.destroy(isEnd ? undefined : (error as Error))
  }
}
