/** Who keeps an object of a manager: proxies, names, other objects. When nobody does, the server has it no more. */
import { attach, type ManagedProxy, Manager, type RegisteredProxy } from 'procshare'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { eventually } from '../helpers/eventually.ts'
import { type Box, descriptorsOf, makeBox, memoryOf, startManager } from '../helpers/managed-server.ts'

const collect = globalThis.gc!

let manager: Manager
let other: Manager
beforeAll(async () => {
  manager = await startManager()
  other = await Manager.connect({ address: manager.address })
})
afterAll(async () => {
  other?.close()
  await manager?.shutdown()
})

const objects = async () => (await manager.stats()).objects

/** Whatever a test has made, nothing of it is left in the server. */
afterEach(async () => {
  await eventually(async () => {
    collect()
    return (await objects()) === 0
  })
  expect(await manager.debugInfo()).toEqual([])
})

it('a closed proxy drops its reference, once', async () => {
  const box = await makeBox(manager, 1)
  expect(await objects()).toBe(1)
  box.close()
  box.close()
  expect(await objects()).toBe(0)
})

it('collected proxies drop their references', async () => {
  for (let i = 0; i < 200; i++) await makeBox(manager, i)
  await eventually(async () => {
    collect()
    return (await objects()) === 0
  })
})

it('an object that was received several times has as many references, which are all dropped', async () => {
  const box = await makeBox(manager)
  const carrier = await makeBox(manager)
  for (let i = 0; i < 10; i++) {
    const echoed = (await carrier.echo([box, box, { box }])) as [typeof box, typeof box, { box: typeof box }]
    const [first, second, deep] = echoed
    expect(second === first && deep.box === first && first.equals(box)).toBe(true)
    expect(first === box).toBe(false)
    first.close()
  }
  expect(await box.get()).toBe(undefined)
  box.close()
  expect(await objects()).toBe(1)
  carrier.close()
})

it('an object that is received while its UNREF is under way exists', async () => {
  const carrier = await makeBox(manager)
  const inside = await makeBox(manager, 'inside')
  await carrier.set(inside)
  inside.close()
  for (let i = 0; i < 20; i++) {
    const proxy = (await carrier.get()) as RegisteredProxy<Box>
    const again = carrier.get()
    proxy.close()
    const received = (await again) as RegisteredProxy<Box>
    expect(await received.get()).toBe('inside')
    received.close()
  }
  await carrier.set(null)
  carrier.close()
})

it('an object that only another object contains lives as long as that, and has no number then', async () => {
  const outer = await makeBox(manager)
  const inner = await makeBox(manager, 'inner')
  await outer.set({ deep: [inner] })
  inner.close()
  expect(await objects()).toBe(1)
  const { deep } = (await outer.get()) as { deep: [RegisteredProxy<Box>] }
  expect(await deep[0].get()).toBe('inner')
  expect(await objects()).toBe(2)
  deep[0].close()
  outer.close()
})

it('lists contain objects, also in a circle, and release them', async () => {
  const list = await manager.list<unknown>([])
  const box = await makeBox(manager, 'kept')
  await list.push(box, list)
  box.close()
  expect(await objects()).toBe(1)
  const back = (await list.at(0)) as RegisteredProxy<Box>
  expect(await back.get()).toBe('kept')
  const itself = (await list.at(1)) as typeof list
  expect(itself.equals(list)).toBe(true)
  itself.close()
  back.close()
  list.close()
})

it('a handle does not keep an object; a client that attaches by it does', async () => {
  const box = await makeBox(other, 'handed over')
  const text = JSON.stringify(box)
  const taken = attach(JSON.parse(text)) as ManagedProxy & RegisteredProxy<Box>
  expect(await taken.get()).toBe('handed over')
  box.close()
  expect(await other.names()).toEqual([])
  expect(await taken.get()).toBe('handed over')
  taken.close()
  expect(await manager.names()).toEqual([])
  await eventually(async () => (await objects()) === 0)
  const late = attach(JSON.parse(text)) as ManagedProxy & RegisteredProxy<Box>
  await expect(late.get()).rejects.toThrow(expect.objectContaining({ code: 'ERR_NO_OBJECT' }))
  late.close()
})

it('a name keeps an object until it is unlinked, and proxies keep it after that', async () => {
  const box = await makeBox(manager, 'named', 'name')
  box.close()
  expect(await objects()).toBe(1)
  const theirs = await makeBox(other, 'ignored', 'name')
  expect(await theirs.get()).toBe('named')
  expect(await manager.unlink('name')).toBe(true)
  expect(await manager.unlink('name')).toBe(false)
  expect(await theirs.get()).toBe('named')
  theirs.close()
})

it('each form of a client keeps an object separately', async () => {
  const box = await makeBox(manager, 1)
  const blocking = manager.sync.of(box)
  expect(blocking.get()).toBe(1)
  expect((await manager.debugInfo())[0]?.clients).toBe(2)
  box.close()
  expect(blocking.get()).toBe(1)
  ;(blocking as unknown as Disposable)[Symbol.dispose]()
  manager.sync.names()
})

it('a thousand clients connect, work and close, and leave nothing', async () => {
  const pid = manager.pid!
  const { address } = manager
  const before = { descriptors: descriptorsOf(pid), own: descriptorsOf(process.pid), memory: memoryOf(pid) }
  for (let round = 0; round < 10; round++) {
    const clients = await Promise.all(Array.from({ length: 100 }, () => Manager.connect({ address })))
    await Promise.all(
      clients.map(async (client, index) => {
        const box = await makeBox(client, index)
        expect(await box.get()).toBe(index)
        void box.wait().catch(() => {})
        client.close()
      }),
    )
  }
  await eventually(async () => {
    const { clients, objects: left, accepted } = await manager.stats()
    expect(accepted).toBeGreaterThan(1000)
    return clients <= 3 && left === 0 && descriptorsOf(pid) <= before.descriptors
  })
  await eventually(() => descriptorsOf(process.pid) <= before.own)
  expect(memoryOf(pid) - before.memory).toBeLessThan(300 * 2 ** 20)
})
