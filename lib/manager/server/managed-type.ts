/**
 * The server's side of a type of managed objects. It defines how an object is made, which methods clients may request, and how everything
 * that a client owns in an object ends with the client. The types themselves are in ../types/.
 */
import type { Contract } from '../contract/contract.ts'
import type { Client, Request } from './request.ts'

/**
 * A method as the server calls it. Arguments come from another process and are checked here, regardless of the checks of the proxy. The
 * result, awaited if it is a promise, goes back by value. A `Referent` anywhere inside goes back as a proxy.
 */
// biome-ignore lint/suspicious/noExplicitAny: each type knows its own objects; arguments are checked by the methods
export type Method = (object: any, request: Request, ...args: any[]) => unknown

/** A type of managed objects. */
export interface ManagedType {
  /** Its name in Manager, on the wire and in handles: `"list"`. */
  readonly name: string
  /** Makes an object. @throws the error that the client receives for the creation. */
  create(args: readonly unknown[], request: Request): object | Promise<object>
  /** The methods that clients may request. The object has no prototype, so that no inherited property can be found in it. */
  readonly methods: Readonly<Record<string, Method>>
  /**
   * The methods that a transaction may contain. They do not wait, and they note their changes in the {@link journal}, so that the changes
   * can be undone.
   */
  readonly transactional?: ReadonlySet<string>
  /**
   * Called when a client is gone, or has no proxy of the object any more. Releases everything that the client owns in the object, and ends
   * its waits.
   */
  disconnect?(object: object, client: Client): void
  /** Whether shared objects among the arguments arrive attached. Otherwise they are kept as handles. */
  readonly attaches?: boolean
  /** The names of the methods, for types without a predefined class of proxies. */
  readonly exposes?: readonly string[]
  /** Whether only other objects make objects of this type. */
  readonly isInternal?: boolean
  /** The object as text, as `String(proxy)` of CPython shows it. */
  show(object: object): string
}

/** Arguments as they come from another process. */
type Unchecked<A extends readonly unknown[]> = { readonly [I in keyof A]: unknown }

/** The result of an operation, or a promise of it. The server's own values need not have the client's type parameters. */
type Served<R> = R | Promise<R>

/** The methods that serve exactly the operations `O` of objects `T`. */
export type Methods<O, T> = {
  readonly [M in keyof O]: O[M] extends (...args: infer A) => infer R
    ? (object: T, request: Request, ...args: Unchecked<A>) => Served<R>
    : never
}

interface Definition<O, T extends object> {
  readonly methods: Methods<O, T>
  disconnect?(object: T, client: Client): void
  show(object: T): string
  readonly isInternal?: boolean
}

/**
 * The server's side of a contract.
 * @param create - makes an object from unchecked arguments
 */
export function managedType<O, A extends readonly unknown[], T extends object>(
  contract: Contract<O, A>,
  create: (args: Unchecked<NoInfer<A>>, request: Request) => T,
  definition: Definition<O, T>,
): ManagedType {
  const { type, notTransactional } = contract
  const names = Object.keys(definition.methods)
  const transactional =
    notTransactional === 'all' ? [] : names.filter((name) => !notTransactional.includes(name as never))
  return {
    ...(definition as unknown as ManagedType),
    name: type,
    create: create as unknown as ManagedType['create'],
    methods: Object.freeze(Object.assign(Object.create(null), definition.methods)),
    ...(transactional.length > 0 && { transactional: new Set(transactional) }),
  }
}
