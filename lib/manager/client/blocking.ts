/** The types of the blocking form: the same methods, which return results instead of promises. */
import type { SyncWaitOptions } from '../../sync/wait-options.ts'
import type { itemsOf } from '../contract/contract.ts'
import type { blockingForm } from '../contract/form.ts'
import type { AnyProxy, ManagedProxy } from './proxy.ts'

/** The result of a method of the blocking form: proxies inside are blocking, too. */
export type BlockingResult<R> = R extends AnyProxy ? Blocking<R> : R

/**
 * An object of {@link Manager.sync}: each method of `P` that returns a promise blocks the thread until the server has answered, and returns
 * the value. Asynchronous iteration becomes plain iteration.
 */
export type Blocking<P> = P extends { readonly [blockingForm]: infer B } ? B : BlockingMethods<P>

/** A method. Unlike a function type, it allows a list of numbers as a list of anything, as arrays do. */
type Method<A extends unknown[], R> = { call(...args: A): R }['call']

type AsynchronousOnly =
  | typeof Symbol.asyncIterator
  | typeof Symbol.asyncDispose
  | typeof blockingForm
  | typeof itemsOf
  | 'with'
  | 'ref'
  | 'unref'

/** The member that returns a proxy of the same type. */
interface BlockingView {
  /** {@link ManagedProxy.with}, without a signal: a blocked thread cannot react to one. */
  with(options: SyncWaitOptions): this
}

/** The methods of `P`, which return results instead of promises. */
export type BlockingMethods<P> = {
  [K in keyof P as K extends AsynchronousOnly ? never : K]: P[K] extends (...args: infer A) => Promise<infer R>
    ? Method<A, BlockingResult<R>>
    : P[K] extends (...args: infer A) => AsyncIterableIterator<infer T>
      ? (...args: A) => IterableIterator<T>
      : P[K] extends Promise<infer R>
        ? BlockingResult<R>
        : P[K]
} & BlockingView &
  (P extends AsyncIterable<infer T> ? Iterable<T> : unknown)

/** The members of every proxy of the blocking form. */
export interface BlockingProxy extends BlockingMethods<ManagedProxy> {}
