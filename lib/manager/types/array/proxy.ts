/** ArrayProxy: scalars in the server. */

import type { Addend, ArrayOf, Bits, CodeOf, ElementOf, ElementsOf, InputOf, TypeName } from '../../../scalars/types.ts'
import type { BlockingProxy } from '../../client/blocking.ts'
import { iterateOver, iteratePlainly } from '../../client/iteration.ts'
import { ManagedProxy } from '../../client/proxy.ts'
import { type NameOptions, proxyType } from '../../client/proxy-type.ts'
import { sendableElements, sendableType } from '../../client/sendable.ts'
import type { operations } from '../../contract/contract.ts'
import type { blockingForm, Form, Result } from '../../contract/form.ts'
import { type ArrayContract, type ArrayOperations, arrayContract } from './contract.ts'

/**
 * Scalars of a type ({@link TypeName}) that live in the server of a {@link Manager}: `manager.Array('d', 1000)`. Their number is fixed. On
 * one machine, a {@link SharedArray} does the same much faster.
 *
 * @remarks Values that the type cannot hold are refused. Negative indexes count from the end. At an index without an element, reading gives
 * undefined, and writing is a `RangeError`. Each method is one exact step.
 * @throws Methods reject with `TypeError` or `RangeError` for values that the type cannot hold; nothing changes then.
 * @example
 * ```ts
 * import { Manager } from 'procshare'
 * await using manager = await Manager.start()
 * const samples = await manager.Array('d', [1, 2, 3])
 * await samples.set(-1, 0.5)
 * await samples.add(0, 10)
 * console.assert((await samples.snapshot()).join() === '11,2,0.5')
 * ```
 */
export class ArrayProxy<T extends TypeName>
  extends ManagedProxy
  implements ArrayContract<T, 'asynchronous'>, AsyncIterable<ElementOf<T>>
{
  /** @internal */
  static override readonly writer = 'set(index, value)'
  /** @internal */
  declare readonly [operations]: ArrayOperations<T>
  /** @internal */
  declare readonly [blockingForm]: BlockingArray<T>

  get length(): Promise<number> {
    return this.request('length', [])
  }

  get type(): Promise<CodeOf<T>> {
    return this.request('type', [])
  }

  at(index: number): Promise<ElementOf<T> | undefined> {
    return this.request('at', [index])
  }

  set(index: number, value: InputOf<T>): Promise<void> {
    return this.request('set', [index, value])
  }

  add(index: number, value: Addend<T>): Promise<ElementOf<T>> {
    return this.request('add', [index, value])
  }

  sub(index: number, value: Addend<T>): Promise<ElementOf<T>> {
    return this.request('sub', [index, value])
  }

  and(index: number, value: Bits<T>): Promise<ElementOf<T>> {
    return this.request('and', [index, value])
  }

  or(index: number, value: Bits<T>): Promise<ElementOf<T>> {
    return this.request('or', [index, value])
  }

  xor(index: number, value: Bits<T>): Promise<ElementOf<T>> {
    return this.request('xor', [index, value])
  }

  exchange(index: number, value: InputOf<T>): Promise<ElementOf<T>> {
    return this.request('exchange', [index, value])
  }

  compareExchange(index: number, expected: InputOf<T>, replacement: InputOf<T>): Promise<ElementOf<T>> {
    return this.request('compareExchange', [index, expected, replacement])
  }

  assign(values: ElementsOf<T>, offset = 0): Promise<void> {
    return this.request('assign', [sendableElements(values), offset])
  }

  fill(value: InputOf<T>, start?: number, end?: number): Promise<void> {
    return this.request('fill', [value, start, end])
  }

  slice(start?: number, end?: number): Promise<ArrayOf<T>> {
    return this.request('slice', [start, end])
  }

  snapshot(): Promise<ArrayOf<T>> {
    return this.request('snapshot', [])
  }

  toArray(): Promise<ElementOf<T>[]> {
    return this.request('toArray', [])
  }

  values(): AsyncIterableIterator<ElementOf<T>> {
    let position = 0
    const next = (count: number) =>
      this.after(this.request('batch', [position, count]), (items) => {
        position += items.length
        return items
      })
    return iterateOver({ next }, this.isBlocking)
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<ElementOf<T>> {
    return this.values()
  }
}

iteratePlainly(ArrayProxy)

/** The blocking form of {@link ArrayProxy}. */
export type BlockingArray<T extends TypeName> = ArrayContract<T, 'blocking'> & BlockingProxy & Iterable<ElementOf<T>>

/** The method that makes arrays. */
export interface ArrayFactory<F extends Form> {
  /**
   * Scalars of a type ({@link TypeName}): the given number of zeros, or the given values.
   * @throws `TypeError`, with the closest type in its message, for any other type; `TypeError`, `RangeError` for an element that does not
   * fit.
   */
  Array<T extends TypeName>(
    type: T,
    lengthOrValues: number | ElementsOf<T>,
    options?: NameOptions,
  ): Result<F, ArrayProxy<T>>
}

export const arrayProxies = proxyType(arrayContract, ArrayProxy).madeBy<
  ArrayFactory<'asynchronous'>,
  ArrayFactory<'blocking'>
>((make) => (type, values, options) => make([sendableType(type), sendableElements(values)], options))
