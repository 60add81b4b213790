/**
 * Spilling: an item that is larger than the ring travels in a segment of its own, and the ring has the name of that segment.
 *
 * The segment is persistent, because its producer may end before the item is read. The producer stays attached to it until the
 * name is in the ring. The consumer attaches before it takes the name out, copies the item and unlinks the segment. If a producer
 * or consumer is killed in between, the segment is an orphan: spill-orphans.ts.
 */
import { randomUUID } from 'node:crypto'
import { segmentError } from '../errors/segment-messages.ts'
import { hasCode } from '../errors/share-error.ts'
import { Attachment, attachSegment, createSegment, openSegment } from '../memory/segment.ts'
import type { NativeObject } from '../native.ts'
import { bytesOf, type ItemRecord, recordOf } from './exchange.ts'
import { ANCHOR_KIND, noteSpill, removeOrphans, removeOrphansOf, SPILL_KIND } from './spill-orphans.ts'

/** The flag of a record whose bytes are the name of the segment that has the item. */
export const SPILLED = 0x80

/** The name of the anchor of a new queue. */
export function newAnchor(): string {
  return `procshare-spill-${randomUUID()}`
}

/**
 * The record for the ring of a large item, with the attachment to its segment. The attachment lasts until the record is in the
 * ring.
 */
export interface SpilledRecord extends ItemRecord {
  readonly attachment: Attachment
}

/** Stores and finds the large items of a queue; one per environment that has the queue open. */
export class SpillRoom {
  readonly #name: string
  readonly #anchor: Attachment

  constructor(anchor: string, queue: NativeObject<'Queue'>, isPersistent: boolean) {
    noteSpill()
    this.#name = anchor
    const description = { kind: ANCHOR_KIND }
    const spec = { payloadBytes: 0, cellsBytes: 0, description, options: {} }
    let isMade = false
    const noteMade = () => {
      isMade = true
    }
    this.#anchor = new Attachment(openSegment(anchor, spec, noteMade), ANCHOR_KIND)
    try {
      // Only a queue that others have used can have orphans: it was open before, or it is persistent.
      if (!isMade || isPersistent) removeOrphansOf(anchor, queue)
    } catch (error) {
      this.#anchor.close()
      throw error
    }
  }

  /** Stores the bytes in a segment. The caller puts the record, and then closes or discards it. */
  store(record: ItemRecord): SpilledRecord {
    const bytes = bytesOf(record)
    const name = `${this.#name}-${randomUUID()}`
    const description = { kind: SPILL_KIND, anchor: this.#name }
    const spec = { payloadBytes: bytes.byteLength, cellsBytes: 0, description, options: { persist: true } }
    const segment = createSegment(name, spec, (made) => new Uint8Array(made.innerBuffer).set(bytes))
    const stored = recordOf(record.flags | SPILLED, Buffer.from(name))
    return { ...stored, attachment: new Attachment(segment, SPILL_KIND) }
  }

  /**
   * Attaches to the segment of an item, before it is taken.
   * @throws {@link ShareError} `ENOENT` when it is gone; `ERR_CORRUPT` when the name is not that of a large item of this queue.
   */
  attach(name: string): Attachment {
    if (!name.startsWith(`${this.#name}-`)) throw segmentError('ERR_CORRUPT', { segment: name })
    const attachment = new Attachment(attachSegment(name, undefined), SPILL_KIND)
    const { kind, anchor } = attachment.segment.description
    if (kind === SPILL_KIND && anchor === this.#name) return attachment
    attachment.close()
    throw segmentError('ERR_CORRUPT', { segment: name })
  }

  /** Called when this environment has closed the queue. */
  end(): void {
    this.#anchor.close()
    removeOrphans()
  }
}

function isSpilled(record: ItemRecord): record is SpilledRecord {
  return (record.flags & SPILLED) !== 0
}

/** Closes the segment of a record that is in the ring now. */
export function closeSpilled(record: ItemRecord): void {
  if (isSpilled(record)) record.attachment.close()
}

/** Removes the segment of a record that was not put. */
export function discardSpilled(record: ItemRecord): void {
  if (!isSpilled(record)) return
  removeName(record.attachment)
  record.attachment.close()
}

/** Copies the item that this consumer has taken, and removes its segment. */
export function readSpilled(attachment: Attachment, into: Buffer): Buffer {
  into.set(new Uint8Array(attachment.segment.innerBuffer))
  removeName(attachment)
  attachment.close()
  return into
}

function removeName(attachment: Attachment): void {
  try {
    attachment.unlink()
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error // a sweep may have removed it
  }
}
