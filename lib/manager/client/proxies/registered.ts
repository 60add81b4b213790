/** Proxies of users' types: an object with the methods that the type exposes. */
import type { Remote } from '../channel.ts'
import { type AnyProxy, ManagedProxy, type ProxyClass, RESERVED } from '../proxy.ts'
import { registerOtherProxies } from '../proxy-classes.ts'

/**
 * The proxy of an object of a type that was registered: `T`'s methods, each of which promises what it returns. Only those that the type
 * exposes are there.
 */
export type RegisteredProxy<T> = AnyProxy & {
  [K in keyof T as T[K] extends (...args: never[]) => unknown ? K : never]: T[K] extends (...args: infer A) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never
}

/** A method of the user's may have its name. */
const { call } = ManagedProxy.prototype as unknown as { call(method: string, args: unknown[]): unknown }

const classes = new Map<string, ProxyClass>()

/** One class for each set of methods. */
function classFor({ typeName, exposes = [] }: Remote): ProxyClass {
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
  Object.defineProperty(Class, 'name', { value: `${typeName}Proxy` })
  for (const method of exposes) {
    if (RESERVED.has(method)) continue
    Object.defineProperty(Class.prototype, method, {
      value(this: ManagedProxy, ...args: unknown[]) {
        return call.call(this, method, args)
      },
      configurable: true,
      writable: true,
    })
  }
  return Class
}

registerOtherProxies(classFor)
