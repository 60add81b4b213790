/** Connecting again after the connection was lost: to the same server, to another one, and after attempts in vain. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Manager, type ManagerServer, type Reconnection } from 'procshare'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { HeldHandle } from '../../lib/memory/segment.ts'
import { FOR_CHILD } from '../../lib/memory/shareable.ts'
import { shareError } from '../helpers/error-matchers.ts'
import { eventually } from '../helpers/eventually.ts'
import { type Box, makeBox, TYPES } from '../helpers/managed-server.ts'
import { turns } from '../helpers/turns.ts'

const authkey = 'the key'
let directory: string
let address: string
let server: ManagerServer
let manager: Manager

const serve = () => Manager.serve({ address, authkey, types: TYPES })

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'manager-reconnect-'))
  address = join(directory, 'socket')
  server = await serve()
  manager = await Manager.connect({ address, authkey })
})
afterEach(async () => {
  manager.close()
  await server.close()
  rmSync(directory, { recursive: true, force: true })
})

/** The server ends, and another one takes its place. */
async function replaceServer(): Promise<void> {
  await server.close()
  server = await serve()
}

async function expectLost(): Promise<void> {
  await expect(manager.names()).rejects.toThrow(shareError('ERR_DISCONNECTED'))
}

it('named objects are found again in another server, others are not', async () => {
  const named = await makeBox(manager, 1, 'named')
  const other = await makeBox(manager, 2)
  await replaceServer()
  await expectLost()
  using peer = { manager: await Manager.connect({ address, authkey }), [Symbol.dispose]: () => peer.manager.close() }
  // The number of the object of before is that of something else now.
  const strange = await makeBox(peer.manager, 'strange')
  const theirs = await makeBox(peer.manager, 3, 'named')
  await manager.reconnect()
  expect(await named.get()).toBe(3)
  await expect(other.get()).rejects.toThrow(shareError('ERR_NO_OBJECT'))
  await theirs.set(4)
  expect(await named.get()).toBe(4)
  expect(await strange.get()).toBe('strange')
})

it('a lost object stays lost, however many servers follow', async () => {
  const lost = await makeBox(manager, 'mine')
  for (let i = 0; i < 3; i++) {
    await replaceServer()
    await expectLost()
    await manager.reconnect()
    await makeBox(manager, 'not mine')
    await expect(lost.get()).rejects.toThrow(shareError('ERR_NO_OBJECT'))
  }
})

it('a named object that the new server does not have is lost, and the others are found', async () => {
  const first = await makeBox(manager, 1, 'first')
  const second = await makeBox(manager, 2, 'second')
  await replaceServer()
  await expectLost()
  using peer = { manager: await Manager.connect({ address, authkey }), [Symbol.dispose]: () => peer.manager.close() }
  await makeBox(peer.manager, 22, 'second')
  await manager.reconnect()
  await expect(first.get()).rejects.toThrow(shareError('ERR_NO_OBJECT'))
  expect(await second.get()).toBe(22)
})

it('a failed attempt to reconnect changes nothing, and is possible at once when a call has failed', async () => {
  const named = await makeBox(manager, 1, 'named')
  const pending = named.wait()
  const again = pending.catch(() => manager.reconnect())
  const rejected = expect(again).rejects.toThrow(expect.objectContaining({ name: 'ShareError' }))
  await server.close()
  await rejected
  await expect(manager.reconnect()).rejects.toThrow(shareError('ENOENT'))
  await expectLost()
  server = await serve()
  const [first, second] = [manager.reconnect(), manager.reconnect()]
  await expect(manager.names()).rejects.toThrow(shareError('ERR_DISCONNECTED', /being established again/))
  await Promise.all([first, second])
  expect(manager.isConnected).toBe(true)
  await expect(named.get()).rejects.toThrow(shareError('ERR_NO_OBJECT'))
  const made = await makeBox(manager, 2, 'named')
  expect(await made.get()).toBe(2)
})

it('at the same server all live objects are found again, also after failed attempts', async () => {
  const named = await makeBox(manager, 1, 'named')
  const kept = await makeBox(manager, 2)
  const forgotten = await makeBox(manager, 3)
  using peer = { manager: await Manager.connect({ address, authkey }), [Symbol.dispose]: () => peer.manager.close() }
  const holder = await makeBox(peer.manager, null, 'holder')
  await (await makeBox(manager, null, 'holder')).set(kept)
  manager.close()
  await expect(manager.names()).rejects.toThrow(shareError('ERR_CLOSED'))
  await eventually(async () => (await peer.manager.stats()).clients === 1)
  // Read by somebody, the object that only another one contains has its number again.
  const theirs = (await holder.get()) as typeof kept
  const inVain = expect(manager.reconnect()).rejects.toThrow(shareError('ERR_CLOSED'))
  manager.close()
  await inVain
  await manager.reconnect()
  expect(await named.get()).toBe(1)
  expect(await kept.get()).toBe(2)
  expect(await theirs.get()).toBe(2)
  await expect(forgotten.get()).rejects.toThrow(shareError('ERR_NO_OBJECT'))
  expect((await makeBox(manager, 5)) as unknown as Box).toBeDefined()
})

