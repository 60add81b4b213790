/**
 * Session: one client, as the server sees it, from its connection to its end. It makes the client prove that it knows the key, serves
 * its calls, keeps account of what it holds, and gives all of that up when it leaves, however it leaves.
 */
import { managerError } from '../../errors/manager-messages.ts'
import type { ShareError } from '../../errors/share-error.ts'
import type { Handle } from '../../memory/handle.ts'
import { withoutPatience } from '../../memory/segment.ts'
import { Connection as PipeEnd } from '../../queue/pipe.ts'
import {
  isOpening,
  MAX_HANDSHAKE_BYTES,
  newNonce,
  REFUSED,
  readProof,
  writeHello,
  writeRefusal,
  writeWelcome,
} from '../wire/handshake.ts'
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
import { SwitchingTransport } from '../wire/switching-transport.ts'
import type { Receiver, Transport } from '../wire/transport.ts'
import { type Limits, OPERATIONS } from './limits.ts'
import type { ManagedType, Method } from './managed-type.ts'
import type { Referent, ReferentTable } from './referent.ts'
import { type Client, Request } from './request.ts'
import { type ReferenceAccount, SessionValues } from './session-values.ts'
import type { Statistics } from './statistics.ts'

/** So long a client may take to read why it is sent away. */
export const FAREWELL_MS = 1000

/** What a session needs of its server. */
export interface SessionHost {
  readonly key: Uint8Array
  readonly limits: Limits
  readonly referents: ReferentTable
  readonly statistics: Statistics
  /** The object that stands for the server. */
  readonly root: Referent
  /** What the client is told in the welcome. */
  about(): Uint8Array
  /** The client of a session has proved that it knows the key. */
  noteTrusted(): void
  noteEnd(session: Session): void
}

let lastId = 0

export class Session implements Receiver, Client, ReferenceAccount {
  readonly id = ++lastId
  readonly #server: SessionHost
  readonly #transport: Transport
  readonly #nonce = newNonce()
  #hasOpened = false
  #isTrusted = false
  #isClosed = false
  #isPaused = false
  readonly #startedAt = performance.now()
  /** Requests that have not been answered, by their ids. */
  readonly #requests = new Map<number, Request>()
  /** The objects that the client has references to. */
  readonly #referenced = new Map<number, Referent>()
  /** The objects in which the client may have something that ends with it. */
  readonly #used = new Set<Referent>()
  readonly #values: SessionValues
  /** Milliseconds of calls since others had their turn. */
  #busyMs = 0
  #isYielding = false

  constructor(server: SessionHost, transport: Transport) {
    this.#server = server
    this.#transport = transport
    this.#values = new SessionValues(this, server.limits.frameBytes)
  }

  get isTrusted(): boolean {
    return this.#isTrusted
  }

  /** Whether the client is gone. Its calls are given up, and then what it holds. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Begins, by asking for proof. */
  start(): void {
    this.#transport.start(this, MAX_HANDSHAKE_BYTES)
    this.#transport.send(writeHello(this.#nonce))
  }

