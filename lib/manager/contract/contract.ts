/**
 * Contracts: what a type of managed objects offers, and what is needed to make one. Proxies and objects are typed by the contract of
 * their type and know nothing of each other. A contract knows nothing of how its operations are carried out and transported.
 */

/** Where a proxy or a referent names its operations. Types only. */
export declare const operations: unique symbol

/** A managed object with the operations `O`, in an argument or a result: a proxy for clients, a referent in the server. */
export interface Managed<O> {
  readonly [operations]: O
}

/** A managed object that consists of values `T`, as an argument: the server reads the values in the same step. */
export interface ManagedItems<T> {
  readonly [itemsOf]: T
}

/** Where a proxy of a list or set names the type of its items. Types only. */
export declare const itemsOf: unique symbol

/** Several values: any iterable, or a managed list or set of the same server. */
export type Values<T> = Iterable<T> | ManagedItems<T>

/** What keys of dicts and members of sets are: values that are compared by what they are. */
export type Primitive = string | number | bigint | boolean | null | undefined

/** Keys of dicts and members of sets. Arrays and dates are the same key when they consist of the same. */
export type DictKey = Primitive | Date | readonly (Primitive | Date)[]

/** The types that a contract stands for. */
declare const types: unique symbol

/**
 * A type of managed objects.
 *
 * @typeParam O - the operations: methods that take and return values
 * @typeParam A - what an object is made from
 */
export interface Contract<O, A extends readonly unknown[]> {
  /** Its name: in messages, in handles, and of the method of {@link Manager} that makes an object. */
  readonly type: string
  /** The operations that a transaction may not contain. */
  readonly notTransactional: 'all' | readonly (keyof O & string)[]
  readonly [types]?: { readonly operations: O; readonly creation: A }
}

/**
 * Makes a contract.
 * @param notTransactional - operations in transactions do not wait, and note in the journal what they change
 */
export function contract<O, A extends readonly unknown[] = []>(
  type: string,
  notTransactional: 'all' | readonly (keyof O & string)[] = 'all',
): Contract<O, A> {
  return { type, notTransactional }
}

/**
 * The operations of an interface of methods in the form `server`, where a property is an operation without arguments.
 * @typeParam Other - the methods that are no operations: what is composed of several ones, or has other arguments in the server
 */
export type OperationsOf<C, Other extends keyof C = never> = {
  [M in Exclude<keyof C, Other>]: C[M] extends (...args: infer A) => infer R ? Method<A, R> : () => C[M]
}

/** A method, whose parameters unlike those of a function are bivariant: a list of numbers is also a list of anything, as arrays are. */
type Method<A extends unknown[], R> = { method(...args: A): R }['method']

/** The arguments of an operation. */
export type ArgumentsOf<O, M extends keyof O> = O[M] extends (...args: infer A) => unknown ? A : never
/** The result of an operation. */
export type ResultOf<O, M extends keyof O> = O[M] extends (...args: never[]) => infer R ? R : never
