/**
 * ServerChannel: a channel to a server over the protocol. It is the common part of both forms: request ids, references in values, and the
 * account of the objects for which this side has proxies.
 */
import { managerError } from '../../errors/manager-messages.ts'
import { type Handle, isHandle } from '../../memory/handle.ts'
import { isShareable } from '../../memory/shareable.ts'
import { ROOT, writeRequest } from '../wire/messages.ts'
import type { Reference, References } from '../wire/values.ts'
import { proxyClassOf } from './proxy-classes.ts'
import { type Channel, Remote, type RequestOptions, remoteOf } from './remote.ts'
import { attachOrStandIn } from './stand-in.ts'

export abstract class ServerChannel implements Channel {
  abstract readonly isBlocking: boolean
  abstract readonly hasEnded: boolean
  readonly address: string
  serverId: string | undefined
  /** The proxies that are neither closed nor collected. One object may have several. */
  readonly #proxies = new Map<Remote, WeakRef<object>>()
  /** The objects that are kept independently of their proxies. */
  readonly #kept = new Set<{ readonly id: number }>()
  readonly #collected = new FinalizationRegistry<Remote>((remote) => this.dropReference(remote))
  readonly references: References = {
    write: (object) => this.#write(object),
    read: (reference) => this.#read(reference),
  }
  #lastRequestId = 0
  /** The last number for a lost object; no server uses such numbers. */
  #lastLostNumber = 2 ** 32

  constructor(address: string) {
    this.address = address
  }

  abstract request(
    target: Remote | undefined,
    method: string,
    args: readonly unknown[],
    options?: RequestOptions,
    caller?: object,
  ): unknown

  abstract post(target: Remote, method: string, args: readonly unknown[]): void

  setRef(remote: Remote, isRef: boolean): void {
    remote.isRef = isRef
  }

  abstract forChild(handle: Handle): Handle

  /** Reports to the server that this side has `count` fewer references to an object, as soon as a message can be sent. */
  protected abstract sendUnref(id: number, count: number): void

  /** Reports to the server that this side has one more reference to an object, which no message has given to it. */
  protected abstract sendRef(id: number): void

  adopt(reference: Reference): object {
    this.sendRef(reference[0] as number)
    return this.#proxyOf(reference)
  }

  keep(id: number): () => void {
    const kept = { id }
    this.#kept.add(kept)
    this.sendRef(id)
    return () => {
      if (this.#kept.delete(kept)) this.sendUnref(id, 1)
    }
  }

  dropReference(remote: Remote): void {
    if (remote.isClosed) return
    remote.isClosed = true
    this.#proxies.delete(remote)
    this.sendUnref(remote.id, 1)
  }

  hasOpenProxy({ id }: Remote): boolean {
    for (const remote of this.#proxies.keys()) if (remote.id === id) return true
    return false
  }

  /** Reports all references again after a reconnection to the same server, which counts them from zero. Nothing is lost. */
  protected refAgain(): object[] {
    for (const { id } of [...this.#proxies.keys(), ...this.#kept]) this.sendRef(id)
    return []
  }

  /**
   * After a reconnection to another server: finds the named objects there.
   * @param find - returns the number of an object, to which this side then has one more reference
   * @returns the proxies of the other objects, which are lost
   */
  protected async relink(find: (remote: Remote) => Promise<number>): Promise<object[]> {
    const remotes = [...this.#proxies.keys()]
    this.#kept.clear()
    // Until an object is found, it has no number of the new server, and requests are answered with ERR_NO_OBJECT.
    const lostNumbers = new Map<number, number>() // proxies of one object still refer to one object
    for (const remote of remotes) {
      const number = lostNumbers.get(remote.id) ?? --this.#lastLostNumber
      lostNumbers.set(remote.id, number)
      remote.id = number
    }
    const findOne = async (remote: Remote) => {
      const id = await find(remote)
      if (remote.isClosed) this.sendUnref(id, 1)
      else remote.id = id
    }
    const numbers = new Map(remotes.map((remote) => [remote, remote.id]))
    const proxies = new Map(remotes.map((remote) => [remote, this.#proxies.get(remote)?.deref()]))
    await Promise.allSettled(remotes.filter(({ name }) => name !== undefined).map(findOne))
    const lost = remotes.filter((remote) => !remote.isClosed && remote.id === numbers.get(remote))
    return lost.map((remote) => proxies.get(remote)).filter((proxy) => proxy !== undefined)
  }

  /**
   * Encodes the message of a request.
   * @param maxBytes - the largest number of bytes that the server allows
   * @throws `DataCloneError`; {@link ShareError} `ERR_LIMIT`.
   */
  protected encodeRequest(
    requestId: number,
    target: Remote | undefined,
    method: string,
    args: readonly unknown[],
    task = 0,
    maxBytes = Infinity,
  ): Buffer {
    const bytes = writeRequest(requestId, target?.id ?? ROOT, task, method, args, this.references)
    if (bytes.byteLength <= maxBytes) return bytes
    const { address } = this
    throw managerError('ERR_LIMIT', { address, limit: 'call bytes', count: bytes.byteLength, max: maxBytes })
  }

  protected nextRequestId(isTaken: (requestId: number) => boolean): number {
    do {
      this.#lastRequestId = (this.#lastRequestId + 1) >>> 0
    } while (isTaken(this.#lastRequestId))
    return this.#lastRequestId
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

  #proxyOf(reference: Reference): object {
    const remote = new Remote(this, reference)
    const Class = proxyClassOf(remote)
    const proxy = new Class(remote)
    this.#proxies.set(remote, new WeakRef(proxy))
    this.#collected.register(proxy, remote)
    return proxy
  }
}
