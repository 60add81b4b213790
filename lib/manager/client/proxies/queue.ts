/** The proxies of managed queues. */
import { type ConsumeOptions, consume, ENDED, type Got } from '../../../queue/consume.ts'
import type { SyncWaitOptions, WaitOptions } from '../../../sync/wait-options.ts'
import { typeError } from '../../../validate.ts'
import type { BlockingMethods, blockingForm } from '../blocking.ts'
import type { ManagedProxy } from '../proxy.ts'
import { registerProxy } from '../proxy-classes.ts'
import { WaitingProxy } from './waiting.ts'

/** An item that was taken; an item may be `undefined`. */
interface Taken<T> {
  readonly value: T
}

/** What {@link QueueProxy} and {@link JoinableQueueProxy} share. */
export abstract class AnyQueueProxy<T> extends WaitingProxy implements AsyncIterable<T> {
  /**
   * Puts a copy of a value, waiting for room.
   *
   * @remarks The value is encoded before this returns: changing it afterwards changes nothing.
   * @throws {@link ShareError} `ERR_TIMEOUT` after `timeoutMs`; `ERR_ENDED` after {@link end}. `DataCloneError` for functions, symbols, promises and
   * the like. The signal's reason when it aborts. Nothing has been put then. As every call.
   */
  put(value: T, options?: WaitOptions): Promise<void> {
    return this.#putAndWait('put', value, options)
  }

  /**
   * Puts copies of all values, one behind the other with nothing in between, or none: waits until there is room for all.
   * @throws as {@link put}; {@link ShareError} `ERR_LIMIT` for more than `maxSize`.
   */
  putMany(values: readonly T[], options?: WaitOptions): Promise<void> {
    return this.#putAndWait('putMany', values, options)
  }

  /**
   * Puts a copy of a value if there is room, and says whether it did; false also while others wait to put something.
   * @throws as {@link put}, but for `ERR_TIMEOUT`.
   */
  tryPut(value: T): Promise<boolean> {
    return this.call('tryPut', [value])
  }

