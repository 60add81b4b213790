/**
 * MessagePack by msgpackr: trees, graphs, errors, and references to what is not copied, which each user writes and reads in its own way.
 *
 * msgpackr keeps the memory that it writes to, and its extensions, in variables of its module. So the package contains a copy of it that no
 * other module of a program can import, and everything that writes goes through here.
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

/** A buffer, and where in it ends what was written. */
export interface Packed {
  readonly buffer: Buffer
  readonly end: number
}

// Options of pack().
/** The result is the whole buffer, with `end`: a part of it takes as long to make as a small item takes to encode. */
const IN_PLACE = 512
/** With how many bytes to leave free at the start. */
const RESERVE_START = 2048

const common = { moreTypes: true, useToJSON: false, copyBuffers: true } as const

/** The size of the memory for values that are packed without a buffer. */
const CHUNK_BYTES = 8192
/** msgpackr takes another buffer when less than this is free. */
const MIN_FREE_BYTES = 2048

const treePackr = new Packr({ ...common, useRecords: false, variableMapSize: false })
// No references: of what has none, each part is read once.
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

// msgpackr does not tell its extensions which value they are called for. So this is what belongs to the value that is being written, and to the
// one that is being read.
let writing: { readonly references: References; readonly table: ErrorTable | undefined } | undefined
let reading: { readonly references: References; errors: Map<number, Error> | undefined } | undefined
/** Where the next value without a buffer of its own goes; msgpackr keeps one target for all. */
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

/** Reads what was written from `start` to `end`. @throws for bytes that are no value, or more than one. */
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
 * What the unpackr's own `unpack` does, which describes the value as JSON when something follows it; for a graph that can take for
 * ever, since what occurs twice in it is written twice.
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
