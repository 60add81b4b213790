/** The forms of a managed object: a contract is written once, and its results depend on the form. Types only. */
import type { SyncWaitOptions, WaitOptions } from '../../sync/wait-options.ts'

/** Proxies return promises of their results, or block the thread until the results arrive. The server has the results themselves. */
export type Form = 'asynchronous' | 'blocking' | 'server'

/** The key under which an asynchronous proxy declares the type of its blocking form. */
export declare const blockingForm: unique symbol

/** The blocking form of a proxy type; any other type unchanged. */
export type BlockingForm<R> = R extends { readonly [blockingForm]: infer B } ? B : R

/** The type in which the result `R` of an operation arrives. */
export type Result<F extends Form, R> = F extends 'asynchronous'
  ? Promise<R>
  : F extends 'blocking'
    ? BlockingForm<R>
    : R

/** The items of a managed object one by one. It is composed of several operations, so the server has no operation of that name. */
export type Iteration<F extends Form, T> = F extends 'asynchronous'
  ? AsyncIterableIterator<T>
  : F extends 'blocking'
    ? IterableIterator<T>
    : never

/** The options of a wait. The blocking form has no signal, because a blocked thread cannot react to one. */
export type WaitOptionsOf<F extends Form> = F extends 'asynchronous' ? WaitOptions : SyncWaitOptions

/** The result of a function that is passed to a proxy. In the blocking form the function may not return a promise. */
export type Returned<F extends Form, R> = F extends 'asynchronous' ? R | PromiseLike<R> : R
