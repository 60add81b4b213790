/** Fifo: first in, first out, at a cost that does not depend on the number of values. */

/** The number of empty places at the front before the array is cut. */
const SLACK = 1024

export class Fifo<T> {
  #values: (T | undefined)[] = []
  #head = 0

  get size(): number {
    return this.#values.length - this.#head
  }

  push(value: T): void {
    this.#values.push(value)
  }

  /** Takes the first value. The queue must not be empty. */
  shift(): T {
    const value = this.#values[this.#head] as T
    this.#values[this.#head++] = undefined
    if (this.#head === this.#values.length) {
      this.#values = []
      this.#head = 0
    } else if (this.#head >= SLACK && this.#head * 2 >= this.#values.length) {
      this.#values = this.#values.slice(this.#head)
      this.#head = 0
    }
    return value
  }

  /** Puts values back to the front, from where they were taken. */
  putBack(values: readonly T[]): void {
    this.#values = [...values, ...this.#values.slice(this.#head)]
    this.#head = 0
  }
}
