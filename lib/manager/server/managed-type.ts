/**
 * The server's side of a type of managed objects: how an object is made, which methods clients may request, and what becomes of what a
 * client has in an object when the client is gone. The types themselves are in ../types/.
 */
import type { Contract } from '../contract/contract.ts'
import type { Client, Request } from './request.ts'

/**
 * A method as the server calls it. Arguments come from another process and are checked here, whatever the proxy has checked.
 * The result, or what it resolves to, goes back by value; a `Referent` anywhere inside goes back as a proxy.
 */
// biome-ignore lint/suspicious/noExplicitAny: each type knows its own objects; arguments are checked by the methods
export type Method = (object: any, request: Request, ...args: any[]) => unknown

/** A type of managed objects. */
export interface ManagedType {
  /** Its name in Manager, on the wire and in handles: `"list"`. */
  readonly name: string
  /** Makes an object. @throws what the client receives as the error of the creation. */
  create(args: readonly unknown[], request: Request): object | Promise<object>
  /** What clients may request; an object without a prototype, so that nothing inherited can be found in it. */
  readonly methods: Readonly<Record<string, Method>>
  /**
   * The methods that a transaction may contain: they do not wait, and they note in the {@link journal} what they change, so that it
   * can be undone.
   */
  readonly transactional?: ReadonlySet<string>
  /** A client is gone, or has no proxy of the object any more: what it owns in the object is released, and its waits end. */
  disconnect?(object: object, client: Client): void
  /** Whether shared objects among the arguments arrive attached; otherwise they are kept as handles. */
  readonly attaches?: boolean
  /** For types that proxies do not know beforehand: the names of the methods. */
  readonly exposes?: readonly string[]
  /** Whether only other objects make objects of this type. */
  readonly isInternal?: boolean
  /** The object as text: what `String(proxy)` of CPython shows. */
  show(object: object): string
}

/** Arguments as they come from another process. */
type Unchecked<A extends readonly unknown[]> = { readonly [I in keyof A]: unknown }

/** The result of an operation, or a promise of it. The server's own values need not have the client's type parameters. */
type Served<R> = R | Promise<R>

/** The methods that serve the operations `O` of objects `T`: all of them, and no others. */
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
 * @param create - makes an object of unchecked arguments
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
