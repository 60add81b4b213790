/** The forms of a managed object: a contract is written once, and its results depend on the form. Types only. */
import type { SyncWaitOptions, WaitOptions } from '../../sync/wait-options.ts'

/** Proxies promise their results, or block the thread until they have them; the server has the results themselves. */
export type Form = 'asynchronous' | 'blocking' | 'server'

/** Where an asynchronous proxy names the type of its blocking form. */
export declare const blockingForm: unique symbol

/** The blocking form of what is a proxy; anything else as it is. */
export type BlockingForm<R> = R extends { readonly [blockingForm]: infer B } ? B : R

/** How the result `R` of an operation arrives. */
export type Result<F extends Form, R> = F extends 'asynchronous'
  ? Promise<R>
  : F extends 'blocking'
    ? BlockingForm<R>
    : R

/** The items of a managed object one by one. It is composed of several operations, so there is none of that name in the server. */
export type Iteration<F extends Form, T> = F extends 'asynchronous'
  ? AsyncIterableIterator<T>
  : F extends 'blocking'
    ? IterableIterator<T>
    : never

/** The options of a wait: a blocked thread sees no signal. */
export type WaitOptionsOf<F extends Form> = F extends 'asynchronous' ? WaitOptions : SyncWaitOptions

/** What a function that is passed to a proxy returns: in the blocking form it may not return a promise. */
export type Returned<F extends Form, R> = F extends 'asynchronous' ? R | PromiseLike<R> : R
