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

  constructor(attachment: Attachment, cell: number, description: Description, byteOffset = 0) {
    this.attachment = attachment
    this.cell = cell
    this.description = description
    this.byteOffset = byteOffset
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
  /** Writes the object into a segment that nobody else sees yet. @param byteOffset - in the payload */
  readonly initialise: (segment: Segment, cell: number, byteOffset: number) => void
  /** Throws `ERR_TYPE` when the description of one that exists is not what the caller asked for. */
  readonly check?: (found: Description, segment: Segment) => void
}

function segmentSpec({ description, cellsBytes, payloadBytes = 0 }: SiteSpec, options: SegmentOptions): SegmentSpec {
  return { payloadBytes, cellsBytes, description, options }
}

export function createSite(name: string | undefined, spec: SiteSpec, options: SegmentOptions): Site {
  const segment = createSegment(name, segmentSpec(spec, options), (made) => spec.initialise(made, OWN_CELL, 0))
  return new Site(new Attachment(segment, spec.description.kind), OWN_CELL, spec.description)
}

export function openSite(name: string, spec: SiteSpec, options: SegmentOptions): Site {
  assertSegmentName(name)
  const segment = openSegment(name, segmentSpec(spec, options), (made) => spec.initialise(made, OWN_CELL, 0))
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
    const description = cell === undefined ? ownDescription(segment, kind) : descriptionAt(segment, kind, cell)
    if (description === undefined) {
      const { kind: found } = segment.description
      const detail = cell === undefined ? `it is a ${found}, not a ${kind}` : `it has no ${kind} at cell ${cell}`
      throw new ShareError('ERR_KIND', { segment: segment.name, detail })
    }
    check?.(description, segment)
    return new Site(attachment, cell ?? OWN_CELL, description)
  } catch (error) {
    attachment.close()
    // Nested so deeply that the stack does not suffice to look at it: nothing that we have written.
    throw error instanceof RangeError ? new ShareError('ERR_CORRUPT', { segment: segment.name, cause: error }) : error
  }
}

/** The description of the object to which the segment belongs, if it is of that kind. */
function ownDescription({ description }: Segment, kind: string): Description | undefined {
  return description.kind === kind ? description : undefined
}

/** The description of the object of that kind that the segment has at that cell. */
function descriptionAt(segment: Segment, kind: string, cell: number): Description | undefined {
  for (const found of objectsIn(segment.description, OWN_CELL)) {
    if (found.cell === cell && found.description.kind === kind) return found.description
  }
  return undefined
}

/** What lies in a segment, going by its description: an object, and a lock of its own. */
function* objectsIn(description: Description, cell: number): Generator<{ description: Description; cell: number }> {
  yield { description, cell }
  if (description.lock === 'own') yield { description: { kind: 'RLock' }, cell }
}
