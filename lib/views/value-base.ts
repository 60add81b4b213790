/** ValueBase: what makes an object `instanceof Value`, and what every value has. */
import { type InspectOptions, inspect } from 'node:util'
import type { Handle } from '../memory/handle.ts'
import type { GuardedSegment } from './guarded-segment.ts'

export abstract class ValueBase {
  readonly #guarded: GuardedSegment

  constructor(guarded: GuardedSegment) {
    this.#guarded = guarded
  }

  /**
   * For initialisers of fields. What a field is initialised with, and not assigned later, V8 takes for a constant: that
   * is a tenth of an update.
   */
  protected static guardedOf(value: ValueBase): GuardedSegment {
    return value.#guarded
  }

  abstract readonly name: string
  abstract readonly handle: Handle
  abstract close(): void
  /** What to show of the value: read without the lock, so that logging never waits. */
  protected abstract peek(): unknown

  get memberCount(): number {
    return this.#guarded.memberCount
  }

  toJSON(): Handle {
    return this.handle
  }

  ref(): this {
    this.#guarded.setKeepsAlive(true)
    return this
  }

  unref(): this {
    this.#guarded.setKeepsAlive(false)
    return this
  }

  [Symbol.dispose](): void {
    this.close()
  }

  [inspect.custom](depth: number, options: InspectOptions): string {
    return this.#guarded.inspected(() => this.peek(), { ...options, depth })
  }
}
