/**
 * Tests for kinds of values that also work for values of another realm. A test framework or `node:vm` runs programs with their
 * own built-in classes, so `instanceof` is false for an Error, a Map or an AbortSignal from there. The classes of this package
 * are not affected.
 */
import { types } from 'node:util'

/** An Error or a DOMException. */
export function isError(value: unknown): value is Error {
  if (value instanceof Object || typeof value !== 'object' || value === null) return value instanceof Error
  return types.isNativeError(value) || Object.prototype.toString.call(value) === '[object DOMException]'
}

/** Distinguishes a standard URL from an object of Node's older `url.parse()`, by the same test as Node. */
export function isUrl(value: unknown): value is URL {
  const { href, protocol, auth } = Object(value) as { href?: unknown; protocol?: unknown; auth?: unknown }
  return typeof href === 'string' && typeof protocol === 'string' && auth === undefined
}

export function isAbortSignal(value: unknown): value is AbortSignal {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as AbortSignal).aborted === 'boolean' &&
    typeof (value as AbortSignal).addEventListener === 'function'
  )
}

/** Whether `await` would wait for it. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    (typeof value === 'function' || (typeof value === 'object' && value !== null)) &&
    typeof (value as PromiseLike<unknown>).then === 'function'
  )
}
