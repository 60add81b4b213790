/**
 * Clients that have so much to say that they go on in shared memory: in order, with the same limits as over a socket, and only where
 * both sides can.
 */
import { type Connection, Manager, Pipe } from 'procshare'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { FrameReader } from '../../lib/manager/wire/framing.ts'
import {
  GOODBYE,
  ROOT,
  readServerMessage,
  readValue,
  writeRequest,
  writeSwitch,
} from '../../lib/manager/wire/messages.ts'
import { shareError } from '../helpers/error-matchers.ts'
import { eventually } from '../helpers/eventually.ts'
import { descriptorsOf, makeBox, ringsOf, startManager, warmUp } from '../helpers/managed-server.ts'
import { RawClient, references } from '../helpers/raw-client.ts'

const MIB = 2 ** 20
const STALL_MS = 500

let manager: Manager
beforeAll(async () => {
  manager = await startManager({ limits: { bufferedBytes: MIB, stallMs: STALL_MS } })
})
afterAll(() => manager?.shutdown())

describe.each([
  ['a private socket', {}],
  ['a port', { address: { host: '127.0.0.1', port: 0 } }],
])('a client that has much to say at %s', (_where, options) => {
  let server: Manager
  // Where a test is left out because there are no ports, there is no server either.
  beforeEach(async () => {
    server ??= await startManager(options)
  })
  afterAll(() => server?.shutdown())

  const connect = () => Manager.connect({ address: server.address, authkey: server.authkey })

  it('continues in shared memory, is the same client, and leaves nothing', async () => {
    await server.names()
    const before = { descriptors: descriptorsOf(server.pid!), rings: ringsOf() }
    const client = await connect()
    const box = await makeBox(client, 'mine')
    expect(ringsOf()).toBe(before.rings)
    await warmUp(box)
    expect(await box.get()).toBe('mine')
    expect(await server.stats()).toMatchObject({ clients: 2 })
    client.close()
    await eventually(() => ringsOf() === before.rings && descriptorsOf(server.pid!) <= before.descriptors)
  })

  it('has its calls served in their order, also during the switch', async () => {
    const before = ringsOf()
    for (let round = 0; round < 20; round++) {
      await eventually(() => ringsOf() === before) // what the last client had is gone
      await using client = await connect()
      const list = await client.list<number>()
      const calls: Promise<unknown>[] = []
      for (let i = 0; i < 1000; i++) {
        calls.push(list.push(i))
        if (i % 7 === 0) await new Promise(setImmediate)
      }
      await Promise.all(calls)
      expect(ringsOf()).toBe(before + 1)
      expect(await list.slice()).toEqual(Array.from({ length: 1000 }, (_, i) => i))
    }
  })

  it('sends and receives messages longer than the rings', async () => {
    await using client = await connect()
    const box = await makeBox(client)
    await warmUp(box)
    const bytes = new Uint8Array(20 * MIB).map((_, i) => i % 251)
    const [echoed, text] = await Promise.all([box.echo(bytes), box.text(10 * MIB), box.get()])
    expect(Buffer.compare(echoed as Uint8Array, bytes)).toBe(0)
    expect(text).toBe('x'.repeat(10 * MIB))
    expect(await box.text(MIB)).toHaveLength(MIB) // and goes on
    expect(await box.echo(bytes.subarray(0, 5))).toEqual(bytes.subarray(0, 5))
  })
})

it('a client that makes few calls stays on its socket', async () => {
  await using client = await Manager.connect({ address: manager.address, authkey: manager.authkey })
  const box = await makeBox(client)
  const before = ringsOf()
  for (let i = 0; i < 60; i++) await box.get()
  await new Promise((resolve) => setTimeout(resolve, 1100))
  for (let i = 0; i < 60; i++) await box.get()
  expect(ringsOf()).toBe(before)
})

