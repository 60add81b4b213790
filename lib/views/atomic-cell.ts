/**
 * AtomicCell: read-modify-write operations on one scalar in shared memory that are exact without a lock, for every type.
 *
 * Integers have them in `Atomics`. Floats do not: their operations are loops that compute a new value and replace the old
 * one if its bits are still the same, which the integers of the same size at the same address can do.
 */
import type { RawElement, ScalarArray, ScalarType } from '../memory/typecode.ts'

export interface AtomicCell {
  load(): RawElement
  store(value: RawElement): void
  exchange(value: RawElement): RawElement
  /** Compares bits: NaN equals NaN, 0 does not equal -0. */
  compareExchange(expected: RawElement, replacement: RawElement): RawElement
  add(value: RawElement): RawElement
  sub(value: RawElement): RawElement
  and(value: RawElement): RawElement
  or(value: RawElement): RawElement
  xor(value: RawElement): RawElement
  /** Replaces the element by what `compute` makes of it, in as many attempts as it takes, and returns the new one. */
  replace(compute: (old: RawElement) => RawElement): RawElement
}

// `Atomics` is typed per array type; the types of elements were settled by ScalarType.encode.
type AnyInteger = never

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
  exchange(value: RawElement): RawElement {
    return Atomics.exchange(this.#view, 0, value as never)
  }
  compareExchange(expected: RawElement, replacement: RawElement): RawElement {
    return Atomics.compareExchange(this.#view, 0, expected as never, replacement as never)
  }
  add(value: RawElement): RawElement {
    return Atomics.add(this.#view, 0, value as never)
  }
  sub(value: RawElement): RawElement {
    return Atomics.sub(this.#view, 0, value as never)
  }
  and(value: RawElement): RawElement {
    return Atomics.and(this.#view, 0, value as never)
  }
  or(value: RawElement): RawElement {
    return Atomics.or(this.#view, 0, value as never)
  }
  xor(value: RawElement): RawElement {
    return Atomics.xor(this.#view, 0, value as never)
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
  readonly #scratchFloat: Float32Array | Float64Array
  readonly #scratchBits: Int32Array | BigInt64Array

  constructor(type: ScalarType, buffer: ArrayBufferLike, byteOffset: number) {
    const isSingle = type.byteLength === 4
    this.#bits = new IntegerCell(
      isSingle ? new Int32Array(buffer, byteOffset, 1) : new BigInt64Array(buffer, byteOffset, 1),
    )
    const scratch = new ArrayBuffer(type.byteLength)
    this.#scratchFloat = isSingle ? new Float32Array(scratch) : new Float64Array(scratch)
    this.#scratchBits = isSingle ? new Int32Array(scratch) : new BigInt64Array(scratch)
  }

  load(): number {
    return this.#toFloat(this.#bits.load())
  }
  store(value: RawElement): void {
    this.#bits.store(this.#toBits(value))
  }
  exchange(value: RawElement): number {
    return this.#toFloat(this.#bits.exchange(this.#toBits(value)))
  }
  compareExchange(expected: RawElement, replacement: RawElement): number {
    return this.#toFloat(this.#bits.compareExchange(this.#toBits(expected), this.#toBits(replacement)))
  }
  add(value: RawElement): number {
    return this.#swap((old) => old + (value as number))
  }
  sub(value: RawElement): number {
    return this.#swap((old) => old - (value as number))
  }
  replace(compute: (old: RawElement) => RawElement): number {
    let next = 0
    this.#swap((old) => {
      next = compute(old) as number
      return next
    })
    return next
  }
  and(): never {
    throw new TypeError('A floating-point number has no bit operations')
  }
  or(): never {
    return this.and()
  }
  xor(): never {
    return this.and()
  }

  /** Returns the old element. Compares bits, so that a NaN of any kind is recognised. */
  #swap(compute: (old: number) => number): number {
    for (;;) {
      const bits = this.#bits.load()
      const old = this.#toFloat(bits)
      if (this.#bits.compareExchange(bits, this.#toBits(compute(old))) === bits) return old
    }
  }

  #toBits(value: RawElement): RawElement {
    this.#scratchFloat[0] = value as number
    return this.#scratchBits[0]!
  }

  #toFloat(bits: RawElement): number {
    this.#scratchBits[0] = bits as never
    return this.#scratchFloat[0]!
  }
}

/** The atomic operations on the scalar at an offset of `buffer`. */
export function atomicCell(type: ScalarType, buffer: ArrayBufferLike, byteOffset: number): AtomicCell {
  if (type.float) return new FloatCell(type, buffer, byteOffset)
  return new IntegerCell(new type.ArrayType(buffer, byteOffset, 1))
}
