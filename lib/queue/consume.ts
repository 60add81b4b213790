/** Iteration over the items of a queue or the messages of a pipe, until the end or until a signal aborts. */
import type { WaitOptions } from '../sync/wait-options.ts'
import { assertSignal, takeOptions } from '../validate.ts'

/** The result of a consumer when the queue has ended. */
export const ENDED: unique symbol = Symbol('ended')
/** One item, or ENDED. For a get, ENDED is an error; for an iteration, it is the end. */
export type Got = { readonly value: unknown } | typeof ENDED

/** Options of an iteration over a queue. */
export interface ConsumeOptions {
  /** Ends the iteration without an error after the current item; no further item is taken. */
  readonly signal?: AbortSignal | undefined
}

/** @param take - takes an item, or rejects with the signal's reason without taking one */
export function consume<T>(
  take: (options: WaitOptions) => Got | Promise<Got>,
  options: ConsumeOptions | undefined,
): AsyncGenerator<T, void, undefined> {
  const { signal } = takeOptions('options', options, ['signal'])
  assertSignal('options.signal', signal)
  return items(take, signal)
}

async function* items<T>(
  take: (options: WaitOptions) => Got | Promise<Got>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T, void, undefined> {
  const options = { signal }
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
