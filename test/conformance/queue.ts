/** Queue, JoinableQueue and SimpleQueue: each item goes to one, in order, as a copy. */
import assert from 'node:assert/strict'
import { JoinableQueue, Lock, Queue, SimpleQueue, Value } from 'procshare'
import { failsWith, inOrder, RANGE_ERROR, TYPE_ERROR, tookAtLeast, VALUE_ERROR } from './assertions.ts'
import { countedCases, joinableCases } from './counted-queue.ts'
import { type Case, call, forms, type Party, SIGNAL } from './driver.ts'

type Kind = 'Queue' | 'JoinableQueue' | 'SimpleQueue'
type AnyQueue = Queue | JoinableQueue | SimpleQueue

/** A ring, and lengths of items that leave no room for another one. */
const SMALL = { byteLength: 1024 }
const HALF_OF_SMALL = 500
const WHOLE_OF_SMALL = 1015

export function queueCases(kind: Kind): Case[] {
  const make = (options: object = {}): AnyQueue => {
    if (kind === 'Queue') return new Queue(options)
    return kind === 'JoinableQueue' ? new JoinableQueue(options) : new SimpleQueue(options)
  }
  return [
    ...eachForm(make),
    ...contents(kind, make),
    ...ends(make),
    ...(kind === 'SimpleQueue' ? [] : countedCases(kind)),
    ...(kind === 'JoinableQueue' ? joinableCases() : []),
  ]
}

