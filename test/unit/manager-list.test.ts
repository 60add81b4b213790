import { type DictProxy, type ListProxy, Value } from 'procshare'
import { describe, expect, it } from 'vitest'
import { rangeError, shareError, typeError, valueError } from '../helpers/error-matchers.ts'
import { managerOfThisFile } from '../helpers/manager.ts'

const file = managerOfThisFile()

describe('a managed list', () => {
  it('is made from nothing, any iterable, or another managed list or set, and under a name', async () => {
    const { manager } = file
    const make = async (list: Promise<ListProxy<unknown>>) => (await list).toArray()
    expect(await make(manager.list())).toEqual([])
    expect(await make(manager.list([1, 'a', null]))).toEqual([1, 'a', null])
    expect(await make(manager.list(new Set([3, 4]).values()))).toEqual([3, 4])
    expect(await make(manager.list(await manager.list([5, 6])))).toEqual([5, 6])
    expect(await make(manager.list(await manager.set([7, 8])))).toEqual([7, 8])
    const named = await manager.list<number>('jobs')
    await named.push(1)
    expect(await make(manager.list([9], { name: 'jobs' }))).toEqual([1])
    expect(named.equals(await manager.list('jobs'))).toBe(true)
    await expect(manager.dict('jobs')).rejects.toThrow(shareError('ERR_KIND', /type list, not dict/))
  })

  it('refuses to be made from anything else', async () => {
    const { manager } = file
    await expect(manager.list(5 as never)).rejects.toThrow(typeError(/^values must be an array/))
    await expect(manager.list({ a: 1 } as never)).rejects.toThrow(typeError())
    await expect(manager.list([() => 1])).rejects.toThrow(expect.objectContaining({ name: 'DataCloneError' }))
  })

  it('counts negative indexes from the end; writes only where there is an item', async () => {
    const list = await file.manager.list([1, 2, 3])
    expect(await Promise.all([list.at(0), list.at(-1), list.at(3), list.at(-4)])).toEqual([1, 3, undefined, undefined])
    await list.set(-1, 30)
    for (const index of [3, -4, 1.5]) {
      await expect(list.set(index, 0)).rejects.toThrow(rangeError(/^index must be an integer from -3 to 2/))
      await expect(list.exchange(index, 0)).rejects.toThrow(rangeError())
      await expect(list.increment(index)).rejects.toThrow(rangeError())
      await expect(list.compareAndSet(index, 0, 0)).rejects.toThrow(rangeError())
      await expect(list.pop(index)).rejects.toThrow(rangeError())
    }
    await expect(list.set('0' as never, 0)).rejects.toThrow(typeError(/^index must be an integer/))
    await expect(list.at('0' as never)).rejects.toThrow(typeError())
    expect(await list.toArray()).toEqual([1, 2, 30])
    const empty = await file.manager.list()
    await expect(empty.set(0, 1)).rejects.toThrow(rangeError(/there are none/))
    expect([await empty.pop(), await empty.shift(), await empty.at(0)]).toEqual([undefined, undefined, undefined])
  })

  it('is changed by slices as in Python, by splice', async () => {
    const list = await file.manager.list([0, 1, 2, 3, 4, 5])
    expect(await list.splice(1, 3, 10, 11, 12, 13)).toEqual([1, 2, 3])
    expect(await list.toArray()).toEqual([0, 10, 11, 12, 13, 4, 5])
    expect(await list.splice(-2)).toEqual([4, 5])
    expect(await list.splice(100, 1, 6)).toEqual([])
    expect(await list.slice(undefined, undefined, 2)).toEqual([0, 11, 13])
    expect(await list.slice(undefined, undefined, -1)).toEqual([6, 13, 12, 11, 10, 0])
    expect(await list.slice(-3, 1, -1)).toEqual([12, 11])
    expect(await list.slice(5, 2)).toEqual([])
    await expect(list.slice(0, 1, 0)).rejects.toThrow(rangeError(/^step must be/))
    await expect(list.slice('a' as never)).rejects.toThrow(typeError(/^start must be a number/))
  })

  it('inserts at the given index, or at the nearer end', async () => {
    const list = await file.manager.list(['a'])
    expect(await list.insert(0, 'x', 'y')).toBe(3)
    expect(await list.insert(-1, 'z')).toBe(4)
    expect(await list.insert(99, 'end')).toBe(5)
    expect(await list.insert(-99, 'start')).toBe(6)
    expect(await list.toArray()).toEqual(['start', 'x', 'y', 'z', 'a', 'end'])
    await expect(list.insert(undefined as never, 1 as never)).rejects.toThrow(typeError())
  })

  it('finds items by their content, and managed objects by identity', async () => {
    const { manager } = file
    const [one, other] = await Promise.all([manager.list([1]), manager.list([1])])
    const list = await manager.list<unknown>([{ a: [1] }, NaN, one, new Date(5), new Map([['a', 1]]), 1n, '1', 1])
    const found = [{ a: [1] }, NaN, one, new Date(5), new Map([['a', 1]]), 1n, '1', 1].map((item) => list.indexOf(item))
    expect(await Promise.all(found)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    const missing = [{ a: ['1'] }, { a: [1], b: 2 }, other, new Date(6), [1], 2n, 'x', 0, null]
    expect(await Promise.all(missing.map((item) => list.includes(item)))).toEqual(missing.map(() => false))
    expect([await list.count(one), await list.remove(other), await list.remove(one)]).toEqual([1, false, true])
    expect(await list.length).toBe(7)
  })

  it('sorts by size, by text, by time, by a property, and keeps the order of equals', async () => {
    const { manager } = file
    const sorted = async (items: unknown[], options?: object) => {
      const list = await manager.list(items)
      await list.sort(options)
      return list.toArray()
    }
    expect(await sorted([10, 9, 1])).toEqual([1, 9, 10])
    expect(await sorted([10, 9n, -Infinity, 1.5])).toEqual([-Infinity, 1.5, 9n, 10])
    expect(await sorted(['b', 'a', 'B'])).toEqual(['B', 'a', 'b'])
    expect(await sorted([2, undefined, NaN, null, 1])).toEqual([1, 2, NaN, null, undefined])
    expect(await sorted([2, undefined, 1, 3], { descending: true })).toEqual([3, 2, 1, undefined])
    expect(await sorted([new Date(2), new Date(1)])).toEqual([new Date(1), new Date(2)])
    const people = [
      { name: 'b', age: 1 },
      { name: 'a', age: 2 },
      { name: 'c', age: 1 },
    ]
    const names = async (options: object) =>
      ((await sorted(people, options)) as typeof people).map(({ name }) => name).join('')
    expect([await names({ by: 'age' }), await names({ by: 'age', descending: true })]).toEqual(['bca', 'abc'])
    expect(
      await sorted(
        [
          ['x', 2],
          ['y', 1],
        ],
        { by: 1 },
      ),
    ).toEqual([
      ['y', 1],
      ['x', 2],
    ])
  })

  it('does not change when its items cannot be compared, or the options are invalid', async () => {
    const list = await file.manager.list<unknown>([3, 'a', 1])
    await expect(list.sort()).rejects.toThrow(typeError(/^an item to sort must be a number, as the other items are/))
    await expect(list.sort({ by: 'x' })).rejects.toThrow(typeError(/an object/))
    await expect(list.sort({ key: 'x' } as never)).rejects.toThrow(valueError(/options\.key/))
    await expect(list.sort({ descending: 1 } as never)).rejects.toThrow(typeError())
    expect(await list.toArray()).toEqual([3, 'a', 1])
    await expect((await file.manager.list([{}, {}])).sort()).rejects.toThrow(typeError())
  })

  it('returns copies of plain items, and proxies of the same object for managed ones', async () => {
    const { manager } = file
    const outer = await manager.list<unknown>([{ n: 1 }])
    const copy = (await outer.at(0)) as { n: number }
    copy.n = 2
    expect(await outer.at(0)).toEqual({ n: 1 })
    const inner = await manager.dict<string, number>()
    await outer.push(inner)
    const read = (await outer.at(1)) as DictProxy<string, number>
    expect(read.equals(inner)).toBe(true)
    await read.set('x', 1)
    expect(await inner.get('x')).toBe(1)
    expect(await outer.show()).toMatch(/^\[ \{ n: 1 \}, <dict #\d+> \]$/)
  })

  it('can contain itself, at any depth', async () => {
    const list = await file.manager.list<unknown>()
    await list.push(list, { deep: [list] })
    expect(list.equals(await list.at(0))).toBe(true)
    expect(list.equals(((await list.at(1)) as { deep: unknown[] }).deep[0])).toBe(true)
    expect(await list.show()).toMatch(/^\[ <list #(\d+)>, \{ deep: \[ <list #\1> \] \} \]$/)
  })

  it('keeps shared objects in memory as shared objects', async () => {
    using counter = new Value('i', 5)
    const list = await file.manager.list<unknown>([counter])
    using same = (await list.at(0)) as Value<'i'>
    same.add(1)
    expect(counter.value).toBe(6)
  })

  it('accepts more items at once than a call can have arguments', async () => {
    const items = Array.from({ length: 150_000 }, (_, i) => i)
    const list = await file.manager.list<number>()
    expect(await list.extend(items)).toBe(150_000)
    expect(await list.push(...items.slice(0, 100_000))).toBe(250_000)
    expect(await list.at(-1)).toBe(99_999)
    expect((await list.splice(1, 249_998)).length).toBe(249_998)
    expect(await list.toArray()).toEqual([0, 99_999])
    await list.insert(1, ...items.slice(0, 50_000))
    expect([await list.length, await list.at(1), await list.at(-1)]).toEqual([50_002, 0, 99_999])
  })

  it('loses no increment, and removes no item twice', async () => {
    const counters = await file.manager.list([0, 10n])
    await Promise.all(Array.from({ length: 500 }, () => [counters.increment(0), counters.increment(1, 2n)]).flat())
    expect(await counters.toArray()).toEqual([500, 1010n])
    await expect(counters.increment(0, 1n)).rejects.toThrow(typeError(/^the item must be a bigint/))
    await expect(counters.increment(0, 'x' as never)).rejects.toThrow(typeError(/^by must be/))
    const jobs = await file.manager.list(Array.from({ length: 300 }, (_, i) => i))
    const taken = await Promise.all(Array.from({ length: 400 }, (_, i) => (i % 2 === 0 ? jobs.shift() : jobs.pop())))
    expect(new Set(taken.filter((job) => job !== undefined)).size).toBe(300)
  })

  it('is shown as text of limited length', async () => {
    const long = await file.manager.list<unknown>(Array.from({ length: 10_000 }, () => 'x'.repeat(500)))
    expect((await long.show()).length).toBeLessThan(11_000)
    expect(await (await file.manager.list(['a', 1])).show()).toBe("[ 'a', 1 ]")
  })

  it('rejects calls of a closed proxy instead of throwing', async () => {
    const list = await file.manager.list([1])
    list.close()
    await expect(list.at(0)).rejects.toThrow(shareError('ERR_CLOSED'))
    await expect(list.length).rejects.toThrow(shareError('ERR_CLOSED'))
    await expect(list.values().next()).rejects.toThrow(shareError('ERR_CLOSED'))
  })
})
