/** Iteration over what is taken from a queue or received from a pipe, until the end or until a signal aborts. */
import type { WaitOptions } from '../sync/wait-options.ts'
import { assertOptions, assertSignal } from '../validate.ts'

/** What a consumer gets when the queue has ended. */
export const ENDED: unique symbol = Symbol('ended')
/** One item, or ENDED, which is an error for a get and the end of an iteration. */
export type Got = { readonly value: unknown } | typeof ENDED

/** Options of an iteration over a queue. */
export interface ConsumeOptions {
  /** Ends the iteration without an error after the current item; no further item is taken. */
  readonly signal?: AbortSignal | undefined
}

/** @param take - takes an item, or rejects with the signal's reason without taking one */
export function consume<T>(
  take: (options: WaitOptions) => Got | Promise<Got>,
  options: ConsumeOptions,
): AsyncGenerator<T, void, undefined> {
  assertOptions('options', options, ['signal'])
  assertSignal('options.signal', options.signal)
  return items(take, options)
}

async function* items<T>(
  take: (options: WaitOptions) => Got | Promise<Got>,
  options: ConsumeOptions,
): AsyncGenerator<T, void, undefined> {
  const { signal } = options
  while (!signal?.aborted) {
    let got: Got
    try {
      got = await take(options)
    } catch (error) {
      if (signal?.aborted && error === signal.reason) return
      throw error
    }
    if (got === ENDED) return
    yield got.value as T
  }
}
