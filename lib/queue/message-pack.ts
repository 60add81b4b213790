/** MessagePack by msgpackr, for what plain-encoder.ts leaves: trees and graphs (codec.ts), and shared objects and errors in them. */
import { createRequire } from 'node:module'
import { attach, type Handle, isShareable, type Shareable } from '../memory/handle.ts'
import { errorsOf } from './survey.ts'

// The build that never generates code, which works where that is forbidden.
const { Packr, Unpackr, addExtension } = privateCopyOf<typeof import('msgpackr')>('msgpackr/index-no-eval')

const common = { moreTypes: true, useToJSON: false, copyBuffers: true } as const
const treePackr = new Packr({ ...common, useRecords: false, variableMapSize: false })
const treeUnpackr = new Unpackr({ ...common, useRecords: false, mapsAsObjects: true })
const graphPackr = new Packr({ ...common, structuredClone: true })
const graphUnpackr = new Unpackr({ ...common, structuredClone: true })

/** What msgpackr takes for the class of whatever travels as a handle. */
const Attachable = { [Symbol.hasInstance]: isShareable } as unknown as new () => Shareable
addExtension({
  Class: Attachable,
  type: 0x48,
  write: (object: Shareable) => object.handle,
  read: (handle: Handle) => attach(handle),
})

interface ErrorParts {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly cause?: unknown
  readonly errors?: unknown[]
}
const ERRORS = new Map<unknown, ErrorConstructor>(
  [EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((Class) => [Class.name, Class]),
)
addExtension({
  Class: Error,
  type: 0x45,
  write: (error: Error): ErrorParts => {
    const { name, message, stack } = error
    const errors = errorsOf(error)
    return {
      name,
      message,
      stack,
      ...(Object.hasOwn(error, 'cause') && { cause: error.cause }),
      ...(errors !== undefined && { errors }),
    }
  },
  read: ({ name, message, stack, errors, ...rest }: ErrorParts) => {
    const Class = ERRORS.get(name) ?? Error
    const error = errors === undefined ? new Class(message, rest) : new AggregateError(errors, message, rest)
    const hide = (value: unknown) => ({ value, configurable: true, enumerable: false, writable: true })
    if (error.name !== name) Object.defineProperty(error, 'name', hide(name))
    return Object.defineProperty(error, 'stack', hide(stack))
  },
})

/**
 * A module that nobody else shares: msgpackr keeps the memory that it writes to, and its extensions, in variables of the
 * module, so a program that uses the same copy would write into the exchange.
 */
function privateCopyOf<T>(name: string): T {
  const require = createRequire(import.meta.url)
  const file = require.resolve(name)
  const shared = require.cache[file]
  delete require.cache[file]
  try {
    return require(file) as T
  } finally {
    if (shared === undefined) delete require.cache[file]
    else require.cache[file] = shared
  }
}

// Options of pack().
/** The result is the whole buffer, with `end`: a part of it takes as long to make as a small item takes to encode. */
const IN_PLACE = 512
/** With how many bytes to leave free at the start. */
const RESERVE_START = 2048

/** A buffer, and where in it ends what was written. */
export interface Packed {
  readonly buffer: Buffer
  readonly end: number
}

/** Writes a value into the buffer, behind so many bytes; if there is no room, likewise into another one. */
export function pack(value: unknown, isTree: boolean, buffer: Buffer, reservedBytes: number): Packed {
  if (isTree) {
    treePackr.useBuffer(buffer)
    const whole = treePackr.pack(value, RESERVE_START | IN_PLACE | reservedBytes) as Buffer & { readonly end: number }
    return { buffer: whole, end: whole.end }
  }
  graphPackr.useBuffer(buffer)
  const packed = graphPackr.pack(value, RESERVE_START | reservedBytes)
  return { buffer: packed.buffer === buffer.buffer ? buffer : packed, end: packed.byteLength }
}

const range = { start: 0, end: 0 }

export function unpack(bytes: Buffer, isTree: boolean, start: number, end: number): unknown {
  range.start = start
  range.end = end
  return (isTree ? treeUnpackr : graphUnpackr).unpack(bytes, range)
}
