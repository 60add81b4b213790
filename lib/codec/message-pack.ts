/**
 * MessagePack by msgpackr: trees, graphs, errors, and references to what is not copied. Each user has a copy of msgpackr of its own.
 */
import { createRequire } from 'node:module'
import { isShareable } from '../memory/handle.ts'
import { type ErrorParts, errorFromParts, partsOfError } from './error-parts.ts'
import { notCloneable } from './not-cloneable.ts'

/** What stands for an object that is not copied: on the way out a plain value, and on the way in what is made of that. */
export interface References {
  /** What to write for an object for which `registerShareable` was called. */
  write(object: object): unknown
  read(reference: unknown): unknown
}

/** A buffer, and where in it ends what was written. */
export interface Packed {
  readonly buffer: Buffer
  readonly end: number
}

type Msgpackr = typeof import('msgpackr')

// Options of pack().
/** The result is the whole buffer, with `end`: a part of it takes as long to make as a small item takes to encode. */
const IN_PLACE = 512
/** With how many bytes to leave free at the start. */
const RESERVE_START = 2048

const common = { moreTypes: true, useToJSON: false, copyBuffers: true } as const

export class MessagePack {
  readonly #treePackr
  readonly #treeUnpackr
  readonly #graphPackr
  readonly #graphUnpackr
  readonly #range = { start: 0, end: 0 }
  #isPacking = false

  constructor(references: References) {
    // The build that never generates code, which works where that is forbidden.
    const { Packr, Unpackr, addExtension } = privateCopyOf<Msgpackr>('msgpackr/index-no-eval')
    this.#treePackr = new Packr({ ...common, useRecords: false, variableMapSize: false })
    // No references: of what has none, each part is read once.
    this.#treeUnpackr = new Unpackr({ ...common, useRecords: false, mapsAsObjects: true, structuredClone: false })
    this.#graphPackr = new Packr({ ...common, structuredClone: true })
    this.#graphUnpackr = new Unpackr({ ...common, structuredClone: true })
    // What msgpackr takes for the class of whatever travels as a reference.
    const Referable = { [Symbol.hasInstance]: isShareable } as unknown as new () => object
    addExtension({
      Class: Referable,
      type: 0x48,
      write: (object: object) => references.write(object),
      read: (reference: unknown) => references.read(reference),
    })
    addExtension({
      Class: Error,
      type: 0x45,
      write: (error: Error) => partsOfError(error),
      read: (parts: ErrorParts) => errorFromParts(parts),
    })
  }

  /**
   * Writes a value behind so many bytes that are left free: into the buffer, or where there is no room, or none is given, into another one.
   * @throws `DataCloneError` when a getter of the value packs another one.
   */
  pack(value: unknown, isTree: boolean, reservedBytes: number, buffer?: Buffer): Packed {
    if (this.#isPacking) throw notCloneable('a value whose getters send others')
    this.#isPacking = true
    try {
      const packr = isTree ? this.#treePackr : this.#graphPackr
      if (buffer !== undefined) packr.useBuffer(buffer)
      if (isTree && buffer !== undefined) {
        const whole = packr.pack(value, RESERVE_START | IN_PLACE | reservedBytes) as Buffer & { readonly end: number }
        return { buffer: whole, end: whole.end }
      }
      const packed = packr.pack(value, RESERVE_START | reservedBytes)
      return { buffer: packed.buffer === buffer?.buffer ? buffer : packed, end: packed.byteLength }
    } finally {
      if (!isTree) this.#graphPackr.pack(null) // msgpackr keeps the objects of a graph until the next one
      this.#isPacking = false
    }
  }

  /** Reads what was written from `start` to `end`. @throws for bytes that are no value, or more than one. */
  unpack(bytes: Buffer, isTree: boolean, start = 0, end = bytes.byteLength): unknown {
    if (!isTree) return this.#unpackGraph(bytes.subarray(start, end))
    this.#range.start = start
    this.#range.end = end
    return this.#treeUnpackr.unpack(bytes, this.#range)
  }

  /**
   * What the unpackr's own `unpack` does, which describes the value as JSON when something follows it; for a graph that can take for
   * ever, since what occurs twice in it is written twice.
   */
  #unpackGraph(bytes: Buffer): unknown {
    let value: unknown
    let end = -1
    this.#graphUnpackr.unpackMultiple(bytes, (first: unknown, _start?: number, position?: number) => {
      value = first
      end = position!
      return false
    })
    if (end === bytes.byteLength) return value
    throw new Error('Something follows the value')
  }
}

/**
 * A module that nobody else shares: msgpackr keeps the memory that it writes to, and its extensions, in variables of the module, so a
 * program that uses the same copy would write into that memory.
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
