/** ValueProxy: a scalar in the server. */
import type { ElementTypes, InputOf, IntegerTypeName, NumericTypeName, TypeName } from '../../../memory/typecode.ts'
import { valueError } from '../../../validate.ts'
import type { BlockingMethods, blockingForm } from '../blocking.ts'
import { ManagedProxy } from '../proxy.ts'
import { registerProxy } from '../proxy-classes.ts'

/** Operands of arithmetic. */
export type Addend<T extends TypeName> = T extends NumericTypeName ? InputOf<T> : never
/** Operands of bit operations. */
export type Bits<T extends TypeName> = T extends IntegerTypeName | '?' | 'bool' ? InputOf<T> : never

/**
 * A scalar of a type code that lives in the server of a {@link Manager}: `manager.Value('i', 5)`. On one machine a {@link Value} does the
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
  get value(): Promise<ElementTypes[T]> {
    return this.get()
  }

  // Of no type, for it cannot be set in the asynchronous form; BlockingValue says what it is in the other one.
  set value(value: never) {
    if (!this.isBlocking) throw valueError('value', 'set by set() in the asynchronous form', value)
    this.set(value)
  }

  /** The type code. */
  get type(): Promise<string> {
    return this.call('type')
  }

  /** The value. */
  get(): Promise<ElementTypes[T]> {
    return this.call('get')
  }

  /** Sets the value. */
  set(value: InputOf<T>): Promise<void> {
    return this.call('set', [value])
  }

  /** Adds; gives the old value. @throws `RangeError` for a sum that the type cannot hold. */
  add(value: Addend<T>): Promise<ElementTypes[T]> {
    return this.call('add', [value])
  }

  /** Subtracts; gives the old value. @throws as {@link add}. */
  sub(value: Addend<T>): Promise<ElementTypes[T]> {
    return this.call('sub', [value])
  }

  /** Bitwise and; gives the old value. */
  and(value: Bits<T>): Promise<ElementTypes[T]> {
    return this.call('and', [value])
  }

  /** Bitwise or; gives the old value. */
  or(value: Bits<T>): Promise<ElementTypes[T]> {
    return this.call('or', [value])
  }

  /** Bitwise exclusive or; gives the old value. */
  xor(value: Bits<T>): Promise<ElementTypes[T]> {
    return this.call('xor', [value])
  }

  /** Replaces the value and gives the old one. */
  exchange(value: InputOf<T>): Promise<ElementTypes[T]> {
    return this.call('exchange', [value])
  }

  /** Replaces the value if it is `expected`, to the bit; gives the old one. */
  compareExchange(expected: InputOf<T>, replacement: InputOf<T>): Promise<ElementTypes[T]> {
    return this.call('compareExchange', [expected, replacement])
  }
}

/** The blocking form of {@link ValueProxy}. */
export type BlockingValue<T extends TypeName> = BlockingMethods<Omit<ValueProxy<T>, 'value'>> & {
  /** The value. */
  get value(): ElementTypes[T]
  set value(value: InputOf<T>)
}

registerProxy('Value', ValueProxy)
