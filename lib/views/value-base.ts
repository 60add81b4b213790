/** ValueBase: what makes an object `instanceof Value`, and what every value has. */
import { type InspectOptions, inspect } from 'node:util'
import type { Handle } from '../memory/handle.ts'

export abstract class ValueBase {
  abstract readonly name: string
  abstract readonly handle: Handle
  abstract close(): void
  /** What to show of the value: read without the lock, so that logging never waits. */
  protected abstract peek(): unknown

  toJSON(): Handle {
    return this.handle
  }

  [Symbol.dispose](): void {
    this.close()
  }

  [inspect.custom](depth: number, options: InspectOptions): string {
    return `Value "${this.name}" ${inspect(this.peek(), { ...options, depth })}`
  }
}
