/**
 * Shared objects are not copied: structured clone (`postMessage`, `workerData`, `structuredClone`, `node:v8`, `child.send` with advanced
 * serialization) would make an empty object of one, and `{ ...object }` as well.
 *
 * All of these read the enumerable properties of an object, so each shared object has one of its own that throws. Arrays of scalars cannot be
 * protected in this way: structured clone looks at their buffers only. States have their members as properties, which programs may spread:
 * they are marked where the runtime can do that, and most of their members are protected anyway.
 */
import { inspect, types } from 'node:util'
import * as workerThreads from 'node:worker_threads'

/** The name of the property. */
export const UNCLONEABLE = 'uncloneable'

/** Node.js 22.10 and later have it. It does not reach `node:v8`. */
const { markAsUncloneable } = workerThreads as { markAsUncloneable?(object: object): void }

const refusal: PropertyDescriptor = {
  configurable: true,
  enumerable: true,
  get(): never {
    const [subject = 'A shared object'] = /^[^"]*"[^"]*"/.exec(inspect(this)) ?? []
    const advice = 'send its handle instead, and attach(handle) where it arrives'
    throw new DOMException(`${subject} cannot be copied: ${advice}`, 'DataCloneError')
  },
}

/**
 * Makes an attempt to copy the object throw a `DataCloneError`.
 * @param hasPublicKeys - whether its enumerable properties are for users, who may spread it
 */
export function makeUncloneable(object: object, hasPublicKeys: boolean): void {
  if (ArrayBuffer.isView(object) || types.isProxy(object)) return
  if (hasPublicKeys) markAsUncloneable?.(object)
  else Object.defineProperty(object, UNCLONEABLE, refusal)
}
