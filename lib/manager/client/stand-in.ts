/**
 * Stand-ins: what arrives in a result in the place of a shared object that cannot be attached to here, because its server is unknown
 * or it is gone. The rest of the result is as it should be; whoever uses the stand-in sees the error.
 */
import { inspect } from 'node:util'
import type { Handle } from '../../memory/handle.ts'
import { attach, registerShareable, type Shareable } from '../../memory/shareable.ts'

/** What a stand-in says without having been attached to: what it is, so that it can be passed on. */
const OWN: ReadonlySet<PropertyKey> = new Set(['handle', 'toJSON', 'toString', 'constructor', inspect.custom])
/** What the language and its tools ask of any object. */
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

/** A result that is nothing but a stand-in is no result. @throws why it could not be attached to. */
export function assertAttached(value: unknown): void {
  if (typeof value === 'object' && value !== null && errors.has(value)) throw errors.get(value)
}
