/** SimpleQueue: put, get, iterate and end; limited only by its byte size. */
import type { Handle } from '../memory/handle.ts'
import type { AttachOptions } from '../memory/segment.ts'
import { assertedName } from '../memory/segment-name.ts'
import { registerKind } from '../memory/shareable.ts'
import { Site } from '../memory/site.ts'
import { QueueBase } from './queue-base.ts'
import { attachQueue, createQueue, openQueue, type SimpleQueueOptions } from './queue-state.ts'

const KIND = 'SimpleQueue'

/**
 * A queue with the least that a queue has: put, get, iterate, end. Bounded by its bytes alone.
 *
 * @remarks For Python's `multiprocessing.SimpleQueue`.
 * @example
 * ```ts
 * import { SimpleQueue } from 'procshare'
 * using queue = new SimpleQueue<string>()
 * queue.putSync('a')
 * console.assert((await queue.get()) === 'a' && queue.isEmpty)
 * ```
 */
export class SimpleQueue<T = unknown> extends QueueBase<T> {
  /**
   * Makes an anonymous queue; others attach to it through its `handle`.
   * @throws {@link ShareError} `ENOSPC`, `ENOMEM`, `EMFILE` when the system has no room.
   */
  constructor(options?: SimpleQueueOptions) {
    super(options instanceof Site ? options : createQueue(KIND, undefined, options))
  }

  /** Makes a queue of that name. @throws {@link ShareError} `EEXIST` when there is one; as the constructor. */
  static create<T = unknown>(name: string, options?: SimpleQueueOptions): SimpleQueue<T> {
    return new SimpleQueue(createQueue(KIND, assertedName(name), options) as SimpleQueueOptions)
  }

  /** Attaches to a queue by name or handle. @throws {@link ShareError} as {@link SharedMemory.attach}. */
  static attach<T = unknown>(target: string | Handle, options?: AttachOptions): SimpleQueue<T> {
    return new SimpleQueue(attachQueue(KIND, target, options) as SimpleQueueOptions)
  }

  /**
   * Attaches to the queue of that name, or creates it: of many who do so at once exactly one creates.
   * @throws {@link ShareError} `ERR_TYPE` when it exists and was made with other options.
   */
  static open<T = unknown>(name: string, options?: SimpleQueueOptions): SimpleQueue<T> {
    return new SimpleQueue(openQueue(KIND, name, options) as SimpleQueueOptions)
  }
}

registerKind(KIND, (handle, options) => SimpleQueue.attach(handle, options))
