/**
 * Placements: where in a segment an object lies. An object has a segment of its own, or shares one with others.
 *
 * This module creates, opens and attaches objects of all kinds (kind.ts).
 */
import { type Mismatch, segmentError } from '../errors/segment-messages.ts'
import type { Handle } from './handle.ts'
import {
  Attachment,
  type AttachOptions,
  attachSegment,
  createSegment,
  type Description,
  openSegment,
  type Segment,
  type SegmentOptions,
  type SegmentSpec,
} from './segment.ts'
import { assertSegmentName } from './segment-name.ts'
import { initialiseWords, wordsCellBytes } from './words-cell.ts'

/** The cell offset of the object to which a segment belongs. */
const OWN_CELL = 0

export class Placement {
  readonly attachment: Attachment
  /** The offset of the object's cell in the cells of the segment. */
  readonly cell: number
  /** The description that the creator has written. */
  readonly description: Description
  /** The offset of the object's bytes in the payload of the segment. */
  readonly byteOffset: number
  /** The offset where the bytes of the next object begin, or where the payload ends. */
  readonly byteEnd: number

  constructor(
    attachment: Attachment,
    cell: number,
    description: Description,
    byteOffset = 0,
    byteEnd = attachment.segment.payloadBytes,
  ) {
    this.attachment = attachment
    this.cell = cell
    this.description = description
    this.byteOffset = byteOffset
    this.byteEnd = byteEnd
  }

  /** Returns the handle, and keeps the object until it is closed: a process that gets the handle may attach much later. */
  handleOf(object: object): Handle {
    const { handle } = this
    this.attachment.keep(object)
    return handle
  }

  /** A handle for this object, whether it is alone in its segment or not. */
  get handle(): Handle {
    const { handle, segment } = this.attachment
    return segment.description.kind === handle.kind ? handle : { ...handle, cell: this.cell }
  }
}

/** The specification of an object. */
export interface PlacementSpec {
  readonly description: Description
  readonly cellsBytes: number
  /** How many bytes of the payload it uses. @defaultValue 0 */
  readonly payloadBytes?: number
  /** Whether there can be waits for words of the payload. @defaultValue false */
  readonly hasWords?: boolean
  /** Writes the object into a segment to which no other process can attach yet. @param byteOffset - in the payload */
  readonly initialise: (segment: Segment, cell: number, byteOffset: number) => void
  /** Returns how an existing object differs from the one that the caller asked for, if it does. */
  readonly check?: (found: Description, segment: Segment) => Mismatch | undefined
}

/** The segment of one object. The cell for waits on words of the payload, if there is one, follows the cells of the object. */
function segmentSpec(
  spec: PlacementSpec,
  options: SegmentOptions,
): SegmentSpec & { readonly words: number | undefined } {
  const { payloadBytes = 0, hasWords = false } = spec
  const cellsBytes = alignCell(spec.cellsBytes)
  const words = hasWords ? cellsBytes : undefined
  const description = hasWords ? { ...spec.description, words } : spec.description
  return { payloadBytes, cellsBytes: cellsBytes + (hasWords ? wordsCellBytes : 0), description, options, words }
}

/** Cells begin at multiples of this: the size of a cache line. */
export function alignCell(offset: number): number {
  return Math.ceil(offset / 64) * 64
}

function initialiserOf(spec: PlacementSpec, words: number | undefined): (segment: Segment) => void {
  return (segment) => {
    spec.initialise(segment, OWN_CELL, 0)
    if (words !== undefined) initialiseWords(segment, words)
  }
}

export function createPlacement(name: string | undefined, spec: PlacementSpec, options: SegmentOptions): Placement {
  const whole = segmentSpec(spec, options)
  const segment = createSegment(name, whole, initialiserOf(spec, whole.words))
  return new Placement(new Attachment(segment, spec.description.kind), OWN_CELL, spec.description)
}

export function openPlacement(name: string, spec: PlacementSpec, options: SegmentOptions): Placement {
  assertSegmentName(name)
  const whole = segmentSpec(spec, options)
  const segment = openSegment(name, whole, initialiserOf(spec, whole.words))
  return placementIn(segment, spec.description.kind, undefined, spec.check)
}

/**
 * @param target - a name, or the handle of an object that may share its segment with others
 * @param isForeign - allows memory that procshare did not make
 */
export function attachPlacement(
  kind: string,
  target: string | Handle,
  options: AttachOptions | undefined,
  check?: PlacementSpec['check'],
  isForeign = false,
): Placement {
  const segment = attachSegment(target, options, isForeign)
  const cell = typeof target === 'string' ? undefined : target.cell
  return placementIn(segment, kind, cell, check)
}

