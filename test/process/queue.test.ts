import { JoinableQueue, Manager, Process, Queue } from 'procshare'
import { describe, expect, it } from 'vitest'
import { type Peer, spawnFixture, startWorker, together } from '../helpers/fixture.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'

expectNoLeftovers()

const COUNT = 1_500

/** Every item once, and those of each producer in order for each consumer. */
function expectExact(received: readonly [number, number][][], producers: number): void {
  for (const list of received) {
    const last = new Map<number, number>()
    for (const [id, number] of list) {
      expect(number).toBeGreaterThan(last.get(id) ?? -1)
      last.set(id, number)
    }
  }
  const all = received.flat().map(([id, number]) => id * COUNT + number)
  expect(all.length).toBe(producers * COUNT)
  expect(new Set(all).size).toBe(all.length)
}

describe.each(['Queue', 'JoinableQueue'] as const)('a %s between processes and workers', (kind) => {
  it.each([{ maxSize: 10, byteLength: 2 ** 14 }, { byteLength: 2 ** 20 }, { byteLength: 1_024, spill: true }])(
    'brings every item to one consumer, in order per producer: %o',
    async (options) => {
      using queue = kind === 'Queue' ? new Queue(options) : new JoinableQueue(options)
      const { handle } = queue
      await using users = await together<Peer>([
        spawnFixture('queue-user', { handle, id: 0 }),
        spawnFixture('queue-user', { handle, id: 1 }),
        startWorker('queue-user', { handle, id: 2 }),
        spawnFixture('queue-user', { handle }),
        spawnFixture('queue-user', { handle }),
        startWorker('queue-user', { handle }),
      ])
      const [first, second, third, ...consumers] = users
      const consuming = consumers.map((one, i) => one.call<[number, number][]>('consume', i === 1 ? 'sync' : 'async'))
      await Promise.all([
        first!.call('produce', COUNT, 'sync'),
        second!.call('produce', COUNT, 'async'),
        third!.call('produce', COUNT, 'mixed'),
      ])
      queue.end()
      expectExact(await Promise.all(consuming), 3)
      expect(queue.isEmpty).toBe(true)
    },
  )
})

describe('a queue', () => {
  it('is an argument of a Process', async () => {
    using input = new Queue<number>()
    using output = new JoinableQueue<number>()
    const child = new Process(new URL('../fixtures/queue-jobs.mjs', import.meta.url), {
      export: 'double',
      args: [input, output],
    }).start()
    await input.putMany([1, 2, 3])
    input.end()
    expect(await child.join()).toBe(0)
    expect(output.getManySync(10)).toEqual([2, 4, 6])
  })

  it('gets the items of a thread in order when a put of it blocks after its own asynchronous puts', async () => {
    using queue = new Queue<object>({ maxSize: 1 })
    const item = (number: number) => ({ id: 0, number, text: '' })
    await using user = await spawnFixture('queue-user', { handle: queue.handle })
    queue.putSync(item(0))
    const second = queue.put(item(1))
    const taken = user.call('consume', 'sync')
    queue.putSync(item(2), { timeoutMs: 20_000 })
    await second
    queue.end()
    expect(await taken).toEqual([
      [0, 0],
      [0, 1],
      [0, 2],
    ])
  })

  it.each(['in memory', 'of a manager'])(
    '%s loses nothing when its consumers are terminated one after the other',
    async (where) => {
      await using manager = where === 'in memory' ? undefined : await Manager.start()
      using jobs = manager === undefined ? new Queue<number>() : await manager.Queue<number>()
      using done = new Queue<number | 'ready'>()
      const put: number[] = []
      const finished: unknown[] = []
      for (let round = 0; round < 4; round++) {
        const child = new Process(new URL('../fixtures/queue-jobs.mjs', import.meta.url), {
          export: 'workUntilTerminated',
          args: [jobs, done],
        }).start()
        const numbers = Array.from({ length: round === 0 ? 0 : 300 }, (_, i) => 1_000 * round + i)
        put.push(...numbers)
        await jobs.putMany(numbers)
        for (let got: unknown; got !== 'ready'; ) {
          got = await done.get({ timeoutMs: 20_000 })
          if (got !== 'ready') finished.push(got)
        }
        if (round > 1)
          for (let i = 0; i < 20; i++) await done.get({ timeoutMs: 20_000 }).then((job) => finished.push(job))
        child.terminate()
        expect(await child.join({ timeoutMs: 20_000 })).toBe(0)
      }
      for (let got = done.tryGet(); got !== undefined; got = done.tryGet()) finished.push(got.value)
      for (let got = await jobs.tryGet(); got !== undefined; got = await jobs.tryGet()) finished.push(got.value)
      expect(finished.sort((a, b) => Number(a) - Number(b))).toEqual(put)
    },
  )

  it('wakes a waiting consumer in another process', async () => {
    using queue = new Queue<Uint8Array>()
    await using user = await spawnFixture('queue-user', { handle: queue.handle })
    const got = queue.get({ timeoutMs: 20_000 })
    await user.call('putSync', 10)
    expect((await got).length).toBe(10)
  })
})
