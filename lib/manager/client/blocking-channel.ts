/**
 * BlockingChannel: the blocking form's channel. Requests and replies go through a pair of rings in shared memory, straight to a server of
 * the same machine. To any other server they go through a worker thread, which carries the bytes between the rings and a socket. If there
 * is no shared memory for rings, the worker uses a message port in their place.
 */
import { MessageChannel, Worker } from 'node:worker_threads'
import { RELAY_MAIN } from '../../entries.ts'
import { disconnectedError, managerError } from '../../errors/manager-messages.ts'
import { hasCode, type ShareError } from '../../errors/share-error.ts'
import type { Handle } from '../../memory/handle.ts'
import { withRoom } from '../../memory/room.ts'
import { Pipe, type Connection as PipeEnd, type PipeEnds } from '../../queue/pipe.ts'
import { Queue } from '../../queue/queue.ts'
import { isServedHere } from '../served-here.ts'
import { ClientHandshake } from '../wire/client-handshake.ts'
import { FrameReader } from '../wire/framing.ts'
import { type AboutServer, MAX_WELCOME_BYTES, writeOpening } from '../wire/handshake.ts'
import {
  GOODBYE,
  RESULT,
  readServerMessage,
  readValue,
  type ServerMessage,
  writeCancel,
  writeRef,
  writeUnref,
} from '../wire/messages.ts'
import { inPieces, RING_BYTES } from '../wire/ring-transport.ts'
import { ServerChannel } from './channel.ts'
import type { Connection } from './connection.ts'
import { GRACE_MS } from './pending-requests.ts'
import { PortLink } from './port-link.ts'
import type { ToClient } from './relay-main.ts'
import type { Remote, RequestOptions } from './remote.ts'
import { assertAttached } from './stand-in.ts'

const CONNECT_MS = 10_000
/** How long a server may take to answer through rings. After that, the client connects to its socket. */
const RINGS_MS = 3_000
/** The interval at which an idle thread reads replies to cancelled requests. */
const LATE_MS = 50

/** The connection to the server, or to a relay. */
interface Link {
  /** The other end, to be closed when the other side has attached to it. */
  readonly theirs: { close(): void }
  readonly isDirect: boolean
}

export class BlockingChannel extends ServerChannel {
  override readonly isBlocking = true
  readonly #asynchronous: Connection
  readonly #frameBytes: number
  #reader = new FrameReader(MAX_WELCOME_BYTES)
  /** Frames that have arrived but were not read. */
  readonly #frames: Buffer[] = []
  /** Messages to be sent with the next request. */
  readonly #queued: Buffer[] = []
  #link: PipeEnd<Uint8Array> | PortLink | undefined
  #relay: Worker | undefined
  #ended: ShareError | undefined
  #isBusy = false
  #isConnected = false
  /** Whether only part of a message was sent. */
  #isMidway = false
  /** Requests that were cancelled and have not been answered. */
  readonly #late = new Map<number, RequestOptions['undo']>()
  #looking: NodeJS.Timeout | undefined
  readonly #timeoutMs: number

  /**
   * A channel to the server of a connection. It connects at the first request.
   * @param timeoutMs - the time that a request may take if it does not wait and has no timeout of its own
   */
  constructor(asynchronous: Connection, timeoutMs: number) {
    super(asynchronous.address)
    this.#asynchronous = asynchronous
    this.#timeoutMs = timeoutMs
    this.serverId = asynchronous.serverId
    this.#frameBytes = asynchronous.about!.frameBytes
  }

