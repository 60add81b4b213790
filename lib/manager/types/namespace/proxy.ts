/** NamespaceProxy: named values in the server. In the blocking form, they are properties. */

import { registerShareable } from '../../../memory/shareable.ts'
import { UNCLONEABLE } from '../../../memory/uncloneable.ts'
import { valueError } from '../../../validate.ts'
import type { BlockingProxy } from '../../client/blocking.ts'
import { containerMethod } from '../../client/container.ts'
import { ManagedProxy } from '../../client/proxy.ts'
import { type NameOptions, proxyType } from '../../client/proxy-type.ts'
import { type Remote, setRemote } from '../../client/remote.ts'
import { sendableEntries } from '../../client/sendable.ts'
import type { operations } from '../../contract/contract.ts'
import type { blockingForm, Form, Result } from '../../contract/form.ts'
import { type NameOf, type NamespaceContract, type NamespaceOperations, namespaceContract } from './contract.ts'

/**
 * Named values that live in the server of a {@link Manager}: `manager.Namespace({ a: 1 })`.
 *
 * @remarks In the blocking form the values are properties: `namespace.a = 1`. A value takes precedence over a property of the proxy:
 * `namespace.name` is the value of that name, if there is one. Only the methods and `handle` are never values. A value of such a name is
 * read and set by `get` and `set`; an assignment to it is a `TypeError`. Names that begin with `_` belong to the proxy and are not shared,
 * as in Python. Values are copied in and out.
 * @example
 * ```ts
 * import { Manager } from 'procshare'
 * await using manager = await Manager.start()
 * const settings = await manager.Namespace({ verbose: false, level: 1 })
 * await settings.set('verbose', true)
 * await settings.increment('level')
 * console.assert((await settings.show()) === 'Namespace(level=2, verbose=true)')
 * const plain = manager.sync.of(settings)
 * plain.level = 5
 * console.assert(plain.level === 5)
 * ```
 */
export class NamespaceProxy<F extends object> extends ManagedProxy implements NamespaceContract<F, 'asynchronous'> {
  /** @internal */
  static override readonly writer = 'set(name, value)'
  /** @internal */
  declare readonly [operations]: NamespaceOperations
  /** @internal */
  declare readonly [blockingForm]: BlockingNamespace<F>

  /** @internal */
  constructor(remote: Remote) {
    super(remote)
    // biome-ignore lint/correctness/noConstructorReturn: the same object, with properties
    if (remote.channel.isBlocking) return withProperties(this, remote)
  }

  get<N extends NameOf<F>>(name: N): Promise<F[N]> {
    return this.request('get', [name]) as Promise<F[N]>
  }

  set<N extends NameOf<F>>(name: N, value: F[N]): Promise<void> {
    return this.request('set', [name, value])
  }

  has(name: NameOf<F>): Promise<boolean> {
    return this.request('has', [name])
  }

  delete(name: NameOf<F>): Promise<boolean> {
    return this.request('delete', [name])
  }

  assign(values: Partial<F>): Promise<void> {
    return this.request('assign', [sendableEntries(values)])
  }

  snapshot(): Promise<F> {
    return this.request('snapshot', []) as Promise<unknown> as Promise<F>
  }

  increment<N extends NameOf<F>>(name: N, by: number | (F[N] & bigint) = 1): Promise<F[N]> {
    return this.request('increment', [name, by]) as Promise<F[N]>
  }

  exchange<N extends NameOf<F>>(name: N, value: F[N]): Promise<F[N]> {
    return this.request('exchange', [name, value]) as Promise<F[N]>
  }

  compareAndSet<N extends NameOf<F>>(name: N, expected: F[N] | undefined, value: F[N]): Promise<boolean> {
    return this.request('compareAndSet', [name, expected, value])
  }
}

/** Properties of the proxy over which a value of the same name takes precedence. */
type Shadowed = 'name' | 'typeName' | 'toString'

/** The blocking form of {@link NamespaceProxy}: its values are properties. */
export type BlockingNamespace<F extends object> = Omit<F, Exclude<keyof NamespaceProxy<F>, Shadowed>> &
  NamespaceContract<F, 'blocking'> &
  Omit<BlockingProxy, keyof F & Shadowed>

type Plain = NamespaceProxy<Record<string, unknown>>

