/**
 * RingTransport: a stream of frames over a pair of rings in shared memory, for a side with an event loop. The other side may be a blocking
 * client (blocking-channel.ts).
 *
 * A frame may be longer than a ring, so the rings carry a stream of bytes in pieces, as a socket does.
 */
import { managerError } from '../../errors/manager-messages.ts'
import { hasCode } from '../../errors/share-error.ts'
import type { Connection as PipeEnd } from '../../queue/pipe.ts'
import { FrameReader } from './framing.ts'
import type { Receiver, Transport } from './transport.ts'

export const RING_BYTES = 256 * 1024
/** Several pieces of this size fit into a ring, so that one can be read while the next is written. */
const PIECE_BYTES = 32 * 1024
/** The largest number of frames that leave together. The other side serves the first ones while this side makes the next. */
const MAX_TOGETHER = 16
/** The number of pieces in a row before the event loop has its turn. */
const MAX_IN_A_ROW = 64
/** The number of turns of the event loop for receiving the rest of the data of a closed peer. */
const MAX_LAST_TURNS = 1000

const NOTHING = Buffer.alloc(0)

/** Splits bytes into pieces of which several fit into a ring. */
export function inPieces(bytes: Uint8Array, put: (piece: Uint8Array) => void): void {
  for (let start = 0; start < bytes.byteLength; start += PIECE_BYTES) {
    // Not a Buffer: it would arrive as a Buffer, which costs more.
    put(new Uint8Array(bytes.buffer, bytes.byteOffset + start, Math.min(PIECE_BYTES, bytes.byteLength - start)))
  }
}

export class RingTransport implements Transport {
  readonly #rings: PipeEnd<Uint8Array>
  #receiver: Receiver | undefined
  #reader: FrameReader | undefined
  #isClosed = false
  #isClosing = false
  #isReceiving = false
  /** While a piece is served, sent frames wait until the whole piece is served. */
  #isDelivering = false
  #isPaused = false
  #stall: { readonly timeoutMs: number } | undefined
  /** Whether the peer has stopped receiving. Data that it has sent may still be in the ring. */
  #hasNoReader = false
  /** Frames of this turn of the event loop. They leave together. */
  #batch: Uint8Array[] = []
  #batchBytes = 0
  /** Pieces that wait for room. */
  readonly #outgoing: Uint8Array[] = []
  #outgoingBytes = 0

  constructor(rings: PipeEnd<Uint8Array>) {
    this.#rings = rings.unref().distrust() // an idle connection does not keep the process alive
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
    if (this.#isClosed || this.#isClosing || this.#hasNoReader) return
    if (this.#batch.length === 0 && !this.#isDelivering) void Promise.resolve().then(this.#flush)
    this.#batch.push(frame)
    this.#batchBytes += frame.byteLength
    if (this.#batch.length === MAX_TOGETHER || this.#batchBytes >= PIECE_BYTES) this.#flush()
  }

  get bufferedBytes(): number {
    return this.#batchBytes + this.#outgoingBytes
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    void this.#receive()
  }

  close(): void {
    this.#flush()
    this.#isClosing = true
    if (this.#outgoingBytes === 0) this.destroy()
  }

  /** Receives the data that a closed peer has left in the ring. */
  async finish(): Promise<void> {
    try {
      for (let turn = 0; turn < MAX_LAST_TURNS && !this.#isClosed && !this.#isPaused; turn++) {
        if (!(await this.#rings.poll())) return
        await new Promise(setImmediate)
      }
    } catch {
      // The ring was closed in between.
    }
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
      reader.push(NOTHING, onFrame) // the bytes that had arrived before the pause
      for (let inARow = 0; !this.#isClosed && !this.#isPaused; inARow++) {
        const ready = this.#rings.tryRecv()
        if (ready === undefined) inARow = 0
        else if (inARow === MAX_IN_A_ROW) {
          inARow = 0
          await new Promise(setImmediate)
        }
        const piece =
          ready === undefined ? await this.#rings.recv(reader.isMidway ? this.#stall : undefined) : ready.value
        // A peer can put anything into the ring.
        if (!((piece as unknown) instanceof Uint8Array)) {
          throw managerError('ERR_PROTOCOL', { why: 'ring item' })
        }
        this.#isDelivering = true
        reader.pushPiece(piece, onFrame)
        this.#isDelivering = false
        this.#flush()
      }
    } catch (error) {
      if (hasCode(error, 'ERR_TIMEOUT')) this.#receiver?.onStall?.()
      else this.#fail(error)
    } finally {
      this.#isReceiving = false
      this.#isDelivering = false
    }
  }

  readonly #flush = () => {
    const batch = this.#batch
    if (batch.length === 0) return
    const bytes = batch.length === 1 ? batch[0]! : Buffer.concat(batch, this.#batchBytes)
    this.#batch = []
    this.#batchBytes = 0
    inPieces(bytes, this.#put)
    if (this.#outgoingBytes === 0) this.#receiver?.onDrain?.()
  }

  readonly #put = (piece: Uint8Array) => {
    if (this.#isClosed || this.#hasNoReader) return
    if (this.#outgoingBytes === 0 && this.#trySend(piece)) return
    if (this.#outgoingBytes === 0) queueMicrotask(() => void this.#sendRest())
    this.#outgoing.push(piece)
    this.#outgoingBytes += piece.byteLength
  }

  #trySend(piece: Uint8Array): boolean {
    try {
      return this.#rings.trySend(piece)
    } catch (error) {
      this.#failToSend(error)
      return true
    }
  }

  async #sendRest(): Promise<void> {
    try {
      while (this.#outgoing.length > 0 && !this.#isClosed) {
        const piece = this.#outgoing.shift()!
        await this.#rings.send(piece, this.#stall)
        this.#outgoingBytes -= piece.byteLength
      }
    } catch (error) {
      if (hasCode(error, 'ERR_TIMEOUT')) this.#receiver?.onStall?.()
      this.#outgoing.length = 0
      this.#outgoingBytes = 0
      this.#failToSend(error)
    }
    if (this.#isClosing) this.destroy()
    else if (!this.#isClosed) this.#receiver?.onDrain?.()
  }

  /** A peer that has stopped receiving may have sent data before it closed. */
  #failToSend(error: unknown): void {
    if (hasCode(error, 'ERR_ENDED')) this.#hasNoReader = true
    else this.#fail(error)
  }

  #fail(error: unknown): void {
    const isEnd = hasCode(error, 'ERR_ENDED') || hasCode(error, 'ERR_CLOSED')
    this.destroy(isEnd ? undefined : (error as Error))
  }
}
