/**
 * Frames: messages in a stream of bytes. A frame is four bytes with the length of its content (little-endian), and the content.
 */
import { managerError } from '../../errors/manager-messages.ts'

export const LENGTH_BYTES = 4
/** Pieces up to this length are copied into a reused buffer. A new buffer for each piece costs more. */
const MAX_COPIED = 4096

/** Reads the frames of a stream. */
export class FrameReader {
  /** The arrived pieces of an incomplete frame. */
  #pieces: Buffer[] = []
  #arrived = 0
  /** The size of the incomplete frame, including the length field. It is unknown until the length has arrived. */
  #expected = Infinity
  #maxFrameBytes: number
  /** The bytes that have arrived after the frame at which the receiver paused. */
  #unread: Buffer | undefined
  /** Contains a small piece while its frames are served. */
  #lent: Buffer | undefined

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes
  }

  /** Whether part of a frame has arrived. */
  get isMidway(): boolean {
    return this.#arrived > 0
  }

  /** Sets the largest length of later frames. */
  allow(maxFrameBytes: number): void {
    this.#maxFrameBytes = maxFrameBytes
  }

  /**
   * Takes arrived bytes, and calls `onFrame` with each frame that they complete, until it returns false. The rest is kept for the next
   * call, which may pass no bytes. A frame is part of the arrived bytes, so a receiver must copy a frame that it keeps.
   * @throws {@link ShareError} `ERR_PROTOCOL` for a frame longer than allowed. Nothing can be read after that.
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

  /** Does the same for bytes of a ring. */
  pushPiece(piece: Uint8Array, onFrame: (frame: Buffer) => boolean): void {
    if (piece.byteLength > MAX_COPIED) {
      this.push(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength), onFrame)
      return
    }
    this.#lent ??= Buffer.allocUnsafeSlow(MAX_COPIED)
    this.#lent.set(piece)
    this.push(this.#lent.subarray(0, piece.byteLength), onFrame)
  }

  /** Returns the incomplete frame, if the bytes complete it, and the bytes after it. */
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

  /** Returns bytes that are not overwritten. */
  #owned(bytes: Buffer): Buffer {
    return bytes.buffer === this.#lent?.buffer ? Buffer.from(bytes) : bytes
  }

  #lengthAt(bytes: Buffer, offset: number): number {
    const length = bytes.readUInt32LE(offset)
    if (length <= this.#maxFrameBytes) return length
    throw managerError('ERR_PROTOCOL', { why: 'frame', byteLength: length, max: this.#maxFrameBytes })
  }
}
