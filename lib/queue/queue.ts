/** Queue: values from many producers to many consumers, across processes. */
import type { Handle } from '../memory/handle.ts'
import type { AttachOptions } from '../memory/segment.ts'
import { assertedName } from '../memory/segment-name.ts'
import { registerKind } from '../memory/shareable.ts'
import { Site } from '../memory/site.ts'
import { CountedQueue } from './counted-queue.ts'
import { attachQueue, createQueue, openQueue, type QueueOptions } from './queue-state.ts'

const KIND = 'Queue'

/**
 * A queue of values for many producers and many consumers in processes, workers and tasks; bounded in bytes and, if you like, in
 * items. Each item goes to one consumer, as a copy; the items of one producer arrive in the order in which they were put.
 *
 * @remarks Values are copied: plain values, `Map`, `Set`, `Date`, `BigInt`, typed arrays, errors and cycles arrive as they were;
 * instances of other classes as plain objects, -0 as 0. A `Uint8Array` or `Buffer` travels without being encoded and arrives as
 * what it was. Shared objects arrive attached. The death of a producer or consumer at any moment loses nothing of anybody else's
 * and blocks nobody. `close()` ends a handle, `end()` the queue. For Python's `multiprocessing.Queue`, without its feeder thread:
 * what was put is in the queue when `put` is done.
 * @example
 * ```ts
 * import { Queue } from 'procshare'
 * using jobs = new Queue<{ n: number }>({ maxSize: 100 })
 * await jobs.put({ n: 1 })
 * jobs.putSync({ n: 2 })
 * jobs.end()
 * let sum = 0
 * for await (const { n } of jobs) sum += n
 * console.assert(sum === 3)
 * ```
 */
export class Queue<T = unknown> extends CountedQueue<T> {
  /**
   * Makes an anonymous queue; others attach to it through its `handle`.
   * @throws {@link ShareError} `ENOSPC`, `ENOMEM`, `EMFILE` when the system has no room.
   */
  constructor(options?: QueueOptions) {
    super(options instanceof Site ? options : createQueue(KIND, undefined, options))
  }

  /** Makes a queue of that name. @throws {@link ShareError} `EEXIST` when there is one; as the constructor. */
  static create<T = unknown>(name: string, options?: QueueOptions): Queue<T> {
    return new Queue(createQueue(KIND, assertedName(name), options) as QueueOptions)
  }

  /** Attaches to a queue by name or handle. @throws {@link ShareError} as {@link SharedMemory.attach}. */
  static attach<T = unknown>(target: string | Handle, options?: AttachOptions): Queue<T> {
    return new Queue(attachQueue(KIND, target, options) as QueueOptions)
  }

  /**
   * Attaches to the queue of that name, or creates it: of many who do so at once exactly one creates.
   * @throws {@link ShareError} `ERR_TYPE` when it exists and was made with other options.
   */
  static open<T = unknown>(name: string, options?: QueueOptions): Queue<T> {
    return new Queue(openQueue(KIND, name, options) as QueueOptions)
  }
}

registerKind(KIND, (handle, options) => Queue.attach(handle, options))
