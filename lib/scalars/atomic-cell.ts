/**
 * AtomicCell: read-modify-write operations on one scalar in shared memory that are exact without a lock, for every type.
 *
 * For integers, `Atomics` has these operations. For floats, they are loops that compute a new value and replace the old one if
 * its bits are still the same. The replacement uses the integers of the same size at the same address.
 */
import { combine, type Operation } from './operation.ts'
import type { ScalarType } from './scalar.ts'
import type { RawElement, ScalarArray } from './storage.ts'

export interface AtomicCell {
  load(): RawElement
  store(value: RawElement): void
  /** Compares bits: NaN equals NaN, 0 does not equal -0. */
  compareExchange(expected: RawElement, replacement: RawElement): RawElement
  /** Does an operation that the type has, and returns the old element. */
  operate(operation: Operation, value: RawElement): RawElement
  /** Replaces the element by the result of `compute`, and returns the new one. Repeats attempts until one succeeds. */
  replace(compute: (old: RawElement) => RawElement): RawElement
}

// `Atomics` is typed per array type. ScalarType.encode has already checked the types of elements.
type AnyInteger = never

// A table instead of a switch: V8 then inlines the one operation that a caller names (docs/platforms/performance.md).
const { add, sub, and, or, xor, exchange } = Atomics
const OPERATIONS: Readonly<Record<Operation, (view: AnyInteger, index: number, value: never) => RawElement>> = {
  add,
  sub,
  and,
  or,
  xor,
  exchange,
}

class IntegerCell implements AtomicCell {
  readonly #view: AnyInteger

  constructor(view: ScalarArray) {
    this.#view = view as AnyInteger
  }

  load(): RawElement {
    return Atomics.load(this.#view, 0)
  }

  store(value: RawElement): void {
    Atomics.store(this.#view, 0, value as never)
  }

  compareExchange(expected: RawElement, replacement: RawElement): RawElement {
    return Atomics.compareExchange(this.#view, 0, expected as never, replacement as never)
  }

  operate(operation: Operation, value: RawElement): RawElement {
    return OPERATIONS[operation](this.#view, 0, value as never)
  }

  replace(compute: (old: RawElement) => RawElement): RawElement {
    for (;;) {
      const old = this.load()
      const next = compute(old)
      if (this.compareExchange(old, next) === old) return next
    }
  }
}

class FloatCell implements AtomicCell {
  readonly #bits: AtomicCell
  readonly #scratch: ScalarArray
  readonly #scratchBits: ScalarArray

  constructor({ ArrayType, BitsType, byteLength }: ScalarType, buffer: ArrayBufferLike, byteOffset: number) {
    this.#bits = new IntegerCell(new BitsType(buffer, byteOffset, 1))
    const scratch = new ArrayBuffer(byteLength)
    this.#scratch = new ArrayType(scratch)
    this.#scratchBits = new BitsType(scratch)
  }

  load(): RawElement {
    return this.#toFloat(this.#bits.load())
  }

  store(value: RawElement): void {
    this.#bits.store(this.#toBits(value))
  }

  compareExchange(expected: RawElement, replacement: RawElement): RawElement {
    return this.#toFloat(this.#bits.compareExchange(this.#toBits(expected), this.#toBits(replacement)))
  }

  operate(operation: Operation, value: RawElement): RawElement {
    for (;;) {
      const bits = this.#bits.load()
      const old = this.#toFloat(bits)
      const next = combine(operation, old as number, value as number)
      if (this.#bits.compareExchange(bits, this.#toBits(next)) === bits) return old
    }
  }

  replace(compute: (old: RawElement) => RawElement): RawElement {
    for (;;) {
      const bits = this.#bits.load()
      const next = this.#toBits(compute(this.#toFloat(bits)))
      if (this.#bits.compareExchange(bits, next) === bits) return this.#toFloat(next)
    }
  }

  #toBits(value: RawElement): RawElement {
    this.#scratch[0] = value
    return this.#scratchBits[0]!
  }

  #toFloat(bits: RawElement): RawElement {
    this.#scratchBits[0] = bits
    return this.#scratch[0]!
  }
}

/** The atomic operations on the scalar at an offset of `buffer`. */
export function atomicCell(type: ScalarType, buffer: ArrayBufferLike, byteOffset: number): AtomicCell {
  if (type.BitsType !== type.ArrayType) return new FloatCell(type, buffer, byteOffset)
  return new IntegerCell(new type.ArrayType(buffer, byteOffset, 1))
}
