import { inspect } from 'node:util'
import { Manager, type ManagerServer } from 'procshare'
import { afterEach, describe, expect, it } from 'vitest'
import { rangeError, shareError, typeError, valueError } from '../helpers/error-matchers.ts'
import { eventually } from '../helpers/eventually.ts'

const TYPES = { Counter: { module: new URL('../fixtures/managed-types.mjs', import.meta.url) } }

interface Counter {
  add(by?: number): number
  get(): number
  never(): Promise<never>
}

const opened: { close(): void | Promise<void> }[] = []
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close()
})

async function serve(options = {}): Promise<ManagerServer> {
  const server = await Manager.serve({ types: TYPES, ...options })
  opened.push(server)
  return server
}

async function connect(server: ManagerServer, options = {}): Promise<Manager> {
  const manager = await Manager.connect({ address: server.address, ...options })
  opened.push(manager)
  return manager
}

describe('Manager.serve', () => {
  it('listens where only this user can connect, with a key that is not printed', async () => {
    const server = await serve()
    expect(server.address).toMatch(/procshare-manager-/)
    expect(server.authkey).toHaveLength(32)
    const other = await serve()
    expect(other.address).not.toBe(server.address)
    expect(other.authkey).not.toEqual(server.authkey)
  })

  it('takes any free port for port 0, and the key as text or bytes', async () => {
    const server = await serve({ address: { host: '127.0.0.1', port: 0 }, authkey: 'ключ' })
    expect(server.address).toEqual({ host: '127.0.0.1', port: expect.any(Number) })
    const manager = await connect(server, { authkey: new TextEncoder().encode('ключ') })
    expect(await manager.names()).toEqual([])
  })

  it('can be closed more than once, and its clients are informed', async () => {
    const server = await serve()
    const manager = await connect(server)
    const pending = (await manager.create<Counter>('Counter')).never()
    pending.catch(() => {})
    await Promise.all([server.close(), server.close()])
    await expect(pending).rejects.toThrow(shareError('ERR_DISCONNECTED', /was shut down/))
    await expect(manager.names()).rejects.toThrow(shareError('ERR_DISCONNECTED', /was shut down/))
    expect(() => manager.sync).toThrow(shareError('ERR_DISCONNECTED'))
    expect(manager.isConnected).toBe(false)
    await expect(Manager.connect({ address: server.address, authkey: 'x' })).rejects.toThrow(shareError('ENOENT'))
  })

  it.each([
    [{ address: '' }, valueError(/^options.address must be a non-empty path/)],
    [{ address: 5 }, typeError(/^options.address must be a path, or/)],
    [{ address: { host: '127.0.0.1', port: 65_536 } }, rangeError(/^options.address.port must be/)],
    [
      { address: { host: '127.0.0.1', port: 1, path: 'x' } },
      valueError(/^options.address.path is not a known part of an address: use host or port/),
    ],
    [{ address: `/tmp/${'x'.repeat(120)}` }, shareError('ENAMETOOLONG')],
    [{ authkey: '' }, valueError(/^options.authkey must be/)],
    [{ authkey: 5 }, typeError(/^options.authkey must be/)],
    [{ limits: { clients: 0 } }, rangeError(/^options.limits.clients must be/)],
    [{ limits: { client: 5 } }, valueError(/^options.limits.client is not a known option/)],
    [{ types: { X: { export: 'x' } } }, typeError(/^options.types.X.module must be/)],
    [{ addres: '' }, valueError(/^options.addres is not a known option/)],
  ])('refuses %o', async (options, error) => {
    await expect(Manager.serve(options as object)).rejects.toThrow(error)
    await expect(Manager.start(options as object)).rejects.toThrow(error)
  })
})

