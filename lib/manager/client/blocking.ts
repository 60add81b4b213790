/** The types of the blocking form: the same methods, which return results instead of promises. */
import type { SyncWaitOptions } from '../../sync/wait-options.ts'
import type { itemsOf } from '../contract/contract.ts'
import type { blockingForm } from '../contract/form.ts'
import type { AnyProxy, ManagedProxy } from './proxy.ts'

/** What a method of the blocking form returns: proxies inside are blocking ones too. */
export type BlockingResult<R> = R extends AnyProxy ? Blocking<R> : R

/**
 * An object of {@link Manager.sync}: each method of `P` that returns a promise returns its value, having blocked the thread until
 * the server has answered; what is iterated asynchronously is iterated plainly.
 */
export type Blocking<P> = P extends { readonly [blockingForm]: infer B } ? B : BlockingMethods<P>

/** A method, which unlike a function lets a list of numbers be taken for a list of anything, as arrays are. */
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
  /** {@link ManagedProxy.with}, without a signal, which a blocked thread does not see. */
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

/** What every proxy of the blocking form has. */
export interface BlockingProxy extends BlockingMethods<ManagedProxy> {}