function eachForm(make: (options?: object) => AnyQueue): Case[] {
  return forms.flatMap(({ form, suffix, needs }): Case[] => {
    const put = `put${suffix}`
    const take = `get${suffix}`
    return [
      {
        name: `gives items in the order in which they were put, ${form}`,
        async run({ parties, share }) {
          const [a, b] = (await parties(2)) as [Party, Party]
          const queue = share(make())
          for (let i = 0; i < 5; i++) assert.equal(await a.call(queue, put, i), undefined)
          for (let i = 0; i < 5; i++) assert.equal(await b.call(queue, take), i)
          assert.equal(await a.get(queue, 'isEmpty'), true)
          assert.equal(await b.call(queue, 'tryGet'), undefined)
        },
      },
      {
        name: `makes those wait who want an item, and gives each item to one, ${form}`,
        needs,
        async run({ parties, share }) {
          const [a, ...others] = (await parties(4)) as [Party, ...Party[]]
          const queue = share(make())
          const waiting = await Promise.all(others.map((party) => party.start(queue, take)))
          for (const [i, party] of others.entries()) await party.waits(waiting[i]!)
          await a.call(queue, put, 'first')
          const got = waiting.map(({ value }, i) => value.then((item) => [i, item] as const))
          const [first, item] = await Promise.race(got)
          assert.equal(item, 'first')
          for (const [i, party] of others.entries()) if (i !== first) await party.waits(waiting[i]!)
          await a.call(queue, put, 'second')
          await a.call(queue, put, 'third')
          const items = (await Promise.all(got)).map(([, one]) => one)
          assert.deepEqual(items.sort(), ['first', 'second', 'third'])
        },
      },
      {
        name: `makes those wait who put while there is no room, ${form}`,
        needs,
        async run({ parties, share }) {
          const [a, b] = (await parties(2)) as [Party, Party]
          const queue = share(make(SMALL))
          const item = Buffer.alloc(HALF_OF_SMALL, 1)
          assert.equal(await a.call(queue, 'tryPut', item), true)
          assert.equal(await a.call(queue, 'tryPut', item), true)
          assert.equal(await a.call(queue, 'tryPut', item), false)
          const waiting = await a.start(queue, put, item)
          await a.waits(waiting)
          assert.equal((await b.call<Buffer>(queue, take)).length, HALF_OF_SMALL)
          await waiting.value
          await b.call(queue, take)
          await b.call(queue, take)
          assert.equal(await a.get(queue, 'isEmpty'), true)
        },
      },
      {
        name: `gives up after a timeout and has put and taken nothing, ${form}`,
        async run({ parties, share }) {
          const [a, b] = (await parties(2)) as [Party, Party]
          const queue = share(make(SMALL))
          await failsWith('ERR_TIMEOUT', b.errorOf(call(queue, take, { timeoutMs: 0 })))
          const late = () => b.errorOf(call(queue, take, { timeoutMs: 25 }))
          await tookAtLeast(25, () => failsWith('ERR_TIMEOUT', late()))
          const item = Buffer.alloc(HALF_OF_SMALL)
          await a.call(queue, put, item, { timeoutMs: 0 })
          await a.call(queue, put, item)
          await failsWith('ERR_TIMEOUT', a.errorOf(call(queue, put, item, { timeoutMs: 0 })))
          const full = () => a.errorOf(call(queue, put, item, { timeoutMs: 25 }))
          await tookAtLeast(25, () => failsWith('ERR_TIMEOUT', full()))
          await b.call(queue, take, { timeoutMs: 0 })
          await b.call(queue, take)
          assert.equal(await b.call(queue, 'tryGet'), undefined)
        },
      },
      {
        name: `loses and doubles nothing between several who put and several who take, ${form}`,
        needs,
        async run({ parties, share }) {
          const [a, b, c, d] = (await parties(4)) as [Party, Party, Party, Party]
          const queue = share(make({ byteLength: 512 }))
          const times = 200
          const takers = [c, d].map((party) =>
            party.perform<[string, number][]>({ do: 'drain', queue: queue.handle, iterates: suffix === '' }),
          )
          const putters = [a, b].map((party, i) =>
            party.perform({ do: 'fill', queue: queue.handle, label: 'ab'[i], times, method: put }),
          )
          await Promise.all(putters)
          queue.end()
          const taken = await Promise.all(takers)
          for (const label of ['a', 'b']) {
            for (const items of taken) {
              const mine = items.filter(([from]) => from === label).map(([, n]) => n)
              assert.deepEqual(
                mine,
                mine.toSorted((x, y) => x - y),
              )
            }
            const all = taken.flat().filter(([from]) => from === label)
            assert.deepEqual(
              all.map(([, n]) => n).sort((x, y) => x - y),
              Array.from({ length: times }, (_, n) => n),
            )
          }
        },
      },
      {
        name: `serves one who lives when others were killed while waiting for an item, ${form}`,
        needs: ['end', ...needs],
        async run({ parties, share }) {
          const [a, b, c] = (await parties(3)) as [Party, Party, Party]
          const queue = share(make())
          await b.waits(await b.start(queue, take))
          const waiting = await c.start(queue, take)
          await c.waits(waiting)
          await b.end()
          await a.call(queue, put, 'item')
          assert.equal(await waiting.value, 'item')
          await a.call(queue, put, 'another')
          assert.equal(await c.call(queue, take), 'another')
        },
      },
      {
        name: `has room for one who lives when others were killed while waiting for it, ${form}`,
        needs: ['end', ...needs],
        async run({ parties, share }) {
          const [a, b, c] = (await parties(3)) as [Party, Party, Party]
          const queue = share(make(SMALL))
          const item = Buffer.alloc(WHOLE_OF_SMALL)
          await a.call(queue, put, item)
          await b.waits(await b.start(queue, put, item))
          const waiting = await c.start(queue, put, 'of one who lives')
          await c.waits(waiting)
          await b.end()
          await a.call(queue, take)
          await waiting.value
          assert.equal(await a.call(queue, take), 'of one who lives')
          assert.equal(await a.call(queue, 'tryGet'), undefined)
        },
      },
      {
        name: `keeps what one has put who was killed afterwards, ${form}`,
        needs: ['end'],
        async run({ parties, share }) {
          const [a, b] = (await parties(2)) as [Party, Party]
          const queue = share(make())
          for (let i = 0; i < 3; i++) await a.call(queue, put, i)
          await a.end()
          for (let i = 0; i < 3; i++) assert.equal(await b.call(queue, take), i)
        },
      },
    ]
  })
}

