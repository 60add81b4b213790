import { attach, type Handle, Manager, type ManagerServer, type RegisteredProxy, Value } from 'procshare'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { shareError, valueError } from '../helpers/error-matchers.ts'

const MODULE = new URL('../fixtures/managed-types.mjs', import.meta.url)

interface Counter {
  add(by?: number): number
  get(): number
  fails(): never
  call(text: string): string
  failOddly(): never
  later<T>(value: T): Promise<T>
  never(): Promise<never>
  unspeakable(): unknown
  children(): unknown
  echo(...args: unknown[]): unknown[]
  addTo(value: unknown): number
  toString(): string
}

let server: ManagerServer
let manager: Manager
const counter = (...args: unknown[]) => manager.create<Counter>('Counter', args)

beforeAll(async () => {
  server = await Manager.serve({
    types: {
      Counter: { module: MODULE, export: 'Counter' },
      Chosen: { module: MODULE, export: 'Counter', exposed: ['get', '_hidden', 'inherited'] },
      Parent: { module: MODULE, returns: { children: 'Counter', echo: 'Counter' } },
      Ledger: { module: MODULE, export: 'openLedger', exposed: ['owner', 'write', 'read'] },
    },
  })
  manager = await Manager.connect({ address: server.address })
})

afterAll(async () => {
  manager.close()
  await server.close()
})

describe('a proxy of a registered type', () => {
  it('calls the methods of the object in the server, in the order of the calls', async () => {
    const proxy = await counter(5)
    const results = [proxy.add(1), proxy.add(2), proxy.get(), proxy.add()]
    expect(await Promise.all(results)).toEqual([6, 8, 8, 9])
    expect(await proxy.show()).toBe('Counter(9)')
  })

  it('has the methods of the class itself and no others', async () => {
    const proxy = await counter()
    const has = (name: string) => name in proxy && typeof (proxy as never)[name] === 'function'
    expect(['add', 'get', 'later'].every(has)).toBe(true)
    expect(['_hidden', 'inherited', 'half', 'field'].some((name) => name in proxy)).toBe(false)
  })

  it('has the exposed methods, also hidden and inherited ones', async () => {
    const proxy = await manager.create<{ get(): number; _hidden(): string; inherited(): string }>('Chosen', [3])
    expect(await Promise.all([proxy.get(), proxy._hidden(), proxy.inherited()])).toEqual([3, 'hidden', 'inherited'])
    expect('add' in proxy).toBe(false)
  })

  it.each(['add', '_hidden', 'inherited', 'half', 'field', 'constructor', 'toString', '__proto__', 'hasOwnProperty'])(
    'cannot be made to call %s when that is not exposed',
    async (method) => {
      const ledger = await manager.create('Ledger', ['ann'])
      const call = (ledger as unknown as { request(method: string, args: unknown[]): Promise<unknown> }).request(
        method,
        [],
      )
      await expect(call).rejects.toThrow(shareError('ERR_NOT_EXPOSED'))
    },
  )

  it('rejects with the error of the method: its class, message, code, cause, and stack in the server', async () => {
    const error = await (await counter()).fails().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(RangeError)
    expect(error).toMatchObject({ message: 'count is a failure', code: 'E_COUNT', cause: { why: 'asked' } })
    expect((error as Error).stack).toContain('managed-types.mjs')
  })

  it('rejects with a thrown value that is not an error', async () => {
    await expect((await counter()).failOddly()).rejects.toBe('a text')
  })

  it('waits for promises without delaying other calls', async () => {
    const proxy = await counter(1)
    const never = proxy.never()
    expect(await proxy.later('in time')).toBe('in time')
    expect(await proxy.get()).toBe(1)
    never.catch(() => {}) // until the end
  })

  it('can have methods with the names of internals of proxies', async () => {
    expect(await (await counter()).call('me')).toBe('called me')
  })

  it('survives results and arguments that cannot be sent', async () => {
    const proxy = await counter(1)
    await expect(proxy.unspeakable()).rejects.toThrow(expect.objectContaining({ name: 'DataCloneError' }))
    await expect(proxy.echo(() => {})).rejects.toThrow(expect.objectContaining({ name: 'DataCloneError' }))
    expect(await proxy.get()).toBe(1)
  })

  it('copies arguments and results with their types', async () => {
    const values = [1n, new Date(5), new Map([[1, new Set(['x'])]]), new Uint8Array([1, 2]), undefined, Number.NaN]
    expect(await (await counter()).echo(...values)).toEqual(values)
  })

  it('passes shared objects in memory to methods attached', async () => {
    using value = new Value('i', 5)
    expect(await (await counter(2)).addTo(value)).toBe(5)
    expect(value.value).toBe(7)
  })
})

