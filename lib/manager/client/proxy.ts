/** The common part of all proxies, in both forms: requests, the handle, equality, text, and the end. */
import { inspect } from 'node:util'
import { managerError } from '../../errors/manager-messages.ts'
import type { ShareError } from '../../errors/share-error.ts'
import type { Handle } from '../../memory/handle.ts'
import type { HeldHandle } from '../../memory/segment.ts'
import { FOR_CHILD, registerShareable } from '../../memory/shareable.ts'
import { takeSyncWaitOptions, takeWaitOptions, type WaitOptions } from '../../sync/wait-options.ts'
import { typeError } from '../../validate.ts'
import type { ArgumentsOf, Managed, ResultOf } from '../contract/contract.ts'
import { type Channel, Remote, type RequestOptions, remoteOf, setRemote } from './remote.ts'

/** A class of proxies. */
export type ProxyClass = new (remote: Remote) => ManagedProxy

/**
 * A stand-in for an object that lives in the server of a {@link Manager}.
 *
 * @remarks Each method is one request to the server, which serves one request at a time: a method is one step. In the blocking form,
 * {@link Manager.sync}, the same methods return results instead of promises. Every call rejects (or throws) with `ERR_DISCONNECTED` when
 * the server is gone, with `ERR_CLOSED` when the proxy was closed, and with errors of the server's object. Arguments and results are
 * copied, like items of a {@link Queue}. Proxies inside arrive as proxies; shared objects inside arrive attached. Each call that returns a
 * proxy returns a new one. The close or collection of a proxy leaves other proxies of the same object usable. {@link equals} returns
 * whether two proxies are of the same object. An object that occurs twice within one result is one proxy there. Whatever this client holds
 * in an object, such as a lock, is held as long as one of its proxies of the object is open. A guard releases its lock even after the proxy
 * of the acquisition was closed.
 */
export abstract class ManagedProxy implements Disposable {
  /** The members to use instead of an assignment, for the error message. @internal */
  static readonly writer: string = 'its methods'
  readonly #remote: Remote
  /** The options of all requests. */
  #options: RequestOptions | undefined
  /** The proxy of which this is a view. It is kept, because a collected proxy drops its reference. */
  #of: ManagedProxy | undefined

  /** @internal Proxies are made by managers. */
  constructor(remote: Remote) {
    if (!(remote instanceof Remote))
      throw typeError('remote', 'passed by a Manager, whose methods create proxies', remote)
    this.#remote = remote
    const { view } = remote
    this.#options = view?.options
    this.#of = view?.of as ManagedProxy | undefined
    setRemote(this, remote)
    registerShareable(this)
  }

  /** The type of the object: `"list"`, `"dict"`, or the name of a registered type. */
  get typeName(): string {
    return this.#remote.typeName
  }

  /** The name under which every client gets this object; undefined for an object without a name. */
  get name(): string | undefined {
    return this.#remote.name
  }

  /**
   * A plain description with which other processes can attach to the object, by `attach(handle)`. The handle does not keep the object. The
   * other processes need the key of the server: see the guide.
   */
  get handle(): Handle {
    const { channel, id, typeName, name, exposes } = this.#open
    return {
      procshare: 1,
      kind: 'Manager',
      name: channel.address,
      id: JSON.stringify([channel.serverId, id, typeName, name, exposes]),
    }
  }

  /** @internal */
  [FOR_CHILD](): HeldHandle {
    const { channel, id } = this.#open
    // The child reports that it has attached before its connection is established.
    return { handle: channel.forChild(this.handle), untilEnd: true, release: channel.keep(id) }
  }

  /** The handle, so that the proxy itself can be sent as JSON. */
  toJSON(): Handle {
    return this.handle
  }

