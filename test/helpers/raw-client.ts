/**
 * A client of a manager that is written by hand. It sends any messages of a test, right or wrong, and shows the answers of the
 * server.
 */
import { connect, type Socket } from 'node:net'
import type { ManagerAddress } from 'procshare'
import { socketOptions } from '../../lib/manager/address.ts'
import { FrameReader } from '../../lib/manager/wire/framing.ts'
import { newNonce, readHello, readWelcome, writeOpening, writeProof } from '../../lib/manager/wire/handshake.ts'
import {
  GOODBYE,
  ROOT,
  readServerMessage,
  readValue,
  type ServerMessage,
  writeRequest,
} from '../../lib/manager/wire/messages.ts'
import { registerShareable } from '../../lib/memory/shareable.ts'
import { within } from './fixture.ts'

const MAX_FRAME_BYTES = 2 ** 30
const DEADLINE_MS = 20_000

/** Represents an object of the server, by its number. */
export class Ref {
  readonly id: number

  constructor(id: number) {
    this.id = id
    registerShareable(this, true) // compared by tests
  }
}

/** References as a client writes and reads them. */
export const references = {
  write: (object: object) => [object instanceof Ref ? object.id : 0],
  read: ([id]: readonly unknown[]) => new Ref(id as number),
}

interface About {
  readonly id: string
  readonly pid: number
  readonly rings?: { procshare: 1; kind: string; name: string; id: string }
}

export class RawClient implements Disposable {
  readonly socket: Socket
  /** The data that the server has sent about itself. */
  about: About | undefined
  /** Resolves when nothing more will come. */
  readonly closed: Promise<void>
  readonly #reader = new FrameReader(MAX_FRAME_BYTES)
  readonly #frames: Buffer[] = []
  #onFrame: () => void = () => {}
  #isClosed = false
  #lastRequestId = 0

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk) => {
      this.#reader.push(chunk as Buffer, (frame) => this.#frames.push(Buffer.from(frame)) > 0)
      this.#onFrame()
    })
    socket.on('error', () => {})
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#isClosed = true
        this.#onFrame()
        resolve()
      })
    })
  }

  /** Connects, and sends nothing yet. */
  static async connect(address: ManagerAddress): Promise<RawClient> {
    const socket = connect(socketOptions(address))
    await within(
      new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject)),
      DEADLINE_MS,
      () => 'no connection',
    )
    return new RawClient(socket)
  }

  /** Connects, and completes the handshake. */
  static async trusted(address: ManagerAddress, key: Uint8Array): Promise<RawClient> {
    const client = await RawClient.connect(address)
    client.send(writeOpening())
    const server = readHello((await client.next())!, 'it')
    const ours = newNonce()
    client.send(writeProof(key, server, ours))
    client.about = JSON.parse(String(readWelcome((await client.next())!, key, server, ours, 'it')))
    return client
  }

  send(bytes: Uint8Array): void {
    this.socket.write(bytes)
  }

  /** The next frame; undefined when the server has ended the connection. */
  async next(): Promise<Buffer | undefined> {
    while (this.#frames.length === 0 && !this.#isClosed) {
      const arrival = new Promise<void>((resolve) => {
        this.#onFrame = resolve
      })
      await within(arrival, DEADLINE_MS, () => 'no frame')
    }
    return this.#frames.shift()
  }

  /** Sends a request; returns its id. */
  begin(target: number, method: string, args: readonly unknown[] = []): number {
    const requestId = ++this.#lastRequestId
    this.send(writeRequest(requestId, target, 0, method, args, references))
    return requestId
  }

  /** The next message, with its value. */
  async message(): Promise<(ServerMessage & { value: unknown }) | undefined> {
    const frame = await this.next()
    if (frame === undefined) return undefined
    const message = readServerMessage(frame)
    return { ...message, value: readValue(message, references) }
  }

  /** Calls, and waits for the answer, skipping others. */
  async call(target: number, method: string, args: readonly unknown[] = []): Promise<unknown> {
    const requestId = this.begin(target, method, args)
    for (;;) {
      const message = await this.message()
      if (message === undefined) throw new Error('The server has ended the connection')
      if (message.requestId === requestId) return message.value
    }
  }

  /** Makes an object; returns its number. */
  async create(typeName: string, ...args: unknown[]): Promise<number> {
    const made = await this.call(ROOT, 'create', [typeName, args])
    if (made instanceof Ref) return made.id
    throw made
  }

  /** The reason for which the server has ended the connection; undefined when it gave none. */
  async farewell(): Promise<{ code?: string; message: string } | undefined> {
    for (;;) {
      const message = await this.message()
      if (message === undefined) return undefined
      if (message.kind === GOODBYE) return message.value as Error
    }
  }

  [Symbol.dispose](): void {
    this.socket.destroy()
  }
}
