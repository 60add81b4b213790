/** Live records as objects: their keys, copies of them, records given by position, and the methods of arrays of structs. */
import { serialize } from 'node:v8'
import { JoinableQueue, Pipe, Queue, SharedArray, SharedState, Struct, Value } from 'procshare'
import { describe, expect, it } from 'vitest'
import { rangeError, shareError, typeError, valueError } from '../helpers/error-matchers.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { managerOfThisFile } from '../helpers/manager.ts'

expectNoLeftovers()

const file = managerOfThisFile()

const Point = Struct({ x: 'd', y: 'd' })
const Person = Struct({ name: ['c', 8], title: ['u', 8], at: Point, path: [Point, 2], marks: ['i', 3] })
const ada = {
  name: 'Ada',
  title: 'Dr',
  at: { x: 1, y: 2 },
  path: [
    { x: 3, y: 4 },
    { x: 5, y: 6 },
  ],
  marks: [7, 8, 9],
}
/** What a copy of its record is. */
const copied = { ...ada, name: Buffer.from('Ada'), marks: Int32Array.of(7, 8, 9) }

/** A copy of a record as a program sees it that knows nothing of structs. */
function plain(record: object): object {
  const { name, title, at, path, marks } = record as typeof copied
  return { name, title, at: { ...at }, path: path.map((point) => ({ ...point })), marks }
}

describe.each([
  ['of a value', () => new Value(Person, ada), (owner: unknown) => (owner as { value: object }).value],
  ['of an array', () => new SharedArray(Person, [ada]), (owner: unknown) => (owner as object[])[0]!],
  ['in an update', () => new Value(Person, ada), undefined],
])('a record %s', (_where, make, recordOf) => {
  function withRecord(use: (record: Record<string, unknown>) => void) {
    using owner = make()
    if (recordOf !== undefined) use(recordOf(owner) as Record<string, unknown>)
    else {
      ;(owner as Value<typeof Person>).update((draft) => {
        use(draft as Record<string, unknown>)
      })
    }
  }

  it('has its fields as keys, and gives them all when it is spread', () => {
    withRecord((record) => {
      expect(Object.keys(record)).toEqual(['name', 'title', 'at', 'path', 'marks'])
      expect(Object.keys(record.at as object)).toEqual(['x', 'y'])
      expect(plain({ ...record })).toEqual(copied)
      expect(plain(Object.assign({}, record))).toEqual(copied)
      expect(Object.entries(record.at as object)).toEqual([
        ['x', 1],
        ['y', 2],
      ])
      const { name, ...others } = record
      expect(name).toEqual(Buffer.from('Ada'))
      expect(Object.keys(others)).toEqual(['title', 'at', 'path', 'marks'])
    })
  })

  it('is equal to a plain object with the same fields, and copied by structuredClone and v8.serialize', () => {
    withRecord((record) => {
      expect(record.at).toEqual({ x: 1, y: 2 })
      expect(structuredClone(record.at)).toEqual({ x: 1, y: 2 })
      expect(structuredClone(record)).toMatchObject({ title: 'Dr', at: { x: 1, y: 2 }, path: ada.path })
      expect(serialize(record.at).byteLength).toBe(serialize({ x: 1, y: 2 }).byteLength)
    })
  })

  it('keeps its fields: none can be added, removed or defined anew', () => {
    withRecord((record) => {
      expect(() => delete record.at).toThrow(TypeError)
      expect(() => Object.defineProperty(record, 'at', { value: 1 })).toThrow(TypeError)
      expect(() => {
        record.age = 5
      }).toThrow(TypeError)
    })
  })

  it('gives the same views each time', () => {
    withRecord((record) => {
      expect(record.at).toBe(record.at)
      expect(record.marks).toBe(record.marks)
      expect(record.path).toBe(record.path)
      expect(record.name).not.toBe(record.name)
    })
  })

  it('travels through a queue or pipe with all fields, alone and inside of other things', () => {
    withRecord((record) => {
      for (const queue of [new Queue(), new JoinableQueue()]) {
        queue.putSync(record)
        queue.putManySync([{ record }, [record, record], new Map([['key', record]])])
        expect(plain(queue.getSync() as object)).toEqual(copied)
        const [inside, twice, map] = queue.getManySync(3) as [{ record: object }, object[], Map<string, object>]
        for (const one of [inside.record, ...twice, map.get('key')!]) expect(plain(one)).toEqual(copied)
        queue.close()
      }
      using ends = new Pipe()
      ends[0].sendSync(record)
      expect(plain(ends[1].recvSync() as object)).toEqual(copied)
    })
  })

  it('travels to a manager with all fields', async () => {
    let sent: Promise<unknown>[] = []
    const dict = await file.manager.dict<string, unknown>()
    withRecord((record) => {
      sent = [dict.set('one', record), dict.set('more', { list: [record] })]
    })
    await Promise.all(sent)
    expect(plain((await dict.get('one')) as object)).toEqual(copied)
    expect(plain(((await dict.get('more')) as { list: object[] }).list[0]!)).toEqual(copied)
  })
})

