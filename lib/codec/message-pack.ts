/**
 * MessagePack by msgpackr: trees, graphs, errors, and references to objects that are not copied. The caller writes and reads
 * references.
 *
 * msgpackr keeps the memory that it writes to, and its extensions, in variables of its module. So the package contains a copy of
 * it that no other module of a program can import, and all code that writes uses this module.
 */
// The build that never generates code, which works where that is forbidden.
import { addExtension, Packr, Unpackr } from 'msgpackr/index-no-eval'
import { isError } from '../kinds-of-value.ts'
import { isShareable } from '../memory/shareable.ts'
import { type ErrorHead, type ErrorProperties, type ErrorTable, errorFromHead, setProperties } from './errors.ts'
import { notCloneable } from './not-cloneable.ts'
import { isOfOtherRealm, otherFromParts, partsOfOther } from './other-realm.ts'
import type { Shape } from './survey.ts'

/** How to write a reference to an object that is not copied, and how to read it. */
export interface References {
  /** The plain value to write for an object for which `registerShareable` was called. */
  write(object: object): unknown
  read(reference: unknown): unknown
}

/** A buffer, and the offset in it where the written bytes end. */
export interface Packed {
  readonly buffer: Buffer
  readonly end: number
}

// Options of pack().
/** The result is the whole buffer, with `end`. To make a part of it would take as long as to encode a small item. */
const IN_PLACE = 512
/** The lower bits have the number of bytes to leave free at the start. */
const RESERVE_START = 2048

const common = { moreTypes: true, useToJSON: false, copyBuffers: true } as const

/** The size of the memory for values that are packed without a buffer. */
const CHUNK_BYTES = 8192
/** msgpackr takes another buffer when less than this is free. */
const MIN_FREE_BYTES = 2048

const treePackr = new Packr({ ...common, useRecords: false, variableMapSize: false })
// Without references, so that each part is read once.
const treeUnpackr = new Unpackr({ ...common, useRecords: false, mapsAsObjects: true, structuredClone: false })
const graphPackr = new Packr({ ...common, structuredClone: true })
const graphUnpackr = new Unpackr({ ...common, structuredClone: true })

/** A value, and the table of the errors in it. */
class WithErrors {
  readonly value: unknown
  readonly table: ErrorTable

  constructor(value: unknown, table: ErrorTable) {
    this.value = value
    this.table = table
  }
}

// msgpackr does not pass the whole value to its extensions. So these variables belong to the value that is being written, and to
// the one that is being read.
let writing: { readonly references: References; readonly table: ErrorTable | undefined } | undefined
let reading: { readonly references: References; errors: Map<number, Error> | undefined } | undefined
/** The memory for the next value that is packed without a buffer. msgpackr keeps one target for all values. */
let chunk = Buffer.alloc(0)
let chunkEnd = 0
const range = { start: 0, end: 0 }

// msgpackr takes this for the class of all objects that travel as references.
const Referable = { [Symbol.hasInstance]: isShareable } as unknown as new () => object
// msgpackr asks the extension that was added last first.
addExtension({
  Class: { [Symbol.hasInstance]: isOfOtherRealm } as unknown as new () => object,
  type: 0x4f,
  write: partsOfOther,
  read: otherFromParts,
})
addExtension({
  Class: Referable,
  type: 0x48,
  write: (object: object) => writing!.references.write(object),
  read: (reference: unknown) => reading!.references.read(reference),
})
addExtension({
  Class: { [Symbol.hasInstance]: isError } as unknown as ErrorConstructor,
  type: 0x45,
  write: (error: Error) => writing!.table!.headOf(error),
  read: (head: ErrorHead) => {
    const error = errorFromHead(head)
    reading!.errors ??= new Map()
    reading!.errors.set(head[0], error)
    return error
  },
})
addExtension({
  Class: WithErrors,
  type: 0x57,
  write: ({ value, table }: WithErrors) => [value, table.properties],
  read: ([value, properties]: [unknown, ErrorProperties[]]) => {
    for (const [place, error] of reading!.errors ?? []) setProperties(error, properties[place]!)
    return value
  },
})

/** Whether a value is being written, so that this is called by one of its getters. */
export function isPacking(): boolean {
  return writing !== undefined
}

/**
 * Writes a value after `reservedBytes` that are left free: into the buffer, or into another one when it is full or none is given.
 * @param shape - the result of the survey of the value
 * @throws `DataCloneError` when a getter of the value packs another one.
 */
export function pack(
  value: unknown,
  shape: Shape,
  references: References,
  reservedBytes: number,
  buffer?: Buffer,
): Packed {
  if (writing !== undefined) throw notCloneable('a value whose getters send others')
  const table = typeof shape === 'string' ? undefined : shape
  writing = { references, table }
  const isTree = shape === 'tree'
  try {
    const packr = isTree ? treePackr : graphPackr
    const content = table === undefined ? value : new WithErrors(value, table)
    if (buffer === undefined) return packIntoChunk(packr, content, reservedBytes)
    packr.useBuffer(buffer)
    if (isTree) {
      const whole = packr.pack(value, RESERVE_START | IN_PLACE | reservedBytes) as Buffer & { readonly end: number }
      return { buffer: whole, end: whole.end }
    }
    const packed = packr.pack(content, RESERVE_START | reservedBytes)
    return { buffer: packed.buffer === buffer.buffer ? buffer : packed, end: packed.byteLength }
  } finally {
    if (!isTree) graphPackr.pack(null) // msgpackr keeps the objects of a graph until the next one
    writing = undefined
  }
}

function packIntoChunk(packr: Packr, value: unknown, reservedBytes: number): Packed {
  if (chunk.byteLength - chunkEnd < MIN_FREE_BYTES) {
    chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)
    chunkEnd = 0
  }
  packr.useBuffer(chunk)
  const position = packr as unknown as { position: number } // where in the buffer to write; the declarations lack it
  position.position = chunkEnd
  const packed = packr.pack(value, RESERVE_START | reservedBytes)
  if (packed.buffer === chunk.buffer) chunkEnd = position.position
  return { buffer: packed, end: packed.byteLength }
}

/** Reads what was written from `start` to `end`. @throws for bytes that are not exactly one value. */
export function unpack(
  bytes: Buffer,
  isTree: boolean,
  references: References,
  start = 0,
  end = bytes.byteLength,
): unknown {
  const outer = reading // reading a reference may read another value
  reading = { references, errors: undefined }
  try {
    if (!isTree) return unpackGraph(bytes.subarray(start, end))
    range.start = start
    range.end = end
    return treeUnpackr.unpack(bytes, range)
  } finally {
    reading = outer
  }
}

/**
 * Does the same as the `unpack` method of the unpackr. That method describes the value as JSON if bytes follow it. For a graph
 * this may never end, because JSON contains an object twice if it occurs twice.
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
  throw new Error('Unexpected bytes follow the value')
}
