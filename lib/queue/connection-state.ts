/**
 * Pipes: one segment with a ring for each direction, and a ledger of the holders of each end.
 *
 *   0      | ends | ring 0: end 0 puts | ring 1: end 1 puts |      one way: only ring 1
 */
import { segmentError } from '../errors/segment-messages.ts'
import type { Handle } from '../memory/handle.ts'
import { Placement } from '../memory/placement.ts'
import {
  Attachment,
  type AttachOptions,
  attachSegment,
  createSegment,
  type Description,
  type Segment,
  type SegmentOptions,
  takeSegmentOptions,
} from '../memory/segment.ts'
import { type NativeObject, native } from '../native.ts'
import type { WaitQueue } from '../sync/wait-queue.ts'
import { assertBoolean, assertInteger } from '../validate.ts'
import { Consumer } from './consumer.ts'
import { Producer } from './producer.ts'
import { assertRingBytes, DEFAULT_RING_BYTES, MAX_RING_BYTES } from './queue-state.ts'
import { type End, Ring } from './ring.ts'

export const SEGMENT_KIND = 'Pipe'
export const KIND = 'Connection'
/** How many processes and workers can hold ends at the same time. */
export const HOLDERS = 256
const MAX_ITEMS = 2 ** 31 - 1
const ENDS_OFFSET = 0

/** How a {@link Pipe} is made. */
export interface PipeOptions extends SegmentOptions {
  /**
   * Whether both ends send and receive. Otherwise the first receives and the second sends.
   * @defaultValue `true`
   */
  readonly duplex?: boolean
  /**
   * The size of the ring for each direction in bytes.
   * @defaultValue 1 MiB
   */
  readonly byteLength?: number
}

interface PipeDescription extends Description {
  readonly duplex: boolean
  readonly byteLength: number
}

function ringOffset({ duplex, byteLength }: PipeDescription, writer: End): number | undefined {
  const first = native.endsBytes(HOLDERS)
  if (!duplex) return writer === 1 ? first : undefined
  return first + writer * native.queueBytes(byteLength)
}

/** Makes the segment of a pipe. */
export function createPipe(name: string | undefined, given: PipeOptions | undefined): Segment {
  const options = takeSegmentOptions(given, ['duplex', 'byteLength'])
  const { duplex = true, byteLength = DEFAULT_RING_BYTES } = options
  assertBoolean('options.duplex', duplex)
  assertRingBytes('options.byteLength', byteLength)
  const description = { kind: SEGMENT_KIND, duplex, byteLength: Math.ceil(byteLength / 8) * 8 }
  const ringBytes = native.queueBytes(description.byteLength)
  const cellsBytes = native.endsBytes(HOLDERS) + (duplex ? 2 : 1) * ringBytes
  return createSegment(name, { payloadBytes: 0, cellsBytes, description, options }, (segment) => {
    native.initEnds(segment.native, ENDS_OFFSET, HOLDERS)
    for (const writer of [0, 1] as const) {
      const offset = ringOffset(description, writer)
      if (offset !== undefined) native.initQueue(segment.native, offset, description.byteLength, MAX_ITEMS)
    }
  })
}

/** An end of a pipe of this environment. */
export function placementOf(segment: Segment, end: End): Placement {
  return new Placement(new Attachment(segment, KIND), end, segment.description)
}

export function attachEnd(target: string | Handle, end: End, options?: AttachOptions): Placement {
  const placement = placementOf(attachSegment(target, options), end)
  const { kind, duplex, byteLength } = placement.description
  try {
    if (kind !== SEGMENT_KIND) {
      throw segmentError('ERR_KIND', { segment: placement.attachment.name, found: kind, expected: SEGMENT_KIND })
    }
    const isLength = Number.isSafeInteger(byteLength) && Number(byteLength) >= 0 && Number(byteLength) <= MAX_RING_BYTES
    if (typeof duplex !== 'boolean' || !isLength) {
      throw segmentError('ERR_CORRUPT', { segment: placement.attachment.name })
    }
    assertInteger('end', end, 0, 1)
    return placement
  } catch (error) {
    placement.attachment.close()
    throw error
  }
}

/** The state of one end of a pipe in one environment. All objects of that end share it. */
export class ConnectionState {
  /** Receives from the other end; undefined if this end only sends. */
  readonly incoming: Consumer | undefined
  /** Sends to the other end; undefined if this end only receives. */
  readonly outgoing: Producer | undefined
  readonly waitQueues: WaitQueue[] = []
  readonly #rings: Ring[] = []
  readonly #end: End
  readonly #ends: NativeObject<'Ends'>

  constructor({ attachment, cell, description }: Placement) {
    const { segment } = attachment
    this.#end = cell as End
    const rings = ([0, 1] as const).map((writer) => ringOffset(description as PipeDescription, writer))
    segment.divideCells([ENDS_OFFSET, ...rings.filter((offset) => offset !== undefined)])
    this.#ends = native.bindEnds(segment.native, ENDS_OFFSET)
    const ringOf = (writer: End) => {
      const offset = ringOffset(description as PipeDescription, writer)
      if (offset === undefined) return undefined
      const ring = new Ring(native.bindPipeRing(segment.native, offset, ENDS_OFFSET, writer), writer)
      this.#rings.push(ring)
      this.waitQueues.push(ring.items, ring.free)
      return ring
    }
    const outgoing = ringOf(this.#end)
    const incoming = ringOf((1 - this.#end) as End)
    this.outgoing = outgoing && new Producer(outgoing)
    this.incoming = incoming && new Consumer(incoming)
  }

  /** Counts one more object of the end. Returns false when there is no room for another process or worker. */
  join(): boolean {
    return native.endsOpen(this.#ends, this.#end)
  }

  /** Counts one object of the end less, and wakes the waits at the other end. They check whether this end still has an object. */
  leave(): void {
    native.endsClose(this.#ends, this.#end)
    for (const ring of this.#rings) native.queueWakeAll(ring.object)
  }

  end(): void {
    for (const ring of this.#rings) ring.unbindObject()
    native.unbindObject(this.#ends)
  }
}
