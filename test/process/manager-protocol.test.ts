/** Clients that do not keep to the protocol: each is told why and sent away, and the others notice nothing. */
import type { Manager } from 'procshare'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { REFUSED, readHello, writeOpening, writeProof } from '../../lib/manager/wire/handshake.ts'
import { ROOT, writeCancel, writeRef, writeRequest, writeUnref } from '../../lib/manager/wire/messages.ts'
import { shareError } from '../helpers/error-matchers.ts'
import { eventually } from '../helpers/eventually.ts'
import { makeBox, startManager } from '../helpers/managed-server.ts'
import { RawClient, Ref, references } from '../helpers/raw-client.ts'

let manager: Manager
beforeAll(async () => {
  manager = await startManager()
})
afterAll(() => manager?.shutdown())

const trusted = () => RawClient.trusted(manager.address, manager.authkey)

/** A frame of the bytes. */
function frameOf(...bytes: number[]): Buffer {
  const frame = Buffer.from([0, 0, 0, 0, ...bytes])
  frame.writeUInt32LE(bytes.length, 0)
  return frame
}

/** A call whose arguments are those bytes. */
function callOf(method: string, format: number, body: Uint8Array, target = ROOT): Buffer {
  const call = writeRequest(7, target, 0, method, [], references)
  const frame = Buffer.concat([call.subarray(0, 20 + method.length), body])
  frame.writeUInt32LE(frame.byteLength - 4, 0)
  frame[5] = format
  return frame
}

describe('a client that has not proved that it knows the key', () => {
  const { KEY, VERSION } = REFUSED
  /** A frame that is too long is nothing that could be answered. */
  const TOO_LONG = undefined

  it.each([
    ['says nothing that is known', Buffer.from('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n'), TOO_LONG],
    ['speaks another version', (() => Buffer.from(writeOpening()).fill(9, 8, 9))(), VERSION],
    [
      'sends a call instead of its proof',
      Buffer.concat([writeOpening(), writeRequest(1, 0, 0, 'names', [], references)]),
      VERSION,
    ],
    ['sends a proof that is too short', Buffer.concat([writeOpening(), writeOpening()]), KEY],
    [
      'proves something else',
      Buffer.concat([writeOpening(), writeProof(Buffer.from('?'), Buffer.alloc(32), Buffer.alloc(32))]),
      KEY,
    ],
    ['promises a long frame', Buffer.from([0xff, 0xff, 0xff, 0xff]), TOO_LONG],
  ])('and %s is told so, and sent away', async (_title, bytes, reason) => {
    const { cutOff } = await manager.stats()
    using client = await RawClient.connect(manager.address)
    client.send(bytes)
    readHello((await client.next())!, 'it')
    expect((await client.next())?.readUInt16LE(6)).toBe(reason)
    await client.closed
    // Not for its time, which would count.
    expect((await manager.stats()).cutOff).toBe(reason === TOO_LONG ? cutOff : cutOff + 1)
    expect(await manager.names()).toEqual([])
  })
})

describe('a client that breaks off', () => {
  it('with GOODBYE receives the reason, and other clients continue', async () => {
    const box = await makeBox(manager, 1)
    for (const [bytes, reason] of [
      [frameOf(), /too short/],
      [frameOf(9, 0, 0, 0, 0, 0, 0, 0), /unknown kind 9/],
      [frameOf(1, 0, 0, 0, 0, 0, 0, 0), /names no method/],
      [frameOf(3, 0, 0, 0, 0, 0, 0, 0), /UNREF that is too short/],
    ] as const) {
      using client = await trusted()
      client.send(bytes)
      expect(await client.farewell()).toEqual(shareError('ERR_PROTOCOL', reason))
      await client.closed
      expect(await box.get()).toBe(1)
    }
    box.close()
  })

  it('because it used the id of a pending request again', async () => {
    using client = await trusted()
    const box = await client.create('box')
    const wait = writeRequest(99, box, 0, 'wait', [], references)
    client.send(Buffer.concat([wait, wait]))
    expect(await client.farewell()).toEqual(shareError('ERR_PROTOCOL', /a second request with the id 99/))
  })
})