describe('making objects', () => {
  it('waits for functions that return promises', async () => {
    const ledger = await manager.create<{ owner(): string; write(entry: unknown): number; read(): unknown[] }>(
      'Ledger',
      ['ann'],
    )
    await ledger.write({ amount: 5 })
    expect(await ledger.owner()).toBe('ann')
    expect(await ledger.read()).toEqual([{ amount: 5 }])
  })

  it('rejects with the error of the class', async () => {
    await expect(counter('five')).rejects.toThrow(new TypeError('count must be a number'))
  })

  it('names the known types when one is unknown', async () => {
    const error = await manager.create('Nothing').catch((reason: Error) => reason)
    expect(error).toEqual(valueError(/^type must be one of .*Counter.*, got 'Nothing'/))
    expect((error as Error).message).not.toMatch(/iterator/) // which no client can create
  })

  it('returns the same object of a name to all clients', async () => {
    const name = 'made once'
    const proxies = await Promise.all(
      ['ann', 'bob', 'cid'].map((owner) => manager.create<{ owner(): string }>('Ledger', [owner], { name })),
    )
    for (const proxy of proxies) expect(proxy.equals(proxies[0])).toBe(true)
    expect(await proxies[0]!.owner()).toBe('ann')
    expect(await manager.names()).toContain(name)
    await expect(counter.call(undefined)).resolves.toBeDefined()
    await expect(manager.create('Counter', [], { name })).rejects.toThrow(shareError('ERR_KIND'))
    expect(await manager.unlink(name)).toBe(true)
    expect(await manager.unlink(name)).toBe(false)
    expect(await proxies[0]!.owner()).toBe('ann')
  })

  it('keeps results of methods in the server according to returns', async () => {
    const parent = await manager.create<{ echo(value: unknown): RegisteredProxy<Counter> }>('Parent')
    const child = await parent.echo(1)
    expect(child.typeName).toBe('Counter')
  })
})

describe('a handle of a managed object', () => {
  it('is plain JSON and becomes a proxy of the same object', async () => {
    const proxy = await counter(4)
    const handle = JSON.parse(JSON.stringify({ deep: [proxy] })).deep[0] as Handle
    expect(handle).toMatchObject({ procshare: 1, kind: 'Manager', name: server.address })
    const again = attach(handle) as unknown as typeof proxy
    expect(again === proxy).toBe(false)
    expect(again.equals(proxy)).toBe(true)
    again.close()
    expect(await proxy.get()).toBe(4)
  })

  it('is accepted for an object that is gone, whose calls fail', async () => {
    const proxy = await counter(4)
    const { handle } = proxy
    proxy.close()
    const late = attach(handle) as unknown as RegisteredProxy<Counter>
    await expect(late.get()).rejects.toThrow(shareError('ERR_NO_OBJECT'))
    expect(() => proxy.handle).toThrow(shareError('ERR_CLOSED'))
    await expect(proxy.get()).rejects.toThrow(shareError('ERR_CLOSED'))
  })

  it.each(['', 'x', '[]', '[1,2,3]', '{"a":1}'])('is refused when its id is %o', (id) => {
    const handle = { procshare: 1, kind: 'Manager', name: 'nowhere', id } as Handle
    expect(() => attach(handle)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }))
  })
})

describe('registering', () => {
  it('is refused to a client that did not start the server', async () => {
    await expect(manager.register('More', MODULE)).rejects.toThrow(shareError('ERR_MANAGER_STATE'))
    await server.register('More', MODULE)
    expect(await (await manager.create<Counter>('More', [1])).get()).toBe(1)
  })

  it.each([
    ['a name that is taken', 'Counter', MODULE, {}, /name must be a name that no type has/],
    ['an export that is none', 'New', MODULE, { export: 'notAFunction' }, /options.export must be the name of a /],
    ['an export that is missing', 'New', MODULE, { export: 'toString' }, /options.export must be the name of a /],
    ['a function without exposed methods', 'New', MODULE, { export: 'openLedger' }, /options.exposed must be/],
    ['a method that all objects have', 'New', MODULE, { exposed: ['toString'] }, /options.exposed\[\] must be/],
    [
      'a method that all proxies have',
      'New',
      MODULE,
      { exposed: ['close'] },
      /options.exposed\[\] must be a name other than/,
    ],
    ['an unknown option', 'New', MODULE, { expose: [] }, /options.expose is not a known option/],
    [
      'a module that is not there',
      'New',
      new URL('file:///no/such/module.mjs'),
      {},
      /(Cannot find module|Module not found)/,
    ],
  ])('refuses %s', async (_what, name, module, options, message) => {
    await expect(server.register(name, module, options as object)).rejects.toThrow(message)
  })
})
