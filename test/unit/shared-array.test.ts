import fc from 'fast-check'
import { Array as AliasedArray, attach, SharedArray, type TypeCode, type TypeName, Value } from 'procshare'
import { describe, expect, it } from 'vitest'
import { rangeError, shareError, typeError, valueError } from '../helpers/error-matchers.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { BIG_INTEGERS, FLOATS, INTEGERS, limitsOf, SCALARS, SMALL_INTEGERS, toJs } from '../helpers/scalar-types.ts'
import { uniqueName } from '../helpers/segment-names.ts'
import { scalarValue } from '../helpers/struct-arbitrary.ts'

expectNoLeftovers()

type AnyTypedArray = Int32Array & Disposable & { snapshot(): Int32Array; assign(values: unknown, at?: number): void }

function make(type: TypeName, given: unknown): AnyTypedArray {
  return new SharedArray(type, given as never) as unknown as AnyTypedArray
}

/** The class of the language that a shared array extends. */
function plainClassOf(array: object): Int32ArrayConstructor {
  let found = array.constructor
  while (found.name.startsWith('Shared')) found = Object.getPrototypeOf(found)
  return found as Int32ArrayConstructor
}

const NUMERIC = [...INTEGERS, ...FLOATS]

describe('SharedArray', () => {
  it("is also exported as Array, Python's name", () => {
    expect(AliasedArray).toBe(SharedArray)
    expect(SharedArray.name).toBe('SharedArray')
  })

  it('is a typed array in all respects', () => {
    using array = new SharedArray('i', [3, 1, 2])
    expect(array).toBeInstanceOf(Int32Array)
    expect(array).toBeInstanceOf(SharedArray)
    expect(ArrayBuffer.isView(array)).toBe(true)
    expect(Object.prototype.toString.call(array)).toBe('[object Int32Array]')
    expect([array.length, array.byteLength, array.byteOffset, array.BYTES_PER_ELEMENT]).toEqual([3, 12, 0, 4])
    array[0] = -array[0]!
    expect([...array]).toEqual([-3, 1, 2])
    expect(array.sort()).toBe(array)
    expect(array.join()).toBe('-3,1,2')
    expect(array.fill(7, 1, 2)).toBe(array)
    expect(array.reverse().indexOf(7)).toBe(1)
    expect(Object.keys(array)).toEqual(['0', '1', '2'])
    expect(1 in array).toBe(true)
    expect(3 in array).toBe(false)
    array[3] = 5
    expect(array[3]).toBeUndefined()
    expect(array.at(-1)).toBe(-3)
  })

  it('is zero at first, for all types and in recycled memory', () => {
    for (const { code } of SCALARS) {
      using used = make(code, 50)
      new Uint8Array(used.buffer).fill(0xff)
      used[Symbol.dispose]()
      using fresh = make(code, 50)
      expect(new Uint8Array(fresh.buffer).every((byte) => byte === 0)).toBe(true)
    }
  })

  it('never changes its length, and may be empty', () => {
    using array = new SharedArray('i', 2)
    expect(() => {
      ;(array as unknown as { length: number }).length = 5
    }).toThrow(TypeError)
    expect(() => {
      delete (array as unknown as Record<number, number>)[0]
    }).toThrow(TypeError)
    for (const { code } of SCALARS) {
      for (const given of [0, [], new Set(), new Float64Array(0)]) {
        using empty = make(code, given)
        expect(empty).toHaveLength(0)
        expect([...empty.snapshot()]).toEqual([])
        expect([...empty]).toEqual([])
        empty.assign([])
        expect(() => empty.assign([0])).toThrow(Error)
        using same = SharedArray.attach((empty as unknown as Value).handle)
        expect(same).toHaveLength(0)
      }
    }
  })

  it('is in memory that all its objects in this process share', () => {
    using array = new SharedArray('d', [1, 2, 3])
    using same = SharedArray.attach(array.handle, 'd')
    expect(same.buffer).toBe(array.buffer)
    same[1] = 20
    expect(array[1]).toBe(20)
  })

  it.each(['z', '', null, undefined, 5])('refuses %o as a type, and lists the types', (type) => {
    const listed = /^type must be one of 'c' \('char', 'c_char'\), .*'\?' \('bool', 'c_bool'\) or a Struct, got /
    expect(() => new SharedArray(type as never, 3)).toThrow(typeError(listed))
    expect(() => SharedArray.attach('nobody', (type ?? false) as never)).toThrow(typeError(listed))
  })

  it('refuses impossible lengths', () => {
    for (const length of [-1, 1.5, Number.NaN, Infinity, -Infinity, 2 ** 53]) {
      expect(() => new SharedArray('i', length)).toThrow(rangeError(/^length must be an integer of at least 0, got /))
    }
    expect(() => new SharedArray('d', 2 ** 52)).toThrow(
      rangeError(/^length must be small enough for a byte length below/),
    )
    expect(() => new SharedArray('b', 2 ** 52)).toThrow(
      shareError(expect.stringMatching(/^E(NOSPC|NOMEM|FBIG|INVAL)$/)),
    )
    for (const given of [undefined, null, true, {}, 5n, Symbol('s'), new DataView(new ArrayBuffer(4)), { length: 2 }]) {
      expect(() => new SharedArray('i', given as never)).toThrow(
        typeError(/^lengthOrValues must be a length, or an iterable of elements, got /),
      )
    }
  })

  it('refuses misspelt and wrong options, and names them', () => {
    const refused = (options: unknown) => () => new SharedArray('i', 1, options as never)
    expect(refused({ Lock: false })).toThrow(
      valueError(/^options\.Lock is not a known option: use lock, persist, mode/),
    )
    expect(refused({ lock: 'yes' })).toThrow(
      typeError(/^options\.lock must be a boolean, a Lock or an RLock, got 'yes'/),
    )
    expect(refused(true)).toThrow(typeError(/^options must be an object, got true/))
  })
})

