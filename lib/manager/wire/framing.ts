/**
 * Frames: messages in a stream of bytes. A frame is four bytes with the length of its content (little-endian), and the content.
 */
import { managerError } from '../../errors/manager-messages.ts'

export const LENGTH_BYTES = 4
/** Pieces up to this length are copied into a buffer that is reused: a new buffer for each costs more. */
const MAX_COPIED = 4096

/** Reads the frames of a stream. */
export class FrameReader {
  /** The arrived pieces of an incomplete frame. */
  #pieces: Buffer[] = []
  #arrived = 0
  /** The bytes of the incomplete frame with its length; unknown until the length has arrived. */
  #expected = Infinity
  #maxFrameBytes: number
  /** What has arrived behind a frame after which the receiver paused. */
  #unread: Buffer | undefined
  /** Holds a small piece while its frames are served. */
  #lent: Buffer | undefined

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes
  }

  /** Whether part of a frame has arrived. */
  get isMidway(): boolean {
    return this.#arrived > 0
  }

  /** Sets how long frames may be from now on. */
  allow(maxFrameBytes: number): void {
    this.#maxFrameBytes = maxFrameBytes
  }

  /**
   * Takes arrived bytes, and calls `onFrame` with each frame that they complete, until it returns false. The rest is kept for the next
   * call, which may bring no bytes. A frame is part of the arrived bytes; a receiver that keeps it copies it.
   * @throws {@link ShareError} `ERR_PROTOCOL` for a frame that would be longer than allowed. Nothing can be read after that.
   */
  push(chunk: Buffer, onFrame: (frame: Buffer) => boolean): void {
    let rest = this.#unread === undefined ? chunk : Buffer.concat([this.#unread, chunk])
    this.#unread = undefined
    if (this.#arrived > 0) {
      const completed = this.#complete(rest)
      if (completed === undefined) return
      rest = completed.rest
      if (!onFrame(completed.frame)) {
        this.#unread = this.#owned(rest)
        return
      }
    }
    let start = 0
    while (rest.byteLength - start >= LENGTH_BYTES) {
      const end = start + LENGTH_BYTES + this.#lengthAt(rest, start)
      if (rest.byteLength < end) break
      const frame = rest.subarray(start + LENGTH_BYTES, end)
      start = end
      if (!onFrame(frame)) {
        this.#unread = this.#owned(rest.subarray(start))
        return
      }
    }
    if (rest.byteLength > start) this.#keep(rest.subarray(start))
  }

  /** The same for bytes of a ring. */
  pushPiece(piece: Uint8Array, onFrame: (frame: Buffer) => boolean): void {
    if (piece.byteLength > MAX_COPIED) {
      this.push(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength), onFrame)
      return
    }
    this.#lent ??= Buffer.allocUnsafeSlow(MAX_COPIED)
    this.#lent.set(piece)
    this.push(this.#lent.subarray(0, piece.byteLength), onFrame)
  }

  /** The incomplete frame, if the bytes complete it, and the bytes behind it. */
  #complete(chunk: Buffer): { frame: Buffer; rest: Buffer } | undefined {
    let rest = chunk
    if (this.#expected === Infinity) {
      const missing = LENGTH_BYTES - this.#arrived
      this.#keep(rest.subarray(0, missing))
      if (this.#arrived < LENGTH_BYTES) return undefined
      rest = rest.subarray(missing)
      const length = Buffer.concat(this.#pieces)
      this.#pieces = [length]
      this.#expected = LENGTH_BYTES + this.#lengthAt(length, 0)
    }
    const missing = this.#expected - this.#arrived
    if (rest.byteLength < missing) {
      if (rest.byteLength > 0) this.#keep(rest)
      return undefined
    }
    this.#pieces.push(rest.subarray(0, missing))
    const frame = Buffer.concat(this.#pieces, this.#expected).subarray(LENGTH_BYTES)
    this.#pieces = []
    this.#arrived = 0
    this.#expected = Infinity
    return { frame, rest: rest.subarray(missing) }
  }

  #keep(piece: Buffer): void {
    if (this.#arrived === 0 && piece.byteLength >= LENGTH_BYTES) {
      this.#expected = LENGTH_BYTES + this.#lengthAt(piece, 0)
    }
    this.#pieces.push(this.#owned(piece))
    this.#arrived += piece.byteLength
  }

  /** Bytes that are not overwritten. */
  #owned(bytes: Buffer): Buffer {
    return bytes.buffer === this.#lent?.buffer ? Buffer.from(bytes) : bytes
  }

  #lengthAt(bytes: Buffer, offset: number): number {
    const length = bytes.readUInt32LE(offset)
    if (length <= this.#maxFrameBytes) return length
    throw managerError('ERR_PROTOCOL', { why: 'frame', byteLength: length, max: this.#maxFrameBytes })
  }
}
