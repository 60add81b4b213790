/** Proxies of users' types: an object with the methods that the type exposes. */
import { defineProperty } from '../../define-property.ts'
import type { blockingForm } from '../contract/form.ts'
import { RESERVED } from '../contract/reserved.ts'
import type { BlockingMethods } from './blocking.ts'
import { type AnyProxy, ManagedProxy, type ProxyClass } from './proxy.ts'
import type { Remote } from './remote.ts'

/**
 * The proxy of an object of a registered type: the methods of `T`, which return promises. Only the methods that the type exposes exist.
 */
export type RegisteredProxy<T> = AsynchronousRegistered<T> & {
  /** @internal */
  readonly [blockingForm]: BlockingMethods<AsynchronousRegistered<T>>
}

type AsynchronousRegistered<T> = AnyProxy & {
  [K in keyof T as T[K] extends (...args: never[]) => unknown ? K : never]: T[K] extends (...args: infer A) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never
}

/** Taken from the prototype, because a method of the registered type may have the same name. */
const { request } = ManagedProxy.prototype as unknown as { request(method: string, args: unknown[]): unknown }

const classes = new Map<string, ProxyClass>()

/** One class for each set of methods. */
export function registeredClass({ typeName, exposes = [] }: Remote): ProxyClass {
  const key = JSON.stringify([typeName, exposes])
  let Class = classes.get(key)
  if (Class === undefined) {
    Class = makeClass(typeName, exposes)
    classes.set(key, Class)
  }
  return Class
}

function makeClass(typeName: string, exposes: readonly string[]): ProxyClass {
  const Class = class extends ManagedProxy {}
  defineProperty(Class, 'name', { value: `${typeName}Proxy` })
  for (const method of exposes) {
    if (RESERVED.has(method)) continue
    defineProperty(Class.prototype, method, {
      value(this: ManagedProxy, ...args: unknown[]) {
        return request.call(this, method, args)
      },
      configurable: true,
      writable: true,
    })
  }
  return Class
}
