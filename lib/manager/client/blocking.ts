/** The types of the blocking form: the same methods, which return what they otherwise promise. */
import type { AnyProxy } from './proxy.ts'

declare const blockingForm: unique symbol

/** A proxy whose blocking form has a type written by hand, because it takes functions. */
export interface HasBlockingForm<B> {
  /** @internal */
  readonly [blockingForm]: B
}

/** What a method of the blocking form returns: proxies inside are blocking ones too. */
export type BlockingResult<R> = R extends AnyProxy ? Blocking<R> : R

/**
 * An object of {@link Manager.sync}: each method of `P` that returns a promise returns its value, having blocked the thread until
 * the server has answered; what is iterated asynchronously is iterated plainly.
 */
export type Blocking<P> = {
  [K in keyof P as K extends typeof Symbol.asyncIterator | typeof Symbol.asyncDispose ? never : K]: P[K] extends (
    ...args: infer A
  ) => Promise<infer R>
    ? (...args: A) => BlockingResult<R>
    : P[K] extends (...args: infer A) => AsyncIterableIterator<infer T>
      ? (...args: A) => IterableIterator<T>
      : P[K] extends Promise<infer R>
        ? BlockingResult<R>
        : P[K]
} & (P extends AsyncIterable<infer T> ? Iterable<T> : unknown)