describe('a client that is written by hand', () => {
  const trusted = () => RawClient.trusted(manager.address, manager.authkey)
  const framesTo = (rings: Connection<unknown>, ...frames: Uint8Array[]) => {
    for (const frame of frames) rings.sendSync(new Uint8Array(frame))
  }

  /** One that speaks through rings. */
  async function inRings(): Promise<[RawClient, Connection<unknown>]> {
    const client = await trusted()
    const [ours, theirs] = new Pipe<unknown>({ byteLength: 64 * 1024 })
    expect(await client.call(ROOT, 'takeRings', [theirs.handle])).toBe(true)
    theirs.close()
    client.send(writeSwitch())
    return [client, ours]
  }

  it.each([
    ['nothing', undefined],
    ['no handle', { procshare: 2 }],
    ['the handle of something else', 'rings'],
    [
      'a handle of nothing',
      { procshare: 1, kind: 'Connection', name: 'not-there', id: 'AAAAAAAAAAAAAAAAAAAAAA', cell: 0 },
    ],
  ])('is not believed when it offers %s', async (_what, offer) => {
    using client = await trusted()
    const offered = offer === 'rings' ? client.about!.rings : offer
    expect(await client.call(ROOT, 'takeRings', [offered])).toBe(false)
    expect(await client.call(ROOT, 'names')).toEqual([])
  })

  it('gets rings once', async () => {
    const [client, ours] = await inRings()
    using other = new Pipe<unknown>()
    framesTo(ours, writeRequest(1, ROOT, 0, 'takeRings', [other[1].handle], references))
    const reply = (await ours.recv({ timeoutMs: 20_000 })) as Uint8Array
    expect(Buffer.from(reply).includes(Buffer.from([0xc2]))).toBe(true) // false in MessagePack
    client[Symbol.dispose]()
    ours.close()
  })

  it('cannot switch without rings', async () => {
    using client = await trusted()
    client.send(writeSwitch())
    expect(await client.farewell()).toEqual(shareError('ERR_PROTOCOL', /which was not offered/))
    await client.closed
  })

  /** What the server has said through the rings of why it has ended them; undefined when it did not say. */
  async function farewellIn(rings: Connection<unknown>): Promise<unknown> {
    const reader = new FrameReader(MIB)
    const reasons: unknown[] = []
    try {
      for (;;) {
        reader.push(Buffer.from((await rings.recv({ timeoutMs: 20_000 })) as Uint8Array), (frame) => {
          const message = readServerMessage(frame)
          if (message.kind === GOODBYE) reasons.push(readValue(message, references))
          return true
        })
      }
    } catch (error) {
      expect(error).toEqual(shareError('ERR_ENDED'))
    }
    expect(reasons.length).toBeLessThan(2)
    return reasons[0]
  }

  it.each([
    ['something that is no bytes', { some: 'object' }, undefined],
    ['a message that is none', new Uint8Array([4, 0, 0, 0, 99, 0, 0, 0]), ['ERR_PROTOCOL', /too short/]],
    [
      'a message of an unknown kind',
      new Uint8Array([8, 0, 0, 0, 99, 0, 0, 0, 0, 0, 0, 0]),
      ['ERR_PROTOCOL', /unknown kind 99/],
    ],
    ['a frame that is too long', new Uint8Array([255, 255, 255, 255]), undefined],
    [
      'the beginning of a frame, and stops',
      new Uint8Array([200, 0, 0, 0, 1]),
      ['ERR_DISCONNECTED', /in the middle of a message/],
    ],
  ] as const)(
    'is cut off when it puts %s into its rings, and told why if it could understand that',
    async (_what, item, reason) => {
      const { cutOff } = await manager.stats()
      const [client, ours] = await inRings()
      ours.sendSync(item)
      expect(await farewellIn(ours)).toEqual(reason === undefined ? undefined : shareError(reason[0], reason[1]))
      await client.closed
      ours.close()
      // What is no stream of frames ends at once, and not because it stops.
      expect((await manager.stats()).cutOff).toBe(reason === undefined ? cutOff : cutOff + 1)
    },
  )

  it('is cut off when it sends requests and never reads', async () => {
    const { cutOff } = await manager.stats()
    const [client, ours] = await inRings()
    const box = (await (await trusted()).create('box')) as number
    for (let i = 1; i <= 50; i++) {
      try {
        ours.sendSync(new Uint8Array(writeRequest(i, box, 0, 'text', [200_000], references)), { timeoutMs: 5000 })
      } catch {
        break
      }
    }
    await client.closed
    ours.close()
    expect((await manager.stats()).cutOff).toBe(cutOff + 1)
  })

  it('ends with its rings, and with its socket', async () => {
    const before = await manager.stats()
    const [first, ringsOfFirst] = await inRings()
    const [second, ringsOfSecond] = await inRings()
    ringsOfFirst.close()
    await first.closed
    second[Symbol.dispose]()
    await expect(ringsOfSecond.recv({ timeoutMs: 20_000 })).rejects.toThrow(shareError('ERR_ENDED'))
    ringsOfSecond.close()
    await eventually(async () => (await manager.stats()).clients === before.clients)
  })
})
