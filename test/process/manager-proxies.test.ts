/** Each proxy is a handle of its own: what becomes of one leaves the others of the same object as they are. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  attach,
  type DictProxy,
  type ListProxy,
  type ManagedProxy,
  Manager,
  Process,
  type RegisteredProxy,
} from 'procshare'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { shareError } from '../helpers/error-matchers.ts'
import { eventually } from '../helpers/eventually.ts'
import { type Box, makeBox, startManager, TYPES } from '../helpers/managed-server.ts'

const collect = globalThis.gc!

let manager: Manager
let observer: Manager
beforeAll(async () => {
  manager = await startManager()
  observer = await Manager.connect({ address: manager.address })
})
afterAll(async () => {
  observer?.close()
  await manager?.shutdown()
})

/** How many clients the server counts for each object that it has, by types. */
const counted = async (of: Manager = observer) =>
  Object.fromEntries((await of.debugInfo()).map(({ type, clients }) => [type, clients]))

/** Until the server has noticed what other connections than the observer's have said. */
const expectCounted = (expected: Record<string, number>) =>
  expect.poll(() => counted(), { timeout: 20_000 }).toEqual(expected)

/** Whatever a test has made, nothing of it is left in the server. */
afterEach(async () => {
  for (const name of await observer.names()) await observer.unlink(name)
  await eventually(async () => {
    collect()
    manager.sync.names()
    return (await observer.debugInfo()).length === 0
  })
})

/** Collects whatever was dropped; `isDone` tells when that is enough. */
const collectUntil = (isDone: () => Promise<boolean>) =>
  eventually(() => {
    collect()
    return isDone()
  })

describe('two proxies of a named object', () => {
  it('are separate and equal, and one is usable when the other was closed', async () => {
    const first = await manager.dict<string, number>({ a: 1 }, { name: 'x' })
    const second = await manager.dict<string, number>({}, { name: 'x' })
    expect(first === second).toBe(false)
    expect(first.equals(second) && second.equals(first)).toBe(true)
    first.close()
    await expect(first.get('a')).rejects.toThrow(shareError('ERR_CLOSED'))
    await second.set('a', 2)
    expect(await second.get('a')).toBe(2)
    expect(second.name).toBe('x')
    second.close()
  })

  it('are separate in the blocking form, and one is usable when the other was closed', () => {
    const first = manager.sync.dict<string, number>({ a: 1 }, { name: 'x' })
    const second = manager.sync.dict<string, number>({}, { name: 'x' })
    expect(first === second).toBe(false)
    expect(first.equals(second)).toBe(true)
    first.close()
    expect(() => first.get('a')).toThrow(shareError('ERR_CLOSED'))
    expect(second.get('a')).toBe(1)
    second.close()
  })

  it('decide separately whether their calls keep the process alive', async () => {
    const first = await manager.dict({}, { name: 'x' })
    const second = await manager.dict({}, { name: 'x' })
    first.unref()
    expect(await second.has('a')).toBe(false)
    expect(await first.has('a')).toBe(false)
    first.close()
    second.close()
  })
})

describe('the server counts', () => {
  it('a client once for an object, until its last proxy is closed', async () => {
    const box = await makeBox(manager, 1)
    const again = (await box.echo(box)) as RegisteredProxy<Box>
    const handled = attach(box.handle) as ManagedProxy & RegisteredProxy<Box>
    expect(await handled.get()).toBe(1)
    box.close()
    box.close()
    await manager.names()
    await expectCounted({ box: 1 })
    again.close()
    await manager.names()
    await expectCounted({ box: 1 })
    expect(await handled.get()).toBe(1)
    handled.close()
    await expectCounted({})
  })

  it('each form separately, and each proxy in both', async () => {
    const box = await makeBox(manager, 1)
    const blocking = manager.sync.of(box)
    const again = manager.sync.of(box)
    const echoed = blocking.echo(box) as unknown as typeof blocking
    expect(new Set([blocking, again, echoed]).size).toBe(3)
    expect(blocking.equals(box) && again.equals(echoed)).toBe(true)
    await expectCounted({ box: 2 })
    box.close()
    await expectCounted({ box: 1 })
    blocking.close()
    again.close()
    expect(echoed.get()).toBe(1)
    await expectCounted({ box: 1 })
    echoed.close()
    manager.sync.names()
    await expectCounted({})
  })

  it('an object once for each result that contains it, in which it is one proxy', async () => {
    const list = await manager.list<unknown>([])
    const box = await makeBox(manager, 'inside')
    await list.push(box, { deep: box })
    box.close()
    const first = (await list.at(0)) as RegisteredProxy<Box>
    const second = (await list.at(0)) as RegisteredProxy<Box>
    const [third, { deep }] = (await list.slice()) as [RegisteredProxy<Box>, { deep: RegisteredProxy<Box> }]
    expect(third).toBe(deep)
    expect(new Set([first, second, third]).size).toBe(3)
    expect(first.equals(second) && second.equals(third)).toBe(true)
    await list.clear()
    for (const proxy of [first, second]) {
      proxy.close()
      expect(await deep.get()).toBe('inside')
    }
    list.close()
    await expectCounted({ box: 1 })
    deep.close()
    await expectCounted({})
  })

  it('nothing for an argument', async () => {
    const box = await makeBox(manager, 1)
    const list = await manager.list<unknown>([])
    const again = (await box.echo(box)) as RegisteredProxy<Box>
    await list.push(again)
    again.close()
    await expect(list.push(again)).rejects.toThrow(shareError('ERR_CLOSED'))
    expect(await list.includes(box)).toBe(true)
    box.close()
    await expectCounted({ list: 1 })
    const back = (await list.at(0)) as RegisteredProxy<Box>
    expect(await back.get()).toBe(1)
    back.close()
    list.close()
  })
})

