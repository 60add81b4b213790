import { createRequire } from 'node:module'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ShareError } from '../../lib/errors/share-error.ts'
import { exchange } from '../../lib/queue/exchange.ts'
import { decodePlain } from '../../lib/queue/plain/decoder.ts'
import { encodePlain, NOT_PLAIN } from '../../lib/queue/plain/encoder.ts'

const { Unpackr } = createRequire(import.meta.url)('msgpackr') as typeof import('msgpackr')
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true })

const START = 8

/** The bytes that the encoder makes of a value. */
function encoded(value: unknown): Buffer {
  const end = encodePlain(value, START)
  expect(end).not.toBe(NOT_PLAIN)
  return Buffer.from(exchange.subarray(START, end))
}

/** What the decoder makes of bytes that stand in the exchange, at its end or elsewhere. */
function decoded(bytes: Uint8Array, start = START): unknown {
  exchange.set(bytes, start)
  return decodePlain(start, start + bytes.byteLength)
}

const key = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((text) => text !== '__proto__')
const plain = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(
      undefined,
      null,
      true,
      false,
      0,
      -32,
      -33,
      127,
      128,
      65_535,
      65_536,
      2 ** 31 - 1,
      2 ** 31,
      -(2 ** 31),
    ),
    fc.integer(),
    fc.double().filter((number) => !Object.is(number, -0)),
    fc.string({ unit: 'grapheme', maxLength: 60 }),
    fc.string({ unit: 'grapheme-ascii', maxLength: 60 }),
    fc.array(tie('value')),
    fc.dictionary(key, tie('value'), { noNullPrototype: true }),
  ),
})).value

describe('a plain item', () => {
  it('is read as it was written, by its decoder and by any other MessagePack decoder', () => {
    fc.assert(
      fc.property(plain, (value) => {
        const bytes = encoded(value)
        expect(decoded(bytes)).toStrictEqual(value)
        expect(decoded(bytes, exchange.byteLength - bytes.byteLength)).toStrictEqual(value)
        expect(unpackr.unpack(bytes)).toStrictEqual(value)
      }),
      { numRuns: 2_000 },
    )
  })

  it('keeps the order of its fields, and contains only own fields', () => {
    const value = Object.assign(Object.create({ inherited: 1 }), { z: 1, a: 2, 1: 3 })
    expect(Object.entries(decoded(encoded(value)) as object)).toEqual(Object.entries(value))
  })

  it('distinguishes keys with the same beginning and end', () => {
    const keys = ['abcd', 'abc', 'ab', 'a', '', 'abcdabcd', 'abcd1abcd', 'abcd2abcd', 'abc\0', 'ab\0', '\0', 'abcdabc']
    for (let round = 0; round < 2; round++) {
      for (const name of keys) expect(decoded(encoded({ [name]: 1 }))).toStrictEqual({ [name]: 1 })
    }
  })

  it('turns -0 into 0, and the holes of an array into undefined', () => {
    expect(decoded(encoded([-0, ...new Array(1)]))).toStrictEqual([0, undefined])
    expect(decoded(encoded(new Array(1)))).toStrictEqual([undefined])
  })

  it('can contain any number of arrays and objects', () => {
    const value = Array.from({ length: 100 }, (_, i) => ({ i, list: [i] }))
    expect(decoded(encoded(value))).toStrictEqual(value)
  })

  it('has no other values in it, no object twice, no cycle and no malformed text', () => {
    const shared = {}
    const itself: unknown[] = []
    itself.push(itself)
    const many = Array.from({ length: 100 }, (_, i) => ({ i }))
    class Class {}
    class List extends Array {}
    const others = [
      ...[1n, Symbol('s'), () => 1, new Date(), new Map(), new Set(), new Error('e'), new Class(), new List(), /x/],
      ...[new Uint8Array(1), new ArrayBuffer(1), Object.create(null), Promise.resolve(), new String('s')],
      ...[[shared, shared], itself, [...many, many[99]], '\ud800', `${'x'.repeat(100)}\udc00`, { '\udc00': 1 }],
      ...[JSON.parse('{"__proto__": 1}'), { constructor: 1 }, { constructor: Array }],
    ]
    for (const value of others) {
      expect(encodePlain(value, START)).toBe(NOT_PLAIN)
      expect(encodePlain({ deep: [value] }, START)).toBe(NOT_PLAIN)
    }
    expect(encodePlain([shared], START)).not.toBe(NOT_PLAIN)
  })

  it('always fits into the exchange', () => {
    const most = exchange.byteLength
    for (let length = most - 50; length < most + 10; length++) {
      const third = Math.floor(length / 3)
      for (const value of ['x'.repeat(third), ['é'.repeat(third)], new Array(length).fill(1)]) {
        const end = encodePlain(value, START)
        expect(end).toBeLessThanOrEqual(most)
        if (end !== NOT_PLAIN) expect(isDeepStrictEqual(decodePlain(START, end), value)).toBe(true)
      }
    }
    expect(encodePlain('x'.repeat(most / 4), START)).not.toBe(NOT_PLAIN)
    expect(encodePlain(new Array(most), START)).toBe(NOT_PLAIN)
    expect(encodePlain(Array.from({ length: most / 4 }, String), START)).toBe(NOT_PLAIN)
  })

  it('passes on the error of a getter, and the encoder works afterwards', () => {
    const shared = {}
    const value = {
      shared,
      get trap() {
        throw new RangeError('trap')
      },
    }
    expect(() => encodePlain(value, START)).toThrow('trap')
    expect(decoded(encoded({ shared }))).toStrictEqual({ shared })
  })
})

