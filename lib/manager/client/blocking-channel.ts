/**
 * BlockingChannel: the blocking form's channel. Requests and replies go through a pair of rings in shared memory, straight to a server
 * of the same machine. To any other server they go through a worker thread, which carries the bytes between the rings and a socket; and
 * where there is no shared memory for rings, between a message port and a socket.
 */
import { MessageChannel, Worker } from 'node:worker_threads'
import { RELAY_MAIN } from '../../entries.ts'
import { hasCode, ShareError } from '../../errors.ts'
import type { Handle } from '../../memory/handle.ts'
import { withRoom } from '../../memory/room.ts'
import { Pipe, type PipeEnds, type Connection as Rings } from '../../queue/pipe.ts'
import { Queue } from '../../queue/queue.ts'
import { isServedHere } from '../served-here.ts'
import type { AboutServer } from '../server/server-core.ts'
import { FrameReader } from '../wire/framing.ts'
import { MOST_WELCOME_BYTES, newNonce, readHello, readWelcome, writeOpening, writeProof } from '../wire/handshake.ts'
import {
  type FromServer,
  GOODBYE,
  RESULT,
  readFromServer,
  readValue,
  writeHold,
  writeRelease,
} from '../wire/messages.ts'
import { inPieces, RING_BYTES } from '../wire/ring-transport.ts'
import { type CallOptions, Channel, type Remote } from './channel.ts'
import type { Connection } from './connection.ts'
import { PortLink } from './port-link.ts'
import type { ToClient } from './relay-main.ts'

const CONNECT_MS = 10_000

export class BlockingChannel extends Channel {
  override readonly isBlocking = true
  readonly #asynchronous: Connection
  readonly #frameBytes: number
  readonly #reader = new FrameReader(MOST_WELCOME_BYTES)
  /** Frames that have arrived and were not looked at. */
  readonly #frames: Buffer[] = []
  /** What is to be sent with the next call. */
  readonly #notes: Buffer[] = []
  #link: Rings<Uint8Array> | PortLink | undefined
  #relay: Worker | undefined
  #ended: ShareError | undefined
  #isBusy = false

  /** For the server that a connection is to. It is connected to at the first call. */
  constructor(asynchronous: Connection) {
    super(asynchronous.address)
    this.#asynchronous = asynchronous
    this.serverId = asynchronous.serverId
    this.#frameBytes = asynchronous.about!.frameBytes
  }

