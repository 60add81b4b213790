/**
 * Spilling: an item that is larger than the ring travels in a segment of its own, whose name travels in the ring.
 *
 * That segment is persistent, for its putter may be gone before it is read. The consumer copies it and unlinks it; what nobody
 * comes to read is an orphan when its queue is gone (memory/orphans.ts): the last one that closes the queue removes those, or
 * the sweep with which every process begins.
 */
import { randomUUID } from 'node:crypto'
import { ShareError } from '../errors.ts'
import { ANCHOR_KIND, noteSpill, removeOrphans, SPILL_KIND } from '../memory/orphans.ts'
import { Attachment, attachSegment, createSegment, openSegment } from '../memory/segment.ts'
import { native } from '../native.ts'
import type { Item } from './exchange.ts'

/** The flag of an item whose bytes are the name of its segment. */
export const SPILLED = 0x80

/** The name of the anchor of a new queue. */
export function newAnchor(): string {
  return `procshare-spill-${randomUUID()}`
}

/** Where a queue's large items go: one per environment that has the queue open. */
export class SpillRoom {
  readonly #name: string
  readonly #anchor: Attachment

  constructor(anchor: string) {
    noteSpill()
    this.#name = anchor
    const description = { kind: ANCHOR_KIND }
    const spec = { payloadBytes: 0, cellsBytes: 0, description, options: {} }
    this.#anchor = new Attachment(
      openSegment(anchor, spec, () => {}),
      ANCHOR_KIND,
    )
  }

  /** Stores the bytes; what stands for them in the ring. */
  store({ flags, bytes }: Item): Item {
    const name = `${this.#name}-${randomUUID()}`
    const description = { kind: SPILL_KIND, anchor: this.#name }
    const spec = { payloadBytes: bytes.byteLength, cellsBytes: 0, description, options: { persist: true } }
    const segment = createSegment(name, spec, (made) => new Uint8Array(made.innerBuffer).set(bytes))
    new Attachment(segment, SPILL_KIND).close()
    return { flags: flags | SPILLED, bytes: Buffer.from(name) }
  }

  /** This environment has closed the queue. */
  end(): void {
    this.#anchor.close()
    removeOrphans()
  }
}

/** The item that another one stands for, whose segment goes. */
export function fetchSpilled({ flags, bytes }: Item): { flags: number; bytes: Buffer } {
  const name = Buffer.from(bytes).toString()
  let attachment: Attachment | undefined
  try {
    attachment = new Attachment(attachSegment(name, undefined), SPILL_KIND)
    if (attachment.segment.description.kind !== SPILL_KIND) throw new ShareError('ERR_CORRUPT', { segment: name })
    const copy = Buffer.allocUnsafeSlow(attachment.segment.payloadBytes)
    copy.set(new Uint8Array(attachment.segment.innerBuffer))
    attachment.unlink()
    return { flags: flags & ~SPILLED, bytes: copy }
  } finally {
    attachment?.close()
  }
}

/** Removes the segment of an item that was not put after all. */
export function removeSpilled({ bytes }: Item): void {
  native.unlinkName(Buffer.from(bytes).toString(), false)
}
