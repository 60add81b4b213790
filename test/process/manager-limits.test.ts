/** The limits of a server: who exceeds one is refused or cut off, others go on, and what it had taken up is free again. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Manager } from 'procshare'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { limitsOf } from '../../lib/manager/server/limits.ts'
import { writeOpening } from '../../lib/manager/wire/handshake.ts'
import { ROOT, writeRequest } from '../../lib/manager/wire/messages.ts'
import { rangeError, shareError, typeError } from '../helpers/error-matchers.ts'
import { eventually } from '../helpers/eventually.ts'
import { within } from '../helpers/fixture.ts'
import { descriptorsOf, makeBox, memoryOf, socketsOf, startManager } from '../helpers/managed-server.ts'
import { RawClient, references } from '../helpers/raw-client.ts'

const MIB = 2 ** 20

let directory: string
let manager: Manager | undefined
const clients: Disposable[] = []
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'manager-limits-'))
})
afterEach(async () => {
  for (const client of clients.splice(0)) client[Symbol.dispose]()
  await manager?.shutdown()
  manager = undefined
  rmSync(directory, { recursive: true, force: true })
})

/** At an address of the test's own: where servers put their sockets by themselves, others that start connect to see which of them live. */
async function start(limits: NonNullable<Parameters<typeof limitsOf>[0]>): Promise<Manager> {
  manager = await startManager({ limits, address: join(directory, 'socket') })
  return manager
}

async function connected(to: Manager): Promise<RawClient> {
  const client = await RawClient.connect(to.address)
  clients.push(client)
  return client
}

async function trusted(to: Manager): Promise<RawClient> {
  const client = await RawClient.trusted(to.address, to.authkey)
  clients.push(client)
  return client
}

const connect = ({ address, authkey }: Manager) => Manager.connect({ address, authkey })

it('invalid limits are refused', () => {
  expect(() => limitsOf({ clients: 0 })).toThrow(rangeError(/options\.limits\.clients/))
  expect(() => limitsOf({ frameBytes: 65_535 })).toThrow(rangeError())
  expect(() => limitsOf({ bufferedBytes: MIB - 1 })).toThrow(rangeError())
  expect(() => limitsOf({ stallMs: '1' as never })).toThrow(typeError())
  expect(() => limitsOf({ frames: 1 } as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }))
})

it('clients: one more is refused with the reason, and accepted when another has closed', async () => {
  const server = await start({ clients: 3 })
  const others = [await connect(server), await connect(server)]
  await expect(connect(server)).rejects.toThrow(shareError('ERR_LIMIT', /as many clients as it allows/))
  expect(await others[1]!.stats()).toMatchObject({ clients: 3, refused: 1 })
  others[0]!.close()
  const another = await eventually(() => connect(server))
  expect(await another.names()).toEqual([])
  another.close()
  others[1]!.close()
})

it('clients: each one beyond the limit receives the reason, however many came before', async () => {
  const server = await start({ clients: 1 })
  for (let i = 0; i < 70; i++) await expect(connect(server)).rejects.toThrow(shareError('ERR_LIMIT'))
  expect((await server.stats()).refused).toBe(70)
})

it('clients that have not authenticated: one more is refused, and authenticated ones are served', async () => {
  const server = await start({ unauthenticated: 4 })
  for (let i = 0; i < 4; i++) await (await connected(server)).next()
  await expect(connect(server)).rejects.toThrow(shareError('ERR_LIMIT'))
  expect(await server.stats()).toMatchObject({ clients: 1, refused: 1 })
  for (const client of clients.splice(0)) client[Symbol.dispose]()
  const another = await eventually(() => connect(server))
  another.close()
})

it('a flood of silent clients takes no more than the limits allow, and nothing afterwards', async () => {
  const server = await start({ unauthenticated: 10, authenticateMs: 2 ** 31 - 1 }) // however long it takes
  const before = descriptorsOf(server.pid!)
  const flood = await Promise.all(Array.from({ length: 300 }, () => connected(server)))
  let closed = 0
  for (const client of flood) void client.closed.then(() => closed++)
  expect(await server.names()).toEqual([])
  await eventually(() => closed === 290 && descriptorsOf(server.pid!) <= before + 10)
  expect(await server.stats()).toMatchObject({ clients: 1, refused: 290, cutOff: 0 })
  for (const client of flood) client[Symbol.dispose]()
  await eventually(() => descriptorsOf(server.pid!) <= before)
  expect(await server.stats()).toMatchObject({ clients: 1, refused: 290 })
})

it('the time to authenticate: silence, and half a proof, end the connection', async () => {
  const server = await start({ authenticateMs: 300 })
  const silent = await connected(server)
  const halfway = await connected(server)
  halfway.send(writeOpening())
  halfway.send(Buffer.from([72, 0, 0, 0, 1, 2, 3]))
  // Long after 300 ms, on any machine, and long before a hundred times as much.
  await within(Promise.all([silent.closed, halfway.closed]), 20_000, () => 'no end')
  expect((await server.stats()).cutOff).toBe(2)
})

