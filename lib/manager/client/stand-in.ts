/**
 * Stand-ins: what arrives in a result in the place of a shared object that cannot be attached to, because its server is unknown or the
 * object is gone. The rest of the result is intact; using the stand-in throws the error.
 */
import { inspect } from 'node:util'
import type { Handle } from '../../memory/handle.ts'
import { attach, registerShareable, type Shareable } from '../../memory/shareable.ts'

/** The properties of a stand-in itself, so that it can be inspected and passed on. */
const OWN: ReadonlySet<PropertyKey> = new Set(['handle', 'toJSON', 'toString', 'constructor', inspect.custom])
/** The properties that the language and its tools read of any object. */
const ASKED_OF_ALL: ReadonlySet<PropertyKey> = new Set(['then', 'asymmetricMatch', '$$typeof', 'nodeType'])

class Unattached {
  readonly handle: Handle

  constructor(handle: Handle) {
    this.handle = handle
  }

  toJSON(): Handle {
    return this.handle
  }

  toString(): string {
    return `<${this.handle.kind} ${JSON.stringify(this.handle.name)}, which cannot be attached to>`
  }

  [inspect.custom](): string {
    return this.toString()
  }
}

const errors = new WeakMap<object, unknown>()

/** The object of a handle; if it cannot be attached to, a stand-in that throws why as soon as it is used. */
export function attachOrStandIn(handle: Handle): Shareable {
  try {
    return attach(handle)
  } catch (error) {
    const standIn = new Proxy(new Unattached(handle), {
      get(object, key) {
        if (OWN.has(key)) return Reflect.get(object, key)
        if (typeof key === 'symbol' || ASKED_OF_ALL.has(key)) return undefined
        throw error
      },
      set() {
        throw error
      },
    })
    errors.set(standIn, error)
    registerShareable(standIn)
    return standIn
  }
}

/** A result that is only a stand-in is an error. @throws the reason why it could not be attached to. */
export function assertAttached(value: unknown): void {
  if (typeof value === 'object' && value !== null && errors.has(value)) throw errors.get(value)
}
