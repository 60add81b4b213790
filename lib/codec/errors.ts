/**
 * Errors as plain values, and back: class, message, stack, cause, errors, and all other enumerable properties of their own.
 *
 * An error is encoded as a head, from which it is created. The head has the place of the other properties in a table, which is
 * encoded once, after the value. So errors may contain each other, themselves, and the value that they are in. An error can
 * always be encoded, because the text of a property replaces one that cannot be encoded.
 */

import { inspect } from 'node:util'
import { defineProperty } from '../define-property.ts'
import { isShareErrorCode, reviveShareError } from '../errors/share-error.ts'
import { isError } from '../kinds-of-value.ts'

/** The head from which an error is created. `place` is the place of its properties in the table. */
export type ErrorHead = readonly [place: number, type: string, name: string, message: string, code: string | undefined]

/** The other properties of an error: names and values in turn. */
export type ErrorProperties = readonly [stack: string | undefined, enumerable: unknown[], hidden: unknown[]]

const CLASSES = new Map<string, ErrorConstructor>(
  [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((Class) => [Class.name, Class]),
)
/** Classes whose constructors take other arguments. */
const OTHER_CLASSES: readonly string[] = ['ShareError', 'AggregateError', 'DOMException']
/** Properties that are kept although they are not enumerable. */
const HIDDEN = ['cause', 'errors']

const MAX_TEXT_LENGTH = 1_000
const MAX_BRIEF_STACK_LENGTH = 4_000

/** The errors in a value that is being encoded. */
export class ErrorTable {
  readonly properties: ErrorProperties[] = []
  readonly #heads = new Map<Error, ErrorHead>()

  add(error: Error): void {
    if (!this.#heads.has(error)) this.#heads.set(error, headOf(error, this.#heads.size))
  }

  headOf(error: Error): ErrorHead {
    return this.#heads.get(error)!
  }

  /** Collects the properties of all errors. `canEncode` looks at the value of one, and adds the errors in it. */
  complete(canEncode: (value: unknown) => boolean): void {
    for (const error of this.#heads.keys()) this.properties.push(propertiesOf(error, canEncode))
  }
}

function headOf(error: Error, place: number): ErrorHead {
  const code = read(error, 'code')
  const [name, message] = [wellFormed(read(error, 'name')), wellFormed(read(error, 'message'))]
  return [place, typeOf(error), name, message, typeof code === 'string' ? code : undefined]
}

/** The value of a property of an error. If reading it throws, the text of the thrown value. */
function read(error: Error, key: string): unknown {
  try {
    return error[key as keyof Error]
  } catch (reason) {
    return textOf(reason)
  }
}

/** The name of the class with which the receiver creates the error. For an unknown class, the known class that it extends. */
function typeOf(error: Error): string {
  if (Object.prototype.toString.call(error) === '[object DOMException]') return 'DOMException'
  for (let prototype = Object.getPrototypeOf(error); prototype !== null; prototype = Object.getPrototypeOf(prototype)) {
    const name = prototype.constructor?.name
    if (CLASSES.has(name) || OTHER_CLASSES.includes(name)) return name
  }
  return 'Error'
}

function propertiesOf(error: Error, canEncode: (value: unknown) => boolean): ErrorProperties {
  const sendable = (key: string): unknown => {
    const value = read(error, key)
    return canEncode(value) ? value : textOf(value)
  }
  const keys = Object.keys(error)
  const hidden = HIDDEN.filter((key) => Object.hasOwn(error, key) && !keys.includes(key))
  const pairs = (names: string[]) => names.flatMap((key) => [key.toWellFormed(), sendable(key)])
  const stack = read(error, 'stack')
  return [typeof stack === 'string' ? stack.toWellFormed() : undefined, pairs(keys), pairs(hidden)]
}

/** The error of a head, without its other properties. @throws for an invalid head. */
export function errorFromHead([, type, name, message, code]: ErrorHead): Error {
  for (const text of [type, name, message]) if (typeof text !== 'string') throw new TypeError('Expected texts')
  const { stackTraceLimit } = Error
  Reflect.set(Error, 'stackTraceLimit', 0) // it gets its original stack; to make a stack here would take longer than all the rest
  try {
    const error = create(type, name, message, code)
    if (error.name !== name) define(error, 'name', name, false)
    return error
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit)
  }
}

function create(type: string, name: string, message: string, code: unknown): Error {
  if (type === 'ShareError' && typeof code === 'string' && isShareErrorCode(code)) {
    return reviveShareError(code, message, {})
  }
  if (type === 'DOMException') return new DOMException(message, name)
  if (type === 'AggregateError') return new AggregateError([], message)
  return new (CLASSES.get(type) ?? Error)(message)
}

/** Sets the other properties of an error. @throws for invalid properties. */
export function setProperties(error: Error, [stack, enumerable, hidden]: ErrorProperties): void {
  for (const [pairs, isEnumerable] of [
    [enumerable, true],
    [hidden, false],
  ] as const) {
    if (!Array.isArray(pairs)) throw new TypeError('Expected properties')
    for (let i = 0; i + 1 < pairs.length; i += 2) define(error, String(pairs[i]), pairs[i + 1], isEnumerable)
  }
  define(error, 'stack', stack, false)
}

function define(error: Error, key: string, value: unknown, enumerable: boolean): void {
  defineProperty(error, key, { value, configurable: true, enumerable, writable: true })
}

/** An error that describes the thrown value and can be encoded in few bytes. */
export function inBrief(thrown: unknown): Error {
  try {
    if (!isError(thrown)) return new Error(textOf(thrown))
    const [, type, name, message, code] = headOf(thrown, 0)
    const error = errorFromHead([0, type, name, message.slice(0, MAX_TEXT_LENGTH).toWellFormed(), code])
    if (code !== undefined && (error as { code?: unknown }).code !== code) define(error, 'code', code, true)
    define(error, 'stack', wellFormed(read(thrown, 'stack')).slice(0, MAX_BRIEF_STACK_LENGTH).toWellFormed(), false)
    return error
  } catch {
    return new Error('An error that cannot be described')
  }
}

/** The text that replaces a value which cannot be sent. Never throws. */
export function textOf(value: unknown): string {
  try {
    if (typeof value === 'string') return value.toWellFormed()
    const text = inspect(value, { depth: 1, breakLength: Infinity, maxArrayLength: 20, maxStringLength: 200 })
    return text.slice(0, MAX_TEXT_LENGTH).toWellFormed()
  } catch {
    return 'a value that cannot be shown'
  }
}

function wellFormed(text: unknown): string {
  return typeof text === 'string' ? text.toWellFormed() : textOf(text)
}
