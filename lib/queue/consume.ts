/** Iteration over what is taken from a queue or received from a pipe, until the end or until a signal aborts. */
import type { WaitOptions } from '../sync/wait-options.ts'
import { assertOptions, assertSignal } from '../validate.ts'

/** What is taken when the queue has ended. */
export const ENDED: unique symbol = Symbol('ended')
/** One item; ENDED instead of an error, which iteration does not need. */
export type Got = { readonly value: unknown } | typeof ENDED

/** What ends an iteration over a queue before the queue has ended. */
export interface ConsumeOptions {
  /** Ends the iteration, without an error, after the item that is being worked on; no further item is taken. */
  readonly signal?: AbortSignal | undefined
}

/** @param take - takes an item, or rejects with the signal's reason and has taken none */
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
