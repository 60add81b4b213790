/** Items that travel in segments of their own: none is left by those who are killed, and none that is waited for is removed. */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import {
  JoinableQueue,
  listSegments,
  Queue,
  RawArray,
  removeStaleSegments,
  SharedMemory,
  SharedState,
  unlinkSegment,
} from 'procshare'
import { describe, expect, it, vi } from 'vitest'
import { native } from '../../lib/native.ts'
import { readSegment } from '../helpers/control-block.mjs'
import { shareError } from '../helpers/error-matchers.ts'
import { eventually } from '../helpers/eventually.ts'
import { spawnFixture, together } from '../helpers/fixture.ts'
import { expectNoLeftovers, openFiles } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

const ROUNDS = 25
const SPILL = { byteLength: 1024, spill: true } as const

/** The segments of large items of a queue, by its anchor. */
function spillsOf(queueName: string): string[] {
  const anchor = anchors.get(queueName)!
  return listSegments()
    .map(({ name }) => name)
    .filter((name) => name.startsWith(`${anchor}-`))
}

/** Whether a segment is complete. One whose maker is killed before is stale memory, which is another sweep's. */
const isMade = (name: string) => listSegments().find((segment) => segment.name === name)?.kind === 'Spill'

const anchors = new Map<string, string>()

/** A queue that spills, and whose anchor the test knows. */
function spillingQueue(maxSize: number, persist = false): Queue<unknown> {
  const queue = Queue.create<unknown>(uniqueName('spill'), { ...SPILL, maxSize, persist })
  // By what the queue says: others make queues on this machine at the same time.
  const { anchor } = JSON.parse(readSegment(queue.name).description.toString()) as { anchor: string }
  anchors.set(queue.name, anchor)
  return queue
}

describe('a queue with large items', () => {
  it('has a segment for each item in it, and none for an item that was taken', () => {
    using queue = spillingQueue(10)
    for (let i = 1; i <= 5; i++) {
      queue.putSync(new Uint8Array(5_000).fill(i))
      expect(spillsOf(queue.name)).toHaveLength(i)
    }
    queue.putSync('small')
    for (let i = 1; i <= 5; i++) {
      expect(queue.getSync()).toEqual(new Uint8Array(5_000).fill(i))
      expect(spillsOf(queue.name)).toHaveLength(5 - i)
    }
    expect(queue.getSync()).toBe('small')
  })

  it('gives a large item with others to getMany, each once', async () => {
    using queue = spillingQueue(10)
    for (const item of ['a', new Uint8Array(5_000), 'b', 'c', new Uint8Array(6_000), new Uint8Array(7_000)]) {
      queue.putSync(item)
    }
    const taken: unknown[] = []
    while (taken.length < 6) taken.push(...(await queue.getMany(10)))
    expect(taken.map((item) => (item as string | Uint8Array).length)).toEqual([1, 5_000, 1, 1, 6_000, 7_000])
    expect(spillsOf(queue.name)).toEqual([])
  })

  it('leaves no segment for ever when producers and consumers are killed, even while it stays open', {
    timeout: 240_000, // it starts fifty processes, two at a time
  }, async () => {
    using queue = spillingQueue(4)
    using counts = new RawArray('i', 2)
    const args = { queue: queue.handle, counts: counts.handle }
    for (let round = 0; round < ROUNDS; round++) {
      await using users = await together([spawnFixture('spill-user', args), spawnFixture('spill-user', args)])
      const before = counts[1]!
      void users[0]!.call('putForever').catch(() => {})
      void users[1]!.call('takeForever').catch(() => {})
      await eventually(() => counts[1]! > before + (round % 7))
      await Promise.all(users.map((user) => user.kill('SIGKILL')))
    }
    removeStaleSegments()
    expect(spillsOf(queue.name)).toHaveLength(queue.size)
    while (queue.tryGet() !== undefined) {
      // What is still in it is whole.
    }
    expect(spillsOf(queue.name)).toEqual([])
    expect(counts[0]! - counts[1]!).toBeLessThanOrEqual(4 + ROUNDS)
  })

  it('is swept by its next user', async () => {
    using queue = spillingQueue(1)
    using counts = new RawArray('i', 2)
    queue.putSync(new Uint8Array(5_000))
    {
      await using producer = await spawnFixture('spill-user', { queue: queue.handle, counts: counts.handle })
      void producer.call('putForever').catch(() => {})
      await eventually(() => spillsOf(queue.name).filter(isMade).length === 2) // it waits for room
      await producer.kill('SIGKILL')
    }
    await using next = await spawnFixture('spill-user', { queue: queue.handle, counts: counts.handle })
    expect(await next.call('size')).toBe(1)
    expect(spillsOf(queue.name)).toHaveLength(1)
    expect(queue.getSync()).toEqual(new Uint8Array(5_000))
  })

  it('is swept at the next open, if it is persistent and its last users were killed', async () => {
    const queue = spillingQueue(1, true)
    using counts = new RawArray('i', 2)
    try {
      queue.putSync(new Uint8Array(5_000))
      {
        await using producer = await spawnFixture('spill-user', { queue: queue.handle, counts: counts.handle })
        queue.close()
        void producer.call('putForever').catch(() => {})
        await eventually(() => spillsOf(queue.name).filter(isMade).length === 2) // it waits for room
        await producer.kill('SIGKILL')
      }
      using again = Queue.attach<unknown>(queue.name)
      expect(again.size).toBe(1)
      expect(spillsOf(queue.name)).toHaveLength(1)
      expect(again.getSync()).toEqual(new Uint8Array(5_000))
    } finally {
      unlinkSegment(queue.name)
    }
  })

  it('is swept when another queue is closed, if all its users were killed', async () => {
    const queue = spillingQueue(3)
    using counts = new RawArray('i', 2)
    await using user = await spawnFixture('spill-user', { queue: queue.handle, counts: counts.handle })
    queue.putSync(new Uint8Array(5_000))
    queue.close()
    await user.call('put')
    await user.kill('SIGKILL')
    const other = new Queue<unknown>(SPILL)
    other.close()
    await new Promise((resolve) => setImmediate(resolve))
    expect(spillsOf(queue.name)).toEqual([])
  })

  it('gives an item to the first of two consumers, and the other one detaches from its segment', () => {
    using queue = spillingQueue(3)
    queue.putSync(new Uint8Array(5_000).fill(1))
    queue.putSync('next')
    const [spill] = spillsOf(queue.name)
    let faster: unknown
    const take = native.queueTakePeeked
    const takePeeked = vi.spyOn(native, 'queueTakePeeked').mockImplementationOnce((...args) => {
      faster = queue.getSync() // when both have attached to its segment
      return take(...args)
    })
    try {
      expect(queue.getSync()).toBe('next')
    } finally {
      takePeeked.mockRestore()
    }
    expect(faster).toEqual(new Uint8Array(5_000).fill(1))
    expect(queue.size).toBe(0)
    expect(spillsOf(queue.name)).toEqual([])
    expect(openFiles().filter((file) => file.includes(spill!))).toEqual([])
  })

  it('keeps its items during sweeps of other processes', async () => {
    using queue = spillingQueue(3)
    using counts = new RawArray('i', 2)
    const args = { queue: queue.handle, counts: counts.handle }
    await using users = await together(Array.from({ length: 3 }, () => spawnFixture('spill-user', args)))
    void users[0]!.call('putForever').catch(() => {})
    const failure = Promise.race([users[1]!, users[2]!].map((user) => user.call('takeForever')))
    failure.catch(() => {})
    let end: unknown
    failure.catch((error: unknown) => {
      end = error
    })
    await eventually(() => {
      removeStaleSegments()
      expect(end).toBeUndefined()
      return counts[1]! > 300
    }, 30_000)
    await Promise.all(users.map((user) => user.kill('SIGKILL')))
  })
})

