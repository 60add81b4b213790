/**
 * Connection: the asynchronous form's channel to a server, over a socket. Requests are sent without waiting for the replies of earlier
 * ones, and answered in any order.
 *
 * The connection keeps the process alive while requests are pending, unless `unref()` was called.
 */
import type { ConnectionOptions } from 'node:tls'
import { disconnectedError, managerError, socketError } from '../../errors/manager-messages.ts'
import { hasCode, type ShareError } from '../../errors/share-error.ts'
import type { Handle } from '../../memory/handle.ts'
import { formatAddress, type ManagerAddress } from '../address.ts'
import { ClientHandshake } from '../wire/client-handshake.ts'
import { type AboutServer, MAX_WELCOME_BYTES, writeOpening } from '../wire/handshake.ts'
import {
  ERROR,
  GOODBYE,
  RESULT,
  readServerMessage,
  readValue,
  type ServerMessage,
  writeCancel,
  writeRef,
  writeSwitch,
  writeUnref,
} from '../wire/messages.ts'
import { SwitchingTransport } from '../wire/switching-transport.ts'
import { ServerChannel } from './channel.ts'
import { dial } from './dial.ts'
import { GRACE_MS, PendingRequests, reasonOf } from './pending-requests.ts'
import type { AnyProxy } from './proxy.ts'
import type { Remote, RequestOptions } from './remote.ts'
import { offerRings, Pace } from './ring-offer.ts'
import { assertAttached } from './stand-in.ts'

/** The result of a reconnection: {@link ManagerConnectOptions.onReconnect}. */
export interface Reconnection {
  /** Whether it is the same server, whose objects still exist. */
  readonly isSameServer: boolean
  /** The proxies whose objects no longer exist: their calls are rejected with `ERR_NO_OBJECT`. */
  readonly lost: readonly AnyProxy[]
}

/** The key and the TLS options of a connection. */
export interface Credentials {
  readonly key: Uint8Array
  readonly tls?: ConnectionOptions | undefined
}

const CONNECT_MS = 10_000
/** Milliseconds between automatic attempts to reconnect: each pause is twice as long as the one before. */
const FIRST_PAUSE_MS = 50
const MAX_PAUSE_MS = 2000

export class Connection extends ServerChannel {
  override readonly isBlocking = false
  readonly at: ManagerAddress
  readonly credentials: Credentials
  /** The welcome of the server. */
  about: AboutServer | undefined
  #transport: SwitchingTransport | undefined
  #handshake: ClientHandshake | undefined
  /** Messages that wait for the end of the handshake. */
  #early: Buffer[] = []
  #ended: ShareError | undefined
  #settleOpen: { resolve(): void; reject(reason: unknown): void } | undefined
  readonly #pending = new PendingRequests()
  #isRef = true
  #onReconnect: ((found: Reconnection) => void) | undefined
  #reconnects = false
  #isReconnecting = false
  /** Whether a reconnection has not yet found the objects of the proxies in the server. */
  #isRelinking = false
  /**
   * Whether `unref()` of a proxy was called: then the number of pending requests is not enough to decide whether the process stays alive.
   */
  #hasUnref = false
  #isClosed = false
  #closing = deferred<ShareError | undefined>()
  #pace = new Pace()
  #connecting: Promise<void> | undefined
  #reconnecting: Promise<void> | undefined

  constructor(at: ManagerAddress, credentials: Credentials) {
    super(formatAddress(at))
    this.at = at
    this.credentials = credentials
  }

  /**
   * Connects unless it has already connected; resolves after mutual authentication.
   * @throws {@link ShareError} `ENOENT`, `ECONNREFUSED`, `EACCES`, `ERR_AUTHENTICATION`, `ERR_PROTOCOL`, `ERR_TLS`, `ERR_LIMIT`,
   * `ERR_DISCONNECTED`, `ERR_TIMEOUT`.
   */
  open(timeoutMs = CONNECT_MS, askedMs = timeoutMs): Promise<void> {
    this.#connecting ??= this.#connect(timeoutMs, askedMs)
    return this.#connecting
  }