describe('the initial elements of a SharedArray', () => {
  const given = [10, 20, 30]
  it.each([
    ['an array', given],
    ['a Set', new Set(given)],
    ['the keys of a Map', new Map(given.map((n) => [n, 'x'])).keys()],
    ['another typed array', new Uint8Array(given)],
    ['a typed array of the same type', new Int32Array(given)],
    ['a Buffer', Buffer.from(given)],
    [
      'a generator',
      (function* () {
        yield* given
      })(),
    ],
    ['an iterator of an array', given.values()],
    ['an object with an iterator', { [Symbol.iterator]: () => given.values() }],
  ])('may come from %s', (_what, values) => {
    using array = new SharedArray('i', values as Iterable<number>)
    expect([...array]).toEqual(given)
  })

  it('may come from another shared array, and are copied', () => {
    using from = new SharedArray('h', given)
    using same = new SharedArray('h', from)
    using wider = new SharedArray('d', from)
    from.fill(0)
    expect([...same]).toEqual(given)
    expect([...wider]).toEqual(given)
  })

  it('are the elements, for all types', () => {
    const property = (code: TypeCode) =>
      fc.property(fc.array(scalarValue(code), { maxLength: 20 }), (values) => {
        using array = make(code, values)
        using value = new Value(code) as unknown as Disposable & { value: unknown }
        using copy = make(code, array)
        expect(copy).toEqual(array)
        for (const [i, expected] of values.entries()) {
          value.value = expected
          using single = make(code, [expected])
          expect(array[i]).toBe(single[0])
        }
      })
    for (const { code } of SCALARS) fc.assert(property(code), { numRuns: 15 })
  })

  it.each(SMALL_INTEGERS)('are refused when they are out of range or fractional in $code', (type) => {
    const { min, max } = limitsOf(type)
    for (const bad of [Number(min) - 1, Number(max) + 1, 0.5, Number.NaN, Infinity]) {
      for (const values of [[1, 2, bad], new Set([1, 2, bad]), new Float64Array([1, 2, bad])]) {
        expect(() => make(type.code, values)).toThrow(rangeError(/^values\[2\] must be an integer from .*, got /))
      }
    }
    for (const bad of ['1', null, true, 1n, [1]]) {
      expect(() => make(type.code, [1, 2, bad])).toThrow(typeError(/^values\[2\] must be a number, got /))
    }
    // biome-ignore lint/suspicious/noSparseArray: a hole is not a zero
    expect(() => make(type.code, [1, , 2])).toThrow(typeError(/^values\[1\] must be a number, got undefined/))
    for (const values of ['abc', '']) {
      expect(() => make(type.code, values)).toThrow(typeError(/^lengthOrValues must be a length, or an iterable/))
    }
  })

  it.each(BIG_INTEGERS)('may be bigints or exact numbers in $code', (type) => {
    const { min, max } = limitsOf(type)
    using array = make(type.code, [min, max, 5, 7n])
    expect([...array]).toEqual([min, max, 5n, 7n])
    for (const bad of [min - 1n, max + 1n, 0.5, 2 ** 53, Number.NaN]) {
      expect(() => make(type.code, [1n, bad])).toThrow(rangeError(/^values\[1\]/))
    }
    for (const bad of ['1', null, true]) expect(() => make(type.code, [1n, bad])).toThrow(typeError(/^values\[1\]/))
    using copied = make(type.code, new Uint8Array([1, 2]))
    expect([...copied]).toEqual([1n, 2n])
  })

  it.each(FLOATS)('may be any numbers in $code', ({ code }) => {
    using array = make(code, [0.1, Number.NaN, -0, Infinity, 1e300])
    const expected = new (plainClassOf(array))([0.1, Number.NaN, -0, Infinity, 1e300])
    expect([...array]).toEqual([...expected])
    for (const bad of ['1', null, true, 1n]) expect(() => make(code, [0, bad])).toThrow(typeError(/^values\[1\]/))
  })

  it('are booleans in ?, which the elements show as 1 and 0', () => {
    using array = new SharedArray('?', [true, false, true])
    expect([...array]).toEqual([1, 0, 1])
    expect(() => make('?', [true, 1])).toThrow(typeError(/^values\[1\] must be a boolean, got 1/))
  })

  it('are 1 and 0 in ? when they come from an array of ? or of numbers', () => {
    using array = new SharedArray('?', [true, false, true])
    using copy = new SharedArray('?', array)
    expect([...copy]).toEqual([1, 0, 1])
    copy.fill(0)
    copy.assign(array.snapshot())
    expect([...copy]).toEqual([1, 0, 1])
    expect(() => copy.assign(new Uint8Array([0, 2]))).toThrow(rangeError(/^values\[1\] must be 0 or 1, got 2/))
    expect([...copy]).toEqual([1, 0, 1])
  })

  it('are refused if they change while they are read', () => {
    const list = [1, 2, 3]
    let reads = 0
    Object.defineProperty(list, 1, { get: () => (reads++ === 0 ? 'bad' : 2) })
    expect(() => make('i', list)).toThrow(typeError(/ must be a number, got 'bad'/))
  })

  it('pass on errors of their iterator, and leave nothing behind', () => {
    const error = new Error('mine')
    const failing = function* () {
      yield 1
      throw error
    }
    expect(() => new SharedArray('i', failing())).toThrow(error)
  })
})

