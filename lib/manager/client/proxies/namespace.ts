/** NamespaceProxy: named values in the server; in the blocking form properties. */
import { registerShareable } from '../../../memory/shareable.ts'
import { UNCLONEABLE } from '../../../memory/uncloneable.ts'
import { valueError } from '../../../validate.ts'
import type { BlockingMethods, blockingForm } from '../blocking.ts'
import { type Remote, setRemote } from '../channel.ts'
import { ManagedProxy } from '../proxy.ts'
import { registerProxy } from '../proxy-classes.ts'
import { sendableEntries } from './collections.ts'

/** The names of a namespace. */
type NameOf<F> = keyof F & string

/**
 * Named values that live in the server of a {@link Manager}: `manager.Namespace({ a: 1 })`.
 *
 * @remarks In the blocking form the values are properties: `namespace.a = 1`. A value comes before a property of the proxy: `namespace.name` is the
 * value of that name, if there is one. Only the methods and `handle` stay what they are; a value with such a name is for `set` and `get`, and an
 * assignment to it is a `TypeError`. Names that begin with `_` stay with the proxy and are not shared, as in Python. Values are copied in and out.
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
export class NamespaceProxy<F extends object> extends ManagedProxy {
  /** @internal */
  static override readonly writer = 'set(name, value)'
  /** @internal */
  declare readonly [blockingForm]: BlockingNamespace<F>

  /** @internal */
  constructor(remote: Remote) {
    super(remote)
    // biome-ignore lint/correctness/noConstructorReturn: the same object, with properties
    if (remote.channel.isBlocking) return withProperties(this, remote)
  }

  /** A value; undefined when there is none of that name. */
  get<N extends NameOf<F>>(name: N): Promise<F[N]> {
    return this.call('get', [name])
  }

  /** Sets a value. @throws `TypeError` for a name that begins with `_`. */
  set<N extends NameOf<F>>(name: N, value: F[N]): Promise<void> {
    return this.call('set', [name, value])
  }

  /** Whether there is a value of that name. */
  has(name: NameOf<F>): Promise<boolean> {
    return this.call('has', [name])
  }

  /** Deletes a value; whether there was one. */
  delete(name: NameOf<F>): Promise<boolean> {
    return this.call('delete', [name])
  }

  /** Sets several values in one step, all or none. */
  assign(values: Partial<F>): Promise<void> {
    return this.call('assign', [sendableEntries(values)])
  }

  /** A copy of all values, as they are at one moment. */
  snapshot(): Promise<F> {
    return this.call('snapshot')
  }

  /** Adds to a number or bigint and gives the result; a name without a value counts as 0. @throws `TypeError` for another value. */
  increment<N extends NameOf<F>>(name: N, by: number | (F[N] & bigint) = 1): Promise<F[N]> {
    return this.call('increment', [name, by])
  }

  /** Sets a value and gives the old one. */
  exchange<N extends NameOf<F>>(name: N, value: F[N]): Promise<F[N]> {
    return this.call('exchange', [name, value])
  }

  /** Sets a value if the present one is the same as `expected`; whether it did. */
  compareAndSet<N extends NameOf<F>>(name: N, expected: F[N] | undefined, value: F[N]): Promise<boolean> {
    return this.call('compareAndSet', [name, expected, value])
  }
}

/** Properties of the proxy that a value of the same name comes before. */
type Shadowed = 'name' | 'typeName' | 'toString'

/** The blocking form of {@link NamespaceProxy}: its values are properties. */
export type BlockingNamespace<F extends object> = Omit<F, Exclude<keyof NamespaceProxy<F>, Shadowed>> &
  BlockingMethods<
    Omit<NamespaceProxy<F>, 'get' | 'set' | 'increment' | 'exchange' | 'compareAndSet' | (keyof F & Shadowed)>
  > & {
    /** {@link NamespaceProxy.get}, blocking the thread. */
    get<N extends NameOf<F>>(name: N): F[N]
    /** {@link NamespaceProxy.set}, blocking the thread. */
    set<N extends NameOf<F>>(name: N, value: F[N]): void
    /** {@link NamespaceProxy.increment}, blocking the thread. */
    increment<N extends NameOf<F>>(name: N, by?: number | (F[N] & bigint)): F[N]
    /** {@link NamespaceProxy.exchange}, blocking the thread. */
    exchange<N extends NameOf<F>>(name: N, value: F[N]): F[N]
    /** {@link NamespaceProxy.compareAndSet}, blocking the thread. */
    compareAndSet<N extends NameOf<F>>(name: N, expected: F[N] | undefined, value: F[N]): boolean
  }

type Plain = NamespaceProxy<Record<string, unknown>>

/** What stays the proxy's own, whatever the values are called. */
const OWN: ReadonlySet<string> = new Set([
  ...['get', 'set', 'has', 'delete', 'assign', 'snapshot', 'increment', 'exchange', 'compareAndSet'],
  ...['handle', 'toJSON', 'equals', 'show', 'close', 'ref', 'unref', 'with'],
])

/** The name of the value that a property is; undefined for what is the proxy's own. */
function nameOf(key: string | symbol): string | undefined {
  return typeof key === 'symbol' || key === '' || key.startsWith('_') || OWN.has(key) ? undefined : key
}

/** What the proxy has itself where there is no value of that name. */
function ownOf(target: Plain, key: string): unknown {
  return key === 'name' || key === 'typeName' || key in Object.prototype ? target[key as 'name'] : undefined
}

/** The value of that name, or what the proxy has itself. */
function valueOrOwn(target: Plain, { isClosed }: Remote, name: string): unknown {
  const own = ownOf(target, name)
  if (own !== undefined && isClosed) return own
  try {
    const value = target.get(name) as unknown
    return value === undefined && own !== undefined && !target.has(name) ? own : value
  } catch (error) {
    // Tools ask any object for these, also when the server is gone.
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
      // Methods are those of the object behind: private fields are there.
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

registerProxy('Namespace', NamespaceProxy)
