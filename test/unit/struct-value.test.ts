import { inspect } from 'node:util'
import { attach, Lock, Struct, Value } from 'procshare'
import { describe, expect, it } from 'vitest'
import { rangeError, shareError, typeError, valueError } from '../helpers/error-matchers.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { CHARACTERS } from '../helpers/scalar-types.ts'
import { uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

const Point = Struct({ x: 'd', y: 'd' })
const Pair = Struct({ a: 'h', b: 'h' }) // four bytes: fits into one word, and is still two fields
const Everything = Struct({
  id: 'q',
  on: '?',
  letter: 'c',
  small: ['b', 4],
  numbers: ['i', 3],
  flags: ['?', 3],
  name: ['c', 8],
  title: ['u', 4],
  pair: Pair,
  point: Point,
  path: [Point, 2],
  grid: [['h', 2], 2],
})

const sample = () => ({
  id: 12n,
  on: true,
  letter: 'k',
  small: [1, 2, 3, 4],
  numbers: [10, 20, 30],
  flags: [true, false, true],
  name: 'Ada',
  title: 'Dr',
  pair: { a: 1, b: 2 },
  point: { x: 0.5, y: 1.5 },
  path: [
    { x: 1, y: 2 },
    { x: 3, y: 4 },
  ],
  grid: [
    [1, 2],
    [3, 4],
  ],
})

/** What sample() is in memory. */
const plain = () => ({ ...sample(), name: Buffer.from('Ada') })

/** The whole record as it lies in memory. */
function bytesOf(value: { readonly value: { readonly numbers: Int32Array } }): Buffer {
  return Buffer.from(new Uint8Array(value.value.numbers.buffer))
}

describe('a new struct value', () => {
  it('is zero without an initial value', () => {
    using value = new Value(Point)
    expect(value.snapshot()).toEqual({ x: 0, y: 0 })
  })

  it('has the given fields, and zeros elsewhere', () => {
    using value = new Value(Point, { y: 2 })
    expect(value.snapshot()).toEqual({ x: 0, y: 2 })
    using whole = new Value(Everything, sample())
    expect(whole.snapshot()).toEqual(plain())
  })

  it('refuses fields that the struct does not have, and names them', () => {
    expect(() => new Value(Point, { x: 1, z: 2 } as never)).toThrow(
      valueError(/^initial\.z is not a known field: use x or y/),
    )
  })

  it.each([null, 5, 'x', true, 1n])('refuses %o for a record', (initial) => {
    expect(() => new Value(Point, initial as never)).toThrow(
      typeError(/^initial must be an object with the fields of the struct, or an array of their values, got /),
    )
  })

  it('names the field that does not fit', () => {
    const refused = (initial: object) => () => new Value(Everything, initial as never)
    expect(refused({ id: 1.5 })).toThrow(rangeError(/^initial\.id must be .* got 1\.5/))
    expect(refused({ on: 1 })).toThrow(typeError(/^initial\.on must be a boolean, got 1/))
    expect(refused({ numbers: [1, 2 ** 31] })).toThrow(rangeError(/^initial\.numbers\[1\] must be an integer/))
    expect(refused({ numbers: 5 })).toThrow(typeError(/^initial\.numbers must be an iterable of elements, got 5/))
    expect(refused({ numbers: 'ab' })).toThrow(typeError(/^initial\.numbers must be an iterable/))
    expect(refused({ numbers: [1, 2, 3, 4] })).toThrow(rangeError(/^initial\.numbers must be at most 3 elements long/))
    expect(refused({ name: 'more than 8' })).toThrow(rangeError(/^initial\.name must be at most 8 elements long/))
    expect(refused({ name: ['ab'] })).toThrow(typeError(/^initial\.name\[0\] must be a string of one character/))
    expect(refused({ title: 'more!' })).toThrow(rangeError(/^initial\.title must be at most 4 elements long/))
    expect(refused({ pair: { a: 1 } })).toThrow(typeError(/^initial\.pair\.b must be a number, got undefined/))
    expect(refused({ path: [{ x: 1, y: 2 }, { x: 1 }] })).toThrow(typeError(/^initial\.path\[1\]\.y must be a number/))
    expect(refused({ grid: [[1], [2, 70_000]] })).toThrow(rangeError(/^initial\.grid\[1\]\[1\] must be an integer/))
    expect(refused({ flags: new Uint8Array([1, 2]) })).toThrow(rangeError(/^initial\.flags\[1\] must be 0 or 1, got 2/))
  })
})

describe('the live record', () => {
  it('is the same object each time, and reads and writes the memory directly', () => {
    using value = new Value(Point, { x: 1, y: 2 })
    using other = Value.attach(value.handle, Point)
    expect(value.value).toBe(value.value)
    value.value.x = 5
    expect(other.value.x).toBe(5)
    other.value.y -= 1.5
    expect(value.value.y).toBe(0.5)
  })

  it('returns nested structs and arrays of numbers as live views', () => {
    using value = new Value(Everything, sample())
    using other = Value.attach(value.handle, Everything)
    const { point, numbers, grid, path, flags } = value.value
    point.x = 9
    numbers[1] = 99
    grid[1]![0] = 77
    path[1]!.y = -4
    flags[1] = 1
    expect(other.snapshot()).toMatchObject({ point: { x: 9, y: 1.5 }, numbers: [10, 99, 30] })
    expect(other.snapshot().grid).toEqual([
      [1, 2],
      [77, 4],
    ])
    expect(other.snapshot().path[1]).toEqual({ x: 3, y: -4 })
    expect(other.snapshot().flags).toEqual([true, true, true])
    expect(numbers).toBeInstanceOf(Int32Array)
    expect(numbers.buffer).toBe(flags.buffer)
  })

  it('refuses the replacement of an element of a nested array that would be lost', () => {
    using value = new Value(Everything, sample())
    const path = value.value.path as { x: number; y: number }[]
    expect(() => {
      path[0] = { x: 0, y: 0 }
    }).toThrow(TypeError)
    value.value.path = [{ x: 8, y: 9 }]
    expect(value.snapshot().path).toEqual([
      { x: 8, y: 9 },
      { x: 0, y: 0 },
    ])
  })

  it('returns characters as copies up to the first NUL', () => {
    using value = new Value(Everything, sample())
    const { name } = value.value
    expect(name).toEqual(Buffer.from('Ada'))
    name[0] = 0
    expect(value.value.name.toString()).toBe('Ada')
    expect(value.value.title).toBe('Dr')
  })

  it('takes text and bytes for characters, and fills the rest with NULs', () => {
    using value = new Value(Everything, sample())
    const record = value.value as { name: string | Uint8Array; title: string }
    record.name = 'né'
    expect(record.name).toEqual(Buffer.from('né'))
    record.name = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8])
    expect(record.name).toHaveLength(8)
    record.name = 'x'
    expect(record.name).toEqual(Buffer.from('x'))
    const title = CHARACTERS[1].bits === 32 ? 'ab😀d' : 'ab€d' // where a wchar_t has 16 bits there is no room for the first
    record.title = title
    expect(record.title).toBe(title)
    record.name = ''
    expect(record.name).toHaveLength(0)
    Object.assign(value.value, { name: ['a', 98], title: ['ü', 98] })
    expect([record.name, record.title]).toEqual([Buffer.from('ab'), 'üb'])
  })

  it('accepts any iterable for an array, and fills the rest with zeros', () => {
    using value = new Value(Everything, sample())
    const record = value.value as { numbers: Iterable<number>; small: Int8Array }
    record.numbers = new Set([7, 8])
    expect(value.snapshot().numbers).toEqual([7, 8, 0])
    record.numbers = new Map([[5, 'five']]).keys()
    expect(value.snapshot().numbers).toEqual([5, 0, 0])
    record.numbers = (function* () {
      yield 1
      yield 2
      yield 3
    })()
    expect(value.snapshot().numbers).toEqual([1, 2, 3])
    record.numbers = []
    expect(value.snapshot().numbers).toEqual([0, 0, 0])
    record.small = record.small.reverse()
    expect(value.snapshot().small).toEqual([4, 3, 2, 1])
  })

  it('refuses a value that does not fit, names the field, and changes nothing', () => {
    using value = new Value(Everything, sample())
    const record = value.value as Record<string, unknown>
    const refused = (field: string, bad: unknown) => () => {
      record[field] = bad
    }
    expect(refused('id', 2n ** 63n)).toThrow(rangeError(/^id must be an integer from .*, got 9223372036854775808n/))
    expect(refused('on', 1)).toThrow(typeError(/^on must be a boolean, got 1/))
    expect(refused('letter', 'ab')).toThrow(typeError(/^letter must be a string of one character/))
    expect(refused('small', [9, 9, 'x'])).toThrow(typeError(/^small\[2\] must be a number, got 'x'/))
    expect(refused('small', [9, 9, 9, 200])).toThrow(rangeError(/^small\[3\]/))
    expect(refused('small', [9, 9, 9, 9, 9])).toThrow(rangeError(/^small must be at most 4 elements long/))
    expect(refused('numbers', [9, 9, null])).toThrow(typeError(/^numbers\[2\]/))
    expect(refused('flags', [false, 1])).toThrow(typeError(/^flags\[1\] must be a boolean, got 1/))
    expect(refused('name', 'much too long')).toThrow(rangeError(/^name must be at most 8 elements long/))
    expect(refused('name', 5)).toThrow(typeError(/^name must be an iterable of elements, got 5/))
    expect(refused('title', [null])).toThrow(typeError(/^title\[0\]/))
    expect(refused('pair', { a: 9, b: 'x' })).toThrow(typeError(/^pair\.b must be a number, got 'x'/))
    expect(refused('pair', { a: 9 })).toThrow(typeError(/^pair\.b must be a number, got undefined/))
    expect(refused('pair', { a: 9, b: 9, c: 9 })).toThrow(valueError(/^pair\.c is not a known field: use a or b/))
    expect(refused('pair', [9])).toThrow(rangeError(/^the length of pair must be 2, one value for each field, got 1/))
    expect(refused('pair', [9, 'x'])).toThrow(typeError(/^pair\[1\] \(b\) must be a number, got 'x'/))
    expect(refused('point', { x: 9, y: null })).toThrow(typeError(/^point\.y/))
    expect(refused('path', [{ x: 9, y: 9 }, { x: 9 }])).toThrow(typeError(/^path\[1\]\.y/))
    expect(refused('grid', [[9], [9, 9, 9]])).toThrow(rangeError(/^grid\[1\] must be at most 2 elements long/))
    expect(value.snapshot()).toEqual(plain())
  })

  it('has only the fields of the struct, and a misspelt one is an error', () => {
    using value = new Value(Point, { x: 1, y: 2 })
    const record = value.value as Record<string, unknown>
    expect(() => {
      record.z = 5
    }).toThrow(TypeError)
    expect(() => {
      value.update((copy) => {
        ;(copy as Record<string, unknown>).X = 5
      })
    }).toThrow(TypeError)
    expect(value.snapshot()).toEqual({ x: 1, y: 2 })
    expect(record.z).toBeUndefined()
    expect('x' in record).toBe(true)
    expect('z' in record).toBe(false)
  })

  it('takes no lock', async () => {
    using value = new Value(Point, { x: 1, y: 2 })
    const guard = await value.lock.acquire()
    value.value.x = 3
    expect(value.value.x).toBe(3)
    expect(() => value.snapshot()).toThrow(shareError('ERR_DEADLOCK'))
    expect(() => value.update(() => ({ x: 0, y: 0 }))).toThrow(shareError('ERR_DEADLOCK'))
    expect(() => {
      value.value = { x: 0, y: 0 }
    }).toThrow(shareError('ERR_DEADLOCK'))
    guard.release()
    expect(value.snapshot()).toEqual({ x: 3, y: 2 })
  })

  it('looks like a plain object in inspect and in JSON', () => {
    using value = new Value(Struct({ x: 'd', p: Pair, t: ['u', 3] }), { x: 1, t: 'hi' })
    expect(inspect(value.value)).toBe("{ x: 1, p: { a: 0, b: 0 }, t: 'hi' }")
    expect(JSON.stringify(value.value)).toBe('{"x":1,"p":{"a":0,"b":0},"t":"hi"}')
    expect(inspect(value)).toBe(`Value "${value.name}" { x: 1, p: { a: 0, b: 0 }, t: 'hi' }`)
  })

  it('stays readable and writable after close', () => {
    const value = new Value(Point, { x: 1, y: 2 })
    const record = value.value
    value.close()
    expect(() => value.value).toThrow(shareError('ERR_CLOSED'))
    record.x = 7
    expect(record.x).toBe(7)
  })
})

