import { type JoinableQueueProxy, Manager, type QueueProxy, Value } from 'procshare'
import { describe, expect, it } from 'vitest'
import { rangeError, shareError, typeError, valueError } from '../helpers/error-matchers.ts'
import { arrived, managerClients, waits } from '../helpers/manager-clients.ts'

const { share, connect, end } = managerClients()

type AnyQueue<T> = QueueProxy<T> | JoinableQueueProxy<T>

async function collect<T>(queue: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of queue) items.push(item)
  return items
}

describe.each(['Queue', 'JoinableQueue'] as const)('%s of a manager', (kind) => {
  const queues = <T = number>(count: number, options = {}) =>
    share<AnyQueue<T>>(count, (manager) => manager[kind]<T>(options))

  it('delivers items in the order in which they were put, each to one consumer', async () => {
    const [a, b, c] = await queues(3)
    expect([await a!.isEmpty, await a!.isFull, await a!.maxSize]).toEqual([true, false, Infinity])
    await a!.put(1)
    await b!.putMany([2, 3, 4])
    expect(await a!.tryPut(5)).toBe(true)
    expect(await c!.size).toBe(5)
    expect(await c!.get()).toBe(1)
    expect(await c!.tryGet()).toEqual({ value: 2 })
    expect(await c!.getMany(2)).toEqual([3, 4])
    expect(await b!.getMany(9)).toEqual([5])
    expect(await b!.tryGet()).toBeUndefined()
    await a!.putMany([])
    expect(await c!.isEmpty).toBe(true)
  })

  it('serves waiting consumers in the order of their requests', async () => {
    const [a, b, c] = await queues(3)
    const first = b!.get()
    await waits(first, b!)
    const second = c!.getMany(5)
    await waits(second, c!)
    const third = b!.get()
    await waits(third, b!)
    await a!.putMany([1, 2, 3])
    expect(await Promise.all([first, second])).toEqual([1, [2, 3]])
    await a!.put(4)
    expect(await third).toBe(4)
  })

  it('makes producers wait for room, in the order of their requests', async () => {
    const [a, b, c] = await queues(3, { maxSize: 2 })
    await a!.put(1)
    const many = b!.putMany([2, 3])
    await waits(many, b!)
    const one = c!.put(4)
    await waits(one, c!) // there is room, but others were first
    expect(await a!.tryPut(5)).toBe(false)
    expect(await a!.get()).toBe(1)
    await many
    expect(await a!.isFull).toBe(true)
    expect(await a!.get()).toBe(2)
    await one
    expect(await a!.getMany(9)).toEqual([3, 4])
    await expect(a!.putMany([1, 2, 3])).rejects.toThrow(shareError('ERR_LIMIT', /maxSize is 2/))
  })

  it('puts and takes nothing after a timeout or for a signal', async () => {
    const [a, b] = await queues(2, { maxSize: 1 })
    await expect(a!.get({ timeoutMs: 10 })).rejects.toThrow(shareError('ERR_TIMEOUT', /10 ms/))
    await expect(a!.getMany(2, { timeoutMs: 0 })).rejects.toThrow(shareError('ERR_TIMEOUT'))
    const getting = new AbortController()
    const get = a!.get({ signal: getting.signal })
    await waits(get, a!)
    getting.abort('why')
    await expect(get).rejects.toBe('why')
    await b!.put(1)
    await expect(a!.put(2, { timeoutMs: 10 })).rejects.toThrow(shareError('ERR_TIMEOUT'))
    const putting = new AbortController()
    const put = a!.put(3, { signal: putting.signal })
    await waits(put, a!)
    putting.abort('why not')
    await expect(put).rejects.toBe('why not')
    expect(await b!.get()).toBe(1)
    expect(await b!.isEmpty).toBe(true)
  })

  it('serves the next requests when one before them is cancelled', async () => {
    const [a, b] = await queues(2, { maxSize: 2 })
    await a!.put(1)
    const impatience = new AbortController()
    const many = a!.putMany([2, 3], { signal: impatience.signal })
    await waits(many, a!)
    const one = b!.put(4)
    await waits(one, b!)
    impatience.abort('why')
    await expect(many).rejects.toBe('why')
    await one
    expect(await a!.getMany(9)).toEqual([1, 4])
  })

  it('ends for all clients', async () => {
    const [a, b] = await queues(2, { maxSize: 2 })
    await a!.putMany([1, 2])
    const late = b!.put(3)
    await waits(late, b!)
    await a!.end()
    await a!.end()
    await expect(late).rejects.toThrow(shareError('ERR_ENDED'))
    await expect(b!.put(4)).rejects.toThrow(shareError('ERR_ENDED'))
    await expect(b!.tryPut(4)).rejects.toThrow(shareError('ERR_ENDED'))
    expect(await b!.ended).toBe(true)
    expect(await collect(b!)).toEqual([1, 2])
    await expect(b!.get()).rejects.toThrow(shareError('ERR_ENDED'))
    await expect(b!.tryGet()).rejects.toThrow(shareError('ERR_ENDED'))
    await expect(b!.getMany(1)).rejects.toThrow(shareError('ERR_ENDED'))
    expect(await collect(b!)).toEqual([])
    expect(await b!.show()).toBe(`${kind}(size=0/2, ended)`)
  })

  it('ends the waits for items, and iterations without an error', async () => {
    const [a, b] = await queues(2)
    const items = collect(a!)
    await arrived(a!)
    const get = b!.get()
    await waits(get, b!)
    await b!.put(1)
    await b!.put(2)
    expect(await get).toBe(2)
    const other = b!.getMany(3)
    await waits(other, b!)
    await a!.put(3)
    await a!.end()
    const [iterated, gotten] = await Promise.allSettled([items, other])
    const all = [
      ...(iterated.status === 'fulfilled' ? iterated.value : []),
      ...(gotten.status === 'fulfilled' ? gotten.value : []),
    ]
    expect(all.sort()).toEqual([1, 3])
  })

  it('copies items, and delivers proxies and shared objects', async () => {
    const [a, b] = await queues<unknown>(2)
    using value = new Value('i', 5)
    const item = { map: new Map([[1, new Set(['x'])]]), queue: a, value, u: undefined }
    const putting = a!.put(item)
    item.map.clear()
    await putting
    const got = (await b!.get()) as { map: unknown; queue: AnyQueue<unknown>; value: Value<'i'> }
    expect(got.map).toEqual(new Map([[1, new Set(['x'])]]))
    expect(got.queue.equals(b)).toBe(true)
    expect(got.value.value).toBe(5)
    got.value.close()
    await a!.put(undefined)
    expect(await b!.tryGet()).toEqual({ value: undefined })
    await expect(a!.put(() => {})).rejects.toThrow(/could not be (encoded|cloned)/)
    expect(await a!.isEmpty).toBe(true)
  })

  it('loses no item to a client that ended during its wait', async () => {
    const [a, b] = await queues(2, { maxSize: 1 })
    const lost = a!.get()
    await waits(lost, a!)
    await end(a!)
    await b!.put(1)
    expect(await b!.get()).toBe(1)
    await expect(lost).rejects.toThrow(shareError('ERR_CLOSED'))
  })

  it('keeps the items of a client that ended, except those that were still waiting', async () => {
    const [a, b] = await queues(2, { maxSize: 1 })
    await a!.put(1)
    const lost = a!.put(2)
    await waits(lost, a!)
    await end(a!)
    await expect(lost).rejects.toThrow(shareError('ERR_CLOSED'))
    expect(await b!.get()).toBe(1)
    expect(await b!.isEmpty).toBe(true)
  })

  it('refuses invalid options', async () => {
    const [manager] = await connect(1)
    await expect(manager![kind]({ maxSize: 0 })).rejects.toThrow(rangeError())
    await expect(manager![kind]({ maxSize: '1' as never })).rejects.toThrow(typeError())
    expect(() => manager![kind]({ size: 1 } as never)).toThrow(valueError())
    const queue = await manager![kind]()
    await expect(queue.getMany(0)).rejects.toThrow(rangeError())
    await expect(queue.putMany(1 as never)).rejects.toThrow(typeError())
    await expect(queue.get({ timeoutMs: -1 })).rejects.toThrow(rangeError())
    expect(() => [...(queue as unknown as Iterable<unknown>)]).toThrow(typeError())
  })

  it('delivers each item once, whatever requests are aborted', async () => {
    const [a, b, c] = await queues(3, { maxSize: 3 })
    const got: number[] = []
    const ITEMS = 300
    const take = async (queue: AnyQueue<number>) => {
      for (let i = 0; ; i++) {
        const controller = new AbortController()
        const getting = queue.get({ signal: controller.signal })
        if (i % 2 === 0) setImmediate(() => controller.abort('raced'))
        try {
          got.push(await getting)
        } catch (error) {
          if (error === 'raced') continue
          expect(error).toEqual(shareError('ERR_ENDED'))
          return
        }
      }
    }
    const taking = [take(b!), take(c!)]
    for (let i = 0; i < ITEMS; ) {
      const controller = new AbortController()
      const putting = a!.put(i, { signal: controller.signal })
      if (i % 3 === 0) setImmediate(() => controller.abort('raced'))
      try {
        await putting
        i++
      } catch (error) {
        expect(error).toBe('raced')
      }
    }
    await a!.end()
    await Promise.all(taking)
    expect(got.sort((x, y) => x - y)).toEqual(Array.from({ length: ITEMS }, (_, i) => i))
  })
})

