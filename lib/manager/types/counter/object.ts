/** counter: an exact integer. */
import { assertInteger, rangeError } from '../../../validate.ts'
import { journal } from '../../server/journal.ts'
import { managedType } from '../../server/managed-type.ts'
import { counterContract } from './contract.ts'

const MAX_VALUE = Number.MAX_SAFE_INTEGER

class Counter {
  #value: number

  constructor(value: number) {
    this.#value = value
  }

  get value(): number {
    return this.#value
  }

  add(by: number): number {
    const sum = this.#value + by
    if (!Number.isSafeInteger(sum))
      throw rangeError('by', `an integer with a sum from ${-MAX_VALUE} to ${MAX_VALUE}`, by)
    this.set(sum)
    return sum
  }

  /** Sets the value; returns the old one. */
  set(value: number): number {
    const old = this.#value
    journal.note(() => {
      this.#value = old
    })
    this.#value = value
    return old
  }
}

export const counterType = managedType(
  counterContract,
  ([initial = 0]) => {
    assertInteger('initial', initial, -MAX_VALUE, MAX_VALUE)
    return new Counter(initial)
  },
  {
    methods: {
      value: (counter) => counter.value,
      increment: (counter, _request, by = 1) => {
        assertInteger('by', by, -MAX_VALUE, MAX_VALUE)
        return counter.add(by)
      },
      decrement: (counter, _request, by = 1) => {
        assertInteger('by', by, -MAX_VALUE, MAX_VALUE)
        return counter.add(-by)
      },
      reset: (counter, _request, value = 0) => {
        assertInteger('value', value, -MAX_VALUE, MAX_VALUE)
        return counter.set(value)
      },
    },
    show: ({ value }) => `counter(${value})`,
  },
)
