/**
 * Contracts: the operations of a type of managed objects, and the arguments that make an object. Proxies and objects are typed by the
 * contract of their type and are independent of each other. A contract does not depend on the way in which its operations are carried out
 * and transported.
 */

/** The key under which a proxy or a referent declares its operations. Types only. */
export declare const operations: unique symbol

/** A managed object with the operations `O`, in an argument or a result: a proxy for clients, a referent in the server. */
export interface Managed<O> {
  readonly [operations]: O
}

/** A managed object that consists of values `T`, as an argument: the server reads the values in the same step. */
export interface ManagedItems<T> {
  readonly [itemsOf]: T
}

/** The key under which a proxy of a list or set declares the type of its items. Types only. */
export declare const itemsOf: unique symbol

/** Several values: any iterable, or a managed list or set of the same server. */
export type Values<T> = Iterable<T> | ManagedItems<T>

/** Primitive keys of dicts and members of sets. They are compared by their values. */
export type Primitive = string | number | bigint | boolean | null | undefined

/** Keys of dicts and members of sets. Arrays and dates are the same key when they have the same content. */
export type DictKey = Primitive | Date | readonly (Primitive | Date)[]

/** The key of the types of a contract. */
declare const types: unique symbol

/**
 * A type of managed objects.
 *
 * @typeParam O - the operations: methods that take and return values
 * @typeParam A - the arguments from which an object is made
 */
export interface Contract<O, A extends readonly unknown[]> {
  /** Its name: in messages and handles, and the name of the method of {@link Manager} that makes an object. */
  readonly type: string
  /** The operations that a transaction may not contain. */
  readonly notTransactional: 'all' | readonly (keyof O & string)[]
  readonly [types]?: { readonly operations: O; readonly creation: A }
}

/**
 * Makes a contract.
 * @param notTransactional - the operations that a transaction may not contain: all others do not wait, and note their changes in the
 * journal
 */
export function contract<O, A extends readonly unknown[] = []>(
  type: string,
  notTransactional: 'all' | readonly (keyof O & string)[] = 'all',
): Contract<O, A> {
  return { type, notTransactional }
}

/**
 * The operations of an interface of methods in the form `server`, where a property is an operation without arguments.
 * @typeParam Other - the methods that are not operations: they are composed of several operations, or have other arguments in the server
 */
export type OperationsOf<C, Other extends keyof C = never> = {
  [M in Exclude<keyof C, Other>]: C[M] extends (...args: infer A) => infer R ? Method<A, R> : () => C[M]
}

/**
 * A method. Unlike those of a function type, its parameters are bivariant: a list of numbers is also a list of anything, as with arrays.
 */
type Method<A extends unknown[], R> = { method(...args: A): R }['method']

/** The arguments of an operation. */
export type ArgumentsOf<O, M extends keyof O> = O[M] extends (...args: infer A) => unknown ? A : never
/** The result of an operation. */
export type ResultOf<O, M extends keyof O> = O[M] extends (...args: never[]) => infer R ? R : never
