/**
 * The members that Queue and JoinableQueue add to a SimpleQueue: a limit of items, a size, and puts and gets of several items.
 */

import type { SyncWaitOptions, WaitOptions } from '../sync/wait-options.ts'
import { assertInteger, typeError } from '../validate.ts'
import { HEADER_BYTES } from './exchange.ts'
import { QueueBase } from './queue-base.ts'
import { MAX_AT_ONCE } from './ring.ts'

/** The common members of {@link Queue} and {@link JoinableQueue}. */
export abstract class CountedQueue<T> extends QueueBase<T> {
  /** The number of items that the queue can hold. */
  get maxSize(): number {
    return this.state.ring.state().maxSize
  }

  /** The size of the ring in bytes. */
  get byteLength(): number {
    return this.state.ring.state().byteLength
  }

  /** The number of items in the queue at this moment. It may change at any time. */
  get size(): number {
    return this.state.ring.state().items
  }

  /** Whether the queue has no room at this moment, not even for an empty item. */
  get isFull(): boolean {
    const { items, maxSize, freeBytes } = this.state.ring.state()
    return items >= maxSize || freeBytes < HEADER_BYTES
  }

  /**
   * Puts copies of all values in one step, with no item of another producer between them. Waits until there is room for all.
   * @throws as {@link put}; `ERR_TOO_LARGE` when they can never fit together. These values are never spilled.
   */
  async putMany(values: readonly T[], options: WaitOptions = {}): Promise<void> {
    const { producer } = this.state
    assertValues(values)
    await producer.putMany(this, values, options)
  }

  /**
   * Does the same as `putMany`, but blocks the thread and the event loop: signal handlers, timers and I/O do not run during the
   * wait. For scripts and workers.
   *
   * @throws as {@link putMany}.
   */
  putManySync(values: readonly T[], options?: SyncWaitOptions): void {
    const { producer } = this.state
    assertValues(values)
    producer.putManySync(this, values, options)
  }

  /**
   * Takes up to `most` consecutive items. Waits for the first if there is none.
   *
   * @remarks May return fewer items than there are, because it takes at most 64 KiB of them. If a process is killed afterwards,
   * the items that it has taken are lost. An item that cannot be decoded, because a shared object in it is gone, is left out. The
   * next call of this process that takes an item throws its error.
   * @throws as {@link get}.
   */
  async getMany(most: number, options: WaitOptions = {}): Promise<T[]> {
    const { consumer } = this.state
    assertInteger('most', most, 1, MAX_AT_ONCE)
    return this.drained(await consumer.getMany(this, most, options)) as T[]
  }

  /**
   * Does the same as `getMany`, but blocks the thread and the event loop: signal handlers, timers and I/O do not run during the
   * wait. For scripts and workers.
   *
   * @throws as {@link get}.
   */
  getManySync(most: number, options?: SyncWaitOptions): T[] {
    const { consumer } = this.state
    assertInteger('most', most, 1, MAX_AT_ONCE)
    return this.drained(consumer.getManySync(this, most, options)) as T[]
  }
}

function assertValues(values: unknown): asserts values is readonly unknown[] {
  if (!Array.isArray(values)) throw typeError('values', 'an array', values)
  assertInteger('values.length', values.length, 0, MAX_AT_ONCE)
}
