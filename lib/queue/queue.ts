/** Queue: a queue of values for many producers and consumers in any processes. */
import type { Handle } from '../memory/handle.ts'
import { defineKind } from '../memory/kind.ts'
import type { Member, MemberOptions } from '../memory/member.ts'
import type { AttachOptions } from '../memory/segment.ts'
import { CountedQueue } from './counted-queue.ts'
import { type QueueOptions, queueSpec } from './queue-state.ts'

export class QueueObject<T = unknown> extends CountedQueue<T> {}

/** The constructor of {@link Queue}. */
export interface QueueConstructor {
  /**
   * Makes an anonymous queue; other processes attach to it through its `handle`.
   * @throws {@link ShareError} `ENOSPC`, `ENOMEM`, `EMFILE` when the system has no room.
   */
  new <T = unknown>(options?: QueueOptions): Queue<T>
  /** Makes a queue of that name. @throws {@link ShareError} `EEXIST` when the name exists; otherwise as the constructor. */
  create<T = unknown>(name: string, options?: QueueOptions): Queue<T>
  /** Attaches to a queue by name or handle. @throws {@link ShareError} as {@link SharedMemory.attach}. */
  attach<T = unknown>(target: string | Handle, options?: AttachOptions): Queue<T>
  /**
   * Attaches to the queue of that name, or creates it. Of several processes that do so at once, exactly one creates it.
   * @throws {@link ShareError} `ERR_TYPE` when it exists and was made with other options.
   */
  open<T = unknown>(name: string, options?: QueueOptions): Queue<T>
  /** Describes a member of a {@link SharedState}. */
  <T = unknown>(options?: MemberOptions<QueueOptions>): Member<Queue<T>>
  readonly prototype: Queue
}

/**
 * A queue of values for many producers and many consumers in processes, workers and tasks. It is bounded in bytes, and in items
 * with `maxSize`. Each item goes to one consumer, as a copy. The items of one producer arrive in the order in which they were
 * put.
 *
 * @remarks Values are copied: plain values, `Map`, `Set`, `Date`, `BigInt`, typed arrays, errors and cycles arrive unchanged.
 * Instances of other classes arrive as plain objects, and -0 as 0. A `Uint8Array` or `Buffer` travels without being encoded and
 * arrives as the same type. Live records of structs arrive as plain objects, and shared objects arrive attached. If a producer or
 * consumer is killed at any moment, at most its own item is lost, and no other process is blocked. `close()` ends the use of this
 * object; `end()` ends the queue for all processes. Corresponds to Python's `multiprocessing.Queue`, without its feeder thread:
 * when `put` has returned, the item is in the queue.
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
export const Queue = defineKind({
  name: 'Queue',
  Class: QueueObject,
  spec: (options?: QueueOptions) => queueSpec('Queue', options),
}) as QueueConstructor
/** A queue of values for processes, workers and tasks. */
export type Queue<T = unknown> = QueueObject<T>
