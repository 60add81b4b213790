import { attach, Lock, SharedArray, Struct } from 'procshare'
import { describe, expect, it } from 'vitest'
import { rangeError, shareError, typeError, valueError } from '../helpers/error-matchers.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

const Point = Struct({ x: 'd', y: 'd' })
const points = (...list: [number, number][]) => list.map(([x, y]) => ({ x, y }))
const sample = () => points([1.875, -6.25], [2.25, 3], [0, 9])

describe('an array of structs', () => {
  it('is created from a length or from records', () => {
    using zeros = new SharedArray(Point, 2)
    expect(zeros).toHaveLength(2)
    expect(zeros.snapshot()).toEqual(points([0, 0], [0, 0]))
    using filled = new SharedArray(Point, sample())
    expect(filled).toHaveLength(3)
    expect(filled.snapshot()).toEqual(sample())
    expect(filled.type).toBe(Point)
  })

  it('accepts records of any iterable, and missing fields are zero', () => {
    using ofSet = new SharedArray(Point, new Set([{ x: 1 }, { y: 2 }]))
    expect(ofSet.snapshot()).toEqual(points([1, 0], [0, 2]))
    using ofArray = new SharedArray(Point, ofSet)
    expect(ofArray.snapshot()).toEqual(points([1, 0], [0, 2]))
    using ofGenerator = new SharedArray(
      Point,
      (function* () {
        yield* sample()
      })(),
    )
    expect(ofGenerator.snapshot()).toEqual(sample())
  })

  it('may be empty', () => {
    using none = new SharedArray(Point, 0)
    using empty = new SharedArray(Point, [])
    for (const array of [none, empty]) {
      expect(array).toHaveLength(0)
      expect(array.snapshot()).toEqual([])
      expect([...array]).toEqual([])
      expect(array[0]).toBeUndefined()
      array.assign([])
      expect(() => array.assign(sample())).toThrow(rangeError(/^the length of values must be at most 0/))
    }
  })

  it('refuses records that do not fit, and names the record', () => {
    const refused = (values: unknown) => () => new SharedArray(Point, values as never)
    expect(refused([{ x: 1, y: 2 }, { x: 'a' }])).toThrow(typeError(/^values\[1\]\.x must be a number, got 'a'/))
    expect(refused([{ z: 1 }])).toThrow(valueError(/^values\[0\]\.z is not a known field: use x or y/))
    expect(refused([5])).toThrow(typeError(/^values\[0\] must be an object with the fields of the struct, or an array/))
    expect(refused([[1, 2, 3]])).toThrow(rangeError(/^the length of values\[0\] must be at most 2, one value for each/))
    expect(refused([[1, 'b']])).toThrow(typeError(/^values\[0\]\[1\] \(y\) must be a number, got 'b'/))
    expect(refused('points')).toThrow(typeError(/^lengthOrValues must be a length, or an iterable/))
    expect(refused({ x: 1 })).toThrow(typeError(/^lengthOrValues must be a length, or an iterable/))
    expect(refused(undefined)).toThrow(typeError(/^lengthOrValues/))
    expect(refused(-1)).toThrow(rangeError(/^length must be an integer of at least 0, got -1/))
    expect(refused(1.5)).toThrow(rangeError(/^length/))
    expect(refused(2 ** 50)).toThrow(rangeError(/^length must be small enough for a byte length below/))
  })
})

describe('a record of an array', () => {
  it('is a live view, by index, by at and in a loop', () => {
    using array = new SharedArray(Point, sample())
    using other = SharedArray.attach(array.handle, Point)
    array[0]!.x = 9
    expect(other[0]!.x).toBe(9)
    array.at(-1)!.y += 1
    expect(other[2]!.y).toBe(10)
    for (const point of array) point.x **= 2
    expect(other.snapshot()).toEqual(points([81, -6.25], [5.0625, 3], [0, 10]))
  })

  it('is undefined outside of the array', () => {
    using array = new SharedArray(Point, sample())
    for (const index of [3, -4, 1.5, Number.NaN, Infinity]) expect(array.at(index)).toBeUndefined()
    for (const index of [3, -1, 1.5, 2 ** 40]) expect(array[index]).toBeUndefined()
    expect((array as unknown as Record<string, unknown>).nonsense).toBeUndefined()
  })

  it('is replaced by a copy when its index is assigned', () => {
    using array = new SharedArray(Point, sample())
    const second = array[1]!
    array[1] = { x: 5, y: 6 }
    expect(second.x).toBe(5)
    array[0] = array[1]!
    array[1]!.x = 50
    expect(array.snapshot()).toEqual(points([5, 6], [50, 6], [0, 9]))
    array.set(2, { x: 7, y: 8 })
    expect(array[2]!.y).toBe(8)
  })

  it('refuses values that do not fit, and nothing changes', () => {
    using array = new SharedArray(Point, sample())
    const refused = (index: number, value: unknown) => () => {
      array[index] = value as never
    }
    expect(refused(0, 5)).toThrow(typeError(/^value\[0\] must be an object with the fields/))
    expect(refused(0, { x: 1 })).toThrow(typeError(/^value\[0\]\.y must be a number, got undefined/))
    expect(refused(0, { x: 1, y: 2, z: 3 })).toThrow(valueError(/^value\[0\]\.z is not a known field: use x or y/))
    expect(refused(0, { x: 9, y: null })).toThrow(typeError(/^value\[0\]\.y/))
    expect(refused(3, { x: 1, y: 2 })).toThrow(rangeError(/^index must be an integer from 0 to 2, got 3/))
    for (const index of [-1, 3, 0.5, Number.NaN, '0', null]) {
      expect(() => array.set(index as number, { x: 1, y: 2 })).toThrow(rangeError(/^index must be an integer from 0/))
    }
    expect(array.snapshot()).toEqual(sample())
  })
})