  override call(target: Remote | undefined, method: string, args: readonly unknown[], options?: CallOptions): unknown {
    this.#assertUsable()
    const call = this.nextCall(() => false)
    const bytes = this.encodeCall(call, target, method, args, options?.task, this.#frameBytes)
    this.#assertUsable() // a getter among the arguments may have closed it
    const message = this.#exchange(call, bytes)
    const value = readValue(message, this.references)
    if (message.kind === RESULT) return value
    throw value
  }

  get hasEnded(): boolean {
    return this.#ended !== undefined
  }

  override forChild(handle: Handle): Handle {
    return this.#asynchronous.forChild(handle)
  }

  /** Ends the connection: what this client holds is given up. */
  close(): void {
    this.#end(new ShareError('ERR_CLOSED', { subject: this.subject }))
  }

  protected override sendRelease(id: number, count: number): void {
    this.#note(writeRelease(id, count))
  }

  protected override sendHold(id: number): void {
    this.#note(writeHold(id))
  }

  /** Sends what needs no answer: now if that is possible at once, otherwise before the next call. */
  #note(bytes: Buffer): void {
    if (this.#ended !== undefined) return
    try {
      if (this.#isBusy || this.#notes.length > 0 || this.#link?.trySend(asBytes(bytes)) !== true)
        this.#notes.push(bytes)
    } catch {
      // The server is gone, and what was held there with it.
    }
  }

  /** Sends a request and waits for its reply. */
  #exchange(call: number, request: Buffer): FromServer {
    // When a thread or descriptors are missing nothing has ended: the next call may find some.
    const theirs = this.#link === undefined ? this.#openLink() : undefined
    this.#isBusy = true
    try {
      if (theirs !== undefined) this.#connect(theirs)
      for (const note of this.#notes) this.#send(note)
      this.#notes.length = 0
      this.#send(request)
      for (;;) {
        const message = readFromServer(this.#receive())
        if (message.kind === GOODBYE) throw readValue(message, this.references)
        if (message.call === call) return message
      }
    } catch (error) {
      throw this.#end(error as ShareError)
    } finally {
      this.#isBusy = false
    }
  }

  /** Connects by rings, or where there is no room for them by a port. @returns what to close when the other side has its end */
  #openLink(): { close(): void } {
    let ends: PipeEnds<Uint8Array>
    try {
      ends = new Pipe<Uint8Array>({ byteLength: RING_BYTES })
    } catch (error) {
      // Without descriptors a worker would not start either.
      if (hasCode(error, 'EMFILE') || hasCode(error, 'ENFILE')) throw error
      return this.#openPort()
    }
    const [ours, theirs] = ends
    try {
      if (!askDirectly(this.#asynchronous.about!, theirs.handle)) this.#startRelay({ rings: theirs.handle })
    } catch (error) {
      ours.close()
      theirs.close()
      throw error
    }
    this.#link = ours
    return theirs
  }

  #openPort(): { close(): void } {
    const { port1, port2 } = new MessageChannel()
    const arrivals = new Int32Array(new SharedArrayBuffer(4))
    try {
      this.#startRelay({ port: port2, arrivals })
    } catch (error) {
      port1.close()
      throw error
    }
    this.#link = new PortLink(port1, arrivals, this.subject)
    return { close: () => {} }
  }

  #connect(theirs: { close(): void }): void {
    const { credentials } = this.#asynchronous
    try {
      this.#send(writeOpening())
      const serverNonce = readHello(this.#receive(CONNECT_MS), this.subject)
      theirs.close() // the server has it now, and its end will be seen
      const clientNonce = newNonce()
      this.#send(writeProof(credentials.key, serverNonce, clientNonce))
      const welcome = readWelcome(this.#receive(CONNECT_MS), credentials.key, serverNonce, clientNonce, this.subject)
      const { id } = JSON.parse(welcome.toString()) as AboutServer
      if (id !== this.serverId)
        throw new ShareError('ERR_STALE_HANDLE', { subject: this.subject, detail: 'another server answers there' })
      this.#reader.allow(this.#frameBytes)
    } catch (error) {
      theirs.close()
      throw error
    }
  }

  #startRelay(link: ToClient): void {
    const { at, credentials } = this.#asynchronous
    const transferList = 'port' in link ? [link.port] : []
    try {
      this.#relay = withRoom(
        () => new Worker(RELAY_MAIN, { workerData: { link, at, tls: credentials.tls }, transferList }),
      )
    } catch (cause) {
      // A thread of its own is what it has not got: nothing else can fail here.
      throw new ShareError('EAGAIN', { subject: this.subject, cause })
    }
    this.#relay.on('error', () => {}) // the client sees the end of what connects them
    this.#relay.unref()
  }

  #send(bytes: Buffer): void {
    const link = this.#link!
    inPieces(bytes, (piece) => link.sendSync(piece))
  }

  #receive(timeoutMs = Infinity): Buffer {
    for (;;) {
      const frame = this.#frames.shift()
      if (frame !== undefined) return frame
      // A frame is looked at before the next piece is received.
      this.#reader.pushPiece(this.#link!.recvSync({ timeoutMs }), (frame) => this.#frames.push(frame) > 0)
    }
  }

  #assertUsable(): void {
    if (this.#ended !== undefined) throw this.#goneError(this.#ended)
    const busy = this.#isBusy && 'it is being asked something'
    const reason = busy || (isServedHere(this.serverId) && 'its server runs in the thread that would block')
    if (reason) throw new ShareError('ERR_DEADLOCK', { subject: this.subject, detail: reason })
  }

  #end(reason: ShareError): ShareError {
    this.#ended ??= reason
    this.#link?.close()
    void this.#relay?.terminate()
    return this.#goneError(this.#ended)
  }

  #goneError(reason: ShareError): ShareError {
    const { code } = reason
    if (code === 'ERR_AUTHENTICATION' || code === 'ERR_PROTOCOL' || code === 'ERR_STALE_HANDLE') return reason
    if (code === 'ERR_CLOSED') return new ShareError('ERR_CLOSED', { subject: this.subject })
    const detail = code === 'ERR_ENDED' ? 'it is gone' : reason.message
    return new ShareError('ERR_DISCONNECTED', { subject: this.subject, detail, cause: reason })
  }
}

/** Asks the server for a connection through shared memory; false when it has none that we can see. */
function askDirectly({ rings }: AboutServer, ours: Handle): boolean {
  if (rings === undefined) return false
  try {
    using requests = Queue.attach<Handle>(rings)
    return requests.tryPut(ours)
  } catch {
    return false
  }
}

/** Bytes that go into a ring as they are; a Buffer would arrive as one. */
function asBytes(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