function contents(kind: Kind, make: (options?: object) => AnyQueue): Case[] {
  return [
    {
      name: 'gives copies of values of many types',
      async run({ parties, share }) {
        const [a, b] = (await parties(2)) as [Party, Party]
        const queue = share(make())
        const values = [
          null,
          undefined,
          true,
          '',
          'ß€😀',
          0,
          -1.5,
          Number.NaN,
          Infinity,
          2n ** 63n,
          [1, [2, []]],
          { a: { b: [undefined] } },
          new Map<unknown, unknown>([[1, new Set(['x'])]]),
          new Date(0),
          new Float64Array([0.5, -0.5]),
          Buffer.from('bytes'),
          Buffer.alloc(0),
        ]
        for (const value of values) await a.call(queue, 'put', value)
        for (const value of values) {
          const got = await b.call(queue, 'get')
          // A message between processes makes a Buffer of what it carries a Uint8Array.
          if (Buffer.isBuffer(value)) assert.deepEqual(Buffer.from(got as Uint8Array), value)
          else assert.deepEqual(got, value)
        }
      },
    },
    {
      name: 'refuses what cannot be encoded, in the call, and has put nothing then',
      async run({ parties, share }) {
        const [a] = (await parties(1)) as [Party]
        const queue = share(make())
        for (const method of ['put', 'putSync', 'tryPut']) {
          const error = await a.errorOf(call(queue, method, { nested: [{ '@throws': 'a function' }] }))
          assert.equal(error.name, 'DataCloneError')
        }
        assert.equal(await a.get(queue, 'isEmpty'), true)
      },
    },
    {
      name: 'refuses an item that can never fit, unless it spills',
      async run({ parties, share }) {
        const [a, b] = (await parties(2)) as [Party, Party]
        const queue = share(make({ byteLength: 256 }))
        const item = Buffer.alloc(1000, 7)
        for (const method of ['put', 'putSync', 'tryPut']) {
          await failsWith('ERR_TOO_LARGE', a.errorOf(call(queue, method, item)))
        }
        assert.equal(queue.isEmpty, true)
        const spilling = share(make({ byteLength: 256, spill: true }))
        await a.call(spilling, 'put', item)
        assert.deepEqual(Buffer.from(await b.call<Uint8Array>(spilling, 'get')), item)
      },
    },
    {
      name: 'carries shared objects, which arrive attached',
      async run({ parties, share }) {
        const [a, b] = (await parties(2)) as [Party, Party]
        const queue = share(make())
        const counter = share(new Value('i', 1))
        const lock = share(new Lock())
        await a.call(queue, 'put', { '@object': counter.handle })
        const item = (await queue.get()) as Value<'i'>
        item.add(1)
        assert.equal(counter.value, 2)
        item.close()
        await queue.put({ deep: [lock] })
        const { deep } = (await queue.get()) as { deep: [Lock] }
        await b.release(await b.call(lock, 'tryAcquire'))
        assert.ok(deep[0] instanceof Lock)
        deep[0].close()
      },
    },
    {
      name: 'takes only options that mean something',
      async run({ parties, share }) {
        const [a] = (await parties(1)) as [Party]
        const queue = share(make())
        for (const method of ['put', 'putSync']) {
          await failsWith(RANGE_ERROR, a.errorOf(call(queue, method, 1, { timeoutMs: -1 })))
          await failsWith(TYPE_ERROR, a.errorOf(call(queue, method, 1, { timeoutMs: 'x' })))
          await failsWith(VALUE_ERROR, a.errorOf(call(queue, method, 1, { timeout: 1 })))
        }
        for (const method of ['get', 'getSync']) {
          await failsWith(RANGE_ERROR, a.errorOf(call(queue, method, { timeoutMs: Number.NaN })))
          await failsWith(VALUE_ERROR, a.errorOf(call(queue, method, { timeout: 1 })))
        }
        assert.equal(queue.isEmpty, true)
        const refused: object[] = [{ byteLength: 1 }, { byteLength: -1 }, { byteLength: 100.5 }]
        if (kind !== 'SimpleQueue')
          refused.push({ maxSize: -1 }, { maxSize: 0 }, { maxSize: 1.5 }, { maxSize: 2 ** 31 })
        for (const options of refused) {
          await failsWith(RANGE_ERROR, a.errorOf({ do: 'new', kind, args: [options] }), JSON.stringify(options))
        }
      },
    },
  ]
}