describe('assigning a whole record', () => {
  it('replaces every field', () => {
    using value = new Value(Everything)
    value.value = sample()
    expect(value.snapshot()).toEqual(plain())
  })

  it('needs every field, and changes nothing if one is missing, wrong or unknown', () => {
    using value = new Value(Point, { x: 1, y: 2 })
    const refused = (bad: unknown) => () => {
      value.value = bad as never
    }
    expect(refused({ x: 5 })).toThrow(typeError(/^value\.y must be a number, got undefined/))
    expect(refused({ x: 5, y: '6' })).toThrow(typeError(/^value\.y must be a number, got '6'/))
    expect(refused({ x: 5, y: 6, z: 7 })).toThrow(valueError(/^value\.z is not a known field: use x or y/))
    expect(refused(undefined)).toThrow(typeError(/^value must be an object/))
    expect(value.snapshot()).toEqual({ x: 1, y: 2 })
  })

  it('copies the bytes of another record of the same struct', () => {
    using from = new Value(Everything, { ...sample(), name: Buffer.from('a\0b') })
    using to = new Value(Everything)
    to.value = from.value
    // Also what lies behind the NUL, as an assignment in C would.
    expect(bytesOf(to)).toEqual(bytesOf(from))
    from.value.id = 99n
    expect(to.snapshot()).toEqual({ ...plain(), name: Buffer.from('a') })
    using again = Value.attach(from.handle)
    using second = new Value(Everything, (again as unknown as typeof from).value)
    expect(second.snapshot()).toEqual({ ...plain(), id: 99n, name: Buffer.from('a') })
  })

  it('accepts nested records, and records of another struct with the same fields', () => {
    using from = new Value(Everything, sample())
    using point = new Value(Point, from.value.path[1]!)
    expect(point.snapshot()).toEqual({ x: 3, y: 4 })
    from.value.point = point.value
    expect(from.value.point.x).toBe(3)
    using single = new Value(Struct({ y: 'f', x: 'f' }), { x: 1.5, y: 2.5 })
    point.value = single.value
    expect(point.snapshot()).toEqual({ x: 1.5, y: 2.5 })
    using less = new Value(Struct({ x: 'f' }), { x: 8 })
    expect(() => {
      point.value = less.value as never
    }).toThrow(typeError(/^value\.y must be a number, got undefined/))
    expect(point.snapshot()).toEqual({ x: 1.5, y: 2.5 })
  })
})

