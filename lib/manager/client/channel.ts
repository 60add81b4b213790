/**
 * Channel: how proxies reach their server. Proxies are written once, for both forms: a channel answers a call with a promise, or, in
 * the blocking form, with the result itself. What is the same in both forms is here: numbering, references, and the account of
 * which objects this side has proxies for.
 */
import { managerError } from '../../errors/manager-messages.ts'
import { type Handle, isHandle } from '../../memory/handle.ts'
import { isShareable } from '../../memory/shareable.ts'
import { ROOT, writeCall } from '../wire/messages.ts'
import type { Reference, References } from '../wire/values.ts'
import type { ManagedProxy, ProxyClass } from './proxy.ts'
import { proxyClassOf } from './proxy-classes.ts'
import { attachOrStandIn } from './stand-in.ts'

/** How a call is made. */
export interface CallOptions {
  /** Who of this client calls; 0 is the thread. @defaultValue 0 */
  readonly task?: number
  /** Gives the call up. */
  readonly signal?: AbortSignal | undefined
  /** How long the call may take. */
  readonly timeoutMs?: number | undefined
  /**
   * Whether the method waits, for as long as it takes: the server keeps its time as well, and is asked first. The time of one that
   * `takes back` what the caller has let go of is kept by the server alone.
   */
  readonly waits?: boolean | 'takes back'
  /** Made although the view has a timeout or signal, or the proxy is closed while another one holds the object: a release. */
  readonly isPlain?: boolean
  /** Gives back what was granted when the call had been given up. */
  readonly undo?: ((value: never) => void) | undefined
}

/** A server's object, as one proxy stands for it. Each counts once for this client in the server, until it is closed. */
export class Remote {
  readonly channel: Channel
  /** Its number in the server; changes when a named object is found again in another server. */
  id: number
  readonly typeName: string
  readonly name: string | undefined
  /** For types of users: the methods. */
  readonly exposes: readonly string[] | undefined
  isClosed = false
  /** Whether its pending calls keep the process alive. */
  isRef = true
  /** What the proxy that is being made is a view of, and what its calls are made with. */
  view: { readonly of: ManagedProxy; readonly options: CallOptions } | undefined

  constructor(channel: Channel, [id, typeName, name, exposes]: Reference) {
    this.channel = channel
    this.id = id as number
    this.typeName = typeName as string
    this.name = (name ?? undefined) as string | undefined
    this.exposes = exposes as readonly string[] | undefined
  }
}

export abstract class Channel {
  /** Whether calls answer with results instead of promises. */
  abstract readonly isBlocking: boolean
  /** Whether the connection is lost or closed. */
  abstract readonly hasEnded: boolean
  /** The address as text. */
  readonly address: string
  /** Which server it is; unknown until the connection is made. */
  serverId: string | undefined
  /** The proxies that are neither closed nor collected; several may stand for one object. */
  readonly #proxies = new Map<Remote, WeakRef<ManagedProxy>>()
  /** What is held besides. */
  readonly #holds = new Set<{ readonly id: number }>()
  readonly #collected = new FinalizationRegistry<Remote>((remote) => this.letGo(remote))
  readonly references: References = {
    write: (object) => this.#write(object),
    read: (reference) => this.#read(reference),
  }
  #lastCall = 0

  constructor(address: string) {
    this.address = address
  }

  /**
   * Calls a method of an object: a promise of the result, or in the blocking form the result.
   * @param caller - the proxy, which is not collected before the call is answered
   */
  abstract call(
    target: Remote | undefined,
    method: string,
    args: readonly unknown[],
    options?: CallOptions,
    caller?: object,
  ): unknown

  /** Calls a method without waiting for the answer, which nobody hears. */
  abstract post(target: Remote, method: string, args: readonly unknown[]): void

  /** Pending calls of an object keep the process alive, or do not. */
  setRef(remote: Remote, isRef: boolean): void {
    remote.isRef = isRef
  }

