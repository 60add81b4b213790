/**
 * Session: the server's side of a connection, from its beginning to its end. It receives the messages of the client, serves its requests,
 * and enforces its limits. The handshake is in ServerHandshake, the references of the client are in ClientAccount.
 */
import { managerError } from '../../errors/manager-messages.ts'
import type { ShareError } from '../../errors/share-error.ts'
import type { Handle } from '../../memory/handle.ts'
import { withoutPatience } from '../../memory/segment.ts'
import { Connection as PipeEnd } from '../../queue/pipe.ts'
import { MAX_HANDSHAKE_BYTES, REFUSED, type Refusal, writeRefusal } from '../wire/handshake.ts'
import {
  CANCEL,
  ERROR,
  GOODBYE,
  REF,
  REQUEST,
  RESULT,
  type RequestMessage,
  ROOT,
  readClientMessage,
  SWITCH,
  UNREF,
} from '../wire/messages.ts'
import { ServerHandshake } from '../wire/server-handshake.ts'
import { SwitchingTransport } from '../wire/switching-transport.ts'
import type { Receiver, Transport } from '../wire/transport.ts'
import { ClientAccount } from './client-account.ts'
import { type Limits, OPERATIONS } from './limits.ts'
import type { ManagedType, Method } from './managed-type.ts'
import type { Referent, ReferentTable } from './referent.ts'
import { type Client, Request } from './request.ts'
import { SessionValues } from './session-values.ts'
import type { Statistics } from './statistics.ts'

/** How long a client may take to read the reason of a refusal. */
export const FAREWELL_MS = 1000

/** The part of the server that a session uses. */
export interface SessionHost {
  readonly key: Uint8Array
  readonly limits: Limits
  readonly referents: ReferentTable
  readonly statistics: Statistics
  /** The object that represents the server. */
  readonly root: Referent
  /** The JSON of the welcome. */
  about(): Uint8Array
  /** Called when the client of a session has proved that it has the key. */
  noteTrusted(): void
  noteEnd(session: Session): void
}

let lastId = 0

export class Session implements Receiver, Client {
  readonly id = ++lastId
  readonly #server: SessionHost
  readonly #transport: Transport
  readonly #handshake: ServerHandshake
  #isClosed = false
  #isPaused = false
  readonly #startedAt = performance.now()
  /** Requests that have not been answered, by their ids. */
  readonly #requests = new Map<number, Request>()
  readonly #account: ClientAccount
  readonly #values: SessionValues
  /** Milliseconds of requests since other clients were served. */
  #busyMs = 0
  #isYielding = false

  constructor(server: SessionHost, transport: Transport) {
    this.#server = server
    this.#transport = transport
    this.#handshake = new ServerHandshake(server.key)
    this.#account = new ClientAccount(this, server.referents, server.limits.objects)
    this.#values = new SessionValues(this.#account, server.limits.frameBytes)
  }

  get isTrusted(): boolean {
    return this.#handshake.isTrusted
  }

  /** Whether the client is gone. Its requests are cancelled, and then its ownerships end. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Begins the handshake. */
  start(): void {
    this.#transport.start(this, MAX_HANDSHAKE_BYTES)
    this.#transport.send(this.#handshake.hello)
  }