it('the length of a message: a longer one is not sent, or ends the connection of its sender', async () => {
  const server = await start({ frameBytes: 64 * 1024 })
  const box = await makeBox(server)
  await expect(box.set('x'.repeat(65_536))).rejects.toThrow(shareError('ERR_LIMIT', /allows at most 65536:/))
  await expect(box.text(65_536)).rejects.toThrow(shareError('ERR_LIMIT', /the reply would have/i))
  await box.set('x'.repeat(65_000))
  expect(server.sync.of(box).get()).toBe('x'.repeat(65_000))
  expect(() => server.sync.of(box).set('x'.repeat(65_536))).toThrow(shareError('ERR_LIMIT'))
  const client = await trusted(server)
  client.send(Buffer.from([1, 0, 1, 0]))
  // Not the stall, which would end it as well, half a minute later.
  expect(await client.farewell()).toBeUndefined()
  expect((await server.stats()).cutOff).toBe(0)
  expect(await box.text(5)).toBe('xxxxx')
})

it('pending calls: one more is refused, and the others continue', async () => {
  const server = await start({ pendingCalls: 10 })
  const client = await trusted(server)
  const box = await client.create('box')
  for (let i = 0; i < 10; i++) client.begin(box, 'wait')
  expect(await client.call(box, 'get')).toEqual(shareError('ERR_LIMIT', /10 pending calls/))
  expect(await server.names()).toEqual([])
  client.send(writeRequest(500, ROOT, 0, 'names', [], references))
  expect((await client.message())?.value).toEqual(shareError('ERR_LIMIT'))
})

it('objects: one more is refused, and granted when the proxy of another was closed', async () => {
  const server = await start({ objects: 3 })
  const boxes = await Promise.all([makeBox(server), makeBox(server), makeBox(server)])
  await expect(makeBox(server)).rejects.toThrow(shareError('ERR_LIMIT', /proxies of 3 objects/))
  expect((await server.stats()).objects).toBe(3)
  const echoed = (await boxes[0]!.echo(boxes[1])) as (typeof boxes)[1]
  expect(echoed!.equals(boxes[1])).toBe(true)
  echoed!.close()
  boxes[2]!.close()
  expect(await (await makeBox(server, 'more')).get()).toBe('more')
})

it('unread replies: the server stops reading from the client, cuts it off if it continues, and frees the memory', async () => {
  const server = await start({ bufferedBytes: 16 * MIB, stallMs: 1000 })
  const sockets = socketsOf(server.pid!)
  const client = await trusted(server)
  const box = await client.create('box')
  client.socket.pause()
  for (let i = 0; i < 200; i++) client.begin(box, 'text', [8 * MIB])
  const other = await makeBox(server, 1)
  await eventually(async () => {
    expect(await other.get()).toBe(1)
    expect(memoryOf(server.pid!)).toBeLessThan(500 * MIB)
    return (await server.stats()).clients === 1
  })
  expect((await server.stats()).cutOff).toBe(1)
  // Not even the socket is left, although nobody reads the rest of it.
  await eventually(() => socketsOf(server.pid!) <= sockets)
})

it('unread replies of pending calls: the client is cut off', async () => {
  const server = await start({ bufferedBytes: 4 * MIB, stallMs: 2 ** 31 - 1 }) // not because it stalls
  const client = await trusted(server)
  const box = await client.create('box')
  client.socket.pause()
  // All at once: of a client with unread replies the server reads no more calls.
  client.socket.cork()
  for (let i = 0; i < 100; i++) client.begin(box, 'textLater', [MIB])
  client.socket.uncork()
  await eventually(async () => (await server.stats()).clients === 1)
  expect((await server.stats()).cutOff).toBe(1)
  expect(memoryOf(server.pid!)).toBeLessThan(500 * MIB)
})

it('many long replies all arrive when they are read', async () => {
  const server = await start({ bufferedBytes: MIB })
  const box = await makeBox(server)
  const texts = await Promise.all(Array.from({ length: 40 }, () => box.text(2 * MIB)))
  expect(texts.map((text) => text.length)).toEqual(new Array(40).fill(2 * MIB))
  expect((await server.stats()).cutOff).toBe(0)
})

it('a stall in the middle of a message ends the connection; a silence between messages does not', async () => {
  const server = await start({ stallMs: 300 })
  const client = await trusted(server)
  const quiet = await trusted(server)
  const call = writeRequest(1, ROOT, 0, 'names', [], references)
  client.send(call.subarray(0, 10))
  expect(await client.farewell()).toEqual(shareError('ERR_DISCONNECTED', /stopped in the middle of a message/))
  await client.closed
  expect(await quiet.call(ROOT, 'names')).toEqual([])
})

it('a client is not cut off while its messages move, however slowly', async () => {
  const server = await start({ stallMs: 2500 }) // a busy machine takes its time as well
  const client = await trusted(server)
  const call = writeRequest(1, ROOT, 0, 'names', [], references)
  const until = performance.now() + 5000
  // Cut so that it is always in the middle of a message.
  client.send(call.subarray(0, 10))
  while (performance.now() < until) {
    client.send(Buffer.concat([call.subarray(10), call.subarray(0, 10)]))
    expect((await client.message())?.value).toEqual([])
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  expect((await server.stats()).cutOff).toBe(0)
})