  /** The handle with what it takes to connect. */
  abstract forChild(handle: Handle): Handle

  /** Sends that this side has let go of an object, as soon as something can be sent. */
  protected abstract sendRelease(id: number, count: number): void

  /** Sends that this side has a proxy for an object which it was not sent. */
  protected abstract sendHold(id: number): void

  /** A proxy for an object that another one has told us of. */
  adopt(reference: Reference): ManagedProxy {
    this.sendHold(reference[0] as number)
    return this.#proxyOf(reference)
  }

  /** Holds an object, besides its proxy; what it gives lets go of it. */
  hold(id: number): () => void {
    const hold = { id }
    this.#holds.add(hold)
    this.sendHold(id)
    return () => {
      if (this.#holds.delete(hold)) this.sendRelease(id, 1)
    }
  }

  /** The proxy was closed, or collected. */
  letGo(remote: Remote): void {
    if (remote.isClosed) return
    remote.isClosed = true
    this.#proxies.delete(remote)
    this.sendRelease(remote.id, 1)
  }

  /** Whether a proxy of the same object is open, so that what this client holds in the object is still held. */
  isHeld({ id }: Remote): boolean {
    for (const remote of this.#proxies.keys()) if (remote.id === id) return true
    return false
  }

  /** The proxy, if it is alive. */
  protected proxyOf(remote: Remote): ManagedProxy | undefined {
    return this.#proxies.get(remote)?.deref()
  }

  /** Holds in another server mean nothing in this one. */
  protected forgetHolds(): void {
    this.#holds.clear()
  }

  /** The numbers of the objects that are held besides their proxies. */
  protected get heldIds(): number[] {
    return [...this.#holds].map(({ id }) => id)
  }

  /** What the proxies stand for that are open. */
  protected get remotes(): Remote[] {
    return [...this.#proxies.keys()]
  }

  /**
   * The message of a call.
   * @param most - the bytes that the server allows
   * @throws `DataCloneError`; {@link ShareError} `ERR_LIMIT`.
   */
  protected encodeCall(
    call: number,
    target: Remote | undefined,
    method: string,
    args: readonly unknown[],
    task = 0,
    most = Infinity,
  ): Buffer {
    const bytes = writeCall(call, target?.id ?? ROOT, task, method, args, this.references)
    if (bytes.byteLength <= most) return bytes
    const { address } = this
    throw managerError('ERR_LIMIT', { address, limit: 'call bytes', count: bytes.byteLength, max: most })
  }

  protected nextCall(isTaken: (call: number) => boolean): number {
    do {
      this.#lastCall = (this.#lastCall + 1) >>> 0
    } while (isTaken(this.#lastCall))
    return this.#lastCall
  }

  #write(object: object): Reference {
    const remote = remoteOf(object)
    if (remote !== undefined && remote.channel.serverId === this.serverId && this.serverId !== undefined) {
      if (remote.isClosed) throw managerError('ERR_CLOSED', { type: remote.typeName, id: remote.id })
      return [remote.id]
    }
    if (isShareable(object)) return [object.handle]
    throw new DOMException(`${object} could not be encoded`, 'DataCloneError')
  }

  #read(reference: Reference): unknown {
    const [first] = reference
    if (isHandle(first)) return attachOrStandIn(first as Handle)
    return this.#proxyOf(reference)
  }

  #proxyOf(reference: Reference): ManagedProxy {
    const remote = new Remote(this, reference)
    const Class: ProxyClass = proxyClassOf(remote)
    const proxy = new Class(remote)
    this.#proxies.set(remote, new WeakRef(proxy))
    this.#collected.register(proxy, remote)
    return proxy
  }
}

const remotes = new WeakMap<object, Remote>()

/** What a proxy stands for; undefined for what is no proxy. */
export function remoteOf(object: object): Remote | undefined {
  return remotes.get(object)
}

/** Notes what a proxy stands for. */
export function setRemote(proxy: object, remote: Remote): void {
  remotes.set(proxy, remote)
}
