/**
 * Spilling: an item that is larger than the ring travels in a segment of its own, whose name travels in the ring.
 *
 * That segment is persistent, for its producer may be gone before it is read. The producer stays attached to it until the name
 * is in the ring; the consumer attaches to it before it takes the name out, copies the item and unlinks it. What a killed one of them
 * leaves is an orphan: spill-orphans.ts.
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

/** What stands for a large item in the ring, and the attachment to its segment until it is there. */
export interface SpilledRecord extends ItemRecord {
  readonly attachment: Attachment
}

/** Where a queue's large items go: one per environment that has the queue open. */
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
      // The first user of a queue finds nothing, unless others had it before and it has outlived them.
      if (!isMade || isPersistent) removeOrphansOf(anchor, queue)
    } catch (error) {
      this.#anchor.close()
      throw error
    }
  }

  /** Stores the bytes. The result is to be put, and then released or discarded. */
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
   * Attaches to the segment of an item that is about to be taken.
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

  /** This environment has closed the queue. */
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

/** Removes the segment of a record that was not put after all. */
export function discardSpilled(record: ItemRecord): void {
  if (!isSpilled(record)) return
  removeName(record.attachment)
  record.attachment.close()
}

/** Copies the item that this consumer has taken, and ends its segment. */
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
    if (!hasCode(error, 'ENOENT')) throw error // a sweep may have been faster
  }
}
