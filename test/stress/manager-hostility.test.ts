/**
 * Random conversations of clients that mean harm, or are broken, over sockets and over rings, while a well-behaved client works: it must
 * not notice, and the server must neither end nor grow.
 */
import fc, { type Arbitrary } from 'fast-check'
import { type Handle, type Manager, Pipe, Queue, type RegisteredProxy } from 'procshare'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { FrameReader } from '../../lib/manager/wire/framing.ts'
import { newNonce, readHello, readWelcome, writeOpening, writeProof } from '../../lib/manager/wire/handshake.ts'
import { ROOT, writeSwitch } from '../../lib/manager/wire/messages.ts'
import { eventually } from '../helpers/eventually.ts'
import { type Conversation, conversation, piecesOf } from '../helpers/hostile-messages.ts'
import { type Box, descriptorsOf, makeBox, memoryOf, startManager } from '../helpers/managed-server.ts'
import { RawClient } from '../helpers/raw-client.ts'
import { announce, STRESS_TIMEOUT_MS, settings } from './settings.ts'

const RING_BYTES = 64 * 1024
const MIB = 2 ** 20

let manager: Manager
let box: RegisteredProxy<Box>
let rings: Handle
let before: { descriptors: number; objects: number }
beforeAll(async () => {
  manager = await startManager({ limits: { authenticateMs: 30_000, stallMs: 5000, objects: 1000, pendingCalls: 100 } })
  // Those who know the key may do with every object what they like: ours is not among the numbers that they try.
  for (let i = 0; i < 30; i++) (await makeBox(manager)).close()
  box = await makeBox(manager, 'mine')
  using client = await RawClient.trusted(manager.address, manager.authkey)
  rings = client.about!.rings as Handle
  manager.sync.names()
  before = { descriptors: descriptorsOf(manager.pid!), objects: (await manager.stats()).objects }
})
afterAll(() => manager?.shutdown())

/** Everything is as it was, in the server and for the client that behaves. */
async function expectHealth(): Promise<void> {
  expect(await box.get()).toBe('mine')
  expect(await box.echo([1, { two: [3] }])).toEqual([1, { two: [3] }])
  expect(manager.sync.of(box).get()).toBe('mine')
}

async function expectNoTraces(): Promise<void> {
  await eventually(async () => {
    for (const name of await manager.names()) await manager.unlink(name)
    const { clients, objects } = await manager.stats()
    expect({ clients, objects }).toEqual({ clients: 2, objects: before.objects })
    expect(descriptorsOf(manager.pid!)).toBeLessThanOrEqual(before.descriptors + 4)
    return true
  })
  expect(memoryOf(manager.pid!)).toBeLessThan(700 * MIB)
}

async function converse({ isTrusted, messages, end, piece }: Conversation): Promise<void> {
  const client = isTrusted
    ? await RawClient.trusted(manager.address, manager.authkey)
    : await RawClient.connect(manager.address)
  if (end === 'stay') client.socket.pause()
  for (const bytes of piecesOf(Buffer.concat(messages), piece)) client.send(bytes)
  await box.get()
  if (end === 'close') {
    client.socket.end()
    await client.closed
  } else {
    client[Symbol.dispose]()
  }
}

/** A server that is asked something in order has to answer in time. */
function assertNotLate(error: { code?: string }): never {
  throw error.code === 'ERR_TIMEOUT' ? new Error('The server does not answer', { cause: error }) : error
}

/** The same through shared memory. */
async function converseInRings({ isTrusted, messages, end, piece }: Conversation): Promise<void> {
  const [ours, theirs] = new Pipe<unknown>({ byteLength: RING_BYTES })
  using requests = Queue.attach<Handle>(rings)
  await requests.put(theirs.handle)
  if (end === 'reset' && !isTrusted) theirs.close() // perhaps before the server has it
  const send = (bytes: Uint8Array) => ours.send(new Uint8Array(bytes), { timeoutMs: 5000 })
  try {
    if (isTrusted) {
      const reader = new FrameReader(4096)
      const frames: Buffer[] = []
      const next = async () => {
        while (frames.length === 0) {
          const bytes = (await ours.recv({ timeoutMs: 20_000 }).catch(assertNotLate)) as Uint8Array
          reader.push(Buffer.from(bytes), (frame) => frames.push(Buffer.from(frame)) > 0)
        }
        return frames.shift()!
      }
      const nonce = newNonce()
      await send(writeOpening())
      const server = readHello(await next(), 'it')
      await send(writeProof(manager.authkey, server, nonce))
      readWelcome(await next(), manager.authkey, server, nonce, 'it')
    }
    theirs.close()
    for (const bytes of piecesOf(Buffer.concat(messages), Math.min(Math.max(piece, 1000), 30_000))) await send(bytes)
    // Something that is no piece of a stream.
    if (end === 'close')
      await ours.send({ buffer: { length: 2 ** 32 }, byteOffset: 0, byteLength: 9 }, { timeoutMs: 5000 })
  } catch (error) {
    // The server has ended it, or reads no more of it.
    expect(error).toEqual(expect.objectContaining({ code: expect.stringMatching(/^ERR_(ENDED|CLOSED|TIMEOUT)$/) }))
  } finally {
    theirs.close()
    ours.close()
  }
}

