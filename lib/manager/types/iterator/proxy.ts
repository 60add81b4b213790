/** The proxy of an iteration that goes on in the server. */

import { iterateOver, iteratePlainly, type Pages } from '../../client/iteration.ts'
import { ManagedProxy } from '../../client/proxy.ts'
import { proxyType } from '../../client/proxy-type.ts'
import type { Managed, operations } from '../../contract/contract.ts'
import { type IteratorOperations, iteratorContract } from './contract.ts'

/**
 * The iterable result of a method of a registered type with `returns: { method: 'iterator' }`. The items are fetched as they are used.
 *
 * @remarks It can be iterated once. The iteration in the server ends when this iteration ends, also by `break`, or when the client ends.
 * @example
 * ```ts
 * import { type IteratorProxy, Manager } from 'procshare'
 * const module = 'data:text/javascript,export class Tree { *walk() { yield* ["root", "leaf"] } }'
 * await using manager = await Manager.start({ types: { Tree: { module, export: 'Tree', returns: { walk: 'iterator' } } } })
 * const tree = await manager.create<{ walk(): IteratorProxy<string> }>('Tree')
 * for await (const node of await tree.walk()) console.log(node) // root, leaf
 * ```
 */
export class IteratorProxy<T> extends ManagedProxy implements AsyncIterable<T> {
  /** @internal */
  declare readonly [operations]: IteratorOperations<T>

  /** At most `count` of the next items; none when there are no more. */
  next(count: number): Promise<T[]> {
    return this.request('next', [count])
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    return iterateOver<T>({ next: (count) => this.next(count), end: () => this.close() }, this.isBlocking)
  }
}

iteratePlainly(IteratorProxy)

export const iteratorProxies = proxyType(iteratorContract, IteratorProxy)

/** Iterates over the entries of a dict or set. `begin` fetches the first items, and the iterator for the others. */
export class KeyedPages<T> implements Pages<T> {
  readonly #begin: (count: number) => Promise<unknown>
  readonly #after: <A, B>(result: Promise<A>, fn: (value: A) => B) => Promise<B>
  #iterator: IteratorProxy<T> | undefined

  constructor(
    begin: (count: number) => Promise<[items: unknown[], rest?: Managed<IteratorOperations<unknown>>]>,
    after: <A, B>(result: Promise<A>, fn: (value: A) => B) => Promise<B>,
  ) {
    this.#begin = begin
    this.#after = after
  }

  next(count: number): Promise<readonly T[]> {
    if (this.#iterator !== undefined) return this.#iterator.next(count)
    return this.#after(this.#begin(count), (first) => {
      const [items, iterator] = first as [T[], IteratorProxy<T>?]
      this.#iterator = iterator
      return items
    })
  }

  end(): void {
    this.#iterator?.close()
  }
}
