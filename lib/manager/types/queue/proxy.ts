/** The proxies of managed queues. */

import { type ConsumeOptions, consume, ENDED, type Got } from '../../../queue/consume.ts'
import type { WaitOptions } from '../../../sync/wait-options.ts'
import { typeError } from '../../../validate.ts'
import type { BlockingProxy } from '../../client/blocking.ts'
import { checkedOptions, type NameOptions, proxyType } from '../../client/proxy-type.ts'
import { WaitingProxy } from '../../client/waiting-proxy.ts'
import type { operations } from '../../contract/contract.ts'
import type { blockingForm, Form, Result } from '../../contract/form.ts'
import {
  type JoinableQueueContract,
  type JoinableQueueOperations,
  joinableQueueContract,
  type QueueContract,
  type QueueOperations,
  queueContract,
  type Taken,
} from './contract.ts'

/** The common part of {@link QueueProxy} and {@link JoinableQueueProxy}. */
export abstract class AnyQueueProxy<T>
  extends WaitingProxy
  implements QueueContract<T, 'asynchronous'>, AsyncIterable<T>
{
  /** @internal */
  declare readonly [operations]: QueueOperations<T>

  put(value: T, options?: WaitOptions): Promise<void> {
    return this.attempt(() => {
      const { serverMs, requestOptions } = this.waitRequest(options)
      return this.request('put', [value, serverMs], requestOptions)
    })
  }

  putMany(values: readonly T[], options?: WaitOptions): Promise<void> {
    return this.attempt(() => {
      const { serverMs, requestOptions } = this.waitRequest(options)
      return this.request('putMany', [values, serverMs], requestOptions)
    })
  }

  tryPut(value: T): Promise<boolean> {
    return this.request('tryPut', [value])
  }

  get(options?: WaitOptions): Promise<T> {
    return this.requestWait('get', options, [], { undo: (item: T) => this.#putBack([item]) })
  }

  getMany(most: number, options?: WaitOptions): Promise<T[]> {
    return this.attempt(() => {
      const { serverMs, requestOptions } = this.waitRequest(options, { undo: (items: T[]) => this.#putBack(items) })
      return this.request('getMany', [most, serverMs], requestOptions)
    })
  }

  tryGet(): Promise<{ readonly value: T } | undefined> {
    return this.request('tryGet', [], { undo: this.#putBackTaken })
  }

  end(): Promise<void> {
    return this.request('end', [])
  }

  get size(): Promise<number> {
    return this.request('size', [])
  }

  get maxSize(): Promise<number> {
    return this.request('maxSize', [])
  }

  get isEmpty(): Promise<boolean> {
    return this.request('isEmpty', [])
  }

  get isFull(): Promise<boolean> {
    return this.request('isFull', [])
  }

  get ended(): Promise<boolean> {
    return this.request('ended', [])
  }

  /** Takes items until the queue has ended and nothing is left. Each item goes to one consumer. */
  [Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    return this.consume()
  }

  /**
   * Takes items until the queue has ended and nothing is left, or until the signal aborts. Otherwise the same as iteration over the queue
   * itself.
   *
   * @remarks When the signal aborts, the loop ends after the current item. A loop that waits for an item ends when the server has confirmed
   * that no item was sent. An item that was already sent is delivered first. All other items stay in the queue for other consumers.
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
    // Without the server's reply, an item that it has already sent could be lost. A view with a timeout accepts that.
    const waits = this.timeoutMs === undefined ? 'takes back' : true
    return consume<T>(async ({ signal }): Promise<Got> => {
      const requestOptions = { waits: signal === undefined || waits, signal, undo: this.#putBackTaken } as const
      return (await this.request('next', [], requestOptions)) ?? ENDED
    }, options)
  }

  /** The iterator of the blocking form. @internal */
  *[Symbol.iterator](): Generator<T, void, undefined> {
    if (!this.isBlocking)
      throw typeError('queue', 'a proxy in the blocking form; use `for await` in the asynchronous form', this)
    for (;;) {
      const taken = this.request('next', [], { waits: true }) as unknown as Taken<T> | undefined
      if (taken === undefined) return
      yield taken.value
    }
  }

  /** Returns items to the front that were granted after their request was cancelled. */
  #putBack(items: readonly T[]): void {
    this.post('putBack', [items])
  }

  readonly #putBackTaken = (taken: Taken<T> | undefined) => {
    if (taken !== undefined) this.#putBack([taken.value])
  }
}

/**
 * A queue of values in the server of a {@link Manager}, for many producers and many consumers. The number of items can be bounded.
 *
 * @remarks The counterpart of {@link Queue} in shared memory, for clients on any machine. Each item goes to one consumer, as a copy. Items
 * are taken in the order in which they were put.
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
 * A {@link QueueProxy} that counts unfinished items, so that a program can wait until all are done.
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
export class JoinableQueueProxy<T = unknown>
  extends AnyQueueProxy<T>
  implements JoinableQueueContract<T, 'asynchronous'>
{
  /** @internal */
  declare readonly [operations]: JoinableQueueOperations<T>
  /** @internal */
  declare readonly [blockingForm]: BlockingJoinableQueueProxy<T>

  get unfinished(): Promise<number> {
    return this.request('unfinished', [])
  }

  taskDone(count = 1): Promise<void> {
    return this.request('taskDone', [count])
  }

  join(options?: WaitOptions): Promise<void> {
    return this.requestWait('join', options, [])
  }
}

/** A {@link QueueProxy} in the blocking form. */
export interface BlockingQueueProxy<T = unknown> extends QueueContract<T, 'blocking'>, BlockingProxy, Iterable<T> {}

/** A {@link JoinableQueueProxy} in the blocking form. */
export interface BlockingJoinableQueueProxy<T = unknown>
  extends JoinableQueueContract<T, 'blocking'>,
    BlockingProxy,
    Iterable<T> {}

/** The options of a managed queue. */
export interface ManagedQueueOptions extends NameOptions {
  /** The largest number of items in the queue. @defaultValue no limit */
  readonly maxSize?: number
}

/** The method that makes queues. */
export interface QueueFactory<F extends Form> {
  /** Makes a queue, or finds the queue of that name. @throws as {@link Lock}; `TypeError`, `RangeError` for another `maxSize`. */
  Queue<T = unknown>(options?: ManagedQueueOptions | string): Result<F, QueueProxy<T>>
}

/** The method that makes joinable queues. */
export interface JoinableQueueFactory<F extends Form> {
  /** Makes a joinable queue, or finds the joinable queue of that name. @throws as {@link Queue}. */
  JoinableQueue<T = unknown>(options?: ManagedQueueOptions | string): Result<F, JoinableQueueProxy<T>>
}

export const queueProxies = proxyType(queueContract, QueueProxy).madeBy<
  QueueFactory<'asynchronous'>,
  QueueFactory<'blocking'>
>((make) => (options) => {
  const { maxSize, ...rest } = checkedOptions(options, ['maxSize'])
  return make([maxSize], rest)
})

export const joinableQueueProxies = proxyType(joinableQueueContract, JoinableQueueProxy).madeBy<
  JoinableQueueFactory<'asynchronous'>,
  JoinableQueueFactory<'blocking'>
>((make) => (options) => {
  const { maxSize, ...rest } = checkedOptions(options, ['maxSize'])
  return make([maxSize], rest)
})
