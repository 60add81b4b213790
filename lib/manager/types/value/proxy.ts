/** ValueProxy: a scalar in the server. */

import type { Addend, Bits, CodeOf, ElementOf, InputOf, TypeName } from '../../../scalars/types.ts'
import { valueError } from '../../../validate.ts'
import type { BlockingProxy } from '../../client/blocking.ts'
import { ManagedProxy } from '../../client/proxy.ts'
import { type NameOptions, proxyType } from '../../client/proxy-type.ts'
import { sendableType } from '../../client/sendable.ts'
import type { operations } from '../../contract/contract.ts'
import type { blockingForm, Form, Result } from '../../contract/form.ts'
import { type ValueContract, type ValueOperations, valueContract } from './contract.ts'

/**
 * A scalar of a type ({@link TypeName}) that lives in the server of a {@link Manager}: `manager.Value('i', 5)`. On one machine, a
 * {@link Value} does the same much faster.
 *
 * @remarks Values that the type cannot hold are refused, including operands and results of `add` and similar methods. Each method is one
 * exact step.
 * @throws Methods reject with `TypeError` or `RangeError` for a value that the type cannot hold; nothing changes then.
 * @example
 * ```ts
 * import { Manager } from 'procshare'
 * await using manager = await Manager.start()
 * const hits = await manager.Value('i', 5)
 * console.assert((await hits.add(2)) === 5) // the old value
 * console.assert((await hits.get()) === 7)
 * ```
 */
export class ValueProxy<T extends TypeName> extends ManagedProxy implements ValueContract<T, 'asynchronous'> {
  /** @internal */
  static override readonly writer = 'set(value)'
  /** @internal */
  declare readonly [operations]: ValueOperations<T>
  /** @internal */
  declare readonly [blockingForm]: BlockingValue<T>

  /** The value: `await value.value`. In the blocking form, it can be set, too. */
  get value(): Promise<ElementOf<T>> {
    return this.get()
  }

  // The parameter has the type never, because it cannot be set in the asynchronous form. BlockingValue has the type for the blocking form.
  set value(value: never) {
    if (!this.isBlocking) throw valueError('value', 'set with set() in the asynchronous form', value)
    this.set(value)
  }

  get type(): Promise<CodeOf<T>> {
    return this.request('type', [])
  }

  get(): Promise<ElementOf<T>> {
    return this.request('get', [])
  }

  set(value: InputOf<T>): Promise<void> {
    return this.request('set', [value])
  }

  add(value: Addend<T>): Promise<ElementOf<T>> {
    return this.request('add', [value])
  }

  sub(value: Addend<T>): Promise<ElementOf<T>> {
    return this.request('sub', [value])
  }

  and(value: Bits<T>): Promise<ElementOf<T>> {
    return this.request('and', [value])
  }

  or(value: Bits<T>): Promise<ElementOf<T>> {
    return this.request('or', [value])
  }

  xor(value: Bits<T>): Promise<ElementOf<T>> {
    return this.request('xor', [value])
  }

  exchange(value: InputOf<T>): Promise<ElementOf<T>> {
    return this.request('exchange', [value])
  }

  compareExchange(expected: InputOf<T>, replacement: InputOf<T>): Promise<ElementOf<T>> {
    return this.request('compareExchange', [expected, replacement])
  }
}

/** The blocking form of {@link ValueProxy}. */
export type BlockingValue<T extends TypeName> = ValueContract<T, 'blocking'> &
  BlockingProxy & {
    /** The value. */
    get value(): ElementOf<T>
    set value(value: InputOf<T>)
  }

/** The method that makes values. */
export interface ValueFactory<F extends Form> {
  /**
   * A scalar of a type ({@link TypeName}).
   * @throws `TypeError`, with the closest type in its message, for any other type; `TypeError`, `RangeError` for a value that does not fit.
   */
  Value<T extends TypeName>(type: T, initial?: InputOf<T>, options?: NameOptions): Result<F, ValueProxy<T>>
}

export const valueProxies = proxyType(valueContract, ValueProxy).madeBy<
  ValueFactory<'asynchronous'>,
  ValueFactory<'blocking'>
>((make) => (type, initial, options) => make([sendableType(type), initial], options))
