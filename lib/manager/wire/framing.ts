/**
 * Frames: how messages follow one another in a stream of bytes: four bytes with the length of what comes (little-endian), then
 * that. Nothing else is known here of what is in them.
 */
import { managerError } from '../../errors/manager-messages.ts'

export const LENGTH_BYTES = 4
/** Pieces up to this length are copied to where a buffer is already: to make one for each costs more. */
const MAX_COPIED = 4096

/** Puts the frames of a stream together again. */
export class FrameReader {
  /** What has arrived of a frame that is not complete: in pieces, because it may be large and the pieces small. */
  #pieces: Buffer[] = []
  #arrived = 0
  /** How many bytes the incomplete frame has with its length; unknown until its length has arrived. */
  #expected = Infinity
  #maxFrameBytes: number
  /** What has arrived behind a frame whose receiver wanted no more. */
  #unread: Buffer | undefined
  /** For small pieces, while their frames are looked at. */
  #lent: Buffer | undefined

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes
  }

  /** Whether part of a frame has arrived. */
  get isMidway(): boolean {
    return this.#arrived > 0
  }

  /** From now on, frames may be that long. */
  allow(maxFrameBytes: number): void {
    this.#maxFrameBytes = maxFrameBytes
  }

  /**
   * Takes what has arrived, and hands over each frame that is complete with it, until `onFrame` returns false: what follows then is
   * kept for the next time, when nothing need have arrived. A frame is part of the bytes that arrived; who keeps it copies it.
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

  /** The frame that was incomplete, if this completes it, and what follows it. */
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

  /** Bytes that stay as they are. */
  #owned(bytes: Buffer): Buffer {
    return bytes.buffer === this.#lent?.buffer ? Buffer.from(bytes) : bytes
  }

  #lengthAt(bytes: Buffer, offset: number): number {
    const length = bytes.readUInt32LE(offset)
    if (length <= this.#maxFrameBytes) return length
    throw managerError('ERR_PROTOCOL', { why: 'frame', byteLength: length, max: this.#maxFrameBytes })
  }
}
