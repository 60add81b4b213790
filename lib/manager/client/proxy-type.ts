/** The client's side of a type of managed objects: the class of its proxies, and the method of managers that makes an object. */
import { takeOptions } from '../../validate.ts'
import type { Contract, Managed } from '../contract/contract.ts'
import type { ManagedProxy } from './proxy.ts'
import type { Remote } from './remote.ts'

/** The options of a managed object. */
export interface NameOptions {
  /**
   * The name under which every client gets the same object: the first request makes it, and it lives until `unlink(name)` or the end of the
   * server. An object without a name lives as long as a client has a proxy for it, or another object contains it.
   */
  readonly name?: string
}

/** Requests an object that is made from `args`. Returns a promise of its proxy, or in the blocking form the proxy. */
export type Make<A> = <P>(args: A, options?: NameOptions) => Promise<P>

/** One type of managed objects. */
export interface ProxyType<Asynchronous = Record<never, never>, Blocking = Record<never, never>> {
  readonly contract: { readonly type: string }
  readonly Class: new (remote: Remote) => ManagedProxy
  /** The method of managers of that name; none for objects that only other objects make. */
  readonly create?: (make: Make<never>, isBlocking: boolean) => (...args: never[]) => unknown
  /** The method in both forms. Types only. */
  readonly forms?: { readonly asynchronous: Asynchronous; readonly blocking: Blocking }
}

type Method<Factory> = Factory[keyof Factory]

export interface Declared<A> extends ProxyType {
  /**
   * Adds the method of managers that makes an object.
   * @typeParam Asynchronous - an interface with that method, whose name is that of the type; `Blocking` is its blocking form
   * @param create - returns the method; `make` sends the request
   */
  madeBy<Asynchronous, Blocking>(
    create: (make: Make<A>, isBlocking: boolean) => Method<Asynchronous>,
  ): ProxyType<Asynchronous, Blocking>
}

/** Declares the class of proxies for the objects of a contract. */
export function proxyType<O, A extends readonly unknown[]>(
  contract: Contract<O, A>,
  Class: new (remote: Remote) => ManagedProxy & Managed<O>,
): Declared<A> {
  const type = { contract, Class }
  return { ...type, madeBy: (create) => ({ ...type, create: create as unknown as NonNullable<ProxyType['create']> }) }
}

/** The options of a factory method, which may be the name alone. */
export function checkedOptions<O extends NameOptions>(
  options: O | string | undefined,
  keys: readonly (keyof O & string)[],
): O {
  if (typeof options === 'string') return { name: options } as O
  return takeOptions('options', options, ['name', ...keys])
}
