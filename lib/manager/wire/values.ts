/**
 * Values in messages, as MessagePack; what cannot be copied travels as a reference, and what that is depends on who sends and who
 * receives: {@link References}.
 *
 *   TREE    plain values in which no object occurs twice
 *   GRAPH   everything else: maps, sets, cycles, errors, references
 */

import { type ErrorParts, errorFromParts, partsOfError } from '../../codec/error-parts.ts'
import { privateCopyOf } from '../../codec/private-copy.ts'
import { ShareError } from '../../errors.ts'
import { isShareable } from '../../memory/handle.ts'
import { isTree } from '../../queue/survey.ts'

const TREE = 0
const GRAPH = 1

/** What stands for an object that is not copied; plain values. */
export type Reference = readonly unknown[]

/** What one side takes for references, and what it makes of those that it gets. */
export interface References {
  /** What to send for an object for which `registerShareable` was called. */
  write(object: object): Reference
  /** The object. @throws what the reader of the message sees. */
  read(reference: Reference): unknown
}

// The build that never generates code, which works where that is forbidden.
const { Packr, Unpackr, addExtension } = privateCopyOf<typeof import('msgpackr')>('msgpackr/index-no-eval')

const common = { moreTypes: true, useToJSON: false, copyBuffers: true } as const
const treePackr = new Packr({ ...common, useRecords: false, variableMapSize: true })
// No references: of what has none, each part is read once.
const treeUnpackr = new Unpackr({ ...common, useRecords: false, mapsAsObjects: true, structuredClone: false })
const graphPackr = new Packr({ ...common, structuredClone: true })
const graphUnpackr = new Unpackr({ ...common, structuredClone: true })
const RESERVE_HEADER = 2048

/** Those of the one message that is being written or read. */
let current!: References

const Referable = { [Symbol.hasInstance]: isShareable } as unknown as new () => object
addExtension({
  Class: Referable,
  type: 0x48,
  write: (object: object) => current.write(object),
  read: (reference: Reference) => current.read(reference),
})
addExtension({
  Class: Error,
  type: 0x45,
  write: (error: Error) => partsOfError(error),
  read: (parts: ErrorParts) => errorFromParts(parts),
})

/**
 * A value behind `headerBytes` bytes for a header.
 * @throws `DataCloneError` for what cannot be encoded.
 */
export function encodeValue(
  value: unknown,
  headerBytes: number,
  references: References,
): { bytes: Buffer; format: number } {
  const format = isTree(value) ? TREE : GRAPH
  const outer = current
  current = references
  try {
    return { bytes: (format === TREE ? treePackr : graphPackr).pack(value, RESERVE_HEADER | headerBytes), format }
  } finally {
    current = outer
  }
}

/** @throws {@link ShareError} `ERR_PROTOCOL` for bytes that are no value. */
export function decodeValue(format: number, bytes: Buffer, references: References): unknown {
  if (format !== TREE && format !== GRAPH) {
    throw new ShareError('ERR_PROTOCOL', { detail: `a value in the unknown format ${format}` })
  }
  const outer = current
  current = references
  try {
    return format === TREE ? treeUnpackr.unpack(bytes) : unpackGraph(bytes)
  } catch (cause) {
    if (cause instanceof ShareError) throw cause
    throw new ShareError('ERR_PROTOCOL', { detail: 'a value that cannot be read', cause })
  } finally {
    current = outer
  }
}

/**
 * What `graphUnpackr.unpack()` does, which describes the value as JSON when something follows it; for a graph that can take for ever,
 * since what occurs twice in it is written twice.
 */
function unpackGraph(bytes: Buffer): unknown {
  let value: unknown
  let end = -1
  graphUnpackr.unpackMultiple(bytes, (first: unknown, _start?: number, position?: number) => {
    value = first
    end = position!
    return false
  })
  if (end === bytes.byteLength) return value
  throw new ShareError('ERR_PROTOCOL', { detail: 'something that follows a value' })
}
