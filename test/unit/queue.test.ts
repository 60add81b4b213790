import { Queue, Value } from 'procshare'
import { describe, expect, it } from 'vitest'
import { rangeError, shareError, typeError, valueError } from '../helpers/error-matchers.ts'
import { expectNoLeftovers, segmentsOfThisProcess } from '../helpers/leftovers.ts'
import { ownSegments, uniqueName } from '../helpers/segment-names.ts'
import { isPending } from '../helpers/turns.ts'

expectNoLeftovers()

describe('a queue', () => {
  it('gives items in the order of their puts, in all forms', async () => {
    using queue = new Queue<number>()
    await queue.put(1)
    queue.putSync(2)
    expect(queue.tryPut(3)).toBe(true)
    expect([queue.size, queue.isEmpty, queue.isFull]).toEqual([3, false, false])
    expect([await queue.get(), queue.getSync(), queue.tryGet()]).toEqual([1, 2, { value: 3 }])
    expect([queue.size, queue.isEmpty, queue.tryGet()]).toEqual([0, true, undefined])
  })

  it('distinguishes an item that is undefined from an empty queue', () => {
    using queue = new Queue<undefined>()
    queue.putSync(undefined)
    expect(queue.tryGet()).toEqual({ value: undefined })
    expect(queue.tryGet()).toBe(undefined)
  })

  it('holds maxSize items and no more', async () => {
    using queue = new Queue<number>({ maxSize: 2 })
    queue.putSync(1)
    queue.putSync(2)
    expect([queue.maxSize, queue.isFull, queue.tryPut(3)]).toEqual([2, true, false])
    expect(() => queue.putSync(3, { timeoutMs: 20 })).toThrow(shareError('ERR_TIMEOUT'))
    await expect(queue.put(3, { timeoutMs: 0 })).rejects.toThrow(shareError('ERR_TIMEOUT'))
    await expect(queue.put(3, { timeoutMs: 20 })).rejects.toThrow(shareError('ERR_TIMEOUT'))
    expect(queue.size).toBe(2)
  })

  it('holds the requested number of bytes, over many turns of the ring', () => {
    using queue = new Queue<Uint8Array>({ byteLength: 1000 })
    for (let round = 0; round < 500; round++) {
      const lengths = [round % 97, (round * 7) % 301, (round * 13) % 401]
      for (const length of lengths) expect(queue.tryPut(new Uint8Array(length).fill(round))).toBe(true)
      for (const length of lengths) expect(queue.getSync()).toEqual(new Uint8Array(length).fill(round))
    }
    expect(queue.tryPut(new Uint8Array(992))).toBe(true)
    expect([queue.isFull, queue.tryPut(new Uint8Array(0))]).toEqual([true, false])
  })

  it('refuses an item that can never fit', async () => {
    using queue = new Queue<unknown>({ byteLength: 1000 })
    for (const item of [new Uint8Array(993), new Uint8Array(70_000), 'x'.repeat(1000)]) {
      expect(() => queue.putSync(item)).toThrow(shareError('ERR_TOO_LARGE'))
      expect(() => queue.tryPut(item)).toThrow(shareError('ERR_TOO_LARGE'))
      await expect(queue.put(item)).rejects.toThrow(shareError('ERR_TOO_LARGE'))
    }
    const large = /^An item of \d+ bytes is too large for Queue ".*", whose byteLength is 1000 .* or with spill: true$/
    expect(() => queue.putSync(new Uint8Array(993))).toThrow(shareError('ERR_TOO_LARGE', large))
    expect(() => queue.putSync('x'.repeat(1000))).toThrow(shareError('ERR_TOO_LARGE', large))
    await expect(queue.putMany([new Uint8Array(500), new Uint8Array(500)])).rejects.toThrow(shareError('ERR_TOO_LARGE'))
    expect(queue.isEmpty).toBe(true)
  })

  it('serves the puts of one thread in order, even when a later one would fit', async () => {
    using queue = new Queue<Uint8Array>({ byteLength: 1000 })
    queue.putSync(new Uint8Array(600))
    const large = queue.put(new Uint8Array(700))
    const small = queue.put(new Uint8Array(1))
    expect(queue.tryPut(new Uint8Array(2))).toBe(false)
    expect(await isPending(small)).toBe(true)
    queue.getSync()
    await Promise.all([large, small])
    expect([queue.getSync().length, queue.getSync().length]).toEqual([700, 1])
  })

  it('makes a blocking put wait for earlier asynchronous puts', async () => {
    using queue = new Queue<number>({ maxSize: 1 })
    using other = Queue.attach<number>(queue.handle)
    queue.putSync(1)
    const second = queue.put(2)
    expect(() => queue.putSync(3, { timeoutMs: 10 })).toThrow(shareError('ERR_TIMEOUT'))
    expect(other.getSync()).toBe(1)
    expect(() => queue.putSync(3, { timeoutMs: 10 })).toThrow(shareError('ERR_TIMEOUT'))
    await second
    expect(other.getSync()).toBe(2)
  })

  it('serves gets in the order in which they were made', async () => {
    using queue = new Queue<number>()
    const gets = [queue.get(), queue.get(), queue.get()]
    await queue.putMany([1, 2, 3])
    expect(await Promise.all(gets)).toEqual([1, 2, 3])
  })

  it('takes no item for a get that timed out or was aborted', async () => {
    using queue = new Queue<number>()
    const controller = new AbortController()
    const aborted = queue.get({ signal: controller.signal })
    const late = queue.get({ timeoutMs: 10 })
    controller.abort('enough')
    await expect(aborted).rejects.toBe('enough')
    await expect(late).rejects.toThrow(shareError('ERR_TIMEOUT'))
    await expect(queue.get({ signal: AbortSignal.abort('before') })).rejects.toBe('before')
    expect(() => queue.getSync({ timeoutMs: 10 })).toThrow(shareError('ERR_TIMEOUT'))
    queue.putSync(1)
    expect(queue.getSync()).toBe(1)
  })

  it('puts nothing for a put that was aborted', async () => {
    using queue = new Queue<number>({ maxSize: 1 })
    queue.putSync(1)
    const controller = new AbortController()
    const aborted = queue.put(2, { signal: controller.signal })
    controller.abort('enough')
    await expect(aborted).rejects.toBe('enough')
    expect([queue.getSync(), queue.tryGet()]).toEqual([1, undefined])
  })

  it('returns the other items of a getMany when one cannot be decoded, and throws its error at the next get', () => {
    using queue = new Queue<unknown>()
    const gone = new Value('i')
    queue.putManySync([1, gone, 3])
    queue.putSync(4)
    gone.close()
    expect(queue.getManySync(3)).toEqual([1, 3])
    expect(() => queue.getSync()).toThrow(shareError('ERR_STALE_HANDLE'))
    expect(queue.getSync()).toBe(4)
  })

  it('throws when no item of a getMany can be decoded', async () => {
    using queue = new Queue<unknown>()
    for (const take of [() => queue.getManySync(3), () => queue.getMany(3)]) {
      const gone = new Value('i')
      queue.putSync(gone)
      gone.close()
      await expect((async () => take())()).rejects.toThrow(shareError('ERR_STALE_HANDLE'))
    }
    queue.putSync(1)
    expect(queue.getSync()).toBe(1)
  })

  it('accepts a putMany that fills it to the last byte', async () => {
    using queue = new Queue<number>({ byteLength: 64 })
    await queue.putMany([1, 2, 3, 4])
    expect(queue.getManySync(5)).toEqual([1, 2, 3, 4])
    queue.putManySync([5, 6, 7, 8])
    expect(queue.tryPut(9)).toBe(false)
    expect(queue.getManySync(5)).toEqual([5, 6, 7, 8])
    await expect(queue.putMany([1, 2, 3, 4, 5])).rejects.toThrow(
      shareError(
        'ERR_TOO_LARGE',
        /^5 items of 80 bytes together are too large .* byteLength is 64: .* larger byteLength$/,
      ),
    )
  })

  it('puts and gets several items in one step', async () => {
    using queue = new Queue<number>({ maxSize: 100 })
    await queue.putMany([])
    queue.putManySync([1, 2, 3])
    await queue.putMany([4, 5])
    expect(queue.getManySync(2)).toEqual([1, 2])
    expect(await queue.getMany(10)).toEqual([3, 4, 5])
    const waiting = queue.getMany(10)
    queue.putManySync([6, 7])
    expect(await waiting).toEqual([6, 7])
    queue.putManySync(Array.from({ length: 99 }, (_, i) => i))
    const both = queue.putMany([1, 2])
    expect(await isPending(both)).toBe(true)
    queue.getSync()
    await both
    expect(queue.size).toBe(100)
    expect(() => queue.putManySync(Array(101).fill(0))).toThrow(
      shareError('ERR_TOO_LARGE', /^101 items at once are too many .* maxSize is 100: put fewer at a time$/),
    )
  })

  it('gets many items of more bytes than the exchange holds', async () => {
    using queue = new Queue<Uint8Array>()
    const items = Array.from({ length: 40 }, (_, i) => new Uint8Array(i * 500).fill(i))
    items.push(new Uint8Array(80_000).fill(41))
    await queue.putMany(items)
    const got: Uint8Array[] = []
    while (got.length < items.length) got.push(...(await queue.getMany(1000)))
    expect(got).toEqual(items)
  })

  it('ends for all processes: the items in it can still be taken, then iteration ends', async () => {
    using queue = new Queue<number>()
    using other = Queue.attach<number>(queue.handle)
    const seen: number[] = []
    const iteration = (async () => {
      for await (const item of other) seen.push(item)
    })()
    await queue.putMany([1, 2])
    queue.end()
    queue.end()
    await iteration
    expect(seen).toEqual([1, 2])
    expect([other.ended, queue.isEmpty]).toEqual([true, true])
    expect(() => other.putSync(3)).toThrow(shareError('ERR_ENDED'))
    expect(() => other.tryPut(3)).toThrow(shareError('ERR_ENDED'))
    await expect(other.put(3)).rejects.toThrow(shareError('ERR_ENDED'))
    await expect(other.get()).rejects.toThrow(shareError('ERR_ENDED'))
    expect(() => other.tryGet()).toThrow(shareError('ERR_ENDED'))
    expect(() => other.getSync()).toThrow(shareError('ERR_ENDED'))
    await expect(other.getMany(1)).rejects.toThrow(shareError('ERR_ENDED'))
  })

  it('rejects pending puts when it ends', async () => {
    using queue = new Queue<number>({ maxSize: 1 })
    queue.putSync(1)
    const waiting = queue.put(2)
    queue.end()
    await expect(waiting).rejects.toThrow(shareError('ERR_ENDED'))
    expect(queue.getSync()).toBe(1)
  })

  it('goes on for other objects when one is closed', async () => {
    const queue = new Queue<number>()
    using other = Queue.attach<number>(queue.handle)
    const waiting = queue.get()
    queue.close()
    queue.close()
    await expect(waiting).rejects.toThrow(shareError('ERR_CLOSED'))
    for (const use of [() => queue.tryPut(1), () => queue.tryGet(), () => queue.size, () => queue.end()]) {
      expect(use).toThrow(shareError('ERR_CLOSED'))
    }
    await expect(queue.put(1)).rejects.toThrow(shareError('ERR_CLOSED'))
    other.putSync(1)
    expect(other.getSync()).toBe(1)
  })

  it('is created, opened and attached to by name', () => {
    const name = uniqueName('queue')
    using queue = Queue.create<number>(name, { maxSize: 3 })
    using same = Queue.open<number>(name, { maxSize: 3 })
    using again = Queue.attach<number>(name)
    queue.putSync(1)
    expect([same.getSync(), again.maxSize, again.name]).toEqual([1, 3, name])
    expect(() => Queue.create(name)).toThrow(shareError('EEXIST'))
    expect(() => Queue.open(name)).toThrow(shareError('ERR_TYPE'))
    expect(() => Queue.open(name, { maxSize: 3, spill: true })).toThrow(shareError('ERR_TYPE', /spill: false/))
    expect(JSON.parse(JSON.stringify(queue))).toEqual(queue.handle)
  })

  it('refuses unknown and invalid options', () => {
    expect(() => new Queue({ maxSize: 0 })).toThrow(rangeError())
    expect(() => new Queue({ maxSize: 1.5 })).toThrow(rangeError())
    expect(() => new Queue({ byteLength: 8 })).toThrow(rangeError())
    expect(() => new Queue({ spill: 1 as never })).toThrow(typeError())
    expect(() => new Queue({ maxsize: 1 } as never)).toThrow(valueError())
    using queue = new Queue()
    expect(() => queue.putManySync(1 as never)).toThrow(typeError())
    expect(() => queue.getManySync(0)).toThrow(rangeError())
  })
})

