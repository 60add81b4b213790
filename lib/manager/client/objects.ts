/** The common methods of a manager and its blocking form: creation of objects, transactions, names and statistics. */
import { defineProperty } from '../../define-property.ts'
import { assertString, takeOptions, typeError } from '../../validate.ts'
import type { ArgumentsOf } from '../contract/contract.ts'
import type { ManagedObjectInfo, ManagerStats, RootOperations } from '../contract/root.ts'
import * as PROXY_TYPES from '../types/proxies.ts'
import type { Blocking } from './blocking.ts'
import type { AnyProxy } from './proxy.ts'
import type { NameOptions, ProxyType } from './proxy-type.ts'
import type { RegisteredProxy } from './registered-proxy.ts'
import type { Channel } from './remote.ts'
import type { AnyOperation, Operations, Results } from './transaction.ts'

/** The type of the created object: the instance of a class, the awaited result of a function, or otherwise `T` itself. */
type Made<T> = T extends abstract new (
  ...args: never[]
) => infer Instance
  ? Instance
  : T extends (...args: never[]) => infer Result
    ? Awaited<Result>
    : T

type CreationOf<A extends readonly unknown[]> = [] extends A
  ? [args?: Readonly<A>, options?: NameOptions]
  : [args: Readonly<A>, options?: NameOptions]

/** The arguments of `create` after the name of the type. `T` is not inferred from them. */
type MadeFrom<T> = [T] extends [abstract new (...args: infer A) => unknown]
  ? CreationOf<A>
  : [T] extends [(...args: infer A) => unknown]
    ? CreationOf<A>
    : [args?: readonly unknown[], options?: NameOptions]

type AllTypes = (typeof PROXY_TYPES)[keyof typeof PROXY_TYPES]
type Forms = NonNullable<AllTypes['forms']>
type Intersection<U> = (U extends unknown ? (each: U) => void : never) extends (each: infer I) => void ? I : never

/** The methods that create objects, one for each type in PROXY_TYPES. */
type AsynchronousFactories = Intersection<Forms['asynchronous']>
type BlockingFactories = Intersection<Forms['blocking']>

/** The objects of a server: the common methods of {@link Manager} and its blocking form. */
export interface ManagedObjects extends AsynchronousFactories {}
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the methods of the interface are defined below, from the same list
export class ManagedObjects {
  /** @internal */
  protected readonly channel: Channel

  /** @internal */
  constructor(channel: Channel) {
    this.channel = channel
  }

  /** Creates an object of a type, or finds the object of that name. Returns its proxy, as a promise in the asynchronous form. @internal */
  protected make<P>(type: string, args: readonly unknown[], options?: NameOptions): Promise<P> {
    const { name } = takeOptions('options', options, ['name'])
    if (name !== undefined) assertString('options.name', name)
    return this.ask('create', type, args, name)
  }

  /** Requests an operation of the server itself. @internal */
  protected ask<R, M extends keyof RootOperations = keyof RootOperations>(
    operation: M,
    ...args: ArgumentsOf<RootOperations, M>
  ): Promise<R> {
    return this.channel.request(undefined, operation, args) as Promise<R>
  }

  /**
   * Creates an object of a registered type. TypeScript takes the methods of the object from `T`. If `T` is the type of the registered class
   * or function (`create<typeof Account>('Account', ['ann'])`), TypeScript also checks the arguments.
   * @throws the error of the class or function; `TypeError` for a type that the server does not have.
   * @example
   * ```ts
   * import { Manager } from 'procshare'
   * interface Counter {
   *   next(): number
   * }
   * const module = 'data:text/javascript,export class Counter { n = 0; next() { return ++this.n } }'
   * await using manager = await Manager.start({ types: { Counter: { module, export: 'Counter' } } })
   * const counter = await manager.create<Counter>('Counter')
   * console.assert((await counter.next()) === 1)
   * ```
   */
  create<T>(typeName: string, ...rest: MadeFrom<T>): Promise<RegisteredProxy<Made<T>>>
  create(typeName: string, args: readonly unknown[] = [], options?: NameOptions): Promise<RegisteredProxy<unknown>> {
    assertString('typeName', typeName)
    if (!Array.isArray(args)) throw typeError('args', 'an array', args)
    return this.make(typeName, args, options)
  }

  /**
   * Runs several operations in one step, each given as `[proxy, method, ...arguments]`. No other request is served in between. If one
   * operation fails, none takes effect. Returns the results of all.
   *
   * @remarks Dicts, lists, sets, namespaces, counters, values and arrays can take part, with all operations except iteration. Properties
   * such as `size` are methods without arguments here. The changes of an operation are visible to the operations after it.
   * @throws the error of the first operation that fails; `TypeError` for an operation that a transaction may not contain.
   * @example
   * ```ts
   * import { Manager } from 'procshare'
   * await using manager = await Manager.start()
   * const accounts = await manager.dict<string, number>({ ann: 10, bob: 0 })
   * const log = await manager.list<string>()
   * const [ann] = await manager.transaction([
   *   [accounts, 'increment', 'ann', -5],
   *   [accounts, 'increment', 'bob', 5],
   *   [log, 'push', 'ann gave bob 5'],
   * ])
   * console.assert(ann === 5)
   * ```
   */
  transaction<const T extends readonly AnyOperation[]>(operations: T & Operations<T>): Promise<Results<T>> {
    return this.ask('transaction', operations)
  }

  /** The names of objects. */
  names(): Promise<string[]> {
    return this.ask('names')
  }

  /** Removes the name of an object. The object then lives as long as a client has a proxy for it. Returns whether the name existed. */
  unlink(name: string): Promise<boolean> {
    assertString('name', name)
    return this.ask('unlink', name)
  }

  /** Counters of the server. */
  stats(): Promise<ManagerStats> {
    return this.ask('stats')
  }

  /** The objects of the server for which a client has a proxy, or which have a name. */
  debugInfo(): Promise<ManagedObjectInfo[]> {
    return this.ask('debugInfo')
  }
}

for (const { contract, create } of Object.values(PROXY_TYPES) as ProxyType[]) {
  if (create === undefined) continue
  defineProperty(ManagedObjects.prototype, contract.type, {
    value(this: ManagedObjects, ...args: never[]) {
      const make = (values: readonly unknown[], options?: NameOptions) => this.make(contract.type, values, options)
      return create(make as never, this.channel.isBlocking)(...args)
    },
    configurable: true,
    writable: true,
  })
}

/** The blocking form of a manager: {@link Manager.sync}. */
export interface BlockingObjects extends BlockingFactories {
  /** {@link Manager.create}, blocking the thread. */
  create<T>(typeName: string, ...rest: MadeFrom<T>): Blocking<RegisteredProxy<Made<T>>>
  /** {@link Manager.transaction}, blocking the thread. */
  transaction<const T extends readonly AnyOperation[]>(operations: T & Operations<T>): Results<T>
  /** {@link Manager.names}, blocking the thread. */
  names(): string[]
  /** {@link Manager.unlink}, blocking the thread. */
  unlink(name: string): boolean
  /** {@link Manager.stats}, blocking the thread. */
  stats(): ManagerStats
  /** {@link Manager.debugInfo}, blocking the thread. */
  debugInfo(): ManagedObjectInfo[]
  /** The blocking form of a proxy: the same object, whose methods return results instead of promises. */
  of<P extends AnyProxy>(proxy: P): Blocking<P>
}