describe('an element write', () => {
  it.each(NUMERIC)('converts as in a plain typed array ($code)', ({ code, bits }) => {
    using array = make(code, 1)
    const plain = new (plainClassOf(array))(1)
    const given = bits === 64 && code !== 'd' ? fc.bigInt() : fc.oneof(fc.double(), fc.integer(), fc.constant(2 ** 40))
    const property = fc.property(given, (value) => {
      array[0] = value as number
      plain[0] = value as number
      expect(array[0]).toBe(plain[0])
    })
    fc.assert(property, { numRuns: 200 })
  })

  it('throws if a plain typed array throws', () => {
    using numbers = new SharedArray('i', 1)
    using bigs = new SharedArray('q', 1)
    expect(() => {
      numbers[0] = 1n as never
    }).toThrow(TypeError)
    expect(() => {
      bigs[0] = 1 as never
    }).toThrow(TypeError)
    numbers[0] = '12' as never
    expect(numbers[0]).toBe(12)
  })

  it('takes no lock', async () => {
    using array = new SharedArray('i', 2)
    const guard = await array.lock.acquire()
    array[0] = 5
    array.fill(6, 1)
    expect([...array]).toEqual([5, 6])
    expect(() => array.snapshot()).toThrow(shareError('ERR_DEADLOCK'))
    expect(() => array.assign([1])).toThrow(shareError('ERR_DEADLOCK'))
    expect([...array]).toEqual([5, 6])
    guard.release()
    array.assign([1])
    expect([...array.snapshot()]).toEqual([1, 6])
  })
})

