/**
 * The iterator: the position of a client in its iteration over a dict or set, or over the result of a method of a user's object. It lives
 * as long as the client has its proxy, which the client closes when the iteration is over.
 */

import { managerError } from '../../../errors/manager-messages.ts'
import { typeError } from '../../../validate.ts'
import type { Managed } from '../../contract/contract.ts'
import { managedType } from '../../server/managed-type.ts'
import type { Request } from '../../server/request.ts'
import { Batch } from '../../server/values/batch.ts'
import type { Cursor, Keyed } from '../../server/values/keyed.ts'
import { iteratorContract } from './contract.ts'

interface Iteration {
  /** Takes the next items into a batch. When the iteration is over, it takes none from then on. */
  fill(batch: Batch<unknown>): void | Promise<void>
  /** Called when the iteration will not continue. */
  end?(): void
}

/** The part of an entry that the client requests. */
const PICKS: Readonly<Record<string, (key: unknown, value: unknown) => unknown>> = Object.assign(Object.create(null), {
  keys: (key: unknown) => key,
  values: (_key: unknown, value: unknown) => value,
  entries: (key: unknown, value: unknown) => [key, value],
})

class KeyedIteration implements Iteration {
  readonly #cursor: Cursor<unknown>
  readonly #pick: (key: unknown, value: unknown) => unknown
  #isDone = false

  constructor(keyed: Keyed<unknown>, kind: unknown) {
    const pick = typeof kind === 'string' ? PICKS[kind] : undefined
    if (pick === undefined) throw managerError('ERR_PROTOCOL', { why: 'iteration' })
    this.#cursor = keyed.cursor()
    this.#pick = pick
  }

  fill(batch: Batch<unknown>): void {
    if (this.#isDone) return
    this.#cursor.advance((key, value) => batch.add(this.#pick(key, value)))
    this.#isDone = batch.items.length === 0
  }
}

/** An iteration over any iterable. With an asynchronous iterable, the request waits until a batch is full. */
class OtherIteration implements Iteration {
  readonly #iterator: Iterator<unknown> | AsyncIterator<unknown>
  readonly #isAsync: boolean
  #isDone = false

  constructor(iterable: object) {
    const { [Symbol.iterator]: plainly, [Symbol.asyncIterator]: asynchronously } = iterable as Iterable<unknown> &
      AsyncIterable<unknown>
    if (typeof plainly !== 'function' && typeof asynchronously !== 'function') {
      throw typeError('iterable', 'an object that can be iterated', iterable)
    }
    this.#isAsync = typeof asynchronously === 'function'
    this.#iterator = this.#isAsync ? asynchronously.call(iterable) : plainly.call(iterable)
  }

  fill(batch: Batch<unknown>): void | Promise<void> {
    if (this.#isAsync) return this.#fillAsync(batch)
    while (!this.#isDone) {
      const { done, value } = this.#iterator.next() as IteratorResult<unknown>
      this.#isDone = done === true
      if (this.#isDone || !batch.add(value)) return
    }
  }

  end(): void {
    if (this.#isDone) return
    this.#isDone = true
    // No client is left that could receive an error.
    void (async () => this.#iterator.return?.())().catch(() => {})
  }

  async #fillAsync(batch: Batch<unknown>): Promise<void> {
    while (!this.#isDone) {
      const { done, value } = await this.#iterator.next()
      if (done === true) this.#isDone = true
      if (this.#isDone || !batch.add(value)) return
    }
  }
}

function next(iteration: Iteration, count: unknown): unknown[] | Promise<unknown[]> {
  const batch = new Batch<unknown>(count)
  const filled = iteration.fill(batch)
  return filled === undefined ? batch.items : filled.then(() => batch.items)
}

export const iteratorType = managedType(
  iteratorContract,
  ([iterable]): Iteration => {
    if (typeof iterable !== 'object' || iterable === null) {
      throw typeError('iterable', 'an object that can be iterated', iterable)
    }
    return new OtherIteration(iterable)
  },
  {
    methods: {
      next: (iteration, _request, count) => next(iteration, count),
    },
    disconnect: (iteration) => iteration.end?.(),
    show: () => 'iterator',
    isInternal: true,
  },
)

/** Begins an iteration: the first items and, if there are any, the iterator for the others. */
export function iterate(
  keyed: Keyed<unknown>,
  request: Request,
  kind: unknown,
  count: unknown,
): [items: unknown[], rest?: Managed<never>] {
  const iteration = new KeyedIteration(keyed, kind)
  const batch = new Batch<unknown>(count)
  iteration.fill(batch)
  return batch.items.length === 0 ? [batch.items] : [batch.items, request.client.make(iteratorType, iteration)]
}
