/** JoinableQueue: a queue that knows when all that was put has been worked off. */
import { segmentError } from '../errors/segment-messages.ts'
import type { Handle } from '../memory/handle.ts'
import type { AttachOptions } from '../memory/segment.ts'
import { assertedName } from '../memory/segment-name.ts'
import { registerKind } from '../memory/shareable.ts'
import { Site } from '../memory/site.ts'
import { native, QUEUE } from '../native.ts'
import {
  assertSyncWaitOptions,
  assertWaitOptions,
  type SyncWaitOptions,
  type WaitOptions,
} from '../sync/wait-options.ts'
import { block, NOT_NOW, timeoutError } from '../sync/wait-queue.ts'
import { assertInteger } from '../validate.ts'
import { CountedQueue } from './counted-queue.ts'
import { attachQueue, createQueue, openQueue, type QueueOptions } from './queue-state.ts'

const KIND = 'JoinableQueue'

/**
 * A {@link Queue} that counts what was put and not yet worked off, so that one can wait until all is done.
 *
 * @remarks For Python's `multiprocessing.JoinableQueue`.
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
export class JoinableQueue<T = unknown> extends CountedQueue<T> {
  /**
   * Makes an anonymous queue; others attach to it through its `handle`.
   * @throws {@link ShareError} `ENOSPC`, `ENOMEM`, `EMFILE` when the system has no room.
   */
  constructor(options?: QueueOptions) {
    super(options instanceof Site ? options : createQueue(KIND, undefined, options))
  }

  /** Makes a queue of that name. @throws {@link ShareError} `EEXIST` when there is one; as the constructor. */
  static create<T = unknown>(name: string, options?: QueueOptions): JoinableQueue<T> {
    return new JoinableQueue(createQueue(KIND, assertedName(name), options) as QueueOptions)
  }

  /** Attaches to a queue by name or handle. @throws {@link ShareError} as {@link SharedMemory.attach}. */
  static attach<T = unknown>(target: string | Handle, options?: AttachOptions): JoinableQueue<T> {
    return new JoinableQueue(attachQueue(KIND, target, options) as QueueOptions)
  }

  /**
   * Attaches to the queue of that name, or creates it: of many who do so at once exactly one creates.
   * @throws {@link ShareError} `ERR_TYPE` when it exists and was made with other options.
   */
  static open<T = unknown>(name: string, options?: QueueOptions): JoinableQueue<T> {
    return new JoinableQueue(openQueue(KIND, name, options) as QueueOptions)
  }

  /** How many items were put and not yet reported by {@link taskDone}. */
  get unfinished(): number {
    return this.state.ring.state().unfinished
  }

  /**
   * Says that items that were taken from the queue have been worked off.
   * @throws {@link ShareError} `ERR_TASK_DONE` when that is more than there are unfinished; `ERR_CLOSED`. Nothing changes then.
   */
  taskDone(count = 1): void {
    const { object, done } = this.state
    assertInteger('count', count, 1, 2 ** 31 - 1)
    const outcome = native.queueTaskDone(object, count)
    if (outcome === QUEUE.DONE)
      done.pump() // our own tasks need no wake-up
    else if (outcome === QUEUE.TOO_MANY) throw segmentError('ERR_TASK_DONE', { ...this.subject, count })
    else throw segmentError('ERR_CORRUPT', { segment: this.name })
  }

  /**
   * Waits, without blocking the event loop, until nothing is unfinished; at once when nothing is.
   *
   * @remarks A consumer that is killed between taking an item and `taskDone()` leaves that one unfinished. A pending join
   * keeps the process alive, unless {@link unref} was called.
   * @throws {@link ShareError} `ERR_TIMEOUT` after `timeoutMs`; `ERR_CLOSED`. The signal's reason when it aborts.
   */
  async join(options: WaitOptions = {}): Promise<void> {
    const { object, done } = this.state
    assertWaitOptions(options)
    options.signal?.throwIfAborted()
    const ticket = native.queueDoneTicket(object)
    const attempt = () => (native.queueIsDone(object, ticket) ? undefined : NOT_NOW)
    if (attempt() !== NOT_NOW) return
    if (options.timeoutMs === 0) throw timeoutError(this, 0)
    await done.wait(this, attempt, ticket, options)
  }

  /**
   * The same, blocking the thread. Blocks the event loop: signal handlers do not run meanwhile, nor timers and I/O. For
   * scripts and workers.
   *
   * @throws {@link ShareError} `ERR_TIMEOUT` after `timeoutMs`; `ERR_CLOSED`.
   */
  joinSync(options: SyncWaitOptions = {}): void {
    const { object, doneWait } = this.state
    assertSyncWaitOptions(options)
    const { timeoutMs = Infinity } = options
    const ticket = native.queueDoneTicket(object)
    const attempt = () => (native.queueIsDone(object, ticket) ? undefined : NOT_NOW)
    if (block(doneWait, attempt, ticket, timeoutMs) === NOT_NOW) throw timeoutError(this, timeoutMs)
  }
}

registerKind(KIND, (handle, options) => JoinableQueue.attach(handle, options))
