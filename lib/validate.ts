/**
 * Checks of the arguments that a caller passed in. Each is an assertion: it returns, or it throws an error that names the
 * argument, the expected value and the received value.
 */
import { inspect } from 'node:util'
import { isAbortSignal, isThenable } from './kinds-of-value.ts'

/** A `TypeError` or `RangeError` with one of Node's own codes. */
export type ArgumentError = (TypeError | RangeError) & { code: string }

function received(value: unknown): string {
  const text = inspect(value, { depth: 0, breakLength: Infinity, maxStringLength: 60 })
  return value === null || value === undefined ? text : `${text} (${typeof value})`
}

/** An error for a value of the wrong type. @param advice - what to write instead, if that is known */
export function typeError(name: string, expected: string, value: unknown, advice?: string): ArgumentError {
  const error = new TypeError(`${name} must be ${expected}, got ${received(value)}${advice ? `: ${advice}` : ''}`)
  return Object.assign(error, { code: 'ERR_INVALID_ARG_TYPE' })
}

/** An error for a value of the right type that is not allowed. */
export function valueError(name: string, expected: string, value: unknown): ArgumentError {
  const error = new TypeError(`${name} must be ${expected}, got ${received(value)}`)
  return Object.assign(error, { code: 'ERR_INVALID_ARG_VALUE' })
}

/** An error for a property that an object must not have. @param noun - what messages call a property of the object */
export function unknownKeyError(name: string, key: string, noun: string, known: readonly string[]): ArgumentError {
  const advice = known.length === 0 ? 'none is allowed here' : `use ${list(known, 'or')}`
  const error = new TypeError(`${name}.${key} is not a known ${noun}: ${advice}`)
  return Object.assign(error, { code: 'ERR_INVALID_ARG_VALUE' })
}

/** `a`, `a or b`, `a, b or c`. */
export function list(words: readonly string[], conjunction: 'or' | 'and'): string {
  if (words.length < 2) return words.join('')
  return `${words.slice(0, -1).join(', ')} ${conjunction} ${words.at(-1)}`
}

/** An error for a number that is out of range. */
export function rangeError(name: string, expected: string, value: unknown): ArgumentError {
  const error = new RangeError(`${name} must be ${expected}, got ${received(value)}`)
  return Object.assign(error, { code: 'ERR_OUT_OF_RANGE' })
}

export function assertInteger(name: string, value: unknown, min: number, max: number): asserts value is number {
  if (typeof value !== 'number') throw typeError(name, 'an integer', value)
  if (!Number.isInteger(value) || value < min || value > max) {
    throw rangeError(name, `an integer from ${min} to ${max}`, value)
  }
}

export function assertFunction(name: string, value: unknown): asserts value is (...args: never[]) => unknown {
  if (typeof value !== 'function') throw typeError(name, 'a function', value)
}

export function assertBoolean(name: string, value: unknown): asserts value is boolean {
  if (typeof value !== 'boolean') throw typeError(name, 'a boolean', value)
}

export function assertString(name: string, value: unknown): asserts value is string {
  if (typeof value !== 'string') throw typeError(name, 'a string', value)
}

/** @throws `TypeError` unless the value is an object without a class. The object may be of any realm. */
export function assertPlainObject(name: string, value: unknown): asserts value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw typeError(name, 'an object', value)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null) return
  throw typeError(name, Array.isArray(value) ? 'an object' : 'a plain object', value)
}

/** No options. The object inherits nothing, so that properties which a program adds to `Object.prototype` are not options. */
const NONE: Readonly<Record<string, unknown>> = Object.freeze(Object.create(null))

/**
 * Copies the options that the caller passed in: the own properties of a plain object. Each property is read once. A key that is
 * not among `keys` is an error, so that a misspelt option is not ignored.
 */
export function takeOptions<Options extends object>(
  name: string,
  given: Options | undefined,
  keys: readonly (keyof Options & string)[],
): Options {
  if (given === undefined) return NONE as Options
  assertPlainObject(name, given)
  const known: readonly string[] = keys
  const options: Record<string, unknown> = Object.create(null)
  for (const key of Object.keys(given)) {
    if (!known.includes(key)) throw unknownKeyError(name, key, 'option', known)
    options[key] = given[key]
  }
  return options as Options
}

/** Asserts that the result of a function is not a promise: the work of the function must be done when it returns. */
export function assertNotThenable(name: string, result: unknown, advice = ''): void {
  if (isThenable(result)) throw valueError(name, `a function that does not return a promise${advice}`, result)
}

/** Asserts that `value` is a number of milliseconds to wait. 0 means one attempt; Infinity, the default, means no limit. */
export function assertTimeout(name: string, value: unknown): asserts value is number | undefined {
  if (value === undefined) return
  if (typeof value !== 'number') throw typeError(name, 'a number of milliseconds', value)
  if (Number.isNaN(value) || value < 0) throw rangeError(name, 'a number of milliseconds of at least 0', value)
}

export function assertSignal(name: string, value: unknown): asserts value is AbortSignal | undefined {
  if (value !== undefined && !isAbortSignal(value)) throw typeError(name, 'an AbortSignal', value)
}
