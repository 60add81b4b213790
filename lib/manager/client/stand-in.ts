/**
 * Stand-ins: a stand-in replaces a shared object in a result when this side cannot attach to the object, because its server is unknown or
 * the object is gone. The rest of the result is intact; use of the stand-in throws the error.
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

/** Attaches to the object of a handle. If that fails, returns a stand-in that throws the reason as soon as it is used. */
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

/** Throws if the whole result is a stand-in. @throws the reason why the attachment failed. */
export function assertAttached(value: unknown): void {
  if (typeof value === 'object' && value !== null && errors.has(value)) throw errors.get(value)
}
