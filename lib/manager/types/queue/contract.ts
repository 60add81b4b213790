/** The contracts of queues. */
import { contract, type OperationsOf } from '../../contract/contract.ts'
import type { Form, Result, WaitOptionsOf } from '../../contract/form.ts'

/** An item that was taken. It is wrapped, because an item may be `undefined`. */
export interface Taken<T> {
  readonly value: T
}

/** The interface of a queue. */
export interface QueueContract<T, F extends Form> {
  /**
   * Puts a copy of a value, waiting for room.
   *
   * @remarks The value is encoded before this returns: changing it afterwards changes nothing.
   * @throws {@link ShareError} `ERR_TIMEOUT` after `timeoutMs`; `ERR_ENDED` after {@link end}. `DataCloneError` for functions, symbols,
   * promises and the like. The signal's reason when it aborts. After an error, nothing was put. As every call.
   */
  put(value: T, options?: WaitOptionsOf<F>): Result<F, void>

  /**
   * Puts copies of all values, adjacent to each other, or of none. Waits until there is room for all.
   * @throws as {@link put}; {@link ShareError} `ERR_LIMIT` for more than `maxSize`.
   */
  putMany(values: readonly T[], options?: WaitOptionsOf<F>): Result<F, void>

  /**
   * Puts a copy of a value if there is room; returns whether it did. It also returns false while other requests wait to put.
   * @throws as {@link put}, except `ERR_TIMEOUT`.
   */
  tryPut(value: T): Result<F, boolean>

  /**
   * Takes the first item, waiting for one; requests are granted in the order in which they arrive.
   *
   * @remarks If the client is gone before the server has sent the item, the item goes back to the queue. An item that was sent belongs to
   * the client.
   * @throws {@link ShareError} `ERR_TIMEOUT` after `timeoutMs`; `ERR_ENDED` when the queue has ended and nothing is left. The signal's
   * reason when it aborts. After an error, nothing was taken. As every call.
   */
  get(options?: WaitOptionsOf<F>): Result<F, T>

  /**
   * Takes the present items, at most `most`, after waiting for the first.
   * @throws as {@link get}; {@link ShareError} `ERR_LIMIT` when the items do not fit into one message: they stay in the queue.
   */
  getMany(most: number, options?: WaitOptionsOf<F>): Result<F, T[]>

  /**
   * Takes the first item if there is one. Returns it as `{ value }`, because an item may be `undefined`.
   * @throws {@link ShareError} `ERR_ENDED` when the queue has ended and nothing is left; as every call.
   */
  tryGet(): Result<F, Taken<T> | undefined>

  /**
   * Ends the queue for all clients. No more items can be put, but items in the queue can still be taken. Every iteration ends when the
   * queue is empty. Idempotent.
   * @throws {@link ShareError} as every call.
   */
  end(): Result<F, void>

  /** The number of items at this moment. @throws {@link ShareError} as every call. */
  readonly size: Result<F, number>

  /** The largest number of items; `Infinity` for no limit. @throws {@link ShareError} as every call. */
  readonly maxSize: Result<F, number>

  /** Whether there are no items at this moment. @throws {@link ShareError} as every call. */
  readonly isEmpty: Result<F, boolean>

  /** Whether there is no room at this moment. @throws {@link ShareError} as every call. */
  readonly isFull: Result<F, boolean>

  /** Whether {@link end} was called. @throws {@link ShareError} as every call. */
  readonly ended: Result<F, boolean>
}

/** The interface of a joinable queue. */
export interface JoinableQueueContract<T, F extends Form> extends QueueContract<T, F> {
  /** The number of items that were put and not yet reported by {@link taskDone}. @throws {@link ShareError} as every call. */
  readonly unfinished: Result<F, number>

  /**
   * Reports that a number of items taken from the queue are finished.
   * @throws {@link ShareError} `ERR_TASK_DONE` when the number exceeds that of unfinished items; nothing changes then. As every call.
   */
  taskDone(count?: number): Result<F, void>

  /**
   * Waits until no item is unfinished. Returns at once when none is.
   *
   * @remarks An item whose consumer ends before `taskDone()` stays unfinished.
   * @throws {@link ShareError} `ERR_TIMEOUT` after `timeoutMs`; the signal's reason when it aborts. As every call.
   */
  join(options?: WaitOptionsOf<F>): Result<F, void>
}

/** The operations of a queue in the server. */
export interface QueueOperations<T>
  extends OperationsOf<QueueContract<T, 'server'>, 'put' | 'putMany' | 'get' | 'getMany'> {
  put(value: T, timeoutMs?: number | undefined): void
  putMany(values: readonly T[], timeoutMs?: number | undefined): void
  get(timeoutMs?: number | undefined): T
  getMany(most: number, timeoutMs?: number | undefined): T[]
  /** The next item of an iteration; undefined when the queue has ended and is empty. */
  next(): Taken<T> | undefined
  /** Returns items to the front that were granted after their request was cancelled. */
  putBack(items: readonly T[]): void
}

/** The operations of a joinable queue in the server. */
export interface JoinableQueueOperations<T>
  extends QueueOperations<T>,
    OperationsOf<JoinableQueueContract<T, 'server'>, keyof QueueContract<T, 'server'> | 'join'> {
  join(timeoutMs?: number | undefined): void
}

type Creation = [maxSize?: number | undefined]
export const queueContract = contract<QueueOperations<unknown>, Creation>('Queue')
export const joinableQueueContract = contract<JoinableQueueOperations<unknown>, Creation>('JoinableQueue')
