/** Errors as plain values, and back: with class, message, stack, code, cause and what an AggregateError consists of. */
import { isShareErrorCode, reviveShareError } from '../errors/share-error.ts'
import { errorsOf } from './survey.ts'

/** An error as a plain value. */
export interface ErrorParts {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly code?: string | undefined
  readonly cause?: unknown
  readonly errors?: unknown[]
}

const CLASSES = new Map<unknown, ErrorConstructor>(
  [EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((Class) => [Class.name, Class]),
)

export function partsOfError(error: Error): ErrorParts {
  const { name, message, stack } = error
  const { code } = error as { code?: unknown }
  const errors = errorsOf(error)
  return {
    name,
    message,
    stack,
    ...(typeof code === 'string' && { code }),
    ...(Object.hasOwn(error, 'cause') && { cause: error.cause }),
    ...(errors !== undefined && { errors }),
  }
}

export function errorFromParts({ name, message, stack, code, errors, ...rest }: ErrorParts): Error {
  const error = make(name, message, code, errors, rest)
  const hide = (value: unknown) => ({ value, configurable: true, enumerable: false, writable: true })
  if (error.name !== name) Object.defineProperty(error, 'name', hide(name))
  if (code !== undefined && !('code' in error)) Object.assign(error, { code })
  return Object.defineProperty(error, 'stack', hide(stack))
}

function make(
  name: string,
  message: string,
  code: string | undefined,
  errors: unknown[] | undefined,
  rest: object,
): Error {
  if (name === 'ShareError' && code !== undefined && isShareErrorCode(code))
    return reviveShareError(code, message, rest)
  if (name === 'DataCloneError') return new DOMException(message, name)
  if (errors !== undefined) return new AggregateError(errors, message, rest)
  return new (CLASSES.get(name) ?? Error)(message, rest)
}