describe('a record given by position', () => {
  it('has its fields in their order, as Python gives them', () => {
    using array = new SharedArray(Point, [[1.875, -6.25], [5.75, 2.0], { x: 2.375, y: 9.5 }])
    expect(array.snapshot()).toEqual([
      { x: 1.875, y: -6.25 },
      { x: 5.75, y: 2 },
      { x: 2.375, y: 9.5 },
    ])
    using value = new Value(Point, [1, 2])
    expect(value.snapshot()).toEqual({ x: 1, y: 2 })
    using person = new Value(Person, ['Ada', 'Dr', [1, 2], [[3, 4], { x: 5, y: 6 }], [7, 8, 9]])
    expect(plain(person.value)).toEqual(copied)
  })

  it('may lack fields at first, which are zero then', () => {
    using value = new Value(Point, [5])
    using array = new SharedArray(Point, [[], [1]])
    expect([value.snapshot(), ...array.snapshot()]).toEqual([
      { x: 5, y: 0 },
      { x: 0, y: 0 },
      { x: 1, y: 0 },
    ])
    expect(() => new Value(Point, [1, 2, 3])).toThrow(rangeError(/^the length of initial must be at most 2, one value/))
  })

  it('can be given wherever a record is set, and needs all fields there', () => {
    using value = new Value(Point)
    value.value = [1, 2]
    expect(value.snapshot()).toEqual({ x: 1, y: 2 })
    expect(value.update(({ x, y }) => [y, x])).toEqual({ x: 2, y: 1 })
    using array = new SharedArray(Point, 3)
    array[0] = [1, 2] as never
    array.set(1, [3, 4])
    array.assign([[5, 6]], 2)
    expect(array.map(({ x, y }) => [x, y])).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
    ])
    using person = new Value(Person)
    ;(person.value as { at: unknown }).at = [7, 8]
    expect(person.value.at).toEqual({ x: 7, y: 8 })
    const short = rangeError(/must be 2, one value for each field, got 1/)
    expect(() => {
      value.value = [1]
    }).toThrow(short)
    expect(() => array.set(0, [1])).toThrow(short)
    expect(() => value.update(() => [1])).toThrow(short)
    expect(value.snapshot()).toEqual({ x: 2, y: 1 })
  })

  it('can be given in the schema of a state', () => {
    using state = new SharedState({ point: Value(Point, [1, 2]), list: SharedArray(Point, [[3, 4]]) })
    expect(state.point.snapshot()).toEqual({ x: 1, y: 2 })
    expect(state.list.snapshot()).toEqual([{ x: 3, y: 4 }])
  })
})

