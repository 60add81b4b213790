/** Queues: makes, opens and attaches to their objects. Also has the state that one environment keeps of each queue. */
import type { KindSpec } from '../memory/kind.ts'
import type { Placement } from '../memory/placement.ts'
import { type SegmentOptions, takeSegmentOptions } from '../memory/segment.ts'
import { native } from '../native.ts'
import { ObjectState } from '../sync/shared-object.ts'
import { WaitQueue } from '../sync/wait-queue.ts'
import { assertBoolean, assertInteger } from '../validate.ts'
import { Consumer } from './consumer.ts'
import { Producer } from './producer.ts'
import { Ring } from './ring.ts'
import { newAnchor, SpillRoom } from './spill.ts'

const MAX_ITEMS = 2 ** 31 - 1
export const MAX_RING_BYTES = 2 ** 34 - 8
export const DEFAULT_RING_BYTES = 2 ** 20

/** How a {@link SimpleQueue} is made. */
export interface SimpleQueueOptions extends SegmentOptions {
  /**
   * The size of the ring in bytes, which limits the items in the queue. An item takes its encoded length, rounded up to 8, and 8
   * more.
   * @defaultValue 1 MiB
   */
  readonly byteLength?: number
  /**
   * Sends an item that is larger than the ring in a segment of its own instead of refusing it.
   * @defaultValue `false`
   */
  readonly spill?: boolean
}

/** How a {@link Queue} or {@link JoinableQueue} is made. */
export interface QueueOptions extends SimpleQueueOptions {
  /**
   * The number of items that can be in the queue.
   * @defaultValue as many as fit into `byteLength`
   */
  readonly maxSize?: number
}

export class QueueState extends ObjectState<'Queue'> {
  readonly ring: Ring
  readonly producer: Producer
  readonly consumer: Consumer
  readonly doneWait: number
  readonly done: WaitQueue
  readonly #spill: SpillRoom | undefined

  constructor({ attachment, cell, description }: Placement) {
    super(native.bindQueue(attachment.segment.native, cell))
    try {
      const { anchor } = description
      const { persistent } = attachment.segment
      this.#spill = typeof anchor === 'string' ? new SpillRoom(anchor, this.object, persistent) : undefined
    } catch (error) {
      native.unbindObject(this.object) // otherwise it would hold the memory until it is collected
      throw error
    }
    this.ring = new Ring(this.object)
    this.producer = new Producer(this.ring, this.#spill)
    this.consumer = new Consumer(this.ring, this.#spill)
    this.doneWait = native.objectWait(this.object, 2)
    this.done = this.addWaitQueue(new WaitQueue(this.doneWait))
    this.addWaitQueue(this.ring.items)
    this.addWaitQueue(this.ring.free)
  }

  override end(): void {
    this.ring.unbindObject()
    super.end()
    // After the segment of the queue is closed, because no item is an orphan as long as that segment exists.
    if (this.#spill !== undefined) queueMicrotask(() => this.#spill?.end())
  }
}

/** The ring must have room for the name of the segment of a spilled item. */
const MIN_SPILL_RING_BYTES = 256

export function assertRingBytes(name: string, value: unknown, least = 64): asserts value is number {
  assertInteger(name, value, least, MAX_RING_BYTES)
}

/** How a queue is made, opened and checked. */
export function queueSpec(
  kind: 'Queue' | 'JoinableQueue' | 'SimpleQueue',
  given: QueueOptions | undefined,
): KindSpec<undefined> {
  const options = takeSegmentOptions(
    given,
    kind === 'SimpleQueue' ? ['byteLength', 'spill'] : ['maxSize', 'byteLength', 'spill'],
  )
  const { maxSize = MAX_ITEMS, byteLength = DEFAULT_RING_BYTES, spill = false } = options
  assertInteger('options.maxSize', maxSize, 1, MAX_ITEMS)
  assertBoolean('options.spill', spill)
  assertRingBytes('options.byteLength', byteLength, spill ? MIN_SPILL_RING_BYTES : undefined)
  const ringBytes = Math.ceil(byteLength / 8) * 8
  const description = { kind, maxSize, byteLength: ringBytes, ...(spill && { anchor: newAnchor() }) }
  return {
    options,
    description,
    cellsBytes: native.queueBytes(ringBytes),
    initialise: (segment, cell) => native.initQueue(segment.native, cell, ringBytes, maxSize),
    check: (found) => {
      const same = found.maxSize === maxSize && found.byteLength === ringBytes && (found.anchor !== undefined) === spill
      if (same) return undefined
      return {
        what: 'options',
        found: { maxSize: found.maxSize, byteLength: found.byteLength, spill: found.anchor !== undefined },
        expected: { maxSize, byteLength: ringBytes, spill },
      }
    },
  }
}