describe('a call that is well-formed and wrong', () => {
  it.each([
    ['an unknown object', 'get', 12345, 'ERR_NO_OBJECT'],
    ['the largest number', 'get', 2 ** 32 - 1, 'ERR_NO_OBJECT'],
    ['__proto__', '__proto__', ROOT, 'ERR_NOT_EXPOSED'],
    ['constructor', 'constructor', ROOT, 'ERR_NOT_EXPOSED'],
    ['toString', 'toString', ROOT, 'ERR_NOT_EXPOSED'],
    ['hasOwnProperty', 'hasOwnProperty', ROOT, 'ERR_NOT_EXPOSED'],
    ['a method of nobody', 'sh\xfbtdown', ROOT, 'ERR_NOT_EXPOSED'],
  ])('to %s is answered by an error', async (_title, method, target, code) => {
    using client = await trusted()
    expect(await client.call(target, method)).toEqual(shareError(code as 'ERR_NO_OBJECT'))
    expect(await client.call(ROOT, 'names')).toEqual([])
  })

  it('to an inherited method of a registered type is answered by an error', async () => {
    using client = await trusted()
    const box = await client.create('box')
    for (const method of ['__proto__', 'constructor', 'toString', 'valueOf', '__defineGetter__', 'then']) {
      expect(await client.call(box, method)).toEqual(shareError('ERR_NOT_EXPOSED'))
    }
  })

  it.each([
    ['are no array', 0, [0x80]],
    ['are in an unknown format', 9, [0x90]],
    ['promise more than there is', 0, [0xdd, 0xff, 0xff, 0xff, 0xff]],
    ['are nothing', 0, []],
    ['refer to an object that is not there', 1, [0x91, 0xc7, 0, 0x48, 0x91, 0x05]],
    ['refer to nothing', 1, [0x91, 0xd4, 0x48, 0, 0x05]],
    ['are followed by something', 0, [0x90, 0x90]],
  ])('whose arguments %s is answered by an error', async (_title, format, body) => {
    using client = await trusted()
    client.send(callOf('names', format, Uint8Array.from(body)))
    expect((await client.message())?.value).toEqual(expect.objectContaining({ name: 'ShareError' }))
    expect(await client.call(ROOT, 'names')).toEqual([])
  })

  it('to release the ownership of another client is answered by an error, and releases nothing', async () => {
    using owner = await trusted()
    using other = await trusted()
    const lock = await owner.create('Lock')
    const { ownershipId } = (await owner.call(lock, 'acquire')) as { ownershipId: number }
    expect(await other.call(lock, 'releaseOwnership', [ownershipId])).toEqual(shareError('ERR_NOT_OWNER'))
    expect(await other.call(lock, 'locked')).toBe(true)
    expect(await owner.call(lock, 'releaseOwnership', [ownershipId])).toBe(false)
    expect(await owner.call(lock, 'locked')).toBe(false)
  })

  it('with more arguments than any function takes is answered by an error', async () => {
    using client = await trusted()
    const box = await client.create('box')
    const many = new Array(1_000_000).fill(0)
    expect(await client.call(box, 'echo', many)).toEqual(expect.objectContaining({ name: 'RangeError' }))
    expect(await client.call(box, 'echo', [5])).toBe(5)
  })

  it('deeply nested, or with parts that occur again and again, is answered at once', async () => {
    using client = await trusted()
    const box = await client.create('box')
    let graph: unknown[] = ['bottom']
    for (let i = 0; i < 60; i++) graph = [graph, graph]
    const call = writeRequest(7, box, 0, 'echo', graph, references)
    const longer = Buffer.concat([call, Buffer.from([0])])
    longer.writeUInt32LE(longer.byteLength - 4, 0)
    client.send(longer)
    expect((await client.message())?.value).toEqual(shareError('ERR_PROTOCOL'))
    client.send(callOf('echo', 0, new Uint8Array(1_000_000).fill(0x91), box))
    expect((await client.message())?.value).toEqual(shareError('ERR_PROTOCOL'))
    expect(await client.call(box, 'echo', [5])).toBe(5)
  })
})

describe('the references of clients to an object', () => {
  it('are counted for each client separately, whatever one of them sends', async () => {
    await eventually(async () => (await manager.stats()).objects === 0)
    const box = await makeBox(manager, 'kept')
    const id = (await manager.debugInfo())[0]!.id
    using client = await trusted()
    // What it does not hold it cannot release, and what it holds no more often than it does.
    client.send(writeUnref(id, 5))
    client.send(writeRef(id))
    client.send(writeUnref(id, 0))
    client.send(writeUnref(id, 2 ** 32 - 1))
    client.send(writeUnref(id, 1))
    client.send(writeRef(4_000_000))
    client.send(writeUnref(4_000_000, 1))
    client.send(writeCancel(4_000_000))
    expect(await client.call(ROOT, 'names')).toEqual([])
    expect(await box.get()).toBe('kept')
    const own = await client.create('box')
    expect(await client.call(own, 'echo', [new Ref(own)])).toEqual(new Ref(own))
    client.send(writeUnref(own, 2))
    expect(await client.call(own, 'get')).toEqual(shareError('ERR_NO_OBJECT'))
    box.close()
    await eventually(async () => (await manager.stats()).objects === 0)
  })

  it('do not include objects of a reply that could not be sent', async () => {
    const box = await makeBox(manager)
    const { id } = (await manager.debugInfo())[0]!
    using client = await trusted()
    const own = await client.create('box')
    // An object that is new to this client, in a reply that is too long: it never hears of it.
    expect(await client.call(own, 'withText', [new Ref(id), 65 * 2 ** 20])).toEqual(shareError('ERR_LIMIT'))
    expect((await manager.debugInfo()).find((info) => info.id === id)?.clients).toBe(1)
    box.close()
    await eventually(async () => (await manager.stats()).objects === 1)
  })
})