describe('a persistent queue without users', () => {
  it.each([
    [
      'of its own',
      (name: string) => {
        const queue = Queue.open<unknown>(name, { ...SPILL, persist: true })
        return { queue, close: () => queue.close() }
      },
    ],
    [
      'as a member of a state',
      (name: string) => {
        const state = SharedState.open(name, { jobs: JoinableQueue<unknown>(SPILL) }, { persist: true })
        return { queue: state.jobs, close: () => state.close() }
      },
    ],
  ])('keeps its large items through the sweeps of others: %s', async (_title, open) => {
    const name = uniqueName('kept')
    using strange = new Queue(SPILL)
    using counts = new RawArray('i', 2)
    try {
      const first = open(name)
      first.queue.putSync(new Uint8Array(5_000).fill(7))
      first.close()
      removeStaleSegments()
      expect(openFiles().filter((file) => file.includes(name))).toEqual([]) // whoever sweeps only looks
      const other = new Queue<unknown>(SPILL) // the end of another queue looks for orphans
      other.close()
      await new Promise((resolve) => setImmediate(resolve))
      await using process = await spawnFixture('spill-user', { queue: strange.handle, counts: counts.handle })
      expect(await process.call('size')).toBe(0)
      const again = open(name)
      expect(again.queue.getSync({ timeoutMs: 1000 })).toEqual(new Uint8Array(5_000).fill(7))
      again.close()
    } finally {
      unlinkSegment(name)
    }
  })
})

describe('a name in the ring that belongs to another segment', () => {
  /** Overwrites the name that stands for the large item that is first in the queue. */
  function replaceName(queue: Queue<unknown>, name: string): void {
    const [spill] = spillsOf(queue.name)
    const path = `/dev/shm/${queue.name}`
    const at = readFileSync(path).indexOf(spill!)
    expect(at).toBeGreaterThan(0)
    const file = openSync(path, 'r+')
    const bytes = Buffer.alloc(spill!.length)
    bytes.write(name)
    writeSync(file, bytes, 0, bytes.length, at)
    closeSync(file)
    unlinkSegment(spill!)
  }

  it.each(['a stranger', 'another queue'])('never removes the segment of %s', (victim) => {
    using memory = SharedMemory.create(uniqueName('victim'), 64)
    using other = spillingQueue(2)
    other.putSync(new Uint8Array(3_000))
    const target = victim === 'a stranger' ? memory.name : spillsOf(other.name)[0]!
    using queue = spillingQueue(3)
    queue.putSync(new Uint8Array(5_000))
    queue.putSync('next')
    replaceName(queue, target)
    expect(() => queue.getSync()).toThrow(shareError('ERR_ITEM_LOST'))
    expect(queue.getSync()).toBe('next')
    expect(listSegments().map(({ name }) => name)).toContain(target)
    expect(other.getSync()).toEqual(new Uint8Array(3_000))
  })

  it('is lost when its segment was removed, and the queue goes on', async () => {
    using queue = spillingQueue(3)
    queue.putSync(new Uint8Array(5_000))
    queue.putSync('next')
    unlinkSegment(spillsOf(queue.name)[0]!)
    await expect(queue.get()).rejects.toThrow(shareError('ERR_ITEM_LOST', /large|larger/))
    expect(await queue.get()).toBe('next')
  })
})
