/** SimpleQueue: put, get, iterate and end. Only its size in bytes is limited. */
import type { Handle } from '../memory/handle.ts'
import { defineKind } from '../memory/kind.ts'
import type { Member, MemberOptions } from '../memory/member.ts'
import type { AttachOptions } from '../memory/segment.ts'
import { QueueBase } from './queue-base.ts'
import { queueSpec, type SimpleQueueOptions } from './queue-state.ts'

export class SimpleQueueObject<T = unknown> extends QueueBase<T> {}

/** The constructor of {@link SimpleQueue}. */
export interface SimpleQueueConstructor {
  /**
   * Makes an anonymous queue; other processes attach to it through its `handle`.
   * @throws {@link ShareError} `ENOSPC`, `ENOMEM`, `EMFILE` when the system has no room.
   */
  new <T = unknown>(options?: SimpleQueueOptions): SimpleQueue<T>
  /** Makes a queue of that name. @throws {@link ShareError} `EEXIST` when the name exists; otherwise as the constructor. */
  create<T = unknown>(name: string, options?: SimpleQueueOptions): SimpleQueue<T>
  /** Attaches to a queue by name or handle. @throws {@link ShareError} as {@link SharedMemory.attach}. */
  attach<T = unknown>(target: string | Handle, options?: AttachOptions): SimpleQueue<T>
  /**
   * Attaches to the queue of that name, or creates it. Of several processes that do so at once, exactly one creates it.
   * @throws {@link ShareError} `ERR_TYPE` when it exists and was made with other options.
   */
  open<T = unknown>(name: string, options?: SimpleQueueOptions): SimpleQueue<T>
  /** Describes a member of a {@link SharedState}. */
  <T = unknown>(options?: MemberOptions<SimpleQueueOptions>): Member<SimpleQueue<T>>
  readonly prototype: SimpleQueue
}

/**
 * The simplest queue: put, get, iterate and end. It is bounded in bytes only.
 *
 * @remarks Corresponds to Python's `multiprocessing.SimpleQueue`.
 * @example
 * ```ts
 * import { SimpleQueue } from 'procshare'
 * using queue = new SimpleQueue<string>()
 * queue.putSync('a')
 * console.assert((await queue.get()) === 'a' && queue.isEmpty)
 * ```
 */
export const SimpleQueue = defineKind({
  name: 'SimpleQueue',
  Class: SimpleQueueObject,
  spec: (options?: SimpleQueueOptions) => queueSpec('SimpleQueue', options),
}) as SimpleQueueConstructor
/** A queue of values for processes, workers and tasks. */
export type SimpleQueue<T = unknown> = SimpleQueueObject<T>