describe('bytes that are not a plain item', () => {
  /** Reads them, and expects an error of ours if it is one. */
  function expectHarmless(bytes: Uint8Array, start?: number): void {
    try {
      decoded(bytes, start)
    } catch (error) {
      expect(error).toBeInstanceOf(ShareError)
      expect((error as ShareError).code).toBe('ERR_CORRUPT')
    }
  }

  it('give an error or another value, at any place of the exchange', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expectHarmless(bytes)
        expectHarmless(bytes, exchange.byteLength - bytes.byteLength)
      }),
      { numRuns: 5_000 },
    )
  })

  it('give an error or another value, when a single byte was changed', () => {
    fc.assert(
      fc.property(plain, fc.nat(), fc.nat(255), (value, where, byte) => {
        const bytes = encoded(value)
        bytes[where % bytes.byteLength] = byte
        expectHarmless(bytes)
        expectHarmless(bytes.subarray(0, where % bytes.byteLength))
      }),
      { numRuns: 2_000 },
    )
  })

  it('are refused when bytes are missing or left over, and with the key of a prototype', () => {
    const proto = Buffer.from('\xde\x00\x01\xa9__proto__\xde\x00\x00', 'latin1')
    const longProto = Buffer.from('\xde\x00\x01\xda\x00\x09__proto__\x01', 'latin1')
    const text = encoded({ text: 'text' })
    for (const bytes of [proto, longProto, text.subarray(0, -1), Buffer.concat([text, text]), Buffer.alloc(0)]) {
      expect(() => decoded(bytes)).toThrow(expect.objectContaining({ code: 'ERR_CORRUPT' }))
    }
    expect(Object.keys(decoded(Buffer.from('\xde\x00\x01\xa9_-proto-_\x01', 'latin1')) as object)).toEqual([
      '_-proto-_',
    ])
  })

  it('are refused before an array of more elements than bytes is made', () => {
    const arrays = Buffer.alloc(60_000, '\xdc\xea\x60', 'latin1')
    const before = process.memoryUsage().heapUsed
    expect(() => decoded(arrays)).toThrow(expect.objectContaining({ code: 'ERR_CORRUPT' }))
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(16 * 2 ** 20)
  })

  it('give an error of the runtime when they nest too deeply', () => {
    expect(() => decoded(Buffer.alloc(60_000, '\xdc\x00\x01', 'latin1'))).toThrow(RangeError)
    expect(decoded(encoded(['still works']))).toEqual(['still works'])
  })
})