describe('a connected manager', () => {
  it('is one client for each form', async () => {
    await using manager = await Manager.start()
    expect((await manager.stats()).clients).toBe(1)
    expect(manager.sync.stats().clients).toBe(2)
    const other = await Manager.connect({ address: manager.address })
    expect(await other.stats()).toMatchObject({ clients: 3, accepted: 3, refused: 0, cutOff: 0, pid: manager.pid })
    other.close()
    await eventually(async () => (await manager.stats()).clients === 2)
  })

  it('refuses to block the thread of its server', async () => {
    const manager = await connect(await serve())
    expect(() => manager.sync.names()).toThrow(shareError('ERR_DEADLOCK', /its server runs in this thread/))
    expect(await manager.names()).toEqual([])
  })

  it('closes its own connections, not the server', async () => {
    await using owner = await Manager.start({ types: TYPES })
    const manager = await Manager.connect({ address: owner.address })
    const { sync } = manager
    sync.names()
    const pending = (await manager.create<Counter>('Counter')).never()
    pending.catch(() => {})
    manager.close()
    manager.close()
    await expect(pending).rejects.toThrow(shareError('ERR_CLOSED'))
    await expect(manager.names()).rejects.toThrow(shareError('ERR_CLOSED'))
    expect(() => sync.names()).toThrow(shareError('ERR_CLOSED'))
    expect(() => manager.sync).toThrow(shareError('ERR_CLOSED'))
    expect(await owner.names()).toEqual([])
  })

  it('does not end a server that it has not started', async () => {
    const manager = await connect(await serve())
    await expect(manager.shutdown()).rejects.toThrow(shareError('ERR_MANAGER_STATE'))
    expect(await manager.names()).toEqual([])
  })

  it('connects again, to named objects of the next server at the address', async () => {
    const address = { host: '127.0.0.1', port: 0 }
    const first = await serve({ address, authkey: 'k' })
    const manager = await connect(first, { authkey: 'k' })
    const named = await manager.create<Counter>('Counter', [1], { name: 'c' })
    const unnamed = await manager.create<Counter>('Counter', [2])
    await first.close()
    await expect(named.get()).rejects.toThrow(shareError('ERR_DISCONNECTED'))
    const second = await serve({ address: first.address, authkey: 'k' })
    const other = await connect(second, { authkey: 'k' })
    await other.create<Counter>('Counter', [0])
    await other.create<Counter>('Counter', [7], { name: 'c' })
    await manager.reconnect()
    expect(await named.get()).toBe(7)
    await expect(unnamed.get()).rejects.toThrow(shareError('ERR_NO_OBJECT'))
  })

  it('shows its address, and so do proxies', async () => {
    await using manager = await Manager.start({ types: TYPES })
    const proxy = await manager.create<Counter>('Counter', [5], { name: 'c' })
    expect(inspect(manager)).toBe(`Manager { ${manager.address} pid=${manager.pid} connected }`)
    expect(inspect(proxy)).toBe(`<CounterProxy of Counter "c" at ${manager.address}>`)
    expect(inspect(manager.sync.of(proxy))).toBe(`<CounterProxy of Counter "c" at ${manager.address}>`)
    expect(`${manager.sync.of(proxy)}`).toBe('Counter(5)')
    proxy.close()
    expect(String(proxy)).toBe('<CounterProxy of Counter "c", closed>')
  })
})

describe('the blocking form', () => {
  it.each([undefined, { host: '127.0.0.1', port: 0 }])('returns results instead of promises (%o)', async (address) => {
    // In a process of its own: this one cannot answer while it blocks.
    await using manager = await Manager.start({ types: TYPES, ...(address && { address }) })
    const counter = manager.sync.create<Counter>('Counter', [1])
    expect(counter.add(2)).toBe(3)
    expect(
      manager.sync.create('Counter', [9], { name: 'x' }).equals(manager.sync.create('Counter', [], { name: 'x' })),
    ).toBe(true)
    expect(() => manager.sync.create('Nothing')).toThrow(/type must be one of/)
    const asynchronous = await manager.create<Counter>('Counter', [5])
    expect(manager.sync.of(asynchronous).add(1)).toBe(6)
    expect(await asynchronous.get()).toBe(6)
  })
})