describe('update of a struct value', () => {
  it('changes a copy and writes it back in one step', () => {
    using value = new Value(Point, { x: 1, y: 2 })
    const result = value.update((point) => {
      point.x = 10
      expect(value.value.x).toBe(1)
      expect(value.lock.locked).toBe(true)
      point.y += 10
    })
    expect(result).toEqual({ x: 10, y: 12 })
    expect(value.snapshot()).toEqual({ x: 10, y: 12 })
    expect(value.lock.locked).toBe(false)
  })

  it('accepts a whole record as the result, or the copy itself', () => {
    using value = new Value(Point, { x: 1, y: 2 })
    expect(value.update(({ x, y }) => ({ x: y, y: x }))).toEqual({ x: 2, y: 1 })
    const same = value.update((point) => {
      point.x = 0
      return point
    })
    expect(same).toEqual({ x: 0, y: 1 })
  })

  it('changes nothing if fn throws or returns a wrong value, and releases the lock', () => {
    using value = new Value(Point, { x: 1, y: 2 })
    const error = new Error('mine')
    const spoil = (result: unknown) => () =>
      value.update((point) => {
        point.x = 99
        if (result === error) throw error
        return result as never
      })
    expect(spoil(error)).toThrow(error)
    expect(spoil({ x: 5 })).toThrow(typeError(/^the result of fn\.y must be a number, got undefined/))
    expect(spoil(5)).toThrow(
      typeError(/^the result of fn must be an object with the fields of the struct, or an array/),
    )
    expect(spoil(null)).toThrow(typeError(/got null/))
    expect(spoil(Promise.resolve())).toThrow(valueError(/^fn must be a function that does not return a promise/))
    expect(value.snapshot()).toEqual({ x: 1, y: 2 })
    expect(value.lock.locked).toBe(false)
    expect(() => value.update(5 as never)).toThrow(typeError(/^fn must be a function, got 5/))
  })

  it('works without a lock and with the lock of another object', () => {
    using lock = new Lock()
    using unlocked = new Value(Point, { x: 1 }, { lock: false })
    using given = new Value(Point, { x: 1 }, { lock })
    for (const value of [unlocked, given]) {
      const result = value.update((point) => {
        point.x++
      })
      expect(result).toEqual({ x: 2, y: 0 })
    }
  })

  it('may be nested, and the outer one is written last', () => {
    using value = new Value(Point, { x: 1, y: 1 })
    value.update((outer) => {
      value.update((inner) => {
        inner.x = 5
      })
      outer.y = 7
    })
    expect(value.snapshot()).toEqual({ x: 1, y: 7 })
  })
})

