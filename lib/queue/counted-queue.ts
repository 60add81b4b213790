/** What Queue and JoinableQueue add to a SimpleQueue: a bound on items, a size, and several items in one step. */

import type { SyncWaitOptions, WaitOptions } from '../sync/wait-options.ts'
import { assertInteger, typeError } from '../validate.ts'
import { HEADER_BYTES } from './exchange.ts'
import { QueueBase } from './queue-base.ts'
import { MAX_AT_ONCE } from './ring.ts'

/** What {@link Queue} and {@link JoinableQueue} share. */
export abstract class CountedQueue<T> extends QueueBase<T> {
  /** How many items the queue can hold. */
  get maxSize(): number {
    return this.state.ring.state().maxSize
  }

  /** The size of the ring in bytes. */
  get byteLength(): number {
    return this.state.ring.state().byteLength
  }

  /** How many items the queue has at this moment; the number may change at any time. */
  get size(): number {
    return this.state.ring.state().items
  }

  /** Whether the queue has no room at this moment, not even for an empty item. */
  get isFull(): boolean {
    const { items, maxSize, freeBytes } = this.state.ring.state()
    return items >= maxSize || freeBytes < HEADER_BYTES
  }

  /**
   * Puts copies of all values in one step: no item of another producer lies between them. Waits until there is room for all.
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
   * Takes up to `most` items that follow each other, and waits for the first if there is none.
   *
   * @remarks May give fewer than there are: at most 64 KiB of them. A process that is killed after this loses the items that it has
   * taken. An item that cannot be decoded, because a shared object in it is gone, is left out; the next call of this process that takes
   * something throws its error.
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