describe('methods that create a new array create a private one:', () => {
  const isPrivate = (made: object, of: Int32Array) => {
    expect(made.constructor).toBe(Int32Array)
    expect(made).not.toBeInstanceOf(SharedArray)
    expect((made as Int32Array).buffer).not.toBe(of.buffer)
  }

  it('map, filter, slice, toSorted, toReversed, with', () => {
    using array = new SharedArray('i', [3, 1, 2])
    const made = [
      array.map((n) => n * 2),
      array.filter((n) => n > 1),
      array.slice(1),
      array.toSorted(),
      array.toReversed(),
      array.with(0, 9),
      array.snapshot(),
    ]
    expect(made.map((list) => [...list])).toEqual([
      [6, 2, 4],
      [3, 2],
      [1, 2],
      [1, 2, 3],
      [2, 1, 3],
      [9, 1, 2],
      [3, 1, 2],
    ])
    for (const list of made) isPrivate(list, array)
  })

  it('subarray creates a plain view of the same memory', () => {
    using array = new SharedArray('i', [3, 1, 2])
    const part = array.subarray(1)
    expect(part.constructor).toBe(Int32Array)
    part[0] = 50
    expect(array[1]).toBe(50)
  })

  it('for all types', () => {
    for (const { code } of SCALARS) {
      using array = make(code, 3)
      for (const made of [array.map((n) => n), array.slice(), array.subarray(1), array.snapshot()]) {
        expect(made.constructor).toBe(plainClassOf(array))
      }
    }
  })
})

describe('Atomics on a SharedArray', () => {
  it('work for all integer types', () => {
    for (const type of INTEGERS) {
      using array = make(type.code, 2) as unknown as Int32Array & Disposable
      const one = toJs(type, 1n) as number
      expect(Atomics.add(array, 1, one)).toBe(toJs(type, 0n))
      expect(Atomics.load(array, 1)).toBe(one)
      expect(Atomics.compareExchange(array, 1, one, toJs(type, 5n) as number)).toBe(one)
      expect(Atomics.exchange(array, 1, one)).toBe(toJs(type, 5n))
      expect(Atomics.or(array, 1, toJs(type, 6n) as number)).toBe(one)
      expect(Atomics.sub(array, 1, one)).toBe(toJs(type, 7n))
      expect(array[1]).toBe(toJs(type, 6n))
      expect(array[0]).toBe(toJs(type, 0n))
    }
  })
})

