/** What one call can make a server do: what would take for ever, or more memory than there is, is refused, and others are served. */
import { listSegments, Manager, Queue, Value } from 'procshare'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { OPERATIONS } from '../../lib/manager/server/limits.ts'
import { native } from '../../lib/native.ts'
import { shareError } from '../helpers/error-matchers.ts'
import { eventually } from '../helpers/eventually.ts'
import { startManager } from '../helpers/managed-server.ts'
import { RawClient, Ref } from '../helpers/raw-client.ts'
import { uniqueName } from '../helpers/segment-names.ts'

let manager: Manager
beforeAll(async () => {
  manager = await startManager({ limits: { frameBytes: 2 ** 20 } })
})
afterAll(async () => {
  // All of it was survived.
  expect(await manager.names()).toEqual([])
  await manager.shutdown()
})

const limit = (message?: RegExp) => shareError('ERR_LIMIT', message)

it('a list that is extended by itself again and again stops at its limit', { timeout: 60_000 }, async () => {
  using list = await manager.list([1])
  const extend = async () => {
    for (let i = 0; i < 30; i++) await list.extend(list)
  }
  await expect(extend()).rejects.toThrow(limit(new RegExp(`at most ${OPERATIONS.items}`)))
  expect(await list.length).toBe(2 ** 23)
  await expect(list.toArray()).rejects.toThrow(limit(/reply would have at least 8388608 bytes/))
  await expect(list.slice()).rejects.toThrow(limit())
  await expect(list.splice(0, 0, 1)).resolves.toEqual([])
  await expect(manager.list(list as never).then((other) => other.extend(list))).rejects.toThrow(limit())
})

it('replies larger than a message are refused before they are made', async () => {
  using array = await manager.Array('b', 2e8)
  await expect(array.toArray()).rejects.toThrow(limit(/reply would have at least 200000000 bytes/))
  await expect(array.slice(0, 2 ** 20 + 1)).rejects.toThrow(limit())
  await expect(array.snapshot()).rejects.toThrow(limit())
  expect(await array.slice(-2)).toEqual(new Int8Array(2))
  await expect(manager.Array('d', 2 ** 27 + 1)).rejects.toThrow(limit(/at most 1073741824/))
  const text = 'x'.repeat(2 ** 19)
  using list = await manager.list<string>([])
  await list.extend(new Array(2000).fill(0) as never)
  await list.fill(text)
  await expect(list.toArray()).rejects.toThrow(limit(/the reply would have/i))
  await expect(list.slice()).rejects.toThrow(limit())
  using dict = await manager.dict<number, string>()
  for (let i = 0; i < 3; i++) await dict.set(i, text)
  await expect(dict.toMap()).rejects.toThrow(limit())
  await expect(dict.toValues()).rejects.toThrow(limit())
  await expect(dict.getMany(new Array(5000).fill(1))).rejects.toThrow(limit())
  expect(await dict.toKeys()).toEqual([0, 1, 2])
})

it('endless comparisons are refused: values that occur twice at each of many levels, sets of objects', async () => {
  const laughs = () => {
    let value: unknown = ['ha']
    for (let i = 0; i < 40; i++) value = [value, value]
    return value
  }
  const set = () => new Set(Array.from({ length: 2000 }, (_, i) => ({ i, s: [i] })))
  for (const make of [laughs, set]) {
    using dict = await manager.dict<string, unknown>({ a: make() })
    await expect(dict.compareAndSet('a', make(), 1)).rejects.toThrow(limit(/too large to be compared/))
    using list = await manager.list<unknown>([make()])
    await expect(list.indexOf(make())).rejects.toThrow(limit())
    await expect(list.remove(make())).rejects.toThrow(limit())
    expect(typeof (await dict.show())).toBe('string')
  }
  using small = await manager.dict<string, unknown>({ a: { deep: [new Set([1, 2]), new Map([['x', [1]]])] } })
  expect(await small.compareAndSet('a', { deep: [new Set([1, 2]), new Map([['x', [1]]])] }, 1)).toBe(true)
})