describe('assign and snapshot of an array of structs', () => {
  it('write and copy records under the lock', async () => {
    using array = new SharedArray(Point, sample())
    array.assign(points([1, 1], [2, 2]), 1)
    const copy = array.snapshot()
    array[0]!.x = 1000
    expect(copy).toEqual(points([1.875, -6.25], [1, 1], [2, 2]))
    const guard = await array.lock.acquire()
    expect(() => array.assign(points([1, 1]))).toThrow(shareError('ERR_DEADLOCK'))
    expect(() => array.set(0, { x: 1, y: 1 })).toThrow(shareError('ERR_DEADLOCK'))
    expect(() => array.snapshot()).toThrow(shareError('ERR_DEADLOCK'))
    array[0]!.x = 3
    expect(array[0]!.x).toBe(3)
    guard.release()
  })

  it('are all or nothing', () => {
    using array = new SharedArray(Point, sample())
    const refused = (values: unknown, offset?: unknown) => () => array.assign(values as never, offset as number)
    expect(refused([{ x: 1, y: 1 }, { x: 1 }])).toThrow(typeError(/^values\[1\]\.y must be a number, got undefined/))
    expect(refused(points([1, 1], [1, 1], [1, 1], [1, 1]))).toThrow(
      rangeError(/^the length of values must be at most 3/),
    )
    expect(refused(points([1, 1]), 3)).toThrow(
      rangeError(/^the length of values must be at most 0 for the offset 3, got 1/),
    )
    expect(refused([], 4)).toThrow(rangeError(/^offset must be an integer from 0 to 3, got 4/))
    expect(refused([], -1)).toThrow(rangeError(/^offset/))
    expect(refused([], '0')).toThrow(typeError(/^offset must be an integer, got '0'/))
    expect(refused(5)).toThrow(typeError(/^values must be an iterable of records, got 5/))
    expect(refused(undefined)).toThrow(typeError(/^values/))
    expect(array.snapshot()).toEqual(sample())
  })

  it('copy records among arrays, and within one', () => {
    using from = new SharedArray(Point, sample())
    using to = new SharedArray(Point, 4)
    to.assign(from, 1)
    expect(to.snapshot()).toEqual([{ x: 0, y: 0 }, ...sample()])
    to.assign([to[3]!, to[1]!], 0)
    expect(to.snapshot().slice(0, 2)).toEqual([sample()[2], sample()[0]])
  })
})

describe('sharing an array of structs', () => {
  it('works by name and by handle, with its struct found in the segment', () => {
    using array = SharedArray.create(uniqueName(), Point, sample())
    using same = attach(JSON.parse(JSON.stringify(array))) as unknown as typeof array
    using opened = SharedArray.open(array.name, Point, 3)
    expect(same).toHaveLength(3)
    same[1]!.x = -1
    expect(opened[1]!.x).toBe(-1)
    expect(array).toBeInstanceOf(SharedArray)
  })

  it('is refused with another struct or length', () => {
    using array = SharedArray.create(uniqueName(), Point, sample())
    expect(() => SharedArray.open(array.name, Point, 2)).toThrow(shareError('ERR_TYPE', /has 3 elements, not 2/))
    expect(() => SharedArray.attach(array.name, Struct({ x: 'd' }))).toThrow(shareError('ERR_TYPE'))
    expect(() => SharedArray.attach(array.name, 'd')).toThrow(shareError('ERR_TYPE', /not 'd'/))
  })

  it('may use the lock of another object, or none', () => {
    using lock = new Lock()
    using given = new SharedArray(Point, sample(), { lock })
    using unlocked = new SharedArray(Point, sample(), { lock: false })
    expect(given.lock).toBe(lock)
    expect(() => unlocked.lock).toThrow(shareError('ERR_NO_LOCK'))
    const guard = lock.acquireSync()
    expect(() => given.snapshot()).toThrow(shareError('ERR_DEADLOCK'))
    expect(unlocked.snapshot()).toEqual(sample())
    guard.release()
  })
})
