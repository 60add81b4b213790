/** What Queue and JoinableQueue have beyond a SimpleQueue: a bound on items, a size, and several items at once. */

import type { SyncWaitOptions, WaitOptions } from '../sync/wait-options.ts'
import { assertInteger, typeError } from '../validate.ts'
import { HEADER_BYTES } from './exchange.ts'
import { QueueBase } from './queue-base.ts'
import { MAX_AT_ONCE } from './ring.ts'

/** What {@link Queue} and {@link JoinableQueue} share. */
export abstract class CountedQueue<T> extends QueueBase<T> {
  /** How many items there can be. */
  get maxSize(): number {
    return this.state.ring.state().maxSize
  }

  /** How many bytes the ring has. */
  get byteLength(): number {
    return this.state.ring.state().byteLength
  }

  /** How many items there are at this moment; by the time you read it, that may have changed. */
  get size(): number {
    return this.state.ring.state().items
  }

  /** Whether there is no room at this moment, not even for an empty item. */
  get isFull(): boolean {
    const { items, maxSize, freeBytes } = this.state.ring.state()
    return items >= maxSize || freeBytes < HEADER_BYTES
  }

  /**
   * Puts copies of all values, one behind the other with nothing in between, or none: waits until there is room for all.
   * @throws as {@link put}; `ERR_TOO_LARGE` when they can never fit together. Such values do not spill.
   */
  async putMany(values: readonly T[], options: WaitOptions = {}): Promise<void> {
    const { producer } = this.state
    assertValues(values)
    await producer.putMany(this, values, options)
  }

  /**
   * The same, blocking the thread. Blocks the event loop: signal handlers do not run meanwhile, nor timers and I/O. For
   * scripts and workers.
   *
   * @throws as {@link putMany}.
   */
  putManySync(values: readonly T[], options?: SyncWaitOptions): void {
    const { producer } = this.state
    assertValues(values)
    producer.putManySync(this, values, options)
  }

  /**
   * Takes what there is, up to `most` items that lie one behind the other, waiting for the first.
   *
   * @remarks May give fewer than there are: what comes with one look at the ring, 64 KiB. A process that is killed after this
   * loses as many as it has taken. An item that cannot be made again, because a shared object in it is gone, is left out, and
   * its error goes to the next call that takes something through this process.
   * @throws as {@link get}.
   */
  async getMany(most: number, options: WaitOptions = {}): Promise<T[]> {
    const { consumer } = this.state
    assertInteger('most', most, 1, MAX_AT_ONCE)
    return this.drained(await consumer.getMany(this, most, options)) as T[]
  }

  /**
   * The same, blocking the thread. Blocks the event loop: signal handlers do not run meanwhile, nor timers and I/O. For
   * scripts and workers.
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