/** The members that always belong to the proxy, regardless of the names of the values. */
const OWN: ReadonlySet<string> = new Set([
  ...['get', 'set', 'has', 'delete', 'assign', 'snapshot', 'increment', 'exchange', 'compareAndSet'],
  ...['handle', 'toJSON', 'equals', 'show', 'close', 'ref', 'unref', 'with'],
])

/** The name of the value for a property; undefined for the proxy's own members. */
function nameOf(key: string | symbol): string | undefined {
  return typeof key === 'symbol' || key === '' || key.startsWith('_') || OWN.has(key) ? undefined : key
}

/** The proxy's own member, when there is no value of that name. */
function ownOf(target: Plain, key: string): unknown {
  return key === 'name' || key === 'typeName' || key in Object.prototype ? target[key as 'name'] : undefined
}

/** The value of that name, or the proxy's own member. */
function valueOrOwn(target: Plain, { isClosed }: Remote, name: string): unknown {
  const own = ownOf(target, name)
  if (own !== undefined && isClosed) return own
  try {
    const value = target.get(name) as unknown
    return value === undefined && own !== undefined && !target.has(name) ? own : value
  } catch (error) {
    // Tools read these properties of any object, even when the server is gone.
    if (name in Object.prototype) return own
    throw error
  }
}

/** A blocking proxy whose values are properties. */
function withProperties<F extends object>(target: NamespaceProxy<F>, remote: Remote): NamespaceProxy<F> {
  const plain = target as unknown as Plain
  Reflect.deleteProperty(plain, UNCLONEABLE) // its keys are those of the values, and no Proxy can be cloned anyway
  const methods = new Map<unknown, unknown>()
  const proxy = new Proxy(plain, {
    get(object, key) {
      const name = nameOf(key)
      const own = name === undefined ? Reflect.get(object, key, object) : valueOrOwn(object, remote, name)
      if (typeof own !== 'function' || key === 'constructor') return own
      // Methods are bound to the underlying object, which has the private fields.
      if (!methods.has(own)) methods.set(own, own.bind(object))
      return methods.get(own)
    },
    set(object, key, value) {
      const name = nameOf(key)
      if (name !== undefined) object.set(name, value)
      else if (typeof key === 'symbol' || key.startsWith('_')) return Reflect.set(object, key, value, object)
      else throw valueError('name', `set with set('${key}', …), because proxies have a method of that name`, key)
      return true
    },
    has(object, key) {
      const name = nameOf(key)
      if (name === undefined || ownOf(object, name) !== undefined) return Reflect.has(object, key)
      return object.has(name) as unknown as boolean
    },
    deleteProperty(object, key) {
      const name = nameOf(key)
      if (name === undefined) return Reflect.deleteProperty(object, key)
      object.delete(name)
      return true
    },
    ownKeys: (object) => [...Reflect.ownKeys(object), ...Object.keys(object.snapshot())],
    getOwnPropertyDescriptor(object, key) {
      const name = nameOf(key)
      if (name === undefined) return Reflect.getOwnPropertyDescriptor(object, key)
      if (!(object.has(name) as unknown as boolean)) return undefined
      return { value: object.get(name), configurable: true, enumerable: true, writable: true }
    },
    defineProperty(object, key, descriptor) {
      const name = nameOf(key)
      if (name === undefined) return Reflect.defineProperty(object, key, descriptor)
      object.set(name, descriptor.value)
      return true
    },
  })
  setRemote(proxy, remote)
  registerShareable(proxy)
  return proxy as unknown as NamespaceProxy<F>
}

/** The methods that make namespaces. */
export interface NamespaceFactory<F extends Form> {
  /**
   * The namespace of that name, which is made empty if it does not exist; without a name, a new namespace.
   * @throws {@link ShareError} `ERR_KIND` when the name belongs to an object of another type.
   */
  Namespace<V extends object>(name?: string): Result<F, NamespaceProxy<V>>
  /** A namespace of these values, or the namespace of the name in `options`. */
  Namespace<V extends object>(values: V, options?: NameOptions): Result<F, NamespaceProxy<V>>
}

export const namespaceProxies = proxyType(namespaceContract, NamespaceProxy).madeBy<
  NamespaceFactory<'asynchronous'>,
  NamespaceFactory<'blocking'>
>((make) => containerMethod(make, sendableEntries))