/** The object of that kind, at a cell or in a segment of its own. When there is none, closes the segment and throws. */
function placementIn(
  segment: Segment,
  kind: string,
  cell: number | undefined,
  check: PlacementSpec['check'],
): Placement {
  const attachment = new Attachment(segment, kind)
  try {
    const entry = cell === undefined ? ownEntry(segment, kind) : entryAt(segment, kind, cell)
    if (entry === undefined) {
      const { kind: found } = segment.description
      throw segmentError('ERR_KIND', { segment: segment.name, found, expected: kind, cell })
    }
    return placementOf(attachment, entry, check)
  } catch (error) {
    attachment.close()
    throw error
  }
}

/** Checks an entry, and returns its placement. @throws {@link ShareError} `ERR_TYPE`, `ERR_CORRUPT`. */
export function placementOf(
  attachment: Attachment,
  { cell, description, byteOffset, byteEnd }: PlacementEntry,
  check?: PlacementSpec['check'],
): Placement {
  const { segment } = attachment
  try {
    const mismatch = check?.(description, segment)
    if (mismatch !== undefined) throw segmentError('ERR_TYPE', { segment: segment.name, mismatch })
    return new Placement(attachment, cell, description, byteOffset, byteEnd)
  } catch (error) {
    // The description is nested too deeply for the stack. This package never writes such a description.
    throw error instanceof RangeError ? segmentError('ERR_CORRUPT', { segment: segment.name }, error) : error
  }
}

/** A placement as it is recorded in the description of a segment. */
export interface PlacementEntry {
  readonly description: Description
  readonly cell: number
  readonly byteOffset: number
  /** The offset where the bytes of the next object begin in the payload. */
  readonly byteEnd?: number
}

/** The entry of an object that shares its segment with others. */
export interface MemberEntry extends PlacementEntry {
  readonly name: string
}

/** The object to which the segment belongs, if it is of that kind. */
function ownEntry({ description }: Segment, kind: string): PlacementEntry | undefined {
  return description.kind === kind ? { description, cell: OWN_CELL, byteOffset: 0 } : undefined
}

/** The object of that kind that the segment has at that cell. */
function entryAt(segment: Segment, kind: string, cell: number): PlacementEntry | undefined {
  for (const entry of entriesIn(segment)) {
    if (entry.cell === cell && entry.description.kind === kind) return entry
  }
  return undefined
}

/** The entries of all objects in a segment. If an object has its own lock, an entry for the lock follows, at the same cell. */
function* entriesIn(segment: Segment): Generator<PlacementEntry> {
  const { description } = segment
  for (const entry of [{ description, cell: OWN_CELL, byteOffset: 0 }, ...membersOf(segment)]) {
    yield entry
    if (entry.description.lock === 'own') yield { ...entry, description: { kind: 'RLock' } }
  }
}

/**
 * The objects that share a segment, in the order of their cells and of their bytes. Each one ends where the next one begins.
 * @throws {@link ShareError} `ERR_CORRUPT` when the description is not in this order, or is damaged.
 */
export function membersOf(segment: Segment): readonly MemberEntry[] {
  const { description, name, payloadBytes } = segment
  const { members = [], words } = description
  const isSound = (member: Partial<MemberEntry> | null): boolean =>
    typeof member === 'object' &&
    typeof member?.name === 'string' &&
    typeof member.description?.kind === 'string' &&
    isOffset(member.cell, Number.MAX_SAFE_INTEGER) &&
    isOffset(member.byteOffset, payloadBytes)
  if (!Array.isArray(members) || !members.every(isSound)) throw segmentError('ERR_CORRUPT', { segment: name })
  const entries = members as readonly MemberEntry[]
  const isAfterPrevious = (entry: MemberEntry, index: number): boolean => {
    const { cell, byteOffset } = entries[index - 1] ?? { cell: -1, byteOffset: 0 }
    return entry.cell > cell && entry.byteOffset >= byteOffset
  }
  const isApart = words === undefined || entries.every(({ cell }) => cell < (words as number))
  if (!entries.every(isAfterPrevious) || !isApart) throw segmentError('ERR_CORRUPT', { segment: name })
  return entries.map((entry, index) => ({ ...entry, byteEnd: entries[index + 1]?.byteOffset ?? payloadBytes }))
}

function isOffset(value: unknown, most: number): boolean {
  return (
    Number.isSafeInteger(value) &&
    (value as number) >= 0 &&
    (value as number) <= most &&
    alignCell(value as number) === value
  )
}
