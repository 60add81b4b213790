/**
 * Sites: where in a segment an object lies. An object has a segment of its own, or shares one with others.
 *
 * Objects that are more than a view of bytes (semaphores, queues, ...) are made, opened and attached to here, all alike.
 */
import { ShareError } from '../errors.ts'
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

/** Where an object of a segment of its own begins in the cells. */
export const OWN_CELL = 0

export class Site {
  readonly attachment: Attachment
  /** Where its cell begins in the cells of the segment. */
  readonly cell: number
  /** What the creator has written about the object. */
  readonly description: Description
  /** Where its bytes begin in the payload of the segment. */
  readonly byteOffset: number
  /** Where those of others begin, or the payload ends. */
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

  /** The handle for the object, which stays until it is closed: the one who is told of it may attach much later. */
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

/** How an object is made. */
export interface SiteSpec {
  readonly description: Description
  readonly cellsBytes: number
  /** What it takes of the payload. @defaultValue 0 */
  readonly payloadBytes?: number
  /** Whether there can be waits for words of the payload. @defaultValue false */
  readonly hasWords?: boolean
  /** Writes the object into a segment that nobody else sees yet. @param byteOffset - in the payload */
  readonly initialise: (segment: Segment, cell: number, byteOffset: number) => void
  /** Throws `ERR_TYPE` when the description of one that exists is not what the caller asked for. */
  readonly check?: (found: Description, segment: Segment) => void
}

/** The place of the words, if there are any, is at the end of the cells. */
function segmentSpec(spec: SiteSpec, options: SegmentOptions): SegmentSpec & { readonly words: number | undefined } {
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

function initialiserOf(spec: SiteSpec, words: number | undefined): (segment: Segment) => void {
  return (segment) => {
    spec.initialise(segment, OWN_CELL, 0)
    if (words !== undefined) initialiseWords(segment, words)
  }
}

export function createSite(name: string | undefined, spec: SiteSpec, options: SegmentOptions): Site {
  const whole = segmentSpec(spec, options)
  const segment = createSegment(name, whole, initialiserOf(spec, whole.words))
  return new Site(new Attachment(segment, spec.description.kind), OWN_CELL, spec.description)
}

export function openSite(name: string, spec: SiteSpec, options: SegmentOptions): Site {
  assertSegmentName(name)
  const whole = segmentSpec(spec, options)
  const segment = openSegment(name, whole, initialiserOf(spec, whole.words))
  return siteIn(segment, spec.description.kind, undefined, spec.check)
}

/**
 * @param target - a name, or the handle of an object that may share its segment with others
 * @param foreign - allows memory that procshare did not make
 */
export function attachSite(
  kind: string,
  target: string | Handle,
  options: AttachOptions | undefined,
  check?: SiteSpec['check'],
  foreign = false,
): Site {
  const segment = attachSegment(target, options, foreign)
  const cell = typeof target === 'string' ? undefined : target.cell
  return siteIn(segment, kind, cell, check)
}

/** Takes the object of that kind, at a cell or in a segment of its own; when there is none, lets go of it and throws. */
function siteIn(segment: Segment, kind: string, cell: number | undefined, check: SiteSpec['check']): Site {
  const attachment = new Attachment(segment, kind)
  try {
    const place = cell === undefined ? ownPlace(segment, kind) : placeAt(segment, kind, cell)
    if (place === undefined) {
      const { kind: found } = segment.description
      const detail = cell === undefined ? `${found}, not ${kind}` : `no ${kind} at cell ${cell}`
      throw new ShareError('ERR_KIND', { segment: segment.name, detail })
    }
    check?.(place.description, segment)
    return new Site(attachment, place.cell, place.description, place.byteOffset, place.byteEnd)
  } catch (error) {
    attachment.close()
    // Nested so deeply that the stack does not suffice to look at it: nothing that we have written.
    throw error instanceof RangeError ? new ShareError('ERR_CORRUPT', { segment: segment.name, cause: error }) : error
  }
}

/** Where in a segment an object lies, going by the segment's description. */
export interface Place {
  readonly description: Description
  readonly cell: number
  readonly byteOffset: number
  /** Where in the payload others begin. */
  readonly byteEnd?: number
}

/** An object that shares its segment with others, as the description of the segment has it. */
export interface MemberPlace extends Place {
  readonly name: string
}

/** The object to which the segment belongs, if it is of that kind. */
function ownPlace({ description }: Segment, kind: string): Place | undefined {
  return description.kind === kind ? { description, cell: OWN_CELL, byteOffset: 0 } : undefined
}

/** The object of that kind that the segment has at that cell. */
function placeAt(segment: Segment, kind: string, cell: number): Place | undefined {
  for (const place of placesIn(segment)) {
    if (place.cell === cell && place.description.kind === kind) return place
  }
  return undefined
}

/** What lies in a segment: objects, and behind each its own lock, if it has one. */
function* placesIn(segment: Segment): Generator<Place> {
  const { description } = segment
  for (const place of [{ description, cell: OWN_CELL, byteOffset: 0 }, ...membersOf(segment)]) {
    yield place
    if (place.description.lock === 'own') yield { ...place, description: { kind: 'RLock' } }
  }
}

/**
 * The objects that share a segment: one after another, in the cells and in the payload, and none reaches into the next one.
 * @throws {@link ShareError} `ERR_CORRUPT` when the description says something else.
 */
export function membersOf(segment: Segment): readonly MemberPlace[] {
  const { description, name, payloadBytes } = segment
  const { members = [], words } = description
  const isSound = (member: Partial<MemberPlace> | null): boolean =>
    typeof member === 'object' &&
    typeof member?.name === 'string' &&
    typeof member.description?.kind === 'string' &&
    isOffset(member.cell, Number.MAX_SAFE_INTEGER) &&
    isOffset(member.byteOffset, payloadBytes)
  if (!Array.isArray(members) || !members.every(isSound)) throw new ShareError('ERR_CORRUPT', { segment: name })
  const places = members as readonly MemberPlace[]
  const isBehind = (place: MemberPlace, index: number): boolean => {
    const { cell, byteOffset } = places[index - 1] ?? { cell: -1, byteOffset: 0 }
    return place.cell > cell && place.byteOffset >= byteOffset
  }
  const isApart = words === undefined || places.every(({ cell }) => cell < (words as number))
  if (!places.every(isBehind) || !isApart) throw new ShareError('ERR_CORRUPT', { segment: name })
  return places.map((place, index) => ({ ...place, byteEnd: places[index + 1]?.byteOffset ?? payloadBytes }))
}

function isOffset(value: unknown, most: number): boolean {
  return (
    Number.isSafeInteger(value) &&
    (value as number) >= 0 &&
    (value as number) <= most &&
    alignCell(value as number) === value
  )
}