it('automatically, with the option: named objects continue, and lost ones are reported', async () => {
  const found: Reconnection[] = []
  const client = await Manager.connect({ address, authkey, reconnect: true, onReconnect: (one) => found.push(one) })
  let hasClosed = false
  void client.closed.then(() => {
    hasClosed = true
  })
  const named = await makeBox(client, 1, 'named')
  const absent = await makeBox(client, 2, 'absent')
  const other = await makeBox(client, 3)
  for (let round = 1; round <= 2; round++) {
    await server.close()
    await expect(named.get()).rejects.toThrow(shareError('ERR_DISCONNECTED'))
    server = await serve()
    const peer = await Manager.connect({ address, authkey })
    await makeBox(peer, round, 'named')
    peer.close()
    await eventually(() => found.length === round)
    expect(await named.get()).toBe(round)
    expect(found.at(-1)).toMatchObject({ isSameServer: false })
    expect(new Set(found.at(-1)!.lost)).toEqual(new Set([absent, other]))
    await expect(other.get()).rejects.toThrow(shareError('ERR_NO_OBJECT'))
  }
  await server.close()
  await eventually(() => !client.isConnected)
  expect(hasClosed).toBe(false)
  client.close()
  expect(await client.closed).toBeUndefined()
  await expect(client.names()).rejects.toThrow(shareError('ERR_CLOSED'))
})

/** Another client. */
async function connectPeer(): Promise<{ readonly manager: Manager } & Disposable> {
  const manager = await Manager.connect({ address, authkey })
  return { manager, [Symbol.dispose]: () => manager.close() }
}

/** A hold on the object of a proxy, as that which a Process has on its arguments. */
const holdOf = (proxy: object) => (proxy as { [FOR_CHILD](): HeldHandle })[FOR_CHILD]()

/** The number of an object in its server. */
const numberOf = ({ handle }: { readonly handle: { readonly id: string } }) => JSON.parse(handle.id)[1] as number

it('a proxy that is closed while its object is being found again has no reference in the new server', async () => {
  const named = await makeBox(manager, 1, 'named')
  await server.close()
  server = await Manager.serve({ address, authkey, types: TYPES, limits: { objects: 1 } })
  await expectLost()
  using peer = await connectPeer()
  await makeBox(peer.manager, 3, 'named')
  const again = manager.reconnect()
  while (!manager.isConnected) await turns(1)
  named.close() // it was asked for, and the answer is on its way
  await again
  const other = await makeBox(manager, 2) // one more would be one too many
  expect(await other.get()).toBe(2)
  await expect(named.get()).rejects.toThrow(shareError('ERR_CLOSED'))
})

it('an object that was kept for a child in a former server is not released in the next one', async () => {
  const before = await makeBox(manager, 1)
  const hold = holdOf(before)
  await replaceServer()
  await expectLost()
  await manager.reconnect()
  const after = await makeBox(manager, 2)
  expect(numberOf(after)).toBe(JSON.parse(hold.handle.id)[1])
  hold.release()
  expect(await after.get()).toBe(2)
})

it('an object that is kept for a child is kept again in the same server, besides its proxies', async () => {
  const box = await makeBox(manager, 1)
  const hold = holdOf(box)
  const second = holdOf(box)
  using peer = await connectPeer()
  const holder = await makeBox(peer.manager, null, 'holder')
  await (await makeBox(manager, null, 'holder')).set(box)
  const theirs = (await holder.get()) as typeof box // keeps its number while nobody else has it
  manager.close()
  await eventually(async () => (await peer.manager.stats()).clients === 1)
  await manager.reconnect()
  theirs.close()
  await peer.manager.names()
  hold.release()
  expect(await box.get()).toBe(1)
  const objects = async () => (await manager.stats()).objects
  expect(await objects()).toBe(2)
  box.close()
  expect(await objects()).toBe(2)
  second.release()
  expect(await objects()).toBe(1)
})

it('the guard of a lock in a former server does not release the lock of that name in the next one', async () => {
  const lock = await manager.Lock('named')
  const guard = await lock.acquire()
  await replaceServer()
  await expectLost()
  using peer = await connectPeer()
  await peer.manager.Lock('named')
  await manager.reconnect()
  const again = await lock.acquire()
  await expect(guard.release()).rejects.toThrow(shareError('ERR_NOT_OWNER'))
  expect(await lock.locked).toBe(true)
  await again.release()
})
