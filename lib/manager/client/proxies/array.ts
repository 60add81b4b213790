/** ArrayProxy: scalars in the server. */

import { isShareable } from '../../../memory/shareable.ts'
import type { Addend, ArrayOf, Bits, CodeOf, ElementOf, ElementsOf, InputOf, TypeName } from '../../../scalars/types.ts'
import type { BlockingMethods, blockingForm } from '../blocking.ts'
import { ManagedProxy } from '../proxy.ts'
import { registerProxy } from '../proxy-classes.ts'
import { iterateOver, iteratePlainly } from './iteration.ts'

/** Elements as they can be sent: an iterable is used up here; a shared array is copied, since it would travel as itself. */
export function sendableElements(values: unknown): unknown {
  if (typeof values !== 'object' || values === null || Array.isArray(values)) return values
  if (ArrayBuffer.isView(values)) return isShareable(values) ? (values as unknown as Int32Array).slice() : values
  return Symbol.iterator in values ? [...(values as Iterable<unknown>)] : values
}

/**
 * Scalars of a type ({@link TypeName}) that live in the server of a {@link Manager}: `manager.Array('d', 1000)`. Their number is fixed. On one machine a
 * {@link SharedArray} does the same much faster.
 *
 * @remarks Values that the type cannot hold are refused. Negative indexes count from the end; to read where there is no element gives
 * undefined, to write there is a `RangeError`. Each method is one exact step.
 * @throws Methods reject with `TypeError` or `RangeError` for values that the type cannot hold; nothing has changed then.
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
export class ArrayProxy<T extends TypeName> extends ManagedProxy implements AsyncIterable<ElementOf<T>> {
  /** @internal */
  static override readonly writer = 'set(index, value)'
  /** @internal */
  declare readonly [blockingForm]: BlockingArray<T>

  /** How many elements there are. */
  get length(): Promise<number> {
    return this.call('length')
  }

  /** The type code of the elements. */
  get type(): Promise<CodeOf<T>> {
    return this.call('type')
  }

  /** The element at an index; undefined where there is none. */
  at(index: number): Promise<ElementOf<T> | undefined> {
    return this.call('at', [index])
  }

  /** Sets the element at an index. @throws `RangeError` where there is none. */
  set(index: number, value: InputOf<T>): Promise<void> {
    return this.call('set', [index, value])
  }

  /** Adds to an element; gives the old one. @throws `RangeError` where there is none, or for a sum that the type cannot hold. */
  add(index: number, value: Addend<T>): Promise<ElementOf<T>> {
    return this.call('add', [index, value])
  }

  /** Subtracts from an element; gives the old one. @throws as {@link add}. */
  sub(index: number, value: Addend<T>): Promise<ElementOf<T>> {
    return this.call('sub', [index, value])
  }

  /** Bitwise and; gives the old element. @throws `RangeError` where there is none. */
  and(index: number, value: Bits<T>): Promise<ElementOf<T>> {
    return this.call('and', [index, value])
  }

  /** Bitwise or; gives the old element. @throws `RangeError` where there is none. */
  or(index: number, value: Bits<T>): Promise<ElementOf<T>> {
    return this.call('or', [index, value])
  }

  /** Bitwise exclusive or; gives the old element. @throws `RangeError` where there is none. */
  xor(index: number, value: Bits<T>): Promise<ElementOf<T>> {
    return this.call('xor', [index, value])
  }

  /** Replaces an element and gives the old one. @throws `RangeError` where there is none. */
  exchange(index: number, value: InputOf<T>): Promise<ElementOf<T>> {
    return this.call('exchange', [index, value])
  }

  /** Replaces an element if it is `expected`, to the bit; gives the old one. @throws `RangeError` where there is none. */
  compareExchange(index: number, expected: InputOf<T>, replacement: InputOf<T>): Promise<ElementOf<T>> {
    return this.call('compareExchange', [index, expected, replacement])
  }

  /** Sets elements from `offset` on, all or none. @throws `RangeError` when there is no room for them. */
  assign(values: ElementsOf<T>, offset = 0): Promise<void> {
    return this.call('assign', [sendableElements(values), offset])
  }

  /** Sets the elements from `start` to before `end` to a value. */
  fill(value: InputOf<T>, start?: number, end?: number): Promise<void> {
    return this.call('fill', [value, start, end])
  }

  /** The elements from `start` to before `end`, as a typed array. */
  slice(start?: number, end?: number): Promise<ArrayOf<T>> {
    return this.call('slice', [start, end])
  }

  /** All elements at one moment, as a typed array. */
  snapshot(): Promise<ArrayOf<T>> {
    return this.call('snapshot')
  }

  /** All elements at one moment, each as `at` gives it: characters as text, `bool` as booleans. */
  toArray(): Promise<ElementOf<T>[]> {
    return this.call('toArray')
  }

  /** The elements one by one, each as `at` gives it; fetched in batches while they are used. */
  values(): AsyncIterableIterator<ElementOf<T>> {
    let position = 0
    const next = (count: number) =>
      this.after(this.call<ElementOf<T>[]>('batch', [position, count]), (items) => {
        position += items.length
        return items
      })
    return iterateOver({ next }, this.isBlocking)
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<ElementOf<T>> {
    return this.values()
  }
}

/** The blocking form of {@link ArrayProxy}. */
export type BlockingArray<T extends TypeName> = BlockingMethods<ArrayProxy<T>>

iteratePlainly(ArrayProxy)
registerProxy('Array', ArrayProxy)
