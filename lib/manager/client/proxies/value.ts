/** ValueProxy: a scalar in the server. */
import type { Addend, Bits, CodeOf, ElementOf, InputOf, TypeName } from '../../../scalars/types.ts'
import { valueError } from '../../../validate.ts'
import type { BlockingMethods, blockingForm } from '../blocking.ts'
import { ManagedProxy } from '../proxy.ts'
import { registerProxy } from '../proxy-classes.ts'

/**
 * A scalar of a type ({@link TypeName}) that lives in the server of a {@link Manager}: `manager.Value('i', 5)`. On one machine a {@link Value} does the
 * same much faster.
 *
 * @remarks Values that the type cannot hold are refused, operands and results of `add` and the like included. Each method is one exact
 * step.
 * @throws Methods reject with `TypeError` or `RangeError` for a value that the type cannot hold; nothing has changed then.
 * @example
 * ```ts
 * import { Manager } from 'procshare'
 * await using manager = await Manager.start()
 * const hits = await manager.Value('i', 5)
 * console.assert((await hits.add(2)) === 5) // the old value
 * console.assert((await hits.get()) === 7)
 * ```
 */
export class ValueProxy<T extends TypeName> extends ManagedProxy {
  /** @internal */
  static override readonly writer = 'set(value)'
  /** @internal */
  declare readonly [blockingForm]: BlockingValue<T>

  /** The value: `await value.value`. In the blocking form it can be set, too. */
  get value(): Promise<ElementOf<T>> {
    return this.get()
  }

  // Of no type, for it cannot be set in the asynchronous form; BlockingValue says what it is in the other one.
  set value(value: never) {
    if (!this.isBlocking) throw valueError('value', 'set with set() in the asynchronous form', value)
    this.set(value)
  }

  /** The type code. */
  get type(): Promise<CodeOf<T>> {
    return this.call('type')
  }

  /** The value. */
  get(): Promise<ElementOf<T>> {
    return this.call('get')
  }

  /** Sets the value. */
  set(value: InputOf<T>): Promise<void> {
    return this.call('set', [value])
  }

  /** Adds; gives the old value. @throws `RangeError` for a sum that the type cannot hold. */
  add(value: Addend<T>): Promise<ElementOf<T>> {
    return this.call('add', [value])
  }

  /** Subtracts; gives the old value. @throws as {@link add}. */
  sub(value: Addend<T>): Promise<ElementOf<T>> {
    return this.call('sub', [value])
  }

  /** Bitwise and; gives the old value. */
  and(value: Bits<T>): Promise<ElementOf<T>> {
    return this.call('and', [value])
  }

  /** Bitwise or; gives the old value. */
  or(value: Bits<T>): Promise<ElementOf<T>> {
    return this.call('or', [value])
  }

  /** Bitwise exclusive or; gives the old value. */
  xor(value: Bits<T>): Promise<ElementOf<T>> {
    return this.call('xor', [value])
  }

  /** Replaces the value and gives the old one. */
  exchange(value: InputOf<T>): Promise<ElementOf<T>> {
    return this.call('exchange', [value])
  }

  /** Replaces the value if it is `expected`, to the bit; gives the old one. */
  compareExchange(expected: InputOf<T>, replacement: InputOf<T>): Promise<ElementOf<T>> {
    return this.call('compareExchange', [expected, replacement])
  }
}

/** The blocking form of {@link ValueProxy}. */
export type BlockingValue<T extends TypeName> = BlockingMethods<Omit<ValueProxy<T>, 'value'>> & {
  /** The value. */
  get value(): ElementOf<T>
  set value(value: InputOf<T>)
}

registerProxy('Value', ValueProxy)
