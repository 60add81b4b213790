/** JoinableQueue: a queue that counts unfinished items, so that `join()` can wait for them. */
import { segmentError } from '../errors/segment-messages.ts'
import type { Handle } from '../memory/handle.ts'
import { defineKind } from '../memory/kind.ts'
import type { Member, MemberOptions } from '../memory/member.ts'
import type { AttachOptions } from '../memory/segment.ts'
import { native, QUEUE } from '../native.ts'
import { type SyncWaitOptions, takeSyncWaitOptions, takeWaitOptions, type WaitOptions } from '../sync/wait-options.ts'
import { block, NOT_NOW, timeoutError } from '../sync/wait-queue.ts'
import { assertInteger } from '../validate.ts'
import { CountedQueue } from './counted-queue.ts'
import { type QueueOptions, queueSpec } from './queue-state.ts'

export class JoinableQueueObject<T = unknown> extends CountedQueue<T> {
  /** The number of items that were put and not yet reported by {@link taskDone}. */
  get unfinished(): number {
    return this.state.ring.state().unfinished
  }

  /**
   * Reports that items which were taken from the queue are finished.
   * @throws {@link ShareError} `ERR_TASK_DONE` for more items than are unfinished; `ERR_CLOSED`. Then nothing changes.
   */
  taskDone(count = 1): void {
    const { object, done } = this.state
    assertInteger('count', count, 1, 2 ** 31 - 1)
    const outcome = native.queueTaskDone(object, count)
    if (outcome === QUEUE.DONE)
      done.pump() // the native part does not wake waits of this environment
    else if (outcome === QUEUE.TOO_MANY) throw segmentError('ERR_TASK_DONE', { ...this.subject, count })
    else throw segmentError('ERR_CORRUPT', { segment: this.name })
  }

  /**
   * Waits until no item is unfinished, without blocking the event loop. Returns at once if there is none.
   *
   * @remarks If a consumer is killed between taking an item and `taskDone()`, the item stays unfinished. A pending join
   * keeps the process alive, unless {@link unref} was called.
   * @throws {@link ShareError} `ERR_TIMEOUT` after `timeoutMs`; `ERR_CLOSED`. The signal's reason when it aborts.
   */
  async join(options: WaitOptions = {}): Promise<void> {
    const { object, done } = this.state
    options = takeWaitOptions(options)
    options.signal?.throwIfAborted()
    const ticket = native.queueDoneTicket(object)
    const attempt = () => (native.queueIsDone(object, ticket) ? undefined : NOT_NOW)
    if (attempt() !== NOT_NOW) return
    if (options.timeoutMs === 0) throw timeoutError(this, 0)
    await done.wait(this, attempt, ticket, options)
  }

  /**
   * Does the same as `join`, but blocks the thread and the event loop: signal handlers, timers and I/O do not run during the
   * wait. For scripts and workers.
   *
   * @throws {@link ShareError} `ERR_TIMEOUT` after `timeoutMs`; `ERR_CLOSED`.
   */
  joinSync(options: SyncWaitOptions = {}): void {
    const { object, doneWait } = this.state
    options = takeSyncWaitOptions(options)
    const { timeoutMs = Infinity } = options
    const ticket = native.queueDoneTicket(object)
    const attempt = () => (native.queueIsDone(object, ticket) ? undefined : NOT_NOW)
    if (block(doneWait, attempt, ticket, timeoutMs) === NOT_NOW) throw timeoutError(this, timeoutMs)
  }
}

/** The constructor of {@link JoinableQueue}. */
export interface JoinableQueueConstructor {
  /**
   * Makes an anonymous queue; other processes attach to it through its `handle`.
   * @throws {@link ShareError} `ENOSPC`, `ENOMEM`, `EMFILE` when the system has no room.
   */
  new <T = unknown>(options?: QueueOptions): JoinableQueue<T>
  /** Makes a queue of that name. @throws {@link ShareError} `EEXIST` when the name exists; otherwise as the constructor. */
  create<T = unknown>(name: string, options?: QueueOptions): JoinableQueue<T>
  /** Attaches to a queue by name or handle. @throws {@link ShareError} as {@link SharedMemory.attach}. */
  attach<T = unknown>(target: string | Handle, options?: AttachOptions): JoinableQueue<T>
  /**
   * Attaches to the queue of that name, or creates it. Of several processes that do so at once, exactly one creates it.
   * @throws {@link ShareError} `ERR_TYPE` when it exists and was made with other options.
   */
  open<T = unknown>(name: string, options?: QueueOptions): JoinableQueue<T>
  /** Describes a member of a {@link SharedState}. */
  <T = unknown>(options?: MemberOptions<QueueOptions>): Member<JoinableQueue<T>>
  readonly prototype: JoinableQueue
}

/**
 * A {@link Queue} that counts the items that were put and not yet finished. `join` waits until there is none.
 *
 * @remarks Corresponds to Python's `multiprocessing.JoinableQueue`.
 * @example
 * ```ts
 * import { JoinableQueue } from 'procshare'
 * using jobs = new JoinableQueue<string>()
 * await jobs.put('a job')
 * await jobs.get()
 * jobs.taskDone()
 * await jobs.join({ timeoutMs: 1_000 })
 * ```
 */
export const JoinableQueue = defineKind({
  name: 'JoinableQueue',
  Class: JoinableQueueObject,
  spec: (options?: QueueOptions) => queueSpec('JoinableQueue', options),
}) as JoinableQueueConstructor
/** A queue of values for processes, workers and tasks. */
export type JoinableQueue<T = unknown> = JoinableQueueObject<T>
