/** Large items of queues: forged segments and sweeps do not lose them, and items that are never taken are removed. */
import { renameSync } from 'node:fs'
import { listSegments, Queue, RawArray, removeStaleSegments, unlinkSegment } from 'procshare'
import { afterEach, describe, expect, it } from 'vitest'
import { CELL_BYTES, FIELDS, forgeSegment, pathOf, readSegment } from '../helpers/control-block.mjs'
import { eventually } from '../helpers/eventually.ts'
import { spawnFixture } from '../helpers/fixture.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

const SPILL = { byteLength: 1024, spill: true } as const

const forged: string[] = []

afterEach(() => {
  for (const name of forged.splice(0)) unlinkSegment(name)
})

interface Forgery {
  readonly describeAs: (anchor: string) => object
  readonly cells?: string
}

/** A segment with that description; its cells are those of an empty queue, or zeros. */
function forge(name: string, description: unknown, { cells = 'empty queue' }: { readonly cells?: string } = {}): void {
  using model = Queue.create(uniqueName('model'), { ...SPILL })
  const { bytes, block } = readSegment(model.name)
  const start = Number(block.readBigUInt64LE(FIELDS.cellsOffset))
  const length = Number(block.readBigUInt64LE(FIELDS.cellsBytes))
  const contents =
    cells === 'zeros' ? Buffer.alloc(CELL_BYTES * 32) : Buffer.from(bytes.subarray(start, start + length))
  forgeSegment(name, block, { description: JSON.stringify(description), cells: contents })
  forged.push(name)
}

const names = () => listSegments().map(({ name }) => name)

function anchorOf(queue: Queue<unknown>): string {
  return (JSON.parse(readSegment(queue.name).description.toString()) as { anchor: string }).anchor
}

const item = (value: number) => new Uint8Array(5_000).fill(value)

/** A queue that contains two large items. */
function waitingQueue(): Queue<unknown> {
  const queue = Queue.create<unknown>(uniqueName('spill'), { ...SPILL, maxSize: 4 })
  queue.putSync(item(1))
  queue.putSync(item(2))
  return queue
}

function expectWaiting(queue: Queue<unknown>): void {
  expect([queue.getSync({ timeoutMs: 1000 }), queue.getSync({ timeoutMs: 1000 })]).toEqual([item(1), item(2)])
}

const asQueue = (anchor: string): object => ({ kind: 'Queue', anchor })
const asState =
  (cell: unknown) =>
  (anchor: string): object => ({ kind: 'SharedState', members: [{ cell, description: { anchor } }] })

describe('a segment that names the anchor of a queue in use', () => {
  it.each([
    { title: 'as a queue, with an empty ring', describeAs: asQueue },
    { title: 'as a queue, with a ring that cannot be read', describeAs: asQueue, cells: 'zeros' },
    { title: 'as a state, with an empty ring', describeAs: asState(0) },
    ...[undefined, 'text', -8, 1.5, 3, 2 ** 53 - 8, 1e300].map((cell) => ({
      title: `as a state, with the cell ${cell}`,
      describeAs: asState(cell),
    })),
  ])('causes no loss of a queued item: $title', ({ describeAs, ...options }: Forgery) => {
    for (const listedLast of ['the forged one', 'the queue']) {
      using queue = waitingQueue()
      const name = uniqueName('forged')
      forge(name, describeAs(anchorOf(queue)), options)
      if (listedLast === 'the forged one') {
        // /dev/shm lists the newest name first, so the renamed queue is listed before the forged segment.
        renameSync(pathOf(queue.name), pathOf(`${queue.name}-moved`))
        renameSync(pathOf(`${queue.name}-moved`), pathOf(queue.name))
      }
      removeStaleSegments()
      using other = new Queue(SPILL)
      other.close() // closing a queue with `spill` removes orphans
      expectWaiting(queue)
    }
  })

  it('causes no loss of a queued item when a process attaches to that segment as a queue', () => {
    using queue = waitingQueue()
    using model = Queue.create(uniqueName('model'), SPILL)
    const description = JSON.parse(readSegment(model.name).description.toString()) as object
    const name = uniqueName('forged')
    forge(name, { ...description, anchor: anchorOf(queue) })
    using opened = Queue.attach<unknown>(name)
    expect(opened.size).toBe(0)
    opened.close()
    expectWaiting(queue)
  })
})

describe('a sweep', () => {
  it.each([
    [null],
    [5],
    ['text'],
    [[null]],
    [[5, 'text', [], {}]],
    [[{ description: null }]],
    [[{ cell: 'x', description: { anchor: null } }]],
    [{ length: 1 }],
  ])('accepts a description whose members are %j, and still removes orphans', (members) => {
    using queue = Queue.create<unknown>(uniqueName('spill'), SPILL)
    const orphan = `${anchorOf(queue)}-orphan`
    forge(uniqueName('forged'), { kind: 'SharedState', members })
    forge(orphan, { kind: 'Spill', anchor: anchorOf(queue) })
    removeStaleSegments()
    const left = names().includes(orphan)
    forged.splice(forged.indexOf(orphan), left ? 0 : 1)
    expect(left).toBe(false)
  })

  it.each([undefined, null, 5, '', 'elsewhere'])(
    'keeps a large item whose name does not begin with its anchor: %j',
    (anchor) => {
      const name = uniqueName('forged')
      forge(name, { kind: 'Spill', anchor })
      removeStaleSegments()
      expect(names()).toContain(name)
    },
  )
})

describe('large items that are never taken', () => {
  const spillsOf = (anchor: string) => names().filter((name) => name.startsWith(anchor))

  it('are removed when the last process closes their queue', async () => {
    for (const last of ['this process', 'another']) {
      using counts = new RawArray('i', 2)
      const queue = waitingQueue()
      const anchor = anchorOf(queue)
      {
        await using other = await spawnFixture('spill-user', { queue: queue.handle, counts: counts.handle })
        expect(await other.call('size')).toBe(2)
        if (last === 'another') queue.close()
        await Promise.resolve()
        expect(spillsOf(anchor)).toHaveLength(3) // the anchor and the items
        await other.call('close')
        if (last === 'this process') {
          expect(spillsOf(anchor)).toHaveLength(3)
          queue.close()
        }
        await eventually(() => spillsOf(anchor).length === 0)
      }
    }
  })

  it('survive sweeps while an unlinked queue has users, and are removed when its last user closes it', async () => {
    using counts = new RawArray('i', 2)
    const queue = waitingQueue()
    const anchor = anchorOf(queue)
    {
      await using other = await spawnFixture('spill-user', { queue: queue.handle, counts: counts.handle })
      expect(await other.call('size')).toBe(2)
      queue.unlink()
      using next = Queue.create<unknown>(queue.name, SPILL) // the same name, another queue
      next.putSync(item(9))
      removeStaleSegments()
      expect(await other.call('takeOne')).toBe(5_000)
      queue.putSync(item(3))
      removeStaleSegments()
      expect(await other.call('takeOne')).toBe(5_000)
      expect(next.getSync()).toEqual(item(9))
      queue.putSync(item(4))
      expect(await other.call('takeOne')).toBe(5_000)
      queue.close()
      await other.call('put')
      removeStaleSegments()
      expect(spillsOf(anchor)).toHaveLength(3) // the anchor and two items
      await other.call('close')
      await eventually(() => spillsOf(anchor).length === 0)
    }
  })
})