  /**
   * Takes the first item, waiting for one; those who ask get theirs in the order in which their requests arrive.
   *
   * @remarks An item whose taker is gone before the server has sent it goes back. One that was sent is the taker's.
   * @throws {@link ShareError} `ERR_TIMEOUT` after `timeoutMs`; `ERR_ENDED` when the queue has ended and nothing is left. The signal's reason when it
   * aborts. Nothing has been taken then. As every call.
   */
  get(options?: WaitOptions): Promise<T> {
    return this.callAndWait('get', options, [], { undo: (item: T) => this.#putBack([item]) })
  }

  /**
   * Takes what there is, up to `most` items, waiting for the first.
   * @throws as {@link get}; {@link ShareError} `ERR_LIMIT` when the items do not fit into one message: they stay in the queue.
   */
  getMany(most: number, options?: WaitOptions): Promise<T[]> {
    return this.attempt(() => {
      const { serverMs, callOptions } = this.waitCall(options, { undo: (items: T[]) => this.#putBack(items) })
      return this.call('getMany', [most, serverMs], callOptions)
    })
  }

  /**
   * Takes the first item if there is one: as `{ value }`, for an item may be `undefined`.
   * @throws {@link ShareError} `ERR_ENDED` when the queue has ended and nothing is left; as every call.
   */
  tryGet(): Promise<{ readonly value: T } | undefined> {
    return this.call('tryGet', [], { undo: this.#putBackTaken })
  }

  /**
   * Ends the queue for everybody: nothing more is put, what is in it can still be taken, and iteration over it ends everywhere once
   * that is done. Idempotent.
   * @throws {@link ShareError} as every call.
   */
  end(): Promise<void> {
    return this.call('end')
  }

  /** How many items there are at this moment. @throws {@link ShareError} as every call. */
  get size(): Promise<number> {
    return this.call('size')
  }

  /** How many items there can be; `Infinity` when nobody has said. @throws {@link ShareError} as every call. */
  get maxSize(): Promise<number> {
    return this.call('maxSize')
  }

  /** Whether there are no items at this moment. @throws {@link ShareError} as every call. */
  get isEmpty(): Promise<boolean> {
    return this.call('isEmpty')
  }

  /** Whether there is no room at this moment. @throws {@link ShareError} as every call. */
  get isFull(): Promise<boolean> {
    return this.call('isFull')
  }

  /** Whether somebody has called {@link end}. @throws {@link ShareError} as every call. */
  get ended(): Promise<boolean> {
    return this.call('hasEnded')
  }

  /** Takes items until the queue has ended and nothing is left. Each item goes to one of those who iterate. */
  [Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    return this.consume()
  }

  /**
   * Takes items, as iteration over the queue itself does, until the queue has ended and nothing is left, or the signal aborts.
   *
   * @remarks When the signal aborts, the loop ends after the item that is being worked on. If it waits for one, it ends when the server has answered
   * that none was sent; one that was already on its way is worked on first. Everything else stays in the queue for other consumers.
   * @throws {@link ShareError} as every call. `TypeError` for other options.
   * @example
   * ```ts
   * import { Manager } from 'procshare'
   * const stop = new AbortController()
   * process.once('SIGTERM', () => stop.abort())
   *
   * await using manager = await Manager.start()
   * const jobs = await manager.Queue<number>()
   * await jobs.putMany([1, 2, 3])
   * for await (const n of jobs.consume({ signal: stop.signal })) {
   *   if (n === 2) stop.abort() // as the signal would
   *   console.log(`job ${n} is done`) // 1, 2
   * }
   * console.assert((await jobs.size) === 1)
   * ```
   */
  consume(options: ConsumeOptions = {}): AsyncGenerator<T, void, undefined> {
    if (this.isBlocking) throw typeError('queue', 'one of the asynchronous form (use for…of)', this)
    // Given up without the server's answer, an item could be lost that it has sent already. A view with a timeout asks for less.
    const waits = this.timeoutMs === undefined ? 'takes back' : true
    return consume<T>(async ({ signal }): Promise<Got> => {
      const callOptions = { waits: signal === undefined || waits, signal, undo: this.#putBackTaken } as const
      return (await this.call<Taken<T> | undefined>('next', [], callOptions)) ?? ENDED
    }, options)
  }

  /** Of the blocking form. @internal */
  *[Symbol.iterator](): Generator<T, void, undefined> {
    if (!this.isBlocking)
      throw typeError('queue', 'a proxy in the blocking form; use `for await` in the asynchronous form', this)
    for (;;) {
      const taken = this.call<Taken<T>>('next', [], { waits: true }) as unknown as Taken<T> | undefined
      if (taken === undefined) return
      yield taken.value
    }
  }

  #putAndWait(method: 'put' | 'putMany', value: unknown, options: WaitOptions | undefined): Promise<void> {
    return this.attempt(() => {
      const { serverMs, callOptions } = this.waitCall(options)
      return this.call(method, [value, serverMs], callOptions)
    })
  }

  /** Items that came too late for who has asked for them: to the front, for the next one. */
  #putBack(items: readonly T[]): void {
    this.post('putBack', [items])
  }

  readonly #putBackTaken = (taken: Taken<T> | undefined) => {
    if (taken !== undefined) this.#putBack([taken.value])
  }
}

/**
 * A queue of values in the server of a {@link Manager}, for many producers and many consumers; bounded in items, if you like.
 *
 * @remarks What {@link Queue} is in shared memory, for clients anywhere. Each item goes to one consumer, as a copy, in the order in which they were put.
 * @example
 * ```ts
 * import { Manager } from 'procshare'
 * await using manager = await Manager.start()
 * const jobs = await manager.Queue<{ n: number }>({ maxSize: 100 })
 * await jobs.put({ n: 1 })
 * await jobs.put({ n: 2 })
 * await jobs.end()
 * let sum = 0
 * for await (const { n } of jobs) sum += n
 * console.assert(sum === 3)
 * ```
 */
export class QueueProxy<T = unknown> extends AnyQueueProxy<T> {
  /** @internal */
  declare readonly [blockingForm]: BlockingQueueProxy<T>
}

/**
 * A {@link QueueProxy} that counts what was put and not yet worked off, so that one can wait until all is done.
 *
 * @example
 * ```ts
 * import { Manager } from 'procshare'
 * await using manager = await Manager.start()
 * const jobs = await manager.JoinableQueue<string>()
 * await jobs.put('a job')
 * await jobs.get()
 * await jobs.taskDone()
 * await jobs.join({ timeoutMs: 1_000 })
 * ```
 */
export class JoinableQueueProxy<T = unknown> extends AnyQueueProxy<T> {
  /** @internal */
  declare readonly [blockingForm]: BlockingJoinableQueueProxy<T>

  /** How many items were put and not yet reported by {@link taskDone}. @throws {@link ShareError} as every call. */
  get unfinished(): Promise<number> {
    return this.call('unfinished')
  }

  /**
   * Says that items that were taken from the queue have been worked off.
   * @throws {@link ShareError} `ERR_TASK_DONE` when that is more than there are unfinished; nothing changes then. As every call.
   */
  taskDone(count = 1): Promise<void> {
    return this.call('taskDone', [count])
  }

  /**
   * Waits until nothing is unfinished; at once when nothing is.
   *
   * @remarks A consumer that ends between taking an item and `taskDone()` leaves that one unfinished.
   * @throws {@link ShareError} `ERR_TIMEOUT` after `timeoutMs`; the signal's reason when it aborts. As every call.
   */
  join(options?: WaitOptions): Promise<void> {
    return this.callAndWait('join', options)
  }
}

/** A {@link QueueProxy} in the blocking form. */
export interface BlockingQueueProxy<T = unknown> extends BlockingMethods<ManagedProxy>, Iterable<T> {
  /** {@link QueueProxy.put}, blocking the thread. */
  put(value: T, options?: SyncWaitOptions): void
  /** {@link QueueProxy.putMany}, blocking the thread. */
  putMany(values: readonly T[], options?: SyncWaitOptions): void
  /** {@link QueueProxy.tryPut}. */
  tryPut(value: T): boolean
  /** {@link QueueProxy.get}, blocking the thread. */
  get(options?: SyncWaitOptions): T
  /** {@link QueueProxy.getMany}, blocking the thread. */
  getMany(most: number, options?: SyncWaitOptions): T[]
  /** {@link QueueProxy.tryGet}. */
  tryGet(): { readonly value: T } | undefined
  /** {@link QueueProxy.end}. */
  end(): void
  /** {@link QueueProxy.size}. */
  readonly size: number
  /** {@link QueueProxy.maxSize}. */
  readonly maxSize: number
  /** {@link QueueProxy.isEmpty}. */
  readonly isEmpty: boolean
  /** {@link QueueProxy.isFull}. */
  readonly isFull: boolean
  /** {@link QueueProxy.ended}. */
  readonly ended: boolean
}

/** A {@link JoinableQueueProxy} in the blocking form. */
export interface BlockingJoinableQueueProxy<T = unknown> extends BlockingQueueProxy<T> {
  /** {@link JoinableQueueProxy.unfinished}. */
  readonly unfinished: number
  /** {@link JoinableQueueProxy.taskDone}. */
  taskDone(count?: number): void
  /** {@link JoinableQueueProxy.join}, blocking the thread. */
  join(options?: SyncWaitOptions): void
}

registerProxy('Queue', QueueProxy)
registerProxy('JoinableQueue', JoinableQueueProxy)
