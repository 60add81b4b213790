import { setTimeout as delay } from 'node:timers/promises'
import { Connection, listSegments, Pipe, Process, Queue, RawArray, removeStaleSegments } from 'procshare'
import { describe, expect, it } from 'vitest'
import { StallWatch } from '../helpers/clock.ts'
import { shareError } from '../helpers/error-matchers.ts'
import { eventually } from '../helpers/eventually.ts'
import { spawnFixture, together } from '../helpers/fixture.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'

expectNoLeftovers()

const ROUNDS = 12

function parse(value: unknown): [number, number] {
  if (!(value instanceof Uint8Array)) {
    const { id, number, text } = value as { id: number; number: number; text: string }
    expect(new Set(text).size).toBeLessThanOrEqual(1)
    return [id, number]
  }
  const view = new DataView(value.buffer, value.byteOffset)
  expect(value.subarray(8).every((byte) => byte === (view.getUint32(4) & 0xff))).toBe(true)
  return [view.getUint32(0), view.getUint32(4)]
}

describe('a queue whose users are killed', () => {
  it('loses no item of a killed producer, and has no item in halves', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      using queue = new Queue<unknown>({ byteLength: 2 ** 13 })
      await using producers = await together(
        [0, 1].map((id) => spawnFixture('queue-user', { handle: queue.handle, id })),
      )
      for (const producer of producers) void producer.call('produceForever').catch(() => {})
      const last = [-1, -1]
      const consume = () => {
        const [id, number] = parse(queue.getSync({ timeoutMs: 20_000 }))
        expect(number).toBe(last[id]! + 1) // none is missing and none comes twice
        last[id] = number
      }
      const until = performance.now() + 20 + Math.random() * 30
      while (performance.now() < until || last[0]! < 50) consume()
      await producers[0]!.kill()
      const atDeath = last[1]!
      while (last[1]! < atDeath + 50) consume() // the other one goes on
      await producers[1]!.kill()
      while (queue.size > 0) consume()
      queue.putSync(new Uint8Array(5_000))
      expect((queue.getSync() as Uint8Array).length).toBe(5_000)
    }
  })

  it('loses at most one item with a killed consumer', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      using queue = new Queue<unknown>({ byteLength: 2 ** 13 })
      using taken = new RawArray('i', 400)
      const hows = ['sync', 'async']
      await using consumers = await together(
        hows.map(() => spawnFixture('queue-user', { handle: queue.handle, taken: taken.handle })),
      )
      consumers.forEach((consumer, i) => void consumer.call('consumeForever', hows[i]).catch(() => {}))
      let number = 0
      const put = async () => {
        const bytes = new Uint8Array(16 + (number % 300)).fill(number & 0xff)
        new DataView(bytes.buffer).setUint32(0, 0)
        new DataView(bytes.buffer).setUint32(4, number++)
        await queue.put(bytes, { timeoutMs: 20_000 })
      }
      while (number < 200) await put()
      const killed = consumers[round % 2]!.kill()
      while (number < 400) await put()
      await killed
      // The one that lives takes the rest; what it is about to note is in nobody's way.
      await eventually(() => queue.isEmpty && taken.filter((times) => times > 0).length >= number - 1)
      expect([...taken].filter((times) => times > 1)).toEqual([])
    }
  })

  it('is not blocked by consumers and producers that are killed while they wait', async () => {
    using queue = new Queue<unknown>({ maxSize: 1 })
    for (const command of ['wait', 'waitSync']) {
      await using waiters = await together([1, 2].map(() => spawnFixture('queue-user', { handle: queue.handle })))
      for (const waiter of waiters) void waiter.call(command).catch(() => {})
      await delay(50)
      await Promise.all(waiters.map((waiter) => waiter.kill()))
      queue.putSync(command)
      expect(await queue.get({ timeoutMs: 5_000 })).toBe(command)
    }
    queue.putSync(1)
    await using waiter = await spawnFixture('queue-user', { handle: queue.handle })
    void waiter.call('putSync', 10).catch(() => {})
    await delay(50)
    await waiter.kill()
    expect([queue.getSync(), queue.tryGet()]).toEqual([1, undefined])
    await queue.put(2, { timeoutMs: 5_000 })
    expect(queue.getSync()).toBe(2)
  })

  it('leaves no segments of large items when all its users were killed', async () => {
    const queue = new Queue<unknown>({ byteLength: 1_024, spill: true })
    await using user = await spawnFixture('queue-user', { handle: queue.handle })
    const spills = () => listSegments().filter(({ kind, creatorPid }) => kind === 'Spill' && creatorPid === user.pid)
    await user.call('putSync', 50_000)
    queue.close()
    await Promise.resolve()
    expect(spills().length).toBe(1) // the user still has the queue
    await user.kill()
    removeStaleSegments()
    expect(spills()).toEqual([])
    expect(listSegments().filter(({ name }) => name === queue.name)).toEqual([])
  })
})

describe('a pipe whose other end is killed', () => {
  it('ends soon, after the items in it', async () => {
    for (let round = 0; round < 3; round++) {
      const [ours, theirs] = new Pipe<number>()
      const child = new Process(new URL('../fixtures/queue-jobs.mjs', import.meta.url), {
        export: 'echo',
        args: [theirs],
      }).start()
      await ours.send(1)
      expect(await ours.recv({ timeoutMs: 20_000 })).toBe(1)
      theirs.close()
      const end = expect(ours.recv()).rejects.toThrow(shareError('ERR_ENDED'))
      child.kill()
      await child.join()
      using watch = new StallWatch()
      const since = performance.now()
      await end
      expect(performance.now() - since).toBeLessThan(watch.worstMs() < 50 ? 1_000 : 10_000)
      expect(() => ours.sendSync(1)).toThrow(shareError('ERR_ENDED'))
      expect(ours).toBeInstanceOf(Connection)
      ours.close()
    }
  })
})