  onFrame(frame: Buffer): void {
    if (this.#isClosed) return
    try {
      if (this.#isTrusted) this.#onMessage(frame)
      else this.#onProof(frame)
    } catch (error) {
      // What it has sent is no message: there is no way to go on, nor a call that could be answered.
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

  /** Ends it, telling the client why. */
  dismiss(reason: Error): void {
    if (this.#isClosed) return
    if (this.#isTrusted) this.#transport.send(this.#values.encodeError(GOODBYE, 0, reason))
    this.#end()
    this.#transport.close()
    // Who does not read does not let the stream end either.
    setTimeout(() => this.#transport.destroy(), FAREWELL_MS).unref()
  }

  /** The same, for what the client has done or failed to do. */
  cutOff(reason: Error): void {
    if (!this.#isClosed) this.#server.statistics.cutOff++
    this.dismiss(reason)
  }

  /** Looks whether the client takes longer to prove that it knows the key than it may; called every now and then. */
  checkTrust(now: number): void {
    if (this.#isTrusted || now - this.#startedAt <= this.#server.limits.authenticateMs) return
    this.cutOff(goneError('client did not authenticate'))
  }

  /** The object lives no longer for this client than it says so: counts, and what it holds in it. */
  ref(referent: Referent): void {
    if (!this.#referenced.has(referent.id) && this.#referenced.size >= this.#server.limits.objects) {
      throw managerError('ERR_LIMIT', { limit: 'proxies', max: this.#server.limits.objects })
    }
    this.#referenced.set(referent.id, referent)
    this.#server.referents.ref(referent, this)
  }

  /** The object with that number. @throws {@link ShareError} `ERR_NO_OBJECT`. */
  find(id: number): Referent {
    const referent = this.#server.referents.get(id)
    if (referent === undefined) throw managerError('ERR_NO_OBJECT', { id })
    return referent
  }

  /**
   * Before a reply is made that has at least so many bytes.
   * @throws {@link ShareError} `ERR_LIMIT` when it cannot be sent.
   */
  assertReply(minBytes: number): void {
    const { frameBytes } = this.#server.limits
    if (minBytes <= frameBytes) return
    throw managerError('ERR_LIMIT', { limit: 'reply bytes', count: minBytes, isAtLeast: true, max: frameBytes })
  }

  /** Before values are sent among which one text or buffer may be many times. @throws {@link ShareError} `ERR_LIMIT`. */
  assertReplyOf<T extends readonly unknown[]>(values: T): T {
    let bytes = values.length
    for (const value of values) {
      if (typeof value === 'string') bytes += value.length
      else if (ArrayBuffer.isView(value)) bytes += value.byteLength
    }
    this.assertReply(bytes)
    return values
  }

  /** An object of the server's own that a method gives the client, such as an iterator: it lives as long as its proxies. */
  make(type: { readonly name: string }, object: object): Referent {
    return this.#server.referents.make(type as ManagedType, object)
  }

  /** Goes on in shared memory, from what the client sends after its switch; false when that is not possible. */
  takeRings(handle: Handle): boolean {
    const transport = this.#transport
    if (!(transport instanceof SwitchingTransport) || transport.hasRings) return false
    try {
      transport.prepare(withoutPatience(() => PipeEnd.attach<Uint8Array>(handle)))
      return true
    } catch {
      return false // not of this machine, or not ours to see, or there is no room
    }
  }

  /** The method, and the note that the client may from now on hold something in the object. @throws {@link ShareError} `ERR_NOT_EXPOSED`. */
  methodOf(referent: Referent, name: string): Method {
    const method = referent.type.methods[name]
    if (method === undefined) {
      throw managerError('ERR_NOT_EXPOSED', { type: referent.type.name, method: name })
    }
    if (referent.type.disconnect !== undefined) this.#used.add(referent)
    return method
  }

  #onProof(frame: Buffer): void {
    const { key, limits } = this.#server
    if (!this.#hasOpened) {
      this.#hasOpened = isOpening(frame)
      if (!this.#hasOpened) this.#refuse(REFUSED.VERSION)
      return
    }
    const proof = readProof(frame, key, this.#nonce)
    if (typeof proof === 'number') {
      this.#refuse(proof)
      return
    }
    this.#isTrusted = true
    this.#server.noteTrusted()
    this.#transport.allow(limits.frameBytes)
    this.#transport.watch(limits.stallMs)
    this.#transport.send(writeWelcome(key, this.#nonce, proof, this.#server.about()))
  }

  #refuse(reason: number): void {
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
        this.unref(message.target, message.count)
        break
      case REF: {
        const referent = this.#server.referents.get(message.target)
        if (referent !== undefined) this.ref(referent)
        break
      }
      case SWITCH:
        if (!(this.#transport instanceof SwitchingTransport)) throw noSwitch()
        this.#transport.switch()
        break
    }
  }

  /** The client has let go of an object so many times. */
  unref(id: number, count: number): void {
    const referent = this.#referenced.get(id)
    if (referent === undefined || !this.#server.referents.unref(referent, this, count)) return
    this.#referenced.delete(id)
    this.#disconnect(referent)
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
      const referent = message.target === ROOT ? this.#server.root : this.find(message.target)
      const method = this.methodOf(referent, message.method)
      const args = this.#values.argumentsOf(message, referent.type.attaches)
      result = method(referent.object, request, ...args)
      // A promise of ours settles once, which those of others need not do.
      if (isPromiseLike(result)) result = Promise.resolve(result)
    } catch (error) {
      this.#fail(requestId, error, started)
      this.#noteBusy(started)
      return
    }
    if (result instanceof Promise) {
      this.#requests.set(requestId, request)
      if (this.#isClosed) request.cancel() // the method itself has ended it
      result.then(
        (value) => this.#answer(requestId, request, value, undefined),
        (error: unknown) => this.#fail(requestId, error, undefined),
      )
    } else {
      this.#answer(requestId, request, result, started)
    }
    this.#noteBusy(started)
  }

  /** After so much work for this client, the calls that it has sent already wait until others had their turn. */
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
      // Unless all of it has left already.
      this.#isPaused = this.#transport.bufferedBytes > 0
      if (this.#isPaused) this.#transport.pause()
    }
  }

  #end(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const request of this.#requests.values()) request.cancel()
    this.#requests.clear()
    for (const referent of this.#used) this.#disconnect(referent)
    for (const referent of this.#referenced.values()) this.#server.referents.unref(referent, this, Infinity)
    this.#referenced.clear()
    this.#server.noteEnd(this)
  }

  #disconnect(referent: Referent): void {
    if (this.#used.delete(referent)) referent.type.disconnect?.(referent.object, this)
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
