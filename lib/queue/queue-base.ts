/** The common members of all queues: put, get, iterate, end. */
import { segmentError } from '../errors/segment-messages.ts'
import type { Placement } from '../memory/placement.ts'
import { SharedObject, stateAt } from '../sync/shared-object.ts'
import { NO_OPTIONS, type SyncWaitOptions, type WaitOptions } from '../sync/wait-options.ts'
import { NOT_NOW } from '../sync/wait-queue.ts'
import { type ConsumeOptions, consume, ENDED } from './consume.ts'
import { QueueState } from './queue-state.ts'

/** The common members of {@link Queue}, {@link JoinableQueue} and {@link SimpleQueue}. */
export abstract class QueueBase<T> extends SharedObject<QueueState> implements AsyncIterable<T> {
  /** @internal */
  constructor(placement: Placement) {
    super(placement, stateAt(placement, QueueState))
  }

  /** Whether the queue has no items at this moment. This may change at any time. */
  get isEmpty(): boolean {
    return this.state.ring.state().items === 0
  }

  /** Whether any process has called {@link end}. Then no process can put items, but items may be left. */
  get ended(): boolean {
    return this.state.ring.state().ended
  }

  /**
   * Puts a copy of a value. Waits for room without blocking the event loop. Puts of one thread arrive in the order in which they
   * were made.
   *
   * @remarks The value is encoded before this returns, so later changes to it have no effect. A value that cannot be encoded
   * rejects before anything is queued. Shared objects in it travel as handles and arrive attached; keep them open until then. A
   * pending put keeps the process alive, unless {@link unref} was called.
   * @throws {@link ShareError} `ERR_TIMEOUT` after `timeoutMs`; `ERR_ENDED` after {@link end}; `ERR_TOO_LARGE` for an item that
   * can never fit; `ERR_CLOSED`. `DataCloneError` for functions, symbols, promises and the like. The signal's reason when it
   * aborts. In all these cases nothing is put.
   */
  put(value: T, options: WaitOptions = NO_OPTIONS): Promise<void> {
    try {
      return this.state.producer.put(this, value, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Puts a copy of a value. Blocks the thread and the event loop until there is room: signal handlers, timers and I/O do not run
   * during the wait. For scripts and workers.
   *
   * @throws as {@link put}.
   */
  putSync(value: T, options?: SyncWaitOptions): void {
    this.state.producer.putSync(this, value, options)
  }

  /**
   * Puts a copy of a value if there is room. Returns whether it did. Also returns false while earlier puts of this thread are
   * waiting.
   * @throws as {@link put}, except `ERR_TIMEOUT`.
   */
  tryPut(value: T): boolean {
    return this.state.producer.tryPut(this, value)
  }

  /**
   * Takes the first item. Waits for one without blocking the event loop.
   *
   * @remarks A pending get keeps the process alive, unless {@link unref} was called. If a process is killed after it has taken an
   * item, that item is lost and no other.
   * @throws {@link ShareError} `ERR_TIMEOUT` after `timeoutMs`; `ERR_ENDED` when the queue has ended and nothing is left;
   * `ERR_CLOSED`. The signal's reason when it aborts. In these cases nothing is taken. When a shared object in the item is gone,
   * the error of its `attach`; the item is taken. When the system has no descriptors or memory for the objects in the item,
   * `EMFILE`, `ENFILE` or `ENOMEM`; the item is the next one that this process or worker takes.
   */
  async get(options: WaitOptions = NO_OPTIONS): Promise<T> {
    const got = await this.state.consumer.get(this, options)
    if (got === ENDED) throw this.#drainedError()
    return got.value as T
  }

  /**
   * Takes the first item. Blocks the thread and the event loop until there is one: signal handlers, timers and I/O do not run
   * during the wait. For scripts and workers.
   *
   * @throws as {@link get}.
   */
  getSync(options?: SyncWaitOptions): T {
    const got = this.state.consumer.getSync(this, options)
    if (got === ENDED) throw this.#drainedError()
    return got.value as T
  }

  /**
   * Takes the first item, if there is one. Returns it as `{ value }`, because an item may be `undefined`.
   * @throws {@link ShareError} `ERR_ENDED` when the queue has ended and nothing is left; `ERR_CLOSED`.
   */
  tryGet(): { readonly value: T } | undefined {
    const got = this.state.consumer.tryGet(this)
    if (got === ENDED) throw this.#drainedError()
    return got === NOT_NOW ? undefined : (got as { value: T })
  }

  /**
   * Ends the queue for all processes. No process can put more items. The items in it can still be taken, and iterations end when
   * it is empty.
   *
   * @remarks {@link close} ends only the use of this object, as for all shared objects. Idempotent.
   * @throws {@link ShareError} `ERR_CLOSED`.
   */
  end(): void {
    this.state.ring.end(this)
  }

  /** Takes items until the queue has ended and is empty. Each item goes to one consumer. */
  [Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    return this.consume()
  }

  /**
   * Takes items, as iteration over the queue itself does, until the queue has ended and is empty, or the signal aborts.
   *
   * @remarks When the signal aborts, the loop ends after the current item, or at once if it waits for one. No item is lost: the
   * current one is processed, and all others stay in the queue for other consumers. A service needs only a handler for SIGTERM to
   * stop in this way, because a process without pending work ends.
   * @throws {@link ShareError} `ERR_CLOSED` when the queue is closed during the iteration; as {@link get}. `TypeError` for other
   * options.
   * @example
   * ```ts
   * import { Queue } from 'procshare'
   * const stop = new AbortController()
   * process.once('SIGTERM', () => stop.abort())
   *
   * using jobs = new Queue<number>()
   * for (let n = 1; n <= 3; n++) await jobs.put(n)
   * for await (const n of jobs.consume({ signal: stop.signal })) {
   *   if (n === 2) stop.abort() // as the signal would
   *   console.log(`job ${n} is done`) // 1, 2
   * }
   * console.assert(jobs.size === 1)
   * ```
   */
  consume(options?: ConsumeOptions): AsyncGenerator<T, void, undefined> {
    return consume<T>((waitOptions) => this.state.consumer.get(this, waitOptions), options)
  }

  /** @internal */
  protected override shownState(): unknown {
    const { items, ended } = this.state.ring.state()
    return ended ? { size: items, ended } : { size: items }
  }

  /** Accepts only bytes and plain values from now on, for untrusted producers; any other item arrives as undefined. @internal */
  distrust(): this {
    this.state.consumer.trusts = false
    return this
  }

  #drainedError() {
    return segmentError('ERR_ENDED', { ...this.subject, why: 'drained' })
  }

  /** @internal */
  protected drained<R>(got: R | typeof ENDED): R {
    if (got === ENDED) throw this.#drainedError()
    return got as R
  }
}
