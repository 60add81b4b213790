/**
 * An attempt to copy a shared object is an error. Structured clone (`postMessage`, `workerData`, `structuredClone`, `node:v8`,
 * `child.send` with advanced serialization) and `{ ...object }` would make an empty object of it.
 *
 * All of these read the enumerable own properties of an object, so each shared object has one that throws. It cannot protect
 * arrays of scalars, because structured clone reads only their buffers. States have their members as properties, and programs may
 * spread a state. So states are marked as uncloneable where the runtime can do that, and most of their members are protected
 * anyway.
 */
import { inspect, types } from 'node:util'
import * as workerThreads from 'node:worker_threads'
import { ownDescriptor } from '../define-property.ts'

/** The name of the property. */
export const UNCLONEABLE = 'uncloneable'

/** In Node.js 22.10 and later. It has no effect on `node:v8`. */
const { markAsUncloneable } = workerThreads as { markAsUncloneable?(object: object): void }

const refusal = ownDescriptor({
  configurable: true,
  enumerable: true,
  get(this: object): never {
    const [subject = 'A shared object'] = /^[^"]*"[^"]*"/.exec(inspect(this)) ?? []
    const advice = 'send its handle instead, and attach(handle) where it arrives'
    throw new DOMException(`${subject} cannot be copied: ${advice}`, 'DataCloneError')
  },
})

/**
 * Makes an attempt to copy the object throw a `DataCloneError`.
 * @param hasPublicKeys - whether its enumerable properties are public, so that programs may spread the object
 */
export function makeUncloneable(object: object, hasPublicKeys: boolean): void {
  if (ArrayBuffer.isView(object) || types.isProxy(object)) return
  if (hasPublicKeys) markAsUncloneable?.(object)
  else Object.defineProperty(object, UNCLONEABLE, refusal)
}