describe('when one of two proxies is collected', () => {
  it('the other proxy keeps the object, which ends with it', async () => {
    const box = await makeBox(manager, 1)
    let isCollected = false
    const registry = new FinalizationRegistry(() => {
      isCollected = true
    })
    await (async () => registry.register((await box.echo(box)) as object, 0))()
    await collectUntil(async () => isCollected)
    await manager.names()
    expect(await box.get()).toBe(1)
    expect(await counted()).toEqual({ box: 1 })
    box.close()
    await expectCounted({})
  })

  it('the last of a hundred keeps the object', async () => {
    const box = await makeBox(manager, 1)
    const carrier = await makeBox(manager, box)
    const weak = new WeakRef(await (async () => (await carrier.get()) as object)())
    for (let i = 0; i < 100; i++) await carrier.get()
    await collectUntil(async () => weak.deref() === undefined)
    await carrier.set(null)
    expect(await box.get()).toBe(1)
    box.close()
    carrier.close()
  })

  it('a view of it keeps it', async () => {
    const view = await (async () => (await makeBox(manager, 1)).with({ timeoutMs: 60_000 }))()
    let isCollected = false
    const registry = new FinalizationRegistry(() => {
      isCollected = true
    })
    await (async () => registry.register((await view.echo(view)) as object, 0))()
    await collectUntil(async () => isCollected)
    expect(await view.get()).toBe(1)
    view.close()
  })
})

describe('what is held in an object', () => {
  it('stays held when the proxy of the acquisition is closed, and its guard still releases it', async () => {
    const lock = await manager.Lock('l')
    const again = await manager.Lock('l')
    const guard = await lock.acquire()
    lock.close()
    expect(await again.locked).toBe(true)
    const theirs = await observer.Lock('l')
    expect(await theirs.tryAcquire()).toBe(undefined)
    await guard.release()
    const next = await theirs.acquire()
    expect(next.abandoned).toBe(false)
    await next.release()
    again.close()
    theirs.close()
  })

  it('is released with the last of the proxies', async () => {
    const lock = await manager.Lock('l')
    const again = await manager.Lock('l')
    const guard = await lock.acquire()
    again.close()
    expect(await lock.locked).toBe(true)
    const theirs = await observer.Lock('l')
    expect(await theirs.tryAcquire()).toBe(undefined)
    lock.close()
    const next = await theirs.acquire({ timeoutMs: 20_000 })
    expect(next.abandoned).toBe(true)
    await expect(guard.release()).rejects.toThrow(shareError('ERR_CLOSED'))
    await next.release()
    theirs.close()
  })

  it('stays held in the blocking form as well', async () => {
    const lock = manager.sync.RLock('l')
    const again = manager.sync.RLock('l')
    const guard = lock.acquire()
    const inner = again.acquire()
    lock.close()
    const theirs = await observer.RLock('l')
    expect(await theirs.tryAcquire()).toBe(undefined)
    guard.release()
    expect(again.locked).toBe(true)
    inner.release()
    expect(again.locked).toBe(false)
    again.close()
    theirs.close()
  })

  it('is released by run although its proxy was closed inside', async () => {
    const lock = await manager.Lock('l')
    const again = await manager.Lock('l')
    await lock.run(() => lock.close())
    expect(await again.locked).toBe(false)
    again.close()
  })

  it('units of a semaphore included', async () => {
    const slots = await manager.BoundedSemaphore(2, 's')
    const again = await manager.BoundedSemaphore(2, 's')
    await slots.acquire()
    slots.close()
    expect(await again.value).toBe(1)
    await again.release()
    expect(await again.value).toBe(2)
    again.close()
  })

  it('units that another proxy releases let the first one be collected', async () => {
    const again = await manager.Semaphore(1, 's')
    const weak = await (async () => {
      const slots = await manager.Semaphore(1, 's')
      await slots.acquire()
      return new WeakRef(slots)
    })()
    await again.release()
    await collectUntil(async () => weak.deref() === undefined)
    expect(await again.value).toBe(1)
    again.close()
  })

  it('goes back when it is granted too late to a proxy that was closed meanwhile', async () => {
    const lock = await manager.Lock('l')
    const again = await manager.Lock('l')
    const held = await again.acquire()
    const abort = new AbortController()
    const waiting = lock.acquire({ signal: abort.signal })
    await eventually(async () => (await observer.debugInfo())[0]!.text.includes('wait'))
    process.kill(manager.pid!, 'SIGSTOP')
    try {
      const released = held.release()
      abort.abort()
      await expect(waiting).rejects.toThrow('aborted')
      lock.close()
      process.kill(manager.pid!, 'SIGCONT')
      await released
    } finally {
      process.kill(manager.pid!, 'SIGCONT')
    }
    await eventually(async () => !(await again.locked))
    again.close()
  })
})

