/** Converts the values and entries that proxies of containers take into values that can be sent. */
import { isShareable } from '../../memory/shareable.ts'
import { findScalar } from '../../scalars/scalar.ts'
import { remoteOf } from './remote.ts'

/** Several values. The server reads managed collections itself, in the same step, and refuses everything else. */
export function sendableValues<T>(given: T): T {
  if (typeof given !== 'object' || given === null || Array.isArray(given) || remoteOf(given) !== undefined) return given
  return Symbol.iterator in given ? ([...(given as Iterable<unknown>)] as T) : given
}

/** Several entries: pairs, a map, an object. The server reads a managed dict itself, and refuses everything else. */
export function sendableEntries<T>(given: T): T {
  const sendable = sendableValues(given)
  // Sent as pairs, so that `__proto__` can be a key.
  return sendable === given && isPlainObject(given) ? (Object.entries(given) as T) : sendable
}

function isPlainObject(given: unknown): given is object {
  return Object.prototype.toString.call(given) === '[object Object]' && remoteOf(given as object) === undefined
}

/**
 * Converts elements into a form that can be sent. An iterable is used up here; a shared array is copied, because it would otherwise be sent
 * as a reference.
 */
export function sendableElements<T>(values: T): T {
  if (typeof values !== 'object' || values === null || Array.isArray(values)) return values
  if (ArrayBuffer.isView(values)) return isShareable(values) ? ((values as unknown as Int32Array).slice() as T) : values
  return Symbol.iterator in values ? ([...(values as Iterable<unknown>)] as T) : values
}

/**
 * The name of a scalar type in a message. A type that is unknown here is sent by its name: the server may have it, or reports the error.
 */
export function sendableType(type: unknown): unknown {
  return findScalar(type)?.code ?? (typeof type === 'function' ? type.name : type)
}
