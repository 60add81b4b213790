/** The contracts of queues. */
import { contract, type OperationsOf } from '../../contract/contract.ts'
import type { Form, Result, WaitOptionsOf } from '../../contract/form.ts'

/** An item that was taken; an item may be `undefined`. */
export interface Taken<T> {
  readonly value: T
}

/** What a queue offers. */
export interface QueueContract<T, F extends Form> {
  /**
   * Puts a copy of a value, waiting for room.
   *
   * @remarks The value is encoded before this returns: changing it afterwards changes nothing.
   * @throws {@link ShareError} `ERR_TIMEOUT` after `timeoutMs`; `ERR_ENDED` after {@link end}. `DataCloneError` for functions, symbols, promises and
   * the like. The signal's reason when it aborts. Nothing has been put then. As every call.
   */
  put(value: T, options?: WaitOptionsOf<F>): Result<F, void>

  /**
   * Puts copies of all values, one behind the other with nothing in between, or none: waits until there is room for all.
   * @throws as {@link put}; {@link ShareError} `ERR_LIMIT` for more than `maxSize`.
   */
  putMany(values: readonly T[], options?: WaitOptionsOf<F>): Result<F, void>

  /**
   * Puts a copy of a value if there is room, and says whether it did; false also while others wait to put something.
   * @throws as {@link put}, but for `ERR_TIMEOUT`.
   */
  tryPut(value: T): Result<F, boolean>

  /**
   * Takes the first item, waiting for one; those who ask get theirs in the order in which their requests arrive.
   *
   * @remarks An item whose taker is gone before the server has sent it goes back. One that was sent is the taker's.
   * @throws {@link ShareError} `ERR_TIMEOUT` after `timeoutMs`; `ERR_ENDED` when the queue has ended and nothing is left. The signal's reason when it
   * aborts. Nothing has been taken then. As every call.
   */
  get(options?: WaitOptionsOf<F>): Result<F, T>

  /**
   * Takes what there is, up to `most` items, waiting for the first.
   * @throws as {@link get}; {@link ShareError} `ERR_LIMIT` when the items do not fit into one message: they stay in the queue.
   */
  getMany(most: number, options?: WaitOptionsOf<F>): Result<F, T[]>

  /**
   * Takes the first item if there is one: as `{ value }`, for an item may be `undefined`.
   * @throws {@link ShareError} `ERR_ENDED` when the queue has ended and nothing is left; as every call.
   */
  tryGet(): Result<F, Taken<T> | undefined>

  /**
   * Ends the queue for everybody: nothing more is put, what is in it can still be taken, and iteration over it ends everywhere once
   * that is done. Idempotent.
   * @throws {@link ShareError} as every call.
   */
  end(): Result<F, void>

  /** How many items there are at this moment. @throws {@link ShareError} as every call. */
  readonly size: Result<F, number>

  /** How many items there can be; `Infinity` when nobody has said. @throws {@link ShareError} as every call. */
  readonly maxSize: Result<F, number>

  /** Whether there are no items at this moment. @throws {@link ShareError} as every call. */
  readonly isEmpty: Result<F, boolean>

  /** Whether there is no room at this moment. @throws {@link ShareError} as every call. */
  readonly isFull: Result<F, boolean>

  /** Whether somebody has called {@link end}. @throws {@link ShareError} as every call. */
  readonly ended: Result<F, boolean>
}

/** What a joinable queue offers. */
export interface JoinableQueueContract<T, F extends Form> extends QueueContract<T, F> {
  /** How many items were put and not yet reported by {@link taskDone}. @throws {@link ShareError} as every call. */
  readonly unfinished: Result<F, number>

  /**
   * Says that items that were taken from the queue have been worked off.
   * @throws {@link ShareError} `ERR_TASK_DONE` when that is more than there are unfinished; nothing changes then. As every call.
   */
  taskDone(count?: number): Result<F, void>

  /**
   * Waits until nothing is unfinished; at once when nothing is.
   *
   * @remarks A consumer that ends between taking an item and `taskDone()` leaves that one unfinished.
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
  /** Puts items back to the front that were granted after their request was cancelled. */
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