describe('items of a queue of a manager that cannot be sent', () => {
  it('stay in the queue in their order', async () => {
    await using server = await Manager.serve({ limits: { frameBytes: 65_536 } })
    const manager = await Manager.connect({ address: server.address })
    const queue = await manager.Queue<string>()
    for (const letter of 'abcd') await queue.put(letter.repeat(26_000))
    await expect(queue.getMany(4)).rejects.toThrow(shareError('ERR_LIMIT', /the reply would have/i))
    expect(await queue.size).toBe(4)
    expect((await queue.getMany(2)).map((item) => item[0])).toEqual(['a', 'b'])
    expect((await queue.getMany(2)).map((item) => item[0])).toEqual(['c', 'd'])
    manager.close()
  })
})

describe('JoinableQueue of a manager', () => {
  const queues = (count: number) => share(count, (manager) => manager.JoinableQueue<number>())

  it('is joined when all items are done', async () => {
    const [a, b] = await queues(2)
    await a!.join()
    await a!.putMany([1, 2])
    await a!.put(3)
    const joining = [a!.join(), b!.join()]
    await waits(joining[0]!, a!)
    await waits(joining[1]!, b!)
    await b!.getMany(3)
    expect(await a!.unfinished).toBe(3)
    await b!.taskDone()
    await expect(b!.taskDone(3)).rejects.toThrow(shareError('ERR_TASK_DONE'))
    await waits(joining[0]!, a!)
    await b!.taskDone(2)
    await Promise.all(joining)
    await expect(b!.taskDone()).rejects.toThrow(shareError('ERR_TASK_DONE'))
    await expect(b!.taskDone(0)).rejects.toThrow(rangeError())
  })

  it('ends a join after a timeout or for a signal', async () => {
    const [a] = await queues(1)
    await a!.put(1)
    await expect(a!.join({ timeoutMs: 10 })).rejects.toThrow(shareError('ERR_TIMEOUT'))
    const controller = new AbortController()
    const joining = a!.join({ signal: controller.signal })
    await waits(joining, a!)
    controller.abort('why')
    await expect(joining).rejects.toBe('why')
    await a!.taskDone() // without having taken it: only the count matters
    await a!.join()
  })
})
