import { Manager, Process, Queue, type RegisteredProxy } from 'procshare'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../helpers/eventually.ts'

const JOBS = new URL('../fixtures/managed-jobs.mjs', import.meta.url)
const TYPES = { Counter: { module: new URL('../fixtures/managed-types.mjs', import.meta.url), export: 'Counter' } }

interface Counter {
  add(by?: number): number
  get(): number
}

const SERVERS = {
  'a private socket': {},
  'a port, with a key': { address: { host: '127.0.0.1', port: 0 }, authkey: 'only this process was told' },
}

describe.each(Object.entries(SERVERS))('proxies of a server at %s', (_where, options) => {
  let manager: Manager
  const counter = (...args: unknown[]) => manager.create<Counter>('Counter', args)
  const start = (name: string, args: unknown[], rest = {}) => new Process(JOBS, { export: name, args, ...rest }).start()

  beforeAll(async () => {
    manager = await Manager.start({ ...options, types: TYPES })
  })
  afterAll(() => manager.shutdown())

  it('are arguments of processes, which connect automatically', async () => {
    const shared = await counter()
    const children = [1, 2, 3].map(() => start('count', [shared, { again: shared }, 200]))
    expect(await Promise.all(children.map((child) => child.join()))).toEqual([0, 0, 0])
    expect(await shared.get()).toBe(600)
  })

  it('are arguments of processes of processes', async () => {
    const shared = await counter()
    await start('countBelow', [shared, 5]).join()
    expect(await shared.get()).toBe(5)
  })

  it('go through queues in shared memory', async () => {
    const shared = await counter()
    using there = new Queue<{ counter: RegisteredProxy<Counter> }>()
    using back = new Queue<{ counter: RegisteredProxy<Counter> }>()
    // The first argument tells the child how to connect.
    const child = start('countFromQueue', [there, back, shared])
    for (let i = 1; i <= 5; i++) {
      await there.put({ counter: shared })
      const { counter: same } = await back.get()
      expect(same.equals(shared)).toBe(true)
      expect(await same.get()).toBe(i)
    }
    there.end()
    expect(await child.join()).toBe(0)
  })

  it('count only as long as processes use them', async () => {
    const shared = await manager.create<Counter>('Counter', [100])
    const clients = async () => (await manager.debugInfo()).find(({ text }) => text === 'Counter(101)')?.clients
    await start('count', [shared, { again: shared }, 1]).join()
    // The server hears of the end of a process a little later than the one who waits for that.
    await eventually(async () => (await clients()) === 1)
    shared.close()
    await eventually(async () => (await clients()) === undefined)
  })
})

describe('other processes', () => {
  it('attach to a handle of a private socket without being given a key', async () => {
    await using manager = await Manager.start({ types: TYPES })
    const shared = await manager.create<Counter>('Counter')
    const env = { ...process.env, COUNTER_HANDLE: JSON.stringify(shared) }
    expect(await new Process(JOBS, { export: 'countByHandle', env }).start().join()).toBe(0)
    expect(await shared.get()).toBe(1)
  })

  it('find the key for a handle of a port in their environment, or report that none is known', async () => {
    const options = { address: { host: '127.0.0.1', port: 0 }, authkey: 'told', types: TYPES }
    await using manager = await Manager.start(options)
    const shared = await manager.create<Counter>('Counter')
    const env = { ...process.env, COUNTER_HANDLE: JSON.stringify(shared) }
    const untold = new Process(JOBS, { export: 'countByHandle', env, stdio: 'ignore' }).start()
    await expect(untold.join()).rejects.toThrow(/No key is known/)
    const told = { ...env, PROCSHARE_AUTHKEY: 'told' }
    expect(await new Process(JOBS, { export: 'countByHandle', env: told }).start().join()).toBe(0)
    expect(await shared.get()).toBe(1)
  })

  it('count in the blocking form, side by side', async () => {
    await using manager = await Manager.start({ types: TYPES })
    const args = [manager.address, 'named', 500]
    const children = [1, 2, 3].map(() => new Process(JOBS, { export: 'countBlocking', args }).start())
    expect(await Promise.all(children.map((child) => child.join()))).toEqual([0, 0, 0])
    expect(await (await manager.create<Counter>('Counter', [], { name: 'named' })).get()).toBe(1500)
  })
})