it('a transaction of many heavy operations is ended and undone', { timeout: 60_000 }, async () => {
  using list = await manager.list([1])
  for (let i = 0; i < 20; i++) await list.extend(list)
  await list.set(0, 2)
  const operations = Array.from({ length: 5000 }, () => [list, 'reverse'] as const)
  await expect(manager.transaction(operations)).rejects.toThrow(limit(/ended the call after 2000 ms/))
  expect(await list.at(0)).toBe(2)
})

it('texts of large values are short, and cheap to make', async () => {
  const wide = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`key${i}`, i]))
  using dict = await manager.dict<string, unknown>({ wide })
  expect((await dict.show()).length).toBeLessThanOrEqual(10_001)
  using list = await manager.list<unknown>([])
  const many = new Array(100).fill('x'.repeat(1000))
  await list.push(many)
  expect((await list.show()).length).toBeLessThanOrEqual(10_001)
})

it('other clients are served between the many calls that one client has sent at once', {
  timeout: 60_000,
}, async () => {
  using client = await RawClient.trusted(manager.address, manager.authkey)
  const list = await client.create('list', [1])
  for (let i = 0; i < 19; i++) await client.call(list, 'extend', [new Ref(list)])
  let answered = 0
  client.socket.on('data', (bytes) => {
    answered += bytes.length
  })
  // Half a million items are searched by each.
  client.socket.cork()
  for (let i = 0; i < 1000; i++) client.begin(list, 'indexOf', [2])
  client.socket.uncork()
  await eventually(() => answered > 0)
  const before = answered
  await manager.names()
  expect(answered).toBeGreaterThanOrEqual(before)
  expect((await client.message())?.value).toBe(-1)
  const { calls } = await manager.stats()
  expect(calls).toBeLessThan(1000)
})

it('the server does not wait for unfinished segments: as rings, as requests for rings, and in arguments', async () => {
  const name = uniqueName('half')
  const half = native.createSegment(name, 8, 0, '{"kind":"Pipe","duplex":true,"byteLength":64}', 0o600)
  const handle = { procshare: 1, kind: 'Pipe', name, id: '0000000000000001', cell: 0 }
  try {
    using queue = Queue.attach<unknown>(
      listSegments().find(({ kind, creatorPid }) => kind === 'Queue' && creatorPid === manager.pid)!.name,
    )
    using client = await RawClient.trusted(manager.address, manager.authkey)
    const started = performance.now()
    for (let i = 0; i < 5; i++) queue.putSync(handle)
    expect(await client.call(0, 'takeRings', [handle])).toBe(false)
    await eventually(() => queue.size === 0)
    expect(await manager.names()).toEqual([])
    expect(performance.now() - started).toBeLessThan(9_500) // one of them would take ten seconds
  } finally {
    native.closeSegment(half)
  }
})

it('unreadable requests for rings, however many, do not block the next one', {
  timeout: 60_000,
}, async () => {
  const find = () => listSegments().find(({ kind, creatorPid }) => kind === 'Queue' && creatorPid === manager.pid)!
  using queue = Queue.attach<unknown>(find().name)
  const gone = new Value('i')
  Object.defineProperty(gone, 'handle', { value: { ...gone.handle, name: 'no-such-segment' } })
  for (let i = 0; i < 3; i++) {
    queue.putManySync(new Array(1000).fill(gone), { timeoutMs: 10_000 })
    await eventually(() => queue.size === 0)
  }
  queue.putManySync([1, 'x', { procshare: 1 }, null, new Map([[1, gone]])], { timeoutMs: 10_000 })
  gone.close()
  const client = await Manager.connect({ address: manager.address, authkey: manager.authkey })
  const start = listSegments().filter(({ kind, creatorPid }) => kind === 'Pipe' && creatorPid === process.pid).length
  expect(client.sync.names()).toEqual([])
  const rings = listSegments().filter(({ kind, creatorPid }) => kind === 'Pipe' && creatorPid === process.pid).length
  expect(rings - start).toBe(1)
  client.close()
})