describe('assign', () => {
  it('writes elements of any iterable, starting at an offset', () => {
    using array = new SharedArray('i', 5)
    array.assign([1, 2])
    array.assign(new Set([3, 4]), 2)
    array.assign(new Float32Array([5]), 4)
    array.assign([], 5)
    expect([...array]).toEqual([1, 2, 3, 4, 5])
    array.assign(array.subarray(0, 4), 1)
    expect([...array]).toEqual([1, 1, 2, 3, 4])
  })

  it('writes the same as set of a plain typed array, for values that fit', () => {
    for (const { code } of NUMERIC) {
      const values = fc.array(scalarValue(code), { maxLength: 8 })
      const property = fc.property(values, fc.nat(8), (list, offset) => {
        fc.pre(list.length + offset <= 8)
        using array = make(code, 8)
        const plain = new (plainClassOf(array))(8)
        array.assign(list, offset)
        plain.set(list as number[], offset)
        expect([...array]).toEqual([...plain])
      })
      fc.assert(property, { numRuns: 20 })
    }
  })

  it('is all or nothing, and names the element that does not fit', () => {
    using array = new SharedArray('b', [1, 2, 3])
    const refused = (values: unknown, offset?: unknown) => () => array.assign(values as never, offset as number)
    expect(refused([7, 7, 128])).toThrow(rangeError(/^values\[2\] must be an integer from -128 to 127, got 128/))
    expect(refused([7, 'x'])).toThrow(typeError(/^values\[1\] must be a number, got 'x'/))
    expect(refused(new Int16Array([7, 300]))).toThrow(rangeError(/^values\[1\]/))
    expect(refused([7, 7, 7, 7])).toThrow(rangeError(/^the length of values must be at most 3 for the offset 0, got 4/))
    expect(refused([7, 7], 2)).toThrow(rangeError(/^the length of values must be at most 1 for the offset 2, got 2/))
    expect(refused([], 4)).toThrow(rangeError(/^offset must be an integer from 0 to 3, got 4/))
    for (const offset of [-1, 0.5, Number.NaN, Infinity]) expect(refused([], offset)).toThrow(rangeError(/^offset/))
    for (const offset of ['0', null, 1n]) expect(refused([], offset)).toThrow(typeError(/^offset must be an integer/))
    for (const values of [undefined, null, 5, 'abc', {}]) {
      expect(refused(values)).toThrow(typeError(/^values must be an iterable of elements, got /))
    }
    expect([...array]).toEqual([1, 2, 3])
    expect(array.lock.locked).toBe(false)
  })
})

describe('sharing a SharedArray', () => {
  it('works by create, attach and open', () => {
    const name = uniqueName()
    expect(() => SharedArray.attach(name)).toThrow(shareError('ENOENT'))
    using created = SharedArray.create(name, 'i', [1, 2, 3])
    expect(() => SharedArray.create(name, 'i', 3)).toThrow(shareError('EEXIST'))
    using attached = SharedArray.attach(name, 'int32')
    using opened = SharedArray.open(name, 'i', [7, 8, 9])
    expect([...opened]).toEqual([1, 2, 3])
    attached[0] = 10
    expect(created[0]).toBe(10)
    expect(opened.name).toBe(name)
  })

  it('is created by open if it does not exist', () => {
    using array = SharedArray.open(uniqueName(), 'i', [7, 8])
    expect([...array]).toEqual([7, 8])
  })

  it('is refused with another type, length, or kind', () => {
    using array = SharedArray.create(uniqueName(), 'i', 3)
    expect(() => SharedArray.attach(array.name, 'I')).toThrow(shareError('ERR_TYPE', /holds 'i', not 'I'/))
    expect(() => SharedArray.open(array.name, 'i', 4)).toThrow(shareError('ERR_TYPE', /has 3 elements, not 4/))
    expect(() => SharedArray.open(array.name, 'd', 3)).toThrow(shareError('ERR_TYPE'))
    expect(() => Value.attach(array.name)).toThrow(shareError('ERR_KIND', /a SharedArray, not a Value/))
    using value = new Value('i')
    expect(() => SharedArray.attach(value.name)).toThrow(shareError('ERR_KIND', /a Value, not a SharedArray/))
    using single = SharedArray.create(uniqueName(), 'i', 1)
    expect(() => Value.open(single.name, 'i')).toThrow(shareError('ERR_KIND'))
  })

  it('works through its handle, its form in JSON', () => {
    using array = new SharedArray('f', [0.5, 1.5])
    expect(JSON.parse(JSON.stringify(array))).toEqual(array.handle)
    using same = attach(JSON.parse(JSON.stringify(array))) as unknown as SharedArray<'f'>
    same[0] = 9
    expect(array[0]).toBe(9)
  })

  it('keeps the elements readable in an array that is kept after close', () => {
    const array = new SharedArray('i', [1, 2])
    array.close()
    array[0] = 5
    expect([...array]).toEqual([5, 2])
    expect(() => array.snapshot()).toThrow(shareError('ERR_CLOSED'))
    expect(() => array.assign([1])).toThrow(shareError('ERR_CLOSED'))
    expect(() => array.lock).toThrow(shareError('ERR_CLOSED'))
    expect([...array]).toEqual([5, 2])
  })
})