describe('after the connection was lost', () => {
  const authkey = 'the key'

  async function withServer(fn: (address: string) => Promise<void>): Promise<void> {
    const directory = mkdtempSync(join(tmpdir(), 'manager-proxies-'))
    try {
      await fn(join(directory, 'socket'))
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  }

  it('all proxies of a named object are found in another server, and all of one without a name are lost', () =>
    withServer(async (address) => {
      let server = await Manager.serve({ address, authkey, types: TYPES })
      const client = await Manager.connect({ address, authkey })
      const peer = () => Manager.connect({ address, authkey })
      try {
        const named = [await client.dict({}, { name: 'x' }), await client.dict({}, { name: 'x' })] as DictProxy<
          string,
          number
        >[]
        const gone: ListProxy<unknown> = await client.list([])
        const carrier = await client.list<unknown>([gone])
        const goneToo = (await carrier.at(0)) as ListProxy<unknown>
        await server.close()
        server = await Manager.serve({ address, authkey, types: TYPES })
        const other = await peer()
        const theirs = await other.dict<string, number>({ a: 1 }, { name: 'x' })
        await client.reconnect()
        expect(await Promise.all(named.map((proxy) => proxy.get('a')))).toEqual([1, 1])
        expect(named[0]!.equals(named[1])).toBe(true)
        expect(gone.equals(goneToo)).toBe(true)
        expect(gone.equals(carrier)).toBe(false)
        for (const proxy of [gone, goneToo]) await expect(proxy.at(0)).rejects.toThrow(shareError('ERR_NO_OBJECT'))
        // Each counts once in the new server.
        theirs.close()
        named[0]!.close()
        await other.unlink('x')
        expect(await named[1]!.get('a')).toBe(1)
        expect(await counted(other)).toEqual({ dict: 1 })
        named[1]!.close()
        await expect.poll(() => counted(other)).toEqual({})
        other.close()
      } finally {
        client.close()
        await server.close()
      }
    }))

  it('all are reported as lost', () =>
    withServer(async (address) => {
      let server = await Manager.serve({ address, authkey })
      let tell!: (lost: readonly unknown[]) => void
      const found = new Promise<readonly unknown[]>((resolve) => {
        tell = resolve
      })
      const client = await Manager.connect({
        address,
        authkey,
        reconnect: true,
        onReconnect: ({ lost }) => tell(lost),
      })
      try {
        const list = await client.list<unknown>([])
        await list.push(list)
        const again = (await list.at(0)) as ListProxy<unknown>
        const closed = (await list.at(0)) as ListProxy<unknown>
        closed.close()
        await server.close()
        server = await Manager.serve({ address, authkey })
        const lost = await found
        expect(lost.length).toBe(2)
        expect(lost.includes(list) && lost.includes(again)).toBe(true)
      } finally {
        client.close()
        await server.close()
      }
    }))

  it('all continue with the same server, where each counts once', async () => {
    const client = await Manager.connect({ address: manager.address })
    const keeper = await makeBox(observer, 'still')
    const first = attach(keeper.handle) as ManagedProxy & RegisteredProxy<Box>
    first.close()
    const boxes = await client.list<unknown>([keeper])
    const handles = [await boxes.at(0), await boxes.at(0), await boxes.at(0)] as (ManagedProxy & RegisteredProxy<Box>)[]
    client.close()
    handles[0]!.close() // while there is no connection
    await client.reconnect()
    expect(await handles[1]!.get()).toBe('still')
    keeper.close()
    handles[1]!.close()
    await client.names()
    expect(await handles[2]!.get()).toBe('still')
    await expectCounted({ box: 1 })
    handles[2]!.close()
    await client.names()
    await expectCounted({})
    client.close()
  })
})

describe('a child process', () => {
  it('has a proxy for each proxy among its arguments', async () => {
    const box = await makeBox(manager, 0)
    const child = new Process(new URL('../fixtures/managed-handles.mjs', import.meta.url), {
      export: 'closeOneOfTwo',
      args: [box, { again: box }, [box.with({ timeoutMs: 60_000 })]],
    })
    child.start()
    await child.join()
    expect(child.exitCode).toBe(0)
    expect(await box.get()).toBe('set through the last')
    await expectCounted({ box: 1 })
    box.close()
  })
})