  /**
   * Whether both are proxies of the same object of the same server; false for anything else. It sends no request.
   * @example
   * ```ts
   * import { Manager } from 'procshare'
   * await using manager = await Manager.start()
   * const jobs = await manager.list<string>([], { name: 'jobs' })
   * const again = await manager.list([], { name: 'jobs' })
   * console.assert(jobs !== again && jobs.equals(again))
   * again.close()
   * await jobs.push('a job')
   * ```
   */
  equals(other: unknown): boolean {
    const theirs = typeof other === 'object' && other !== null ? remoteOf(other) : undefined
    const ours = this.#remote
    if (theirs?.id !== ours.id) return false
    const { serverId } = ours.channel // unknown during a reconnection
    return theirs.channel === ours.channel || (serverId !== undefined && theirs.channel.serverId === serverId)
  }

  /** The present state of the object in the server, as text. @throws {@link ShareError} as every call. */
  show(): Promise<string> {
    const { channel, isClosed } = this.#remote
    return isClosed
      ? this.#fail(this.#closedError())
      : (channel.request(undefined, 'show', [this], this.#options) as Promise<string>)
  }

  /**
   * Closes the proxy. An object without a name ends with its last proxy, of any client. Other proxies of the object stay usable, and this
   * client keeps everything that it holds in the object. With the last proxy of this client, its locks and units in the object are released
   * and its waits there end. Collection of a proxy closes it. Idempotent.
   */
  close(): void {
    this.#remote.channel.dropReference(this.#remote)
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /**
   * Returns a proxy of the same object, whose calls have this timeout and this signal unless they are given others.
   *
   * @remarks The client measures the time, even when the server does not answer. A wait that ends in that way has no effect. A lock, units
   * of a semaphore or items of a queue that were granted too late go back; the items go to the front of the queue. Any other call may or
   * may not have been carried out. `close()` of either proxy closes both.
   * @throws `TypeError`, `RangeError` for other options; in the blocking form there is no `signal`.
   * @example
   * ```ts
   * import { Manager } from 'procshare'
   * await using manager = await Manager.start()
   * const jobs = (await manager.Queue<string>()).with({ timeoutMs: 2_000 })
   * await jobs.put('a job')
   * console.assert((await jobs.get()) === 'a job')
   * ```
   */
  with(options: WaitOptions): this {
    const taken: WaitOptions = this.#remote.channel.isBlocking ? takeSyncWaitOptions(options) : takeWaitOptions(options)
    const of = this.#of ?? this
    const remote = this.#remote
    remote.view = {
      of,
      options: {
        timeoutMs: taken.timeoutMs ?? this.#options?.timeoutMs,
        signal: taken.signal ?? this.#options?.signal,
      },
    }
    try {
      const Class = this.constructor as new (remote: Remote) => this
      return new Class(remote)
    } finally {
      remote.view = undefined
    }
  }

  /** Undoes {@link unref}. */
  ref(): this {
    this.#remote.channel.setRef(this.#remote, true)
    return this
  }

  /**
   * From now on, pending calls of this object do not keep the process alive. By default they do. An object without pending calls never
   * keeps the process alive.
   */
  unref(): this {
    this.#remote.channel.setRef(this.#remote, false)
    return this
  }

  /** The type and name of the object; in the blocking form the content of the object, as in Python. */
  toString(): string {
    const { channel, isClosed } = this.#remote
    if (isClosed || !channel.isBlocking) return textOf(this)
    try {
      return String(this.show())
    } catch {
      return textOf(this)
    }
  }

  /** The type and name of the object, and whether it can be reached. It sends no request, in either form. */
  [inspect.custom](): string {
    return textOf(this)
  }

  /** Requests an operation of the object. @internal */
  protected request<O, M extends keyof O & string>(
    this: Managed<O>,
    method: M,
    args: ArgumentsOf<O, M>,
    options?: RequestOptions,
  ): Promise<ResultOf<O, M>>
  protected request(method: string, args: readonly unknown[], options?: RequestOptions): Promise<unknown> {
    return this.#request(method, args, options)
  }

  /** Requests an operation that gives something back, and ignores the reply. @internal */
  protected post<O, M extends keyof O & string>(this: Managed<O>, method: M, args: ArgumentsOf<O, M>): void
  protected post(method: string, args: readonly unknown[]): void {
    const remote = this.#remote
    if (!remote.isClosed || remote.channel.hasOpenProxy(remote)) remote.channel.post(remote, method, args)
  }

  /** The proxy of which this one is a view, or this proxy itself. @internal */
  protected get whole(): ManagedProxy {
    return this.#of ?? this
  }

  /** The timeout of the view, for calls without a timeout of their own. @internal */
  protected get timeoutMs(): number | undefined {
    return this.#options?.timeoutMs
  }

  /** Returns a rejected promise; in the blocking form, throws the error. @internal */
  protected fail(error: unknown): Promise<never> {
    return this.#fail(error)
  }

  /** Applies `fn` to a result, in either form. @internal */
  protected after<T, R>(result: Promise<T>, fn: (value: T) => R): Promise<R> {
    return (this.#remote.channel.isBlocking ? fn(result as T) : result.then(fn)) as Promise<R>
  }

  /** Whether calls return results instead of promises. @internal */
  protected get isBlocking(): boolean {
    return this.#remote.channel.isBlocking
  }

  /** @internal */
  protected get channel(): Channel {
    return this.#remote.channel
  }

  #withOwn(options: RequestOptions | undefined): RequestOptions | undefined {
    if (this.#options === undefined || options === undefined) return options ?? this.#options
    const { timeoutMs = this.#options.timeoutMs, signal = this.#options.signal } = options
    return options.isPlain ? options : { ...options, timeoutMs, signal }
  }

  #request(method: string, args: readonly unknown[], options?: RequestOptions): Promise<unknown> {
    const remote = this.#remote
    if (remote.isClosed && !(options?.isPlain && remote.channel.hasOpenProxy(remote))) {
      return this.#fail(this.#closedError())
    }
    return remote.channel.request(remote, method, args, this.#withOwn(options), this) as Promise<unknown>
  }

  get #open(): Remote {
    if (!this.#remote.isClosed) return this.#remote
    throw this.#closedError()
  }

  // The helpers of this class are private, because methods of users' types may have any other name.
  #fail(error: unknown): Promise<never> {
    if (this.#remote.channel.isBlocking) throw error
    return Promise.reject(error)
  }

  #closedError(): ShareError {
    return managerError('ERR_CLOSED', { type: this.#remote.typeName, id: this.#remote.id })
  }
}

// An assignment to an undeclared property would change this side only. At the end of the prototype chain, the Proxy costs nothing else.
Object.setPrototypeOf(
  ManagedProxy.prototype,
  new Proxy(
    {},
    {
      set(target, key, value, receiver: ManagedProxy) {
        // These are marks of tools and of the program.
        if (typeof key === 'symbol' || key.startsWith('_')) return Reflect.set(target, key, value, receiver)
        throw assignmentError(receiver, key)
      },
    },
  ),
)

function assignmentError(proxy: ManagedProxy, key: string): Error {
  const { writer } = Object.getPrototypeOf(proxy).constructor as typeof ManagedProxy
  const element = /^-?\d+$/.test(key) ? `[${key}]` : `.${key}`
  const message = `${proxy.typeName}${element} cannot be assigned: a managed ${proxy.typeName} is changed by ${writer}`
  return Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_VALUE' })
}

/** Uses no private field: `this` may be the blocking form of a namespace, which is a Proxy. */
function textOf(proxy: ManagedProxy): string {
  const { channel, typeName, name, id, isClosed } = remoteOf(proxy)!
  const Class = Object.getPrototypeOf(proxy).constructor as ProxyClass // a namespace may have a value of that name
  const which = `${Class.name} of ${typeName} ${name === undefined ? `#${id}` : JSON.stringify(name)}`
  if (isClosed) return `<${which}, closed>`
  return `<${which} at ${channel.address}${channel.hasEnded ? ', disconnected' : ''}>`
}

/**
 * The members of every proxy, including proxies of registered types. Methods of registered types may have the names of protected members of
 * {@link ManagedProxy}.
 */
export type AnyProxy = Omit<ManagedProxy, keyof SelfReturning> & SelfReturning

/** The members that return a proxy of the same type. */
interface SelfReturning {
  /** {@link ManagedProxy.with}. */
  with(options: WaitOptions): this
  /** {@link ManagedProxy.ref}. */
  ref(): this
  /** {@link ManagedProxy.unref}. */
  unref(): this
}
