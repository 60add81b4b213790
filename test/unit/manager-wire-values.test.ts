import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeValue, encodeValue, type References } from '../../lib/manager/wire/values.ts'
import { shareError } from '../helpers/error-matchers.ts'
import { jsonValue } from '../helpers/json-value.ts'

const TREE = 0
const GRAPH = 1
const references: References = {
  write: () => [1],
  read: ([id]) => ({ referent: id }),
}

function through(value: unknown): unknown {
  const { bytes, format } = encodeValue(value, 7, references)
  return decodeValue(format, bytes.subarray(7), references)
}

function decode(format: number, bytes: readonly number[] | Uint8Array): unknown {
  return decodeValue(format, Buffer.from(bytes), references)
}

/** A graph in which each level contains the one below twice: as a tree it would be 2 to the power of `levels`. */
function doubled(levels: number): unknown {
  let value: unknown = ['bottom']
  for (let i = 0; i < levels; i++) value = [value, value]
  return value
}

describe('values of messages', () => {
  it('arrive as they were', () => {
    const cyclic: unknown[] = [1]
    cyclic.push(cyclic)
    const back = through(cyclic) as unknown[]
    expect(back[1]).toBe(back)
    const error = Object.assign(new RangeError('too much'), { code: 'E_CODE' })
    expect(through(error)).toMatchObject({ name: 'RangeError', message: 'too much', code: 'E_CODE' })
    for (const value of [new Map([[{ a: 1 }, new Set([2n ** 70n])]]), undefined, new Date(5), /x/g, 2 ** 53 - 1]) {
      expect(through(value)).toEqual(value)
    }
    fc.assert(
      fc.property(jsonValue(), (value) => {
        expect(JSON.stringify(through(value))).toBe(JSON.stringify(value))
      }),
    )
  })

  it('that announce more than they contain are refused, without allocating memory for it', () => {
    const before = process.memoryUsage.rss()
    const bombs = [
      [0xdd, 0xff, 0xff, 0xff, 0xff], // an array of four billions
      [0xdd, 0x01, 0xff, 0xff, 0xff],
      [0xdf, 0xff, 0xff, 0xff, 0xff], // a map
      [0xdb, 0xff, 0xff, 0xff, 0xff], // a text
      [0xc6, 0xff, 0xff, 0xff, 0xff], // bytes
      [0xc9, 0xff, 0xff, 0xff, 0xff, 0x74], // an extension
      Array.from({ length: 300 }, () => [0xdd, 0x01, 0xff, 0xff, 0xff]).flat(), // one array within the other
      Array.from({ length: 900 }, () => [0xdc, 0xff, 0xff]).flat(),
    ]
    for (const bytes of bombs) {
      for (const format of [TREE, GRAPH]) expect(() => decode(format, bytes)).toThrow(shareError('ERR_PROTOCOL'))
    }
    expect(process.memoryUsage.rss() - before).toBeLessThan(200 * 2 ** 20)
  })

  it('that are nested too deeply for the stack are refused, and the next one is read', () => {
    for (const format of [TREE, GRAPH]) {
      expect(() => decode(format, new Uint8Array(1_000_000).fill(0x91))).toThrow(shareError('ERR_PROTOCOL'))
      expect(decode(format, [0x91, 5])).toEqual([5])
    }
  })

  it('with trailing bytes are refused at once, however often their parts repeat', () => {
    const { bytes } = encodeValue(doubled(60), 0, references)
    for (const format of [TREE, GRAPH]) {
      expect(() => decode(format, Buffer.concat([bytes, Buffer.from([0])]))).toThrow(shareError('ERR_PROTOCOL'))
    }
  })

  it('without references are read without references', () => {
    const { bytes, format } = encodeValue(doubled(2), 0, references)
    expect(format).toBe(GRAPH)
    expect(() => decode(TREE, bytes)).toThrow(shareError('ERR_PROTOCOL'))
  })

  it('do not reach the prototypes of this process', () => {
    const key = [0xa9, ...Buffer.from('__proto__')]
    const spoilt = [0x81, 0xa7, ...Buffer.from('spoiled'), 1]
    const attempts = [
      [0x81, ...key, ...spoilt],
      [0xd4, 0x72, 0x41, 0x91, ...key, ...spoilt], // a record
      [0xc7, 0, 0x45, 0x81, ...key, ...spoilt], // an error
      [0xd4, 0x45, 0, 0x81, ...key, ...spoilt],
    ]
    for (const bytes of attempts) {
      for (const format of [TREE, GRAPH]) {
        try {
          expect((decode(format, bytes) as { spoiled?: unknown }).spoiled).toBe(undefined)
        } catch (error) {
          expect(error).toEqual(shareError('ERR_PROTOCOL'))
        }
      }
    }
    expect(({} as { spoiled?: unknown }).spoiled).toBe(undefined)
  })

  it('in an unknown format, or of no known type, are refused', () => {
    expect(() => decode(2, [0xc0])).toThrow(shareError('ERR_PROTOCOL', /the unknown format 2/))
    for (const bytes of [[], [0xd4, 0x01, 0], [0xd6, 0x70, 0, 0, 0, 9], [0xd4, 0x48, 0, 5], [0xd4, 0x45, 0, 0xc0]]) {
      expect(() => decode(GRAPH, bytes)).toThrow(shareError('ERR_PROTOCOL', /a value that cannot be decoded/))
    }
  })

  it('with changed bytes are values or are refused, and the next one is read', () => {
    const samples = [
      doubled(3),
      { a: [1, 'text', { b: 2.5 }] },
      new Map([[1, new Set(['x'])]]),
      new Error('e'),
      5n ** 50n,
    ]
    const encoded = samples.map((sample) => encodeValue(sample, 0, references))
    fc.assert(
      fc.property(
        fc.constantFrom(...encoded),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        ({ bytes, format }, changes) => {
          const copy = Buffer.from(bytes)
          for (const [place, byte] of changes) copy[place % copy.byteLength] = byte
          try {
            decodeValue(format, copy, references)
          } catch (error) {
            expect(error).toEqual(shareError('ERR_PROTOCOL'))
          }
          expect(decode(format, [0x91, 0xa1, 0x61])).toEqual(['a'])
        },
      ),
      { numRuns: 2000 },
    )
  })
})