describe('a queue that spills', () => {
  it('sends items of any size in order, and leaves no segment', async () => {
    const queue = new Queue<unknown>({ byteLength: 1024, spill: true })
    queue.putSync(new Uint8Array(100_000).fill(3))
    queue.putSync('small')
    await queue.put('x'.repeat(5_000))
    expect(queue.tryPut(Buffer.alloc(2_000))).toBe(true)
    expect(await queue.getMany(1)).toEqual([new Uint8Array(100_000).fill(3)])
    expect([queue.getSync(), queue.getSync(), await queue.get()]).toEqual([
      'small',
      'x'.repeat(5_000),
      Buffer.alloc(2_000),
    ])
    queue.putSync(new Uint8Array(50_000)) // never taken
    queue.close()
    await Promise.resolve()
  })

  it('keeps its items after unlink()', async () => {
    const name = uniqueName('spill')
    using queue = Queue.create<unknown>(name, { byteLength: 1024, spill: true })
    queue.putSync(new Uint8Array(9_000))
    queue.unlink()
    using other = new Queue({ byteLength: 1024, spill: true }) // its creation looks for orphans
    other.close()
    await Promise.resolve()
    expect(queue.getSync()).toEqual(new Uint8Array(9_000))
    expect(ownSegments()).toEqual([])
  })

  it('removes the segment of an item that was not put', async () => {
    using queue = new Queue<unknown>({ byteLength: 1024, maxSize: 1, spill: true })
    queue.putSync(1)
    expect(queue.tryPut(new Uint8Array(9_000))).toBe(false)
    await expect(queue.put(new Uint8Array(9_000), { timeoutMs: 10 })).rejects.toThrow(shareError('ERR_TIMEOUT'))
    expect(() => queue.putSync(new Uint8Array(9_000), { timeoutMs: 10 })).toThrow(shareError('ERR_TIMEOUT'))
    const before = segmentsOfThisProcess()
    queue.end()
    for (const large of [new Uint8Array(9_000), 'x'.repeat(9_000)]) {
      expect(() => queue.tryPut(large)).toThrow(shareError('ERR_ENDED'))
    }
    expect(segmentsOfThisProcess()).toEqual(before)
  })
})
