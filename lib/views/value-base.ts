/** ValueBase: the base class of all values, with the members that every value has. It makes an object `instanceof Value`. */
import { type InspectOptions, inspect } from 'node:util'
import type { Handle } from '../memory/handle.ts'
import type { GuardedSegment } from './guarded-segment.ts'

export abstract class ValueBase {
  readonly #guarded: GuardedSegment

  constructor(guarded: GuardedSegment) {
    this.#guarded = guarded
  }

  /**
   * Used in initialisers of fields. V8 treats a field that is initialised and never assigned later as a constant. This saves a
   * tenth of the time of an update.
   */
  protected static guardedOf(value: ValueBase): GuardedSegment {
    return value.#guarded
  }

  abstract readonly name: string
  abstract readonly handle: Handle
  abstract close(): void
  /** The value to show. It is read without the lock, so that logging never waits. */
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