  /** Sets the function that is called after a reconnection, and whether to reconnect automatically. */
  listenForReconnections(onReconnect: (found: Reconnection) => void, byItself: boolean): void {
    this.#onReconnect = onReconnect
    this.#reconnects = byItself
  }

  /** Resolves when the connection has finally ended: with the reason, or undefined for `close()`. */
  get closed(): Promise<ShareError | undefined> {
    return this.#closing.promise
  }

  /** Connects again after the connection was lost. Named objects are found again; other objects only if the server is the same. */
  reconnect(timeoutMs = CONNECT_MS): Promise<void> {
    if (this.#reconnecting !== undefined) return this.#reconnecting
    if (this.#ended === undefined) return this.open(timeoutMs)
    this.#isClosed = false
    if (!this.#isReconnecting) this.#closing = deferred()
    this.#reconnecting = this.#reconnect(timeoutMs).finally(() => {
      this.#reconnecting = undefined
    })
    return this.#reconnecting
  }

  async #reconnect(timeoutMs: number): Promise<void> {
    const before = this.serverId
    this.serverId = undefined
    this.#ended = undefined
    this.#early = []
    this.#isRelinking = true
    try {
      this.#connecting = this.#connect(timeoutMs)
      await this.#connecting
    } catch (error) {
      // The next attempt may still find the same server.
      this.serverId = before
      throw error
    }
    const isSameServer = before === this.serverId
    this.#isRelinking = false
    const lost = isSameServer ? this.refAgain() : await this.relink((remote) => this.#find(remote))
    this.assertOpen()
    this.#report({ isSameServer, lost: lost as AnyProxy[] })
  }

  async #find({ name, typeName }: Remote): Promise<number> {
    return (await this.#request(undefined, 'find', [name, typeName])) as number
  }

  /** Calls the listener in a separate turn, so that its errors do not fail the reconnection. */
  #report(found: Reconnection): void {
    const listener = this.#onReconnect
    if (listener !== undefined) setImmediate(() => listener(found))
  }