  onFrame(frame: Buffer): void {
    if (this.#isClosed) return
    try {
      if (this.isTrusted) this.#onMessage(frame)
      else this.#onHandshake(frame)
    } catch (error) {
      // The bytes are not a message. The session cannot continue, and there is no request to answer.
      this.cutOff(error as Error)
    }
  }

  onClose(): void {
    this.#end()
  }

  onStall(): void {
    this.cutOff(goneError('client stalled'))
  }

  onDrain(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    if (!this.#isYielding) this.#transport.resume()
  }

  /** Sends the client the reason, and ends the session. */
  dismiss(reason: Error): void {
    if (this.#isClosed) return
    if (this.isTrusted) this.#transport.send(this.#values.encodeError(GOODBYE, 0, reason))
    this.#end()
    this.#transport.close()
    // A client that does not read will not end its stream either.
    setTimeout(() => this.#transport.destroy(), FAREWELL_MS).unref()
  }

  /** Ends the session in the same way, for a fault of the client. */
  cutOff(reason: Error): void {
    if (!this.#isClosed) this.#server.statistics.cutOff++
    this.dismiss(reason)
  }

  /** Ends a session whose client does not authenticate in time; called periodically. */
  checkTrust(now: number): void {
    if (this.isTrusted || now - this.#startedAt <= this.#server.limits.authenticateMs) return
    this.cutOff(goneError('client did not authenticate'))
  }

  /** Adds a reference of the client to an object. @throws {@link ShareError} `ERR_LIMIT`. */
  ref(referent: Referent): void {
    this.#account.ref(referent)
  }

  /**
   * Checks the size of a reply before it is made.
   * @throws {@link ShareError} `ERR_LIMIT` when it cannot be sent.
   */
  assertReply(minBytes: number): void {
    const { frameBytes } = this.#server.limits
    if (minBytes <= frameBytes) return
    throw managerError('ERR_LIMIT', { limit: 'reply bytes', count: minBytes, isAtLeast: true, max: frameBytes })
  }

  /** Checks a reply with values in which one text or buffer may occur many times. @throws {@link ShareError} `ERR_LIMIT`. */
  assertReplyOf<T extends readonly unknown[]>(values: T): T {
    let bytes = values.length
    for (const value of values) {
      if (typeof value === 'string') bytes += value.length
      else if (ArrayBuffer.isView(value)) bytes += value.byteLength
    }
    this.assertReply(bytes)
    return values
  }

  /** Makes a new object that a method returns to the client, such as an iterator. It lives as long as its proxies. */
  make(type: { readonly name: string }, object: object): Referent {
    return this.#server.referents.make(type as ManagedType, object)
  }

  /** Prepares to continue in shared memory after the client's SWITCH. Returns false when that is not possible. */
  takeRings(handle: Handle): boolean {
    const transport = this.#transport
    if (!(transport instanceof SwitchingTransport) || transport.hasRings) return false
    try {
      transport.prepare(withoutPatience(() => PipeEnd.attach<Uint8Array>(handle)))
      return true
    } catch {
      return false // the client is on another machine, permission is missing, or there is no room
    }
  }

  /** Finds the method. Notes that the client may own something in the object from now on. @throws {@link ShareError} `ERR_NOT_EXPOSED`. */
  methodOf(referent: Referent, name: string): Method {
    const method = referent.type.methods[name]
    if (method === undefined) {
      throw managerError('ERR_NOT_EXPOSED', { type: referent.type.name, method: name })
    }
    this.#account.noteUse(referent)
    return method
  }

  #onHandshake(frame: Buffer): void {
    const refusal = this.#handshake.receive(frame)
    if (refusal !== undefined) this.#refuse(refusal)
    if (!this.isTrusted) return
    const { limits } = this.#server
    this.#server.noteTrusted()
    this.#transport.allow(limits.frameBytes)
    this.#transport.watch(limits.stallMs)
    this.#transport.send(this.#handshake.welcome(this.#server.about()))
  }

  #refuse(reason: Refusal): void {
    this.#transport.send(writeRefusal(reason))
    const isKey = reason === REFUSED.KEY
    this.cutOff(
      isKey
        ? managerError('ERR_AUTHENTICATION', { why: 'client' })
        : managerError('ERR_PROTOCOL', { why: 'wrong opening' }),
    )
  }

  #onMessage(frame: Buffer): void {
    const message = readClientMessage(frame)
    switch (message.kind) {
      case REQUEST:
        this.#onRequest(message)
        break
      case CANCEL:
        this.#requests.get(message.requestId)?.cancel()
        break
      case UNREF:
        this.#account.unref(message.target, message.count)
        break
      case REF: {
        const referent = this.#server.referents.get(message.target)
        if (referent !== undefined) this.#account.ref(referent)
        break
      }
      case SWITCH:
        if (!(this.#transport instanceof SwitchingTransport)) throw noSwitch()
        this.#transport.switch()
        break
    }
  }

  #onRequest(message: RequestMessage): void {
    const { requestId } = message
    if (this.#requests.has(requestId))
      throw managerError('ERR_PROTOCOL', { why: 'duplicate request', value: requestId })
    const started = performance.now()
    let result: unknown
    const request = new Request(this, message.task)
    try {
      if (this.#requests.size >= this.#server.limits.pendingCalls) {
        throw managerError('ERR_LIMIT', { limit: 'pending calls', max: this.#server.limits.pendingCalls })
      }
      const referent = message.target === ROOT ? this.#server.root : this.#account.find(message.target)
      const method = this.methodOf(referent, message.method)
      const args = this.#values.argumentsOf(message, referent.type.attaches)
      result = method(referent.object, request, ...args)
      // A native promise settles once; another thenable may not.
      if (isPromiseLike(result)) result = Promise.resolve(result)
    } catch (error) {
      this.#fail(requestId, error, started)
      this.#noteBusy(started)
      return
    }
    if (result instanceof Promise) {
      this.#requests.set(requestId, request)
      if (this.#isClosed) request.cancel() // the method itself has ended the session
      result.then(
        (value) => this.#answer(requestId, request, value, undefined),
        (error: unknown) => this.#fail(requestId, error, undefined),
      )
    } else {
      this.#answer(requestId, request, result, started)
    }
    this.#noteBusy(started)
  }

  /** After `turnMs` of work for this client, its next requests wait until other clients were served. */
  #noteBusy(started: number): void {
    this.#busyMs += performance.now() - started
    if (this.#busyMs < OPERATIONS.turnMs || this.#isYielding || this.#isClosed) return
    this.#isYielding = true
    this.#transport.pause()
    setImmediate(() => {
      this.#isYielding = false
      this.#busyMs = 0
      if (!this.#isPaused && !this.#isClosed) this.#transport.resume()
    })
  }

  #answer(requestId: number, request: Request, value: unknown, started: number | undefined): void {
    this.#requests.delete(requestId)
    if (this.#isClosed) {
      request.leaveUnanswered()
      return
    }
    let reply: Buffer
    try {
      reply = this.#values.encode(RESULT, requestId, value)
    } catch (error) {
      request.leaveUnanswered()
      this.#fail(requestId, error, started)
      return
    }
    this.#server.statistics.note(started, false)
    this.#send(reply)
  }

  #fail(requestId: number, error: unknown, started: number | undefined): void {
    this.#requests.delete(requestId)
    if (this.#isClosed) return
    this.#server.statistics.note(started, true)
    this.#send(this.#values.encodeError(ERROR, requestId, error))
  }

  #send(bytes: Buffer): void {
    const { limits } = this.#server
    const waiting = this.#transport.bufferedBytes
    if (waiting > limits.bufferedBytes) {
      this.#server.statistics.cutOff++
      this.#transport.destroy()
      this.#end()
      return
    }
    this.#transport.send(bytes)
    if (!this.#isPaused && waiting + bytes.byteLength > limits.bufferedBytes / 8) {
      // All bytes may have left already.
      this.#isPaused = this.#transport.bufferedBytes > 0
      if (this.#isPaused) this.#transport.pause()
    }
  }

  #end(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const request of this.#requests.values()) request.cancel()
    this.#requests.clear()
    this.#account.end()
    this.#server.noteEnd(this)
  }
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}

function noSwitch(): ShareError {
  return managerError('ERR_PROTOCOL', { why: 'switch in rings' })
}

function goneError(why: 'client stalled' | 'client did not authenticate'): ShareError {
  return managerError('ERR_DISCONNECTED', { why })
}
