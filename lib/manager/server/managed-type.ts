/**
 * What a type of managed objects is to the server: how one is made, which methods clients may call, and what becomes of what a
 * client holds when it leaves. The types themselves are in types/.
 */
import type { Call } from './call.ts'
import type { Session } from './session.ts'

/**
 * A method as the server calls it. Arguments come from another process and are checked here, whatever the proxy has checked.
 * What it returns, or resolves to, goes back by value; a `Referent` anywhere inside goes back as a proxy.
 */
// biome-ignore lint/suspicious/noExplicitAny: each type knows its own objects; arguments are checked by the methods
export type Method = (object: any, call: Call, ...args: any[]) => unknown

/** A type of managed objects. */
export interface ManagedType {
  /** Its name in Manager, on the wire and in handles: `"list"`. */
  readonly name: string
  /** Makes the object. @throws what the caller sees as the error of the creation. */
  create(args: readonly unknown[], call: Call): object | Promise<object>
  /** What clients may call; an object without a prototype, so that nothing inherited can be found in it. */
  readonly methods: Readonly<Record<string, Method>>
  /**
   * The methods that a transaction may call: they do not wait, and whatever they change they note in the {@link journal}, so that it
   * can be taken back.
   */
  readonly transactional?: ReadonlySet<string>
  /** A client has left, in order or not: gives up what it held and its waits (which nobody answers any more). */
  leave?(object: object, session: Session): void
  /** Whether shared objects among the arguments arrive attached; otherwise they are kept as handles. */
  readonly attaches?: boolean
  /** For types that proxies do not know beforehand: the names of the methods. */
  readonly exposes?: readonly string[]
  /** The object as text: what `String(proxy)` of CPython shows. */
  show(object: object): string
}

/** The methods of a type, without a prototype. */
export function methods(table: Record<string, Method>): Readonly<Record<string, Method>> {
  return Object.freeze(Object.assign(Object.create(null), table))
}