  override request(
    target: Remote | undefined,
    method: string,
    args: readonly unknown[],
    options?: RequestOptions,
  ): unknown {
    this.#assertUsable()
    const id = this.nextRequestId((taken) => this.#late.has(taken))
    const bytes = this.encodeRequest(id, target, method, args, options?.task, this.#frameBytes)
    this.#assertUsable() // a getter among the arguments may have closed the channel
    const message = this.#exchange(id, bytes, target, options)
    const value = readValue(message, this.references)
    if (message.kind === RESULT) assertAttached(value)
    if (message.kind === RESULT) return value
    throw value
  }

  override post(target: Remote, method: string, args: readonly unknown[]): void {
    const id = this.nextRequestId((taken) => this.#late.has(taken))
    this.#sendLater(this.encodeRequest(id, target, method, args, 0, this.#frameBytes))
  }

  get hasEnded(): boolean {
    return this.#ended !== undefined
  }

  override forChild(handle: Handle): Handle {
    return this.#asynchronous.forChild(handle)
  }

  /** Ends the connection, which releases everything that this client holds. */
  close(): void {
    this.#end(managerError('ERR_CLOSED', { address: this.address }))
  }

  protected override sendUnref(id: number, count: number): void {
    this.#sendLater(writeUnref(id, count))
  }

  protected override sendRef(id: number): void {
    this.#sendLater(writeRef(id))
  }

  /** Sends a message that has no reply: now if it does not block, otherwise before the next request. */
  #sendLater(bytes: Buffer): void {
    if (this.#ended !== undefined) return
    try {
      if (this.#isBusy || this.#queued.length > 0 || this.#link?.trySend(asBytes(bytes)) !== true)
        this.#queued.push(bytes)
    } catch {
      // The server and its objects are gone.
    }
  }

  /** Sends a request and waits for its reply, for at most its timeout. */
  #exchange(id: number, request: Buffer, target: Remote | undefined, options: RequestOptions = {}): ServerMessage {
    const { waits, timeoutMs = waits ? Infinity : this.#timeoutMs, undo } = options
    // The server measures the time of a wait as well, and its reply contains the outcome of the wait.
    const patienceMs = waits === 'takes back' ? Infinity : waits ? timeoutMs + GRACE_MS : timeoutMs
    const deadline = performance.now() + patienceMs
    let isSent = false
    // Without a thread or descriptors the channel stays usable: the next request may find some.
    const theirs = this.#link === undefined ? this.#openLink() : undefined
    this.#isBusy = true
    try {
      if (theirs !== undefined) this.#connect(theirs)
      while (this.#queued.length > 0) {
        this.#send(this.#queued[0]!, deadline)
        this.#queued.shift()
      }
      this.#send(request, deadline)
      isSent = true
      for (;;) {
        const message = readServerMessage(this.#receive(deadline))
        if (message.kind === GOODBYE) throw readValue(message, this.references)
        if (message.requestId === id) return message
        this.#onLate(message)
      }
    } catch (error) {
      if (!hasCode(error, 'ERR_TIMEOUT') || this.serverId === undefined || !this.#isConnected) {
        throw this.#end(error as ShareError)
      }
      // A message that was sent in part cannot be undone. The reply to a complete message may still arrive.
      if (this.#isMidway) this.#end(error)
      else if (isSent) this.#cancel(id, undo)
      const subject = target === undefined ? { address: this.address } : { type: target.typeName }
      throw managerError('ERR_TIMEOUT', { ...subject, timeoutMs })
    } finally {
      this.#isBusy = false
    }
  }

  /**
   * Cancels a request that was not answered in time. If the server still grants it, the grant is returned as soon as this thread is idle.
   */
  #cancel(id: number, undo: RequestOptions['undo']): void {
    this.#late.set(id, undo)
    this.#queued.push(writeCancel(id))
    this.#looking ??= setInterval(() => this.#lookForLate(), LATE_MS).unref()
  }

  #lookForLate(): void {
    if (this.#isBusy) return
    try {
      while (this.#queued.length > 0 && this.#link!.trySend(asBytes(this.#queued[0]!))) this.#queued.shift()
      for (let piece = this.#link!.tryRecv(); piece !== undefined; piece = this.#link!.tryRecv()) {
        this.#reader.pushPiece(piece.value, (frame) => this.#frames.push(frame) > 0)
        for (let frame = this.#frames.shift(); frame !== undefined; frame = this.#frames.shift()) {
          this.#onLate(readServerMessage(frame))
        }
      }
    } catch (error) {
      this.#end(error as ShareError)
    }
    if (this.#late.size > 0 || this.#queued.length > 0) return
    clearInterval(this.#looking)
    this.#looking = undefined
  }

  #onLate(message: ServerMessage): void {
    if (!this.#late.has(message.requestId)) return
    const undo = this.#late.get(message.requestId)
    this.#late.delete(message.requestId)
    const value = readValue(message, this.references)
    if (message.kind === RESULT) undo?.(value as never)
  }

  /**
   * Makes rings to the server itself or to a relay; without room for rings, makes a port to a relay.
   * @param isDirect - whether to offer the rings to the server
   */
  #openLink(isDirect = true): Link {
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
      isDirect &&= askDirectly(this.#asynchronous.about!, theirs.handle)
      if (!isDirect) this.#startRelay({ rings: theirs.handle })
    } catch (error) {
      ours.close()
      theirs.close()
      throw error
    }
    this.#link = ours
    return { theirs, isDirect }
  }

  #openPort(): Link {
    const { port1, port2 } = new MessageChannel()
    const arrivals = new Int32Array(new SharedArrayBuffer(4))
    try {
      this.#startRelay({ port: port2, arrivals })
    } catch (error) {
      port1.close()
      throw error
    }
    this.#link = new PortLink(port1, arrivals, this.address)
    return { theirs: { close: () => {} }, isDirect: false }
  }

  #connect({ theirs, isDirect }: Link): void {
    try {
      this.#shakeHands(theirs, isDirect ? RINGS_MS : CONNECT_MS)
    } catch (error) {
      const isUnanswered = hasCode(error, 'ERR_TIMEOUT') || hasCode(error, 'ERR_ENDED')
      if (!isDirect || !isUnanswered) throw error
      // The server has not attached to the rings: too many requests are before this one, or the server has no access.
      this.#link!.close()
      this.#reader = new FrameReader(MAX_WELCOME_BYTES)
      const relayed = this.#openLink(false)
      this.#shakeHands(relayed.theirs, CONNECT_MS)
    }
  }

  #shakeHands(theirs: { close(): void }, timeoutMs: number): void {
    const handshake = new ClientHandshake(this.#asynchronous.credentials.key, this.address)
    const connected = performance.now() + timeoutMs
    try {
      this.#send(writeOpening())
      const proof = handshake.greet(this.#receive(connected))
      theirs.close() // the server has attached to this end, so the server's death is noticed
      this.#send(proof)
      const { id } = handshake.welcome(this.#receive(connected))
      if (id !== this.serverId) throw managerError('ERR_STALE_HANDLE', { address: this.address })
      this.#reader.allow(this.#frameBytes)
      this.#isConnected = true
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
      // Only a missing thread can fail here.
      throw managerError('EAGAIN', { address: this.address, does: 'block' }, { cause })
    }
    this.#relay.on('error', () => {}) // the client notices the end of the link
    this.#relay.unref()
  }

  #send(bytes: Buffer, deadline = Infinity): void {
    const link = this.#link!
    this.#isMidway = false
    inPieces(bytes, (piece) => {
      link.sendSync(piece, { timeoutMs: Math.max(0, deadline - performance.now()) })
      this.#isMidway = true
    })
    this.#isMidway = false
  }

  #receive(deadline = Infinity): Buffer {
    for (;;) {
      const frame = this.#frames.shift()
      if (frame !== undefined) return frame
      // A frame is read before the next piece is received.
      this.#reader.pushPiece(
        this.#link!.recvSync({ timeoutMs: Math.max(0, deadline - performance.now()) }),
        (frame) => this.#frames.push(frame) > 0,
      )
    }
  }

  #assertUsable(): void {
    if (this.#ended !== undefined) throw this.#goneError(this.#ended)
    const { address } = this
    if (this.#isBusy) throw managerError('ERR_DEADLOCK', { address, why: 'busy' })
    if (isServedHere(this.serverId)) throw managerError('ERR_DEADLOCK', { address, why: 'served by this thread' })
  }

  #end(reason: ShareError): ShareError {
    this.#ended ??= reason
    clearInterval(this.#looking)
    this.#link?.close()
    void this.#relay?.terminate()
    return this.#goneError(this.#ended)
  }

  #goneError(reason: ShareError): ShareError {
    const { code } = reason
    if (code === 'ERR_AUTHENTICATION' || code === 'ERR_PROTOCOL' || code === 'ERR_STALE_HANDLE') return reason
    const { address } = this
    if (code === 'ERR_CLOSED') return managerError('ERR_CLOSED', { address })
    if (code !== 'ERR_ENDED') return disconnectedError(reason)
    return managerError('ERR_DISCONNECTED', { address, why: 'server ended' }, { cause: reason })
  }
}

/** Asks the server for a connection through shared memory; false when this client has no access to its queue. */
function askDirectly({ rings }: AboutServer, ours: Handle): boolean {
  if (rings === undefined) return false
  try {
    using requests = Queue.attach<Handle>(rings)
    return requests.tryPut(ours)
  } catch {
    return false
  }
}

/** The bytes as a plain Uint8Array: a Buffer would arrive as a Buffer. */
function asBytes(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
