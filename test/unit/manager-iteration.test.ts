import { type IteratorProxy, Manager, type ManagerStats } from 'procshare'
import { describe, expect, it } from 'vitest'
import { shareError } from '../helpers/error-matchers.ts'
import { eventually } from '../helpers/eventually.ts'
import { managerOfThisFile } from '../helpers/manager.ts'

const file = managerOfThisFile()

async function collect<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of iterable) items.push(item)
  return items
}

/** The iterators that the server holds. */
async function iterators(): Promise<number> {
  return (await file.manager.debugInfo()).filter(({ type }) => type === 'iterator').length
}

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i)

describe('iterating over a managed container', () => {
  it.each([0, 1, 15, 16, 17, 5000])('visits all of %i items in order, in both forms', async (n) => {
    const { manager } = file
    const { sync } = manager
    const list = await manager.list(upTo(n))
    const pairs = upTo(n).map((i): [number, number] => [i, 2 * i])
    const dict = await manager.dict(pairs)
    const set = await manager.set(upTo(n))
    const array = await manager.Array('i', upTo(n))
    const same = upTo(n).map((i): [number, number] => [i, i])
    for (const iterable of [list, list.values(), list.keys(), dict.keys(), set, set.values(), set.keys(), array]) {
      expect(await collect<unknown>(iterable)).toEqual(upTo(n))
    }
    for (const iterable of [dict, dict.entries()]) expect(await collect<unknown>(iterable)).toEqual(pairs)
    for (const iterable of [list.entries(), set.entries()]) expect(await collect<unknown>(iterable)).toEqual(same)
    expect(await collect(dict.values())).toEqual(pairs.map(([, value]) => value))
    expect([...sync.of(list)]).toEqual(upTo(n))
    expect([...sync.of(dict)]).toEqual(pairs)
    expect([...sync.of(dict).values()]).toEqual(pairs.map(([, value]) => value))
    expect([...sync.of(set).keys()]).toEqual(upTo(n))
    expect([...sync.of(array)]).toEqual(upTo(n))
    expect([...sync.of(list).entries()]).toEqual(same)
  })

  it('visits items that are added during the iteration, also at the end, and not items that are deleted before their turn', async () => {
    const { manager } = file
    const set = await manager.set([1])
    const seen: number[] = []
    for await (const n of set) {
      seen.push(n)
      if (n < 200) await set.addMany([2 * n, 2 * n + 1])
    }
    expect(seen).toEqual(upTo(400).slice(1))
    const dict = await manager.dict(upTo(100).map((i) => [i, i] as const))
    const keys: number[] = []
    for await (const key of dict.keys()) {
      keys.push(key)
      if (key === 5) await dict.deleteMany(upTo(100).slice(16))
      if (key === 15) await dict.set(1000, 1)
    }
    expect(keys).toEqual([...upTo(16), 1000])
    const list = await manager.list([0])
    const items: number[] = []
    for await (const item of list) {
      items.push(item)
      if (item < 50) await list.push(item + 1)
    }
    expect(items).toEqual(upTo(51))
  })

  it('continues when all items are deleted and added again', async () => {
    const dict = await file.manager.dict(upTo(100).map((i): [number, number] => [i, 0]))
    const keys: number[] = []
    for await (const key of dict.keys()) {
      keys.push(key)
      if (key !== 15) continue
      await dict.clear()
      await dict.setMany([
        [500, 1],
        [501, 1],
      ])
    }
    expect(keys).toEqual([...upTo(16), 500, 501])
  })

  it('stays at its end', async () => {
    const list = await file.manager.list([1])
    const iterator = list.values()
    expect(await iterator.next()).toEqual({ value: 1, done: false })
    expect((await iterator.next()).done).toBe(true)
    await list.push(2)
    expect((await iterator.next()).done).toBe(true)
  })

  it('leaves nothing in the server when it is over, left early, or failed', async () => {
    const { manager } = file
    const dict = await manager.dict(upTo(1000).map((i) => [i, i] as const))
    await collect(dict)
    for await (const [key] of dict) if (key === 500) break
    await expect(
      (async () => {
        for await (const _entry of dict) throw new Error('of the body')
      })(),
    ).rejects.toThrow('of the body')
    const sync = manager.sync.of(dict)
    for (const [key] of sync) if (key === 500) break
    sync.get(1) // what the blocking form lets go of is told with its next call
    await eventually(async () => (await iterators()) === 0)
  })

  it('leaves nothing in the server when its client pauses the iteration and ends', async () => {
    const other = await Manager.connect({ address: file.manager.address })
    const dict = await other.dict(upTo(1000).map((i) => [i, i] as const))
    const iterator = dict.keys()
    await iterator.next()
    expect(await iterators()).toBe(1)
    other.close()
    await eventually(async () => (await iterators()) === 0)
    // What was fetched is there; then there is nobody who could be asked.
    for (let i = 1; i < 16; i++) expect((await iterator.next()).value).toBe(i)
    await expect(iterator.next()).rejects.toThrow(shareError('ERR_CLOSED'))
  })

  it('fetches few items when few are used, and large batches when many are', async () => {
    const { manager } = file
    const dict = await manager.dict(upTo(50_000).map((i) => [i, i] as const))
    const calls = async (run: () => Promise<unknown>) => {
      const before: ManagerStats = await manager.stats()
      await run()
      return (await manager.stats()).calls - before.calls - 1
    }
    expect(await calls(() => dict.keys().next())).toBe(1)
    expect(await calls(() => collect(dict))).toBeLessThan(25)
  })

  it('fetches few large items at a time', async () => {
    const { manager } = file
    const list = await manager.list<Uint8Array>()
    for (let i = 0; i < 80; i++) await list.push(new Uint8Array(2 ** 20).fill(i))
    const dict = await manager.dict<number, { deep: (string | Map<string, Uint8Array>)[] }>()
    for (let i = 0; i < 80; i++) {
      await dict.set(i, { deep: ['x', new Map([['y', new Uint8Array(2 ** 20)]])] })
    }
    // Together they would be larger than any message.
    await expect(list.toArray()).rejects.toThrow(shareError('ERR_LIMIT'))
    let n = 0
    for await (const item of list) expect(item[0]).toBe(n++)
    for await (const _entry of dict) n++
    expect(n).toBe(160)
  })

  it('ends the iterator of a method of a registered type when the loop is left early', async () => {
    const module = `data:text/javascript,export class Numbers {
      ended = 0;
      *plain() { try { for (let i = 0; ; i++) yield i } finally { this.ended++ } }
      async *later() { try { for (let i = 0; i < 100; i++) { await null; yield i } } finally { this.ended++ } }
      count() { return this.ended }
    }`
    const options = { module, export: 'Numbers', returns: { plain: 'iterator', later: 'iterator' } }
    const manager = await Manager.start({ types: { Numbers: options } })
    interface Numbers {
      plain(): IteratorProxy<number>
      later(): IteratorProxy<number>
      count(): number
    }
    const numbers = await manager.create<Numbers>('Numbers')
    expect(await collect(await numbers.later())).toEqual(upTo(100))
    expect(await numbers.count()).toBe(1)
    for await (const n of await numbers.plain()) if (n === 1000) break
    for await (const n of await numbers.later()) if (n === 50) break
    await eventually(async () => (await numbers.count()) === 3)
    expect([...manager.sync.of(await numbers.later())]).toEqual(upTo(100))
    await manager.shutdown()
  })

  it('is refused as a plain iteration in the asynchronous form', async () => {
    const list = await file.manager.list([1])
    expect(() => [...(list as unknown as Iterable<number>)]).toThrow(/`for await`/)
  })

  it('also works asynchronously in the blocking form', async () => {
    const list = file.manager.sync.list([1, 2])
    expect(await collect(list as unknown as AsyncIterable<number>)).toEqual([1, 2])
  })
})
