/** What has been put into a queue, or taken from it, is nobody's but the program's: the queue and its codec keep no object of it. */
import { setImmediate as turn } from 'node:timers/promises'
import { type Handle, Lock, listSegments, Queue, SharedMemory, unlinkSegment, Value } from 'procshare'
import { describe, expect, it } from 'vitest'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

const { gc } = globalThis as unknown as { gc: () => void }

async function isCollected(ref: WeakRef<object>): Promise<boolean> {
  for (let i = 0; i < 50 && ref.deref() !== undefined; i++) {
    await turn()
    gc()
  }
  return ref.deref() === undefined
}

const names = () => listSegments().map(({ name }) => name)

const ways = {
  'putSync and getSync': async (queue: Queue<unknown>, item: unknown) => {
    queue.putSync(item)
    return queue.getSync()
  },
  'put and get': async (queue: Queue<unknown>, item: unknown) => {
    await queue.put(item)
    return await queue.get()
  },
  'putManySync and getManySync': async (queue: Queue<unknown>, item: unknown) => {
    queue.putManySync([item])
    return queue.getManySync(1)[0]
  },
  'putMany and getMany': async (queue: Queue<unknown>, item: unknown) => {
    await queue.putMany([item])
    return (await queue.getMany(1))[0]
  },
  'tryPut and tryGet': async (queue: Queue<unknown>, item: unknown) => {
    expect(queue.tryPut(item)).toBe(true)
    return queue.tryGet()!.value
  },
}

const items: Record<string, () => object> = {
  'a plain object': () => ({ a: 1 }),
  'a plain object with many': () => ({ many: Array.from({ length: 40 }, (_, i) => ({ i })) }),
  'a large object': () => ({ text: 'é'.repeat(70_000) }),
  'a tree': () => ({ date: new Date(0), bytes: new Uint8Array(10) }),
  'a map': () => new Map([[{ key: 1 }, { value: 1 }]]),
  'a cycle': () => {
    const item: { self?: object } = {}
    item.self = item
    return item
  },
  'an error': () => new Error('text', { cause: new Error('cause') }),
  bytes: () => new Uint8Array(5_000),
  'a large graph': () => new Map([[{ text: 'é'.repeat(70_000) }, new Uint8Array(5_000)]]),
}

describe.each(Object.entries(ways))('by %s, a queue', (_way, pass) => {
  it.each(Object.entries(items))('keeps neither what was put nor what was taken: %s', async (_title, make) => {
    using queue = new Queue<unknown>()
    const refs = await (async () => {
      const item = make()
      return [new WeakRef(item), new WeakRef((await pass(queue, item)) as object)]
    })()
    for (const ref of refs) expect(await isCollected(ref)).toBe(true)
  })

  it('keeps no shared object of an item after both sides have closed it, nor its segment', async () => {
    using queue = new Queue<unknown>()
    const { refs, name } = await (async () => {
      const value = new Value('i', 7)
      const item = { first: value, again: [value] }
      const taken = (await pass(queue, item)) as { first: Value<'i'>; again: [Value<'i'>] }
      expect(taken.first.value).toBe(7)
      expect(taken.again[0]).toBe(taken.first)
      taken.first.close()
      const { name } = value.handle as Handle
      expect(names()).toContain(name)
      value.close()
      return { refs: [new WeakRef(value), new WeakRef(taken.first), new WeakRef(item)], name }
    })()
    await turn()
    expect(names()).not.toContain(name)
    for (const ref of refs) expect(await isCollected(ref)).toBe(true)
  })

  it('releases a persistent object that was dropped on both sides', async () => {
    using queue = new Queue<unknown>()
    const name = uniqueName('dropped')
    try {
      const refs = await (async () => {
        const lock = Lock.create(name, { persist: true })
        const taken = (await pass(queue, [lock])) as [Lock]
        return [new WeakRef(lock), new WeakRef(taken[0])]
      })()
      for (const ref of refs) expect(await isCollected(ref)).toBe(true)
    } finally {
      unlinkSegment(name)
    }
  })

  it('keeps no view of shared memory that was an item', async () => {
    using queue = new Queue<unknown>()
    const ref = await (async () => {
      using memory = new SharedMemory(5_000)
      const view = new Uint8Array(memory.buffer)
      await pass(queue, view)
      return new WeakRef(view)
    })()
    expect(await isCollected(ref)).toBe(true)
  })
})

describe('an item that could not be put', () => {
  it.each(Object.entries(items))('is not kept: %s', async (_title, make) => {
    using queue = new Queue<unknown>({ maxSize: 1 })
    queue.putSync(1)
    const refs = await (async () => {
      const refs: WeakRef<object>[] = []
      const of = (): object => {
        const item = make()
        refs.push(new WeakRef(item))
        return item
      }
      expect(queue.tryPut(of())).toBe(false)
      expect(() => queue.putSync(of(), { timeoutMs: 0 })).toThrow()
      expect(() => queue.putSync(of(), { timeoutMs: 1 })).toThrow()
      await expect(queue.put(of(), { timeoutMs: 0 })).rejects.toThrow()
      await expect(queue.put(of(), { timeoutMs: 1 })).rejects.toThrow()
      return refs
    })()
    for (const ref of refs) expect(await isCollected(ref)).toBe(true)
  })
})
