/**
 * The parts of a proxy: the record of its object, and the channel through which it reaches the object. Proxies use no other part of the
 * connection to a server.
 */
import type { Handle } from '../../memory/handle.ts'
import type { Reference } from '../wire/values.ts'

/** The options of a request. */
export interface RequestOptions {
  /** The task that the request belongs to; 0 is the thread. @defaultValue 0 */
  readonly task?: number
  /** Cancels the request. */
  readonly signal?: AbortSignal | undefined
  /** How long the request may take. */
  readonly timeoutMs?: number | undefined
  /**
   * Whether the method may wait for any length of time. If so, the server measures the time as well, and the client waits for its answer
   * first. A wait that `takes back` what the caller has released is timed by the server alone.
   */
  readonly waits?: boolean | 'takes back'
  /**
   * Whether the request ignores the timeout and the signal of a view. It can also be made through a closed proxy while another proxy of the
   * object is open. A release is such a request.
   */
  readonly isPlain?: boolean
  /** Returns to the server a result that was granted after the request had been cancelled. */
  readonly undo?: ((value: never) => void) | undefined
}

/** The way of proxies to their server. A request returns a promise of its result or, in the blocking form, the result. */
export interface Channel {
  /** Whether requests return results instead of promises. */
  readonly isBlocking: boolean
  /** Whether the connection is lost or closed. */
  readonly hasEnded: boolean
  /** The address as text. */
  readonly address: string
  /** The id of the server; unknown until the connection is established. */
  readonly serverId: string | undefined
  /**
   * Requests a method of an object, or of the server itself.
   * @param caller - the proxy, which is not collected before the reply
   */
  request(
    target: Remote | undefined,
    method: string,
    args: readonly unknown[],
    options?: RequestOptions,
    caller?: object,
  ): unknown
  /** Requests a method and ignores the reply. */
  post(target: Remote, method: string, args: readonly unknown[]): void
  /** Whether pending requests of an object keep the process alive. */
  setRef(remote: Remote, isRef: boolean): void
  /** The handle of an object, with the data that a child process needs to connect. */
  forChild(handle: Handle): Handle
  /** A proxy for an object that is given by a handle or by a proxy of another channel. */
  adopt(reference: Reference): object
  /** Keeps an object independently of its proxies; returns a function that ends this. */
  keep(id: number): () => void
  /** Drops the reference of a proxy that was closed or collected. */
  dropReference(remote: Remote): void
  /** Whether a proxy of the same object is open. */
  hasOpenProxy(remote: Remote): boolean
}

/** The record of a proxy's object. Each record is one reference to the object in the server, until the proxy is closed. */
export class Remote {
  readonly channel: Channel
  /** The number of the object in the server. It changes when a named object is found again in another server. */
  id: number
  readonly typeName: string
  readonly name: string | undefined
  /** The methods of an object of a registered type. */
  readonly exposes: readonly string[] | undefined
  isClosed = false
  /** Whether its pending requests keep the process alive. */
  isRef = true
  /** The proxy of which the proxy under construction is a view, and the options of the view's requests. */
  view: { readonly of: object; readonly options: RequestOptions } | undefined

  constructor(channel: Channel, [id, typeName, name, exposes]: Reference) {
    this.channel = channel
    this.id = id as number
    this.typeName = typeName as string
    this.name = (name ?? undefined) as string | undefined
    this.exposes = exposes as readonly string[] | undefined
  }
}

const remotes = new WeakMap<object, Remote>()

/** The record of a proxy; undefined for any other object. */
export function remoteOf(object: object): Remote | undefined {
  return remotes.get(object)
}

/** Sets the record of a proxy. */
export function setRemote(proxy: object, remote: Remote): void {
  remotes.set(proxy, remote)
}
