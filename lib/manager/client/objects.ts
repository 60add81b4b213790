/** What can be asked of a server in both forms: objects of all types, and what it says of itself. */
import { assertString, typeError } from '../../validate.ts'
import type { Blocking } from './blocking.ts'
import { type BlockingFactories, Factories } from './factories.ts'
import type { NameOptions } from './factory-base.ts'
import type { RegisteredProxy } from './proxies/registered.ts'
import type { AnyProxy } from './proxy.ts'
import type { AnyOperation, Operations, Results } from './transaction.ts'

/** What a server says of itself: {@link Manager.stats}. */
export interface ManagerStats {
  /** Objects for which somebody has a proxy, or that have a name. */
  readonly objects: number
  /** Objects that have a name. */
  readonly names: number
  /** Clients that are connected; a process has one for each form that it uses. */
  readonly clients: number
  /** Calls that were answered, and those of them that were answered with an error. */
  readonly calls: number
  readonly failures: number
  /** Clients that were let in so far, that were refused because there were too many, and that were cut off. */
  readonly accepted: number
  readonly refused: number
  readonly cutOff: number
  /** Microseconds in which the server serves half, and 99 of 100, of the calls that do not wait (the next power of two), and the most. */
  readonly latencyUs: { readonly p50: number; readonly p99: number; readonly max: number }
  /** Memory of the server process. */
  readonly memoryBytes: number
  readonly uptimeMs: number
  readonly pid: number
}

/** An object of the server: {@link Manager.debugInfo}. */
export interface ManagedObjectInfo {
  readonly id: number
  readonly type: string
  readonly name: string | undefined
  /** How many clients have a proxy for it. */
  readonly clients: number
  /** The object as text, its first 200 characters. */
  readonly text: string
}

/** What the server makes: of a class an instance, of a function what it returns; any other type is that of the object itself. */
type Made<T> = T extends abstract new (
  ...args: never[]
) => infer Instance
  ? Instance
  : T extends (...args: never[]) => infer Result
    ? Awaited<Result>
    : T

type ArgumentsOf<A extends readonly unknown[]> = [] extends A
  ? [args?: Readonly<A>, options?: NameOptions]
  : [args: Readonly<A>, options?: NameOptions]

/** What follows the name of the type. `T` is not inferred from it. */
type MadeFrom<T> = [T] extends [abstract new (...args: infer A) => unknown]
  ? ArgumentsOf<A>
  : [T] extends [(...args: infer A) => unknown]
    ? ArgumentsOf<A>
    : [args?: readonly unknown[], options?: NameOptions]

/** The objects of a server, in either form: what {@link Manager} and its blocking form share. */
export class ManagedObjects extends Factories {
  /**
   * Makes an object of a type that was registered. TypeScript takes its methods from `T`, the type of the object; given the class or function
   * that was registered (`create<typeof Account>('Account', ['ann'])`), it checks the arguments, too.
   * @throws what making it throws; `TypeError` for a type that the server does not know.
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
   * Runs several operations in one step, each given as `[proxy, method, ...arguments]`: nobody sees some of them without the others, and
   * when one fails none has happened. Gives what each returned.
   *
   * @remarks Operations of dicts, lists, sets, namespaces, values and arrays, but for their iteration; properties such as `size` are methods
   * without arguments here. Each operation sees what those before it have done.
   * @throws what the first operation throws that fails; `TypeError` for what cannot be part of a transaction.
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

  /** Takes the name of an object away, which then lives as long as somebody has a proxy for it; false when there is none. */
  unlink(name: string): Promise<boolean> {
    assertString('name', name)
    return this.ask('unlink', name)
  }

  /** What the server counts. */
  stats(): Promise<ManagerStats> {
    return this.ask('stats')
  }

  /** The objects of the server for which somebody has a proxy, or that have a name. */
  debugInfo(): Promise<ManagedObjectInfo[]> {
    return this.ask('debugInfo')
  }
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
  /** The blocking form of a proxy: the same object, whose methods return what they otherwise promise. */
  of<P extends AnyProxy>(proxy: P): Blocking<P>
}
