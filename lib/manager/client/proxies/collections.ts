/** What proxies of containers take as several values or entries, made into what can be sent. */
import { remoteOf } from '../channel.ts'

/** What keys of dicts and members of sets are: values that are compared by what they are. */
export type Primitive = string | number | bigint | boolean | null | undefined

/** Keys of dicts and members of sets. Arrays and dates are the same key when they consist of the same. */
export type DictKey = Primitive | Date | readonly (Primitive | Date)[]

/** Several values. Managed collections of the same server are read there, in the same step; what can be none is refused there. */
export function sendableValues(given: unknown): unknown {
  if (typeof given !== 'object' || given === null || Array.isArray(given) || remoteOf(given) !== undefined) return given
  return Symbol.iterator in given ? [...(given as Iterable<unknown>)] : given
}

/** Several entries: pairs, a map, an object. A managed dict is read in the server; what can be none is refused there. */
export function sendableEntries(given: unknown): unknown {
  const sendable = sendableValues(given)
  // As pairs, so that `__proto__` can be a key.
  return sendable === given && isPlainObject(given) ? Object.entries(given) : sendable
}

function isPlainObject(given: unknown): given is object {
  return Object.prototype.toString.call(given) === '[object Object]' && remoteOf(given as object) === undefined
}