/** The same by a client that begins on a socket and goes on in rings, or says that it does. */
interface Crossing {
  readonly conversation: Conversation
  /** What it offers the server for rings. */
  readonly offer: 'rings' | 'other rings' | 'no rings' | 'nothing'
  /** How often it says that it goes on there. */
  readonly switches: number
  /** How much of the conversation is before that, and how much of the rest goes on in the socket. */
  readonly before: number
  readonly beside: number
}

const crossing: Arbitrary<Crossing> = fc.record({
  conversation: conversation.filter(({ isTrusted }) => isTrusted),
  offer: fc.constantFrom(
    'rings' as const,
    'rings' as const,
    'other rings' as const,
    'no rings' as const,
    'nothing' as const,
  ),
  switches: fc.nat(2),
  before: fc.nat(5),
  beside: fc.nat(3),
})

async function cross({ conversation, offer, switches, before, beside }: Crossing): Promise<void> {
  const { messages, end, piece } = conversation
  using client = await RawClient.trusted(manager.address, manager.authkey)
  const [ours, theirs] = new Pipe<unknown>({ byteLength: RING_BYTES })
  const handles = { rings: theirs.handle, 'other rings': ours.handle, 'no rings': rings, nothing: null }
  try {
    expect(typeof (await client.call(ROOT, 'takeRings', [handles[offer]]))).toBe('boolean')
    theirs.close()
    for (let i = 0; i < before; i++) client.begin(ROOT, 'takeRings', [handles[offer]])
    const bySocket = [...messages.slice(0, before), ...Array.from({ length: switches }, writeSwitch)]
    client.send(Buffer.concat([...bySocket, ...messages.slice(before, before + beside)]))
    for (const bytes of piecesOf(Buffer.concat(messages.slice(before + beside)), Math.max(piece, 1000))) {
      await ours.send(new Uint8Array(bytes), { timeoutMs: 200 })
    }
    if (end === 'close') {
      client.socket.end()
      await client.closed
    }
  } catch (error) {
    // The server has ended it, or reads no more of it, or has never begun to.
    const code = expect.stringMatching(/^ERR_(ENDED|CLOSED|TIMEOUT|NO_OBJECT|TOO_LARGE)$/)
    expect(error).toEqual(expect.objectContaining({ code }))
  } finally {
    theirs.close()
    ours.close()
  }
}

async function run<T>(
  what: string,
  conversations: Arbitrary<T>,
  act: (conversation: T) => Promise<void>,
  runs: number,
): Promise<void> {
  const parameters = settings(runs)
  announce(what, parameters)
  let count = 0
  await fc.assert(
    fc.asyncProperty(conversations, async (one) => {
      await act(one)
      if (count++ % 10 === 0) await expectHealth()
    }),
    parameters,
  )
  await expectHealth()
  await expectNoTraces()
}

it(
  'nothing that is said through a socket harms the server or another client',
  () => run('hostile sockets', conversation, converse, 150),
  STRESS_TIMEOUT_MS,
)

it(
  'nothing that is said through rings harms the server or another client',
  () => run('hostile rings', conversation, converseInRings, 60),
  STRESS_TIMEOUT_MS,
)

it(
  'nothing that is said on the way from a socket to rings harms the server or another client',
  () => run('hostile switches', crossing, cross, 60),
  STRESS_TIMEOUT_MS,
)

it(
  'nothing that is put into the queue of requests harms the server or another client',
  async () => {
    using requests = Queue.attach<unknown>(rings)
    const [ours, theirs] = new Pipe<unknown>()
    const garbage = fc.oneof(
      fc.anything(),
      fc.constantFrom<unknown>(
        { ...theirs.handle, cell: 7 },
        { ...theirs.handle, cell: undefined },
        { ...theirs.handle, id: 'another' },
        { ...theirs.handle, name: 'no-such-name' },
        requests.handle,
        ours,
        new Error('not a handle'),
      ),
    )
    const parameters = settings(200)
    await fc.assert(
      fc.asyncProperty(garbage, async (item) => {
        try {
          await requests.put(item, { timeoutMs: 10_000 })
        } catch (error) {
          expect(error).toEqual(expect.objectContaining({ name: 'DataCloneError' }))
        }
      }),
      parameters,
    )
    ours.close()
    theirs.close()
    await expectHealth()
    await eventually(() => requests.isEmpty)
    await expectNoTraces()
  },
  STRESS_TIMEOUT_MS,
)