describe('snapshot of a struct value', () => {
  it('is a plain copy that later changes do not affect', () => {
    using value = new Value(Everything, sample())
    const copy = value.snapshot()
    value.value = { ...sample(), id: 0n, numbers: [0, 0, 0], point: { x: 0, y: 0 } }
    expect(copy).toEqual(plain())
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype)
    expect(Array.isArray(copy.numbers)).toBe(true)
  })
})

describe('attaching to a struct value', () => {
  it('works by name alone, with its fields found in the segment', () => {
    using value = Value.create(uniqueName(), Everything, sample())
    using same = attach(value.handle) as unknown as typeof value
    expect(same.snapshot()).toEqual(plain())
    expect(same.type.offsets).toEqual(Everything.offsets)
    same.value.point.x = 3.25
    expect(value.value.point.x).toBe(3.25)
  })

  it('works with an equal struct, declared again or with other names of its types', () => {
    using value = Value.create(uniqueName(), Point, { x: 1, y: 2 })
    using same = Value.attach(value.name, Struct({ x: 'float64', y: 'float64' }))
    using opened = Value.open(value.name, Struct({ x: 'd', y: 'd' }))
    expect(same.snapshot()).toEqual({ x: 1, y: 2 })
    expect(opened.snapshot()).toEqual({ x: 1, y: 2 })
  })

  it.each([
    ['other names', Struct({ a: 'd', b: 'd' })],
    ['another order', Struct({ y: 'd', x: 'd' })],
    ['other types', Struct({ x: 'd', y: 'q' })],
    ['more fields', Struct({ x: 'd', y: 'd', z: 'd' })],
    ['an array in it', Struct({ x: 'd', y: ['d', 1] })],
  ])('is refused with %s, and the message shows both', (_what, other) => {
    using value = Value.create(uniqueName(), Point, { x: 1, y: 2 })
    const message = /holds \{"struct":\[\["x","d"\],\["y","d"\]\]\}, not \{"struct":/
    expect(() => Value.attach(value.name, other as typeof Point)).toThrow(shareError('ERR_TYPE', message))
    expect(() => Value.open(value.name, other as typeof Point)).toThrow(shareError('ERR_TYPE', message))
  })
})