function ends(make: (options?: object) => AnyQueue): Case[] {
  return [
    {
      name: 'serves those in order who wait in one party',
      async run({ parties, share }) {
        const [a, b] = (await parties(2)) as [Party, Party]
        const queue = share(make())
        const waiting = []
        for (let i = 0; i < 4; i++) waiting.push(await b.start(queue, 'get'))
        const order = inOrder(waiting.map(({ value }) => value))
        for (let i = 0; i < 4; i++) await a.call(queue, 'put', i)
        assert.deepEqual(await order, [0, 1, 2, 3])
        assert.deepEqual(await Promise.all(waiting.map(({ value }) => value)), [0, 1, 2, 3])
      },
    },
    {
      name: 'loses nothing to a get that is aborted',
      async run({ parties, share }) {
        const [a, b] = (await parties(2)) as [Party, Party]
        const queue = share(make())
        const aborted = await b.start(queue, 'get', { signal: SIGNAL })
        const waiting = await b.start(queue, 'get')
        await b.waits(aborted)
        await aborted.abort(new Error('no longer needed'))
        assert.equal((await aborted.error).message, 'no longer needed')
        await a.call(queue, 'put', 'item')
        assert.equal(await waiting.value, 'item')
      },
    },
    {
      name: 'does not put what a put had that is aborted',
      async run({ parties, share }) {
        const [a, b] = (await parties(2)) as [Party, Party]
        const queue = share(make(SMALL))
        await a.call(queue, 'put', Buffer.alloc(WHOLE_OF_SMALL))
        const aborted = await a.start(queue, 'put', 'aborted', { signal: SIGNAL })
        const waiting = await a.start(queue, 'put', 'waited')
        await a.waits(waiting)
        await aborted.abort(new Error('no longer needed'))
        assert.equal((await aborted.error).message, 'no longer needed')
        await b.call(queue, 'get')
        await waiting.value
        assert.equal(await b.call(queue, 'get'), 'waited')
        assert.equal(await b.call(queue, 'tryGet'), undefined)
      },
    },
    {
      name: 'gives what is left when it has ended, and then its end, to all',
      async run({ parties, share }) {
        const [a, b, c] = (await parties(3)) as [Party, Party, Party]
        const queue = share(make())
        await a.call(queue, 'put', 'last')
        await b.call(queue, 'end')
        await b.call(queue, 'end')
        assert.equal(await a.get(queue, 'ended'), true)
        for (const method of ['put', 'putSync', 'tryPut']) {
          await failsWith('ERR_ENDED', a.errorOf(call(queue, method, 1)), method)
        }
        assert.equal(await c.call(queue, 'get'), 'last')
        for (const method of ['get', 'getSync', 'tryGet']) {
          await failsWith('ERR_ENDED', c.errorOf(call(queue, method)), method)
        }
        assert.deepEqual(await b.perform({ do: 'drain', queue: queue.handle, iterates: true }), [])
      },
    },
    {
      name: 'ends pending waits when it ends',
      async run({ parties, share }) {
        const [a, b, c] = (await parties(3)) as [Party, Party, Party]
        const queue = share(make())
        const waiting = [await b.start(queue, 'get'), await c.start(queue, 'get')]
        const iterating = await c.begin({ do: 'drain', queue: queue.handle, iterates: true })
        await c.waits(iterating)
        await a.call(queue, 'end')
        for (const { error } of waiting) await failsWith('ERR_ENDED', error)
        assert.deepEqual(await iterating.value, [])
        const full = share(make(SMALL))
        await a.call(full, 'put', Buffer.alloc(WHOLE_OF_SMALL))
        const putting = await b.start(full, 'put', 'x')
        await b.waits(putting)
        await a.call(full, 'end')
        await failsWith('ERR_ENDED', putting.error)
      },
    },
    {
      name: 'ends the waits of a handle that is closed, and no others',
      async run({ parties, share }) {
        const [a, b, c] = (await parties(3)) as [Party, Party, Party]
        const queue = share(make())
        const closed = await b.start(queue, 'get')
        const waiting = await c.start(queue, 'get')
        await b.call(queue, 'close')
        await failsWith('ERR_CLOSED', closed.error)
        for (const method of ['put', 'putSync', 'tryPut', 'get', 'getSync', 'tryGet', 'end']) {
          await failsWith('ERR_CLOSED', b.errorOf(call(queue, method)), method)
        }
        await c.waits(waiting)
        await a.call(queue, 'put', 'item')
        assert.equal(await waiting.value, 'item')
      },
    },
  ]
}