describe('assign of a struct value', () => {
  it('changes the given fields, text and arrays as well, and leaves the others', () => {
    using person = new Value(Person, ada)
    person.assign({ name: 'Bob', marks: new Set([1]) })
    expect(plain(person.value)).toEqual({ ...copied, name: Buffer.from('Bob'), marks: Int32Array.of(1, 0, 0) })
    person.assign(['Eve', 'Ms'])
    expect(person.snapshot()).toMatchObject({ name: Buffer.from('Eve'), title: 'Ms', at: { x: 1, y: 2 } })
    person.assign({})
    expect(person.snapshot()).toMatchObject({ title: 'Ms' })
  })

  it('changes nothing when a field does not fit or is unknown, and works under the lock', async () => {
    using person = new Value(Person, ada)
    expect(() => person.assign({ title: 'Ms', marks: [1, 2, 3, 4] })).toThrow(
      rangeError(/^fields\.marks must be at most 3/),
    )
    expect(() => person.assign({ name: 'Bob', age: 5 } as never)).toThrow(
      valueError(/^fields\.age is not a known field/),
    )
    expect(() => person.assign(5 as never)).toThrow(
      typeError(/^fields must be an object with the fields of the struct/),
    )
    expect(plain(person.value)).toEqual(copied)
    const guard = await person.lock.acquire()
    expect(() => person.assign({ name: 'Bob' })).toThrow(shareError('ERR_DEADLOCK'))
    guard.release()
    person.close()
    expect(() => person.assign({})).toThrow(shareError('ERR_CLOSED'))
  })
})

describe('an array of structs', () => {
  const sample = () => new SharedArray(Point, [[1, 2], [3, 4], [5, 6]]) // biome-ignore format: one line

  it('has the methods of arrays that change nothing, over live records', () => {
    using array = sample()
    expect(array.map(({ x }) => x)).toEqual([1, 3, 5])
    expect(array.filter(({ x }) => x > 1).map(({ y }) => y)).toEqual([4, 6])
    expect(array.find(({ x }) => x === 3)).toBe(array[1])
    expect(array.findIndex(({ x }) => x === 5)).toBe(2)
    expect(array.find(({ x }) => x === 9)).toBeUndefined()
    expect(array.every(({ x }) => x > 0)).toBe(true)
    expect(array.some(({ x }) => x > 5)).toBe(false)
    expect(array.reduce((sum, { x }) => sum + x, 0)).toBe(9)
    expect(array.reduceRight((list: number[], { x }) => list.concat(x), [])).toEqual([5, 3, 1])
    expect(array.slice(1)).toEqual([
      { x: 3, y: 4 },
      { x: 5, y: 6 },
    ])
    array.forEach((point, i) => {
      point.x += i
    })
    for (const point of array.filter(({ y }) => y === 6)) point.y = 0
    expect(array.snapshot()).toEqual([
      { x: 1, y: 2 },
      { x: 4, y: 4 },
      { x: 7, y: 0 },
    ])
  })

  it('has keys, values and entries', () => {
    using array = sample()
    expect([...array.keys()]).toEqual([0, 1, 2])
    expect([...array.values()]).toEqual([...array])
    expect([...array.entries()].map(([i, { x }]) => [i, x])).toEqual([
      [0, 1],
      [1, 3],
      [2, 5],
    ])
  })

  it('passes this, the index and a private array of the records to callbacks', () => {
    using array = sample()
    const calls: unknown[] = []
    array.forEach(function (this: unknown, record, i, all) {
      calls.push([this, record, i, Array.isArray(all) && all.length])
    }, calls)
    expect(calls).toEqual([0, 1, 2].map((i) => [calls, array[i], i, 3]))
    expect(() => array.map(5 as never)).toThrow(TypeError)
  })

  it('gives the same record for the same index, and a new one each time only when it is very long', () => {
    using array = sample()
    expect(array[1]).toBe(array.at(-2))
    expect([...array][1]).toBe(array[1])
    using long = new SharedArray(Struct({ b: 'b' }), 2 ** 16 + 1)
    long[2 ** 16]!.b = 5
    expect(long.at(-1)!.b).toBe(5)
    expect(long.reduce((sum, { b }) => sum + b, 0)).toBe(5)
  })
})