  /** Tries to reconnect until an attempt succeeds or no attempt can succeed. */
  async #reconnectAlone(): Promise<void> {
    this.#isReconnecting = true
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
      await new Promise((resolve) => setTimeout(resolve, pauseMs).unref())
      if (this.#isClosed || this.#ended === undefined) break
      try {
        await this.reconnect()
        break
      } catch (error) {
        if (!hasCode(error, 'ERR_AUTHENTICATION') && !hasCode(error, 'ERR_PROTOCOL')) continue
        this.#closing.resolve(this.#goneError(error))
        break
      }
    }
    this.#isReconnecting = false
  }

  override request(
    target: Remote | undefined,
    method: string,
    args: readonly unknown[],
    options?: RequestOptions,
    caller?: object,
  ) {
    if (this.#reconnecting === undefined) return this.#request(target, method, args, options, caller)
    // The numbers of objects may belong to another server.
    return Promise.reject(managerError('ERR_DISCONNECTED', { address: this.address, why: 'reconnecting' }))
  }

  #request(
    target: Remote | undefined,
    method: string,
    args: readonly unknown[],
    options?: RequestOptions,
    caller?: object,
  ) {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) throw this.#goneError(this.#ended)
      const { signal, task, timeoutMs, waits, undo } = options ?? {}
      signal?.throwIfAborted()
      const id = this.nextRequestId((taken) => this.#pending.has(taken))
      const bytes = this.encodeRequest(id, target, method, args, task, this.about?.frameBytes)
      const onAbort =
        signal &&
        (() => {
          this.#send(writeCancel(id))
          if (waits !== 'takes back') this.#pending.limit(id, GRACE_MS, () => this.#cancel(id, signal.reason))
        })
      this.#pending.add(id, { resolve, reject, target, signal, onAbort, caller, undo: undo as undefined })
      if (timeoutMs !== undefined && waits !== 'takes back') {
        this.#pending.limit(id, waits ? timeoutMs + GRACE_MS : timeoutMs, () => {
          this.#send(writeCancel(id))
          const subject = target === undefined ? { address: this.address } : { type: target.typeName }
          this.#cancel(id, managerError('ERR_TIMEOUT', { ...subject, timeoutMs }))
        })
      }
      if (this.#isRef && target?.isRef !== false) this.#transport?.ref()
      this.#send(bytes)
      if (this.isOpen && this.about?.rings !== undefined && this.#pace.isHot()) void this.#moveToRings()
    })
  }

  /** Continues in shared memory if the server can attach to it; otherwise changes nothing. */
  async #moveToRings(): Promise<void> {
    const transport = this.#transport!
    const rings = await offerRings((theirs) => this.#request(undefined, 'takeRings', [theirs]))
    if (rings === undefined) return
    if (this.#transport !== transport || this.#ended !== undefined) {
      rings.close()
      return
    }
    transport.prepare(rings)
    transport.send(writeSwitch())
    transport.switch()
  }

  /** Pending calls keep the process alive. */
  ref(): void {
    this.#isRef = true
    this.#rest()
  }

  /** Pending calls do not keep the process alive. */
  unref(): void {
    this.#isRef = false
    this.#rest()
  }

  override setRef(remote: Remote, isRef: boolean): void {
    super.setRef(remote, isRef)
    this.#hasUnref ||= !isRef
    this.#rest()
  }

  override post(target: Remote, method: string, args: readonly unknown[]): void {
    this.#request(target, method, args).catch(() => {}) // a client whose connection has ended has nothing to give back
  }

  #cancel(id: number, reason: unknown): void {
    this.#pending.cancel(id, reason)
    this.#rest()
  }

  /** Ends the connection: pending requests are rejected, and everything that this client holds is released. */
  close(): void {
    this.#isClosed = true
    const reason = managerError('ERR_CLOSED', { address: this.address })
    if (this.#isReconnecting && this.#ended !== undefined) this.#ended = reason
    this.#end(reason)
    this.#closing.resolve(undefined)
  }

  override forChild(handle: Handle): Handle {
    return { ...handle, credentials: this.credentials } as Handle
  }

  get hasEnded(): boolean {
    return this.#ended !== undefined
  }

  /** @throws {@link ShareError} `ERR_DISCONNECTED`, `ERR_CLOSED`. */
  assertOpen(): void {
    if (this.#ended !== undefined) throw this.#goneError(this.#ended)
  }

  get isOpen(): boolean {
    return this.about !== undefined && this.#ended === undefined
  }

  #onFrame(frame: Buffer): void {
    try {
      if (this.about !== undefined) this.#onMessage(frame)
      else this.#onHandshake(frame, this.#handshake!)
    } catch (error) {
      this.#end(error as ShareError)
    }
  }

  #onClose(reason: Error | undefined): void {
    const { address } = this
    if (this.about === undefined && hasCode(reason, 'ERR_PROTOCOL')) {
      // The first bytes are not the greeting of a manager.
      this.#end(managerError('ERR_PROTOCOL', { address, why: 'no manager' }, { cause: reason }))
      return
    }
    if (reason !== undefined) {
      this.#end(socketError(reason, address, 'connect'))
    } else if (this.about !== undefined) {
      this.#end(managerError('ERR_DISCONNECTED', { address, why: 'server ended' }))
    } else if (this.credentials.tls === undefined) {
      this.#end(managerError('ERR_DISCONNECTED', { address, why: 'server closed the connection early' }))
    } else {
      this.#end(managerError('ERR_TLS', { address, why: 'refused' }))
    }
  }

  protected override sendUnref(id: number, count: number): void {
    if (this.#ended === undefined) this.#send(writeUnref(id, count))
  }

  protected override sendRef(id: number): void {
    if (this.#ended === undefined && !this.#isRelinking) this.#send(writeRef(id))
  }

  #connect(timeoutMs: number, askedMs = timeoutMs): Promise<void> {
    this.about = undefined
    this.#handshake = new ClientHandshake(this.credentials.key, this.address)
    this.#pace = new Pace()
    return new Promise((resolve, reject) => {
      let isPending = true
      const giveUp = () => {
        if (isPending) this.#end(managerError('ERR_TIMEOUT', { address: this.address, timeoutMs: askedMs }))
      }
      // Data that has already arrived counts, and a failed socket reports its error one turn of the event loop later.
      const onTime = () => setImmediate(() => setImmediate(giveUp))
      const timer = setTimeout(onTime, Math.min(timeoutMs, 2 ** 31 - 1))
      if (this.#isReconnecting) timer.unref()
      this.#settleOpen = {
        resolve: () => {
          isPending = false
          clearTimeout(timer)
          resolve()
        },
        reject: (reason) => {
          isPending = false
          clearTimeout(timer)
          reject(reason)
        },
      }
      let transport: SwitchingTransport
      try {
        transport = new SwitchingTransport(dial(this.at, this.credentials.tls))
      } catch (error) {
        this.#end(socketError(error as Error, this.address, 'connect'))
        return
      }
      this.#transport = transport
      if (this.#isReconnecting) transport.unref()
      // The late close of an earlier transport is ignored.
      const onFrame = (frame: Buffer) => this.#transport === transport && this.#onFrame(frame)
      const onClose = (reason: Error | undefined) => this.#transport === transport && this.#onClose(reason)
      transport.start({ onFrame, onClose }, MAX_WELCOME_BYTES)
      transport.send(writeOpening())
    })
  }

  #onHandshake(frame: Buffer, handshake: ClientHandshake): void {
    const transport = this.#transport!
    if (!handshake.isGreeted) {
      transport.send(handshake.greet(frame))
      return
    }
    const about = handshake.welcome(frame)
    if (this.serverId !== undefined && this.serverId !== about.id) {
      throw managerError('ERR_STALE_HANDLE', { address: this.address })
    }
    this.about = about
    this.serverId = about.id
    transport.allow(about.frameBytes)
    for (const bytes of this.#early) transport.send(bytes)
    this.#early = []
    this.#rest()
    this.#settleOpen!.resolve()
  }

  #onMessage(frame: Buffer): void {
    const message = readServerMessage(frame)
    if (message.kind === GOODBYE) {
      this.#end(readValue(message, this.references) as ShareError)
      return
    }
    const pending = this.#pending.take(message.requestId)
    if (pending === undefined) {
      this.#onLate(message)
      return
    }
    if (this.#pending.size === 0) this.#rest()
    else if (pending.target?.isRef !== false && this.#hasUnref) this.#rest()
    let value: unknown
    try {
      value = readValue(message, this.references)
      assertAttached(value)
    } catch (error) {
      pending.reject(error)
      return
    }
    if (message.kind === RESULT) pending.resolve(value)
    else if (message.kind === ERROR) pending.reject(reasonOf(value, pending))
  }

  /** The reply to a cancelled request: what it grants is returned to the server. */
  #onLate(message: ServerMessage): void {
    const late = this.#pending.takeLate(message.requestId)
    if (late === undefined) return
    try {
      const value = readValue(message, this.references) // proxies in it are closed when they are collected
      if (message.kind === RESULT) late.undo?.(value)
    } catch {
      // Nothing to return.
    }
  }

  /** Stops keeping the process alive when no pending request does. */
  #rest(): void {
    if (this.about === undefined && this.#ended === undefined) return // the connection is being established
    if (this.#isRef && this.#pending.keeps) this.#transport?.ref()
    else this.#transport?.unref()
  }

  #send(bytes: Buffer): void {
    if (this.about === undefined) this.#early.push(bytes)
    else this.#transport!.send(bytes)
  }

  #end(reason: ShareError): void {
    if (this.#ended !== undefined) return
    this.#ended = reason
    this.#transport?.destroy()
    const wasOpen = this.about !== undefined
    if (!wasOpen) this.#settleOpen?.reject(reason)
    this.#pending.rejectAll(() => this.#goneError(reason))
    this.#rest()
    if (hasCode(reason, 'ERR_CLOSED') || this.#isReconnecting) return
    if (wasOpen && this.#reconnects) void this.#reconnectAlone()
    else this.#closing.resolve(this.#goneError(reason))
  }

  /** A new error for each request. */
  #goneError(reason: ShareError): ShareError {
    return reason.code === 'ERR_CLOSED'
      ? managerError('ERR_CLOSED', { address: this.address })
      : disconnectedError(reason)
  }
}

function deferred<T>(): { readonly promise: Promise<T>; resolve(value: T): void } {
  let resolve!: (value: T) => void
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
