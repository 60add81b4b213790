import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FrameReader, LENGTH_BYTES } from '../../lib/manager/wire/framing.ts'
import { shareError } from '../helpers/error-matchers.ts'

function frameOf(body: Uint8Array): Buffer {
  const frame = Buffer.alloc(LENGTH_BYTES + body.byteLength)
  frame.writeUInt32LE(body.byteLength, 0)
  frame.set(body, LENGTH_BYTES)
  return frame
}

/** The stream in pieces, cut where `cuts` says; some may be empty. */
function* cut(stream: Buffer, cuts: readonly number[]): Generator<Buffer> {
  const places = cuts.map((place) => place % (stream.byteLength + 1)).sort((a, b) => a - b)
  let start = 0
  for (const place of [...places, stream.byteLength]) {
    yield stream.subarray(start, place)
    start = place
  }
}

const bodies = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 })
const cuts = fc.array(fc.nat(), { maxLength: 30 })

describe('a reader of frames', () => {
  it('assembles frames wherever the stream is cut', () => {
    fc.assert(
      fc.property(bodies, cuts, (sent, places) => {
        const reader = new FrameReader(40)
        const received: number[][] = []
        for (const piece of cut(Buffer.concat(sent.map(frameOf)), places)) {
          reader.push(piece, (frame) => received.push([...frame]) > 0)
        }
        expect(received).toEqual(sent.map((body) => [...body]))
        expect(reader.isMidway).toBe(false)
      }),
    )
  })

  it('loses nothing when its receiver pauses, wherever that is', () => {
    fc.assert(
      fc.property(bodies, cuts, fc.infiniteStream(fc.boolean()), (sent, places, wishes) => {
        const reader = new FrameReader(40)
        const received: number[][] = []
        const onFrame = (frame: Buffer) => {
          received.push([...frame])
          return wishes.next().value as boolean
        }
        for (const piece of cut(Buffer.concat(sent.map(frameOf)), places)) reader.push(piece, onFrame)
        for (let i = 0; i < sent.length; i++) reader.push(Buffer.alloc(0), onFrame)
        expect(received).toEqual(sent.map((body) => [...body]))
      }),
    )
  })

  it('knows whether it is in the middle of a frame', () => {
    const reader = new FrameReader(100)
    const bytes = frameOf(Buffer.from('abc'))
    for (let i = 0; i < bytes.byteLength; i++) {
      expect(reader.isMidway).toBe(i > 0)
      reader.push(bytes.subarray(i, i + 1), () => true)
    }
    expect(reader.isMidway).toBe(false)
  })

  it('refuses a frame that is too long as soon as its length has arrived, in one piece or in four', () => {
    const length = Buffer.from([0x29, 0, 0, 0])
    const inOne = new FrameReader(40)
    expect(() => inOne.push(length, () => true)).toThrow(
      shareError('ERR_PROTOCOL', /a message of 41 bytes, but at most 40/),
    )
    const inFour = new FrameReader(40)
    for (const byte of [0, 1, 2]) inFour.push(length.subarray(byte, byte + 1), () => true)
    expect(() => inFour.push(length.subarray(3), () => true)).toThrow(
      shareError('ERR_PROTOCOL', /a message of 41 bytes/),
    )
  })

  it('accepts longer frames from the moment that they are allowed, also within one piece', () => {
    const reader = new FrameReader(2)
    const received: string[] = []
    reader.push(Buffer.concat([frameOf(Buffer.from('ab')), frameOf(Buffer.from('longer'))]), (frame) => {
      received.push(frame.toString())
      reader.allow(10)
      return true
    })
    expect(received).toEqual(['ab', 'longer'])
  })
})
