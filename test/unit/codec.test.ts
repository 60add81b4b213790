import fc from 'fast-check'
import { Queue, SharedArray, Value } from 'procshare'
import { describe, expect, it } from 'vitest'
import { expectNoLeftovers } from '../helpers/leftovers.ts'

expectNoLeftovers()

function throughQueue<T>(value: T): T {
  using queue = new Queue<T>()
  queue.putSync(value)
  return queue.getSync()
}

describe('an item of a queue', () => {
  it('arrives unchanged, for plain values of all kinds', () => {
    const plain = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.integer(),
        fc.double().filter((number) => !Object.is(number, -0)),
        fc.boolean(),
        fc.constantFrom(null, undefined),
        fc.string({ unit: 'grapheme' }),
        fc.bigInt(),
        fc.date({ min: new Date(-8.64e13), max: new Date(8.64e13) }),
        fc.uint8Array(),
        fc.float64Array(),
        fc.bigUint64Array(),
        fc.array(tie('value')),
        fc.dictionary(
          fc.string({ unit: 'grapheme' }).filter((key) => key !== '__proto__'),
          tie('value'),
          { noNullPrototype: true },
        ),
      ),
    })).value
    using queue = new Queue<unknown>({ byteLength: 2 ** 22 })
    fc.assert(
      fc.property(plain, (value) => {
        queue.putSync(value)
        expect(queue.getSync()).toEqual(value)
      }),
      { numRuns: 500 },
    )
  })

  it('keeps maps, sets, expressions, buffers and views', () => {
    const value = {
      map: new Map<unknown, unknown>([[1, new Set(['a', { b: 2 }])]]),
      expression: /x+/giu,
      buffer: new Uint8Array([1, 2]).buffer,
      view: new DataView(new Uint8Array([3]).buffer),
      big: [2n ** 70n, -(2n ** 90n), 2n ** 63n],
    }
    expect(throughQueue(value)).toEqual(value)
  })

  it('keeps cycles and the identity of objects that occur twice', () => {
    const cycle: Record<string, unknown> = { list: [{ a: 1 }] }
    cycle.self = cycle
    cycle.again = cycle.list
    const map = new Map<string, unknown>()
    map.set('map', map)
    const got = throughQueue({ cycle, map })
    expect(got.cycle.self).toBe(got.cycle)
    expect(got.cycle.again).toBe(got.cycle.list)
    expect(got.map.get('map')).toBe(got.map)
  })

  it('keeps the identity of an object that occurs twice among many objects', () => {
    const shared = { x: 1 }
    const got = throughQueue([...Array.from({ length: 100 }, (_, i) => ({ i })), shared, shared])
    expect(got[101]).toBe(got[100])
    expect(got[50]).toEqual({ i: 50 })
  })

  it('keeps errors with any name, and with any value in place of their errors', () => {
    for (const name of ['toString', 'constructor', '__proto__']) {
      const got = throughQueue(Object.assign(new Error('odd'), { name }))
      expect([got instanceof Error, got.name, got.message]).toEqual([true, name, 'odd'])
    }
    const many = Object.assign(new AggregateError([], 'many'), { errors: 5 })
    expect(throughQueue(many).message).toBe('many')
  })

  it('is refused when it would arrive as something else', () => {
    using queue = new Queue()
    class MyMap extends Map<number, number> {}
    class MySet extends Set<number> {}
    for (const value of [new MyMap([[1, 2]]), new MySet([1])]) {
      expect(() => queue.putSync(value)).toThrow(expect.objectContaining({ name: 'DataCloneError' }))
    }
  })

  it('arrives whole if one of its getters takes another item, which also arrives whole', () => {
    using queue = new Queue()
    using other = new Queue<unknown>({ spill: true, byteLength: 2 ** 16 })
    const items = [
      'x'.repeat(100),
      { text: 'z'.repeat(5_000) },
      new Map([['k', new Uint8Array(2_000)]]),
      'z'.repeat(2 ** 17),
    ]
    for (const [what, look, item] of [
      [1, 1], // plain: it is looked at once
      [1n, 2], // in the survey of the value
      [1n, 3], // while it is encoded
    ].flatMap(([what, look]) => items.map((item) => [what, look, item] as const))) {
      other.putSync(item)
      let looks = 0
      let taken: unknown
      const value = {
        before: 'y'.repeat(100),
        get item() {
          if (++looks === look) taken = looks % 2 === 0 ? other.getManySync(5)[0] : other.getSync()
          return 'item'
        },
        what,
      }
      queue.putSync(value)
      expect(taken).toEqual(item)
      expect(queue.getSync()).toEqual({ before: 'y'.repeat(100), item: 'item', what })
    }
  })

  it('keeps errors with their name, message, stack and cause', () => {
    const error = new RangeError('far', { cause: new TypeError('near') })
    const got = throughQueue(error)
    expect(got).toBeInstanceOf(RangeError)
    expect([got.message, got.stack, (got.cause as Error).message]).toEqual(['far', error.stack, 'near'])
    const many = throughQueue(new AggregateError([new Error('one')], 'many'))
    expect([many instanceof AggregateError, many.message, many.errors[0].message]).toEqual([true, 'many', 'one'])
  })

  it('keeps bytes as Uint8Array or Buffer, of any size', () => {
    for (const length of [0, 1, 8, 64, 1024, 1025, 4088, 4089, 70_000]) {
      const bytes = Uint8Array.from({ length }, (_, i) => i)
      const got = throughQueue(bytes)
      expect(got.constructor).toBe(Uint8Array)
      expect(got).toEqual(bytes)
      const buffer = throughQueue(Buffer.from(bytes))
      expect(Buffer.isBuffer(buffer)).toBe(true)
      expect(buffer.equals(bytes)).toBe(true)
    }
  })

  it('keeps strings and objects of any size', () => {
    for (const length of [10, 100, 4_000, 5_000, 65_500, 65_530, 70_000, 300_000]) {
      const value = { text: 'é'.repeat(length / 2), more: [length] }
      expect(throughQueue(value)).toEqual(value)
    }
  })

  it('arrives attached when it is a shared object, as one object however often it occurs', () => {
    using value = new Value('i', 7)
    using array = new SharedArray('d', [0.5])
    const got = throughQueue({ value, list: [value, array] })
    expect(got.list[0]).toBe(got.value)
    got.value.add(1)
    ;(got.list[1] as SharedArray<'d'>)[0] = 1.5
    expect([value.value, array[0]]).toEqual([8, 1.5])
    got.value.close()
    ;(got.list[1] as SharedArray<'d'>).close()
  })

  it('is refused in the caller when it cannot be encoded, and the queue stays unchanged', () => {
    using queue = new Queue<unknown>()
    const bad = [
      () => 1,
      Symbol('s'),
      Promise.resolve(),
      new WeakMap(),
      '\ud800',
      { 'key \ud800': 1 },
      [{ f() {} }],
      new Map([[1, () => 1]]),
    ]
    for (const value of [...bad, JSON.parse('{"__proto__": 1}'), new SharedArrayBuffer(1)]) {
      expect(() => queue.putSync(value)).toThrow(expect.objectContaining({ name: 'DataCloneError' }))
    }
    expect(queue.size).toBe(0)
    queue.putSync('still works')
    expect(queue.getSync()).toBe('still works')
  })

  it('is refused when one of its getters puts another item', () => {
    using queue = new Queue<unknown>()
    const value = {
      get trap() {
        queue.putSync(1)
        return 1
      },
    }
    expect(() => queue.putSync(value)).toThrow('could not be encoded')
    expect(queue.isEmpty).toBe(true)
  })

  it('is copied at once', async () => {
    using queue = new Queue<unknown>({ maxSize: 1 })
    const bytes = new Uint8Array(5_000)
    const object = { a: 1 }
    queue.putSync(0)
    const puts = [queue.put(bytes), queue.put(object)]
    bytes[0] = 9
    object.a = 9
    expect(queue.getSync()).toBe(0)
    expect(await queue.get()).toEqual(new Uint8Array(5_000))
    expect(await queue.get()).toEqual({ a: 1 })
    await Promise.all(puts)
  })
})
