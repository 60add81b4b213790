/**
 * Arguments of a child process. They are copied by structured clone, except that shared objects in them, at any depth, are sent
 * as handles and arrive attached.
 *
 * The walk copies arrays, plain objects, maps and sets, so the caller's objects are never changed. It does not enter what
 * structured clone treats as a unit (dates, buffers, …). Errors, of which structured clone drops most properties, are sent as
 * bytes.
 */

import { types } from 'node:util'
import { deserialize, serialize } from 'node:v8'
import { decodeThrown, encodeThrown } from '../codec/thrown.ts'
import { defineProperty } from '../define-property.ts'
import { isError } from '../kinds-of-value.ts'
import type { Handle } from '../memory/handle.ts'
import type { HeldHandle } from '../memory/segment.ts'
import { attach, handleForChild, isShareable, type Shareable } from '../memory/shareable.ts'
import { valueError } from '../validate.ts'

/** The keys of placeholders: `{ [SHARED]: handle }`, `{ [ERROR]: bytes }`. */
const SHARED = 'procshare:attach'
const ERROR = 'procshare:error'

type Replace = (value: object) => unknown

/** Copies a graph of objects. Calls `replace` for each object first; if it returns undefined, copies the parts of the object. */
class Walk {
  readonly #copies = new Map<object, unknown>()
  readonly #replace: Replace

  constructor(replace: Replace) {
    this.#replace = replace
  }

  copy(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value
    const known = this.#copies.get(value)
    if (known !== undefined) return known
    const replaced = this.#replace(value)
    if (replaced === undefined) return this.#walk(value)
    this.#copies.set(value, replaced)
    return replaced
  }

  #walk(value: object): unknown {
    if (Array.isArray(value)) {
      const copy: unknown[] = new Array(value.length)
      this.#copies.set(value, copy)
      for (const key of Object.keys(value)) copy[key as unknown as number] = this.copy(value[key as unknown as number])
      return copy
    }
    if (types.isMap(value)) {
      const copy = new Map()
      this.#copies.set(value, copy)
      for (const [key, item] of value) copy.set(this.copy(key), this.copy(item))
      return copy
    }
    if (types.isSet(value)) {
      const copy = new Set()
      this.#copies.set(value, copy)
      for (const item of value) copy.add(this.copy(item))
      return copy
    }
    if (Object.prototype.toString.call(value) !== '[object Object]') return value
    const copy: Record<string, unknown> = {}
    this.#copies.set(value, copy)
    for (const [key, item] of Object.entries(value)) {
      // An assignment would set the prototype for the key "__proto__".
      defineProperty(copy, key, { value: this.copy(item), configurable: true, enumerable: true, writable: true })
    }
    return copy
  }
}

/**
 * Encodes arguments as bytes.
 * @param held - receives the handles of the shared objects in them, also when it throws. The objects are kept until these are
 * released
 * @throws `DataCloneError` for values that cannot be cloned, such as functions
 */
export function encodeArguments(args: readonly unknown[], held: HeldHandle[]): Uint8Array {
  const handleOf = (object: object): Handle => {
    const handle = handleForChild(object as Shareable)
    held.push(handle)
    return handle.handle
  }
  const walk = new Walk((value) => {
    if (isShareable(value)) return { [SHARED]: handleOf(value) }
    if (isError(value)) return { [ERROR]: encodeThrown(value, handleOf) }
    for (const key of [SHARED, ERROR]) {
      if (Object.hasOwn(value, key)) throw valueError('args', `free of the key "${key}"`, value)
    }
    return undefined
  })
  const copy = walk.copy(args)
  try {
    return serialize(copy)
  } catch (error) {
    // node:v8 throws an Error without a name where structured clone throws a DataCloneError.
    throw new DOMException((error as Error).message, 'DataCloneError')
  }
}

/** Decodes arguments, and attaches to the shared objects in them. */
export function decodeArguments(bytes: Uint8Array): unknown[] {
  const walk = new Walk((value) => {
    if (Object.hasOwn(value, SHARED)) return attach((value as Record<string, Handle>)[SHARED]!)
    if (Object.hasOwn(value, ERROR)) return decodeThrown((value as Record<string, Uint8Array>)[ERROR]!, attachTo)
    return undefined
  })
  return walk.copy(deserialize(bytes)) as unknown[]
}

function attachTo(handle: unknown): unknown {
  return attach(handle as Handle)
}
