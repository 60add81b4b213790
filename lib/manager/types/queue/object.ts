/** Managed queues: items, requests that wait to put items, and requests that wait to take items. */

import { managerError } from '../../../errors/manager-messages.ts'
import type { ShareError } from '../../../errors/share-error.ts'
import { assertInteger, assertTimeout, typeError } from '../../../validate.ts'
import type { Contract } from '../../contract/contract.ts'
import { Fifo } from '../../server/fifo.ts'
import { assertItems } from '../../server/limits.ts'
import { type Methods, managedType } from '../../server/managed-type.ts'
import type { Client, Request } from '../../server/request.ts'
import { RequestQueue, showWaiting } from '../../server/request-queue.ts'
import {
  type JoinableQueueOperations,
  joinableQueueContract,
  type QueueOperations,
  queueContract,
  type Taken,
} from './contract.ts'

const MAX_ITEMS = 2 ** 31 - 1

/** The demand of a request: one item, up to a number of items, or the next item of an iteration, which ends without an error. */
type Demand = 'one' | 'next' | number

/**
 * A queue.
 *
 *   M1  There are no items, or no request waits for one.
 *   M2  No request waits to put, or the first of them has no room.
 *   M3  After the end no request waits: there are items to take, or there will be none.
 */
class ManagedQueue {
  readonly maxSize: number
  readonly #type: string
  hasEnded = false
  unfinished = 0
  readonly #items = new Fifo<unknown>()
  readonly #getters: RequestQueue<unknown, Demand>
  readonly #putters: RequestQueue<void, readonly unknown[]>
  readonly #joiners: RequestQueue<void>

  constructor(name: string, maxSize: number) {
    this.maxSize = maxSize
    this.#type = name
    this.#getters = new RequestQueue(name)
    this.#putters = new RequestQueue(name, (waiting, reason) => {
      waiting.reject(reason)
      // The next request may need less room. The requests of a client that is gone must not be served: disconnect() is called after all of
      // them are cancelled.
      if (!waiting.request.client.isClosed) this.#serve()
    })
    this.#joiners = new RequestQueue(name)
  }

  get size(): number {
    return this.#items.size
  }

  get waiting(): number {
    return this.#getters.size + this.#putters.size + this.#joiners.size
  }

  /** @throws {@link ShareError} `ERR_ENDED`, `ERR_TIMEOUT`; `ERR_LIMIT` for more items than the queue can ever hold. */
  put(request: Request, values: readonly unknown[], timeoutMs: number | undefined): void | Promise<void> {
    if (!this.tryPut(values)) return this.#putters.wait(request, values, timeoutMs)
  }

  tryPut(values: readonly unknown[]): boolean {
    if (this.hasEnded) throw this.#ended('no more puts')
    if (values.length > this.maxSize) {
      const items = { count: values.length, max: this.maxSize }
      throw managerError('ERR_LIMIT', { type: this.#type, limit: 'items at once', ...items })
    }
    if (this.#putters.size > 0 || !this.#hasRoomFor(values)) return false
    assertItems(this.#type, this.size + values.length)
    this.#add(values)
    this.#serve()
    return true
  }

  /** @throws {@link ShareError} `ERR_ENDED`, `ERR_TIMEOUT`. */
  get(request: Request, demand: Demand, timeoutMs?: number): unknown {
    if (this.#items.size === 0) {
      if (!this.hasEnded) return this.#getters.wait(request, demand, timeoutMs)
      if (demand === 'next') return undefined
    }
    return this.#takeFor(request, demand)
  }

  /** Takes an item as `{ value }`, if there is one. @throws {@link ShareError} `ERR_ENDED`. */
  tryGet(request: Request): Taken<unknown> | undefined {
    return this.#items.size === 0 && !this.hasEnded ? undefined : { value: this.#takeFor(request, 'one') }
  }

  /** Items that were granted after their request was cancelled go back to the front. */
  putBack(items: readonly unknown[]): void {
    assertItems(this.#type, this.size + items.length)
    this.#items.putBack(items)
    this.#serve()
  }

  end(): void {
    this.hasEnded = true
    this.#putters.failAll(() => this.#ended('no more puts'))
    for (const waiting of this.#getters) {
      if (waiting.demand === 'next') this.#getters.grant(waiting, undefined)
    }
    this.#getters.failAll(() => this.#drained())
  }

  /** @throws {@link ShareError} `ERR_TASK_DONE`. */
  taskDone(count: number): void {
    if (count > this.unfinished) throw managerError('ERR_TASK_DONE', { type: this.#type, count })
    this.unfinished -= count
    if (this.unfinished > 0) return
    for (const waiting of this.#joiners) this.#joiners.grant(waiting, undefined)
  }

  join(request: Request, timeoutMs: number | undefined): void | Promise<void> {
    if (this.unfinished > 0) return this.#joiners.wait(request, undefined, timeoutMs)
  }

  disconnect(client: Client): void {
    for (const line of [this.#getters, this.#putters, this.#joiners]) line.cancelAllOf(client)
    this.#serve()
  }

  #hasRoomFor(values: readonly unknown[]): boolean {
    return this.#items.size + values.length <= this.maxSize
  }

  #add(values: readonly unknown[]): void {
    for (let i = 0; i < values.length; i++) this.#items.push(values[i])
    this.unfinished += values.length
  }

  /** Grants items and room to the waiting requests, as far as available. */
  #serve(): void {
    for (;;) {
      const { first: getter } = this.#getters
      const { first: putter } = this.#putters
      if (getter !== undefined && this.#items.size > 0) {
        this.#getters.grant(getter, this.#take(getter.request, getter.demand))
      } else if (putter !== undefined && this.#hasRoomFor(putter.demand)) {
        this.#add(putter.demand)
        this.#putters.grant(putter, undefined)
      } else {
        return
      }
    }
  }

  #takeFor(request: Request, demand: Demand): unknown {
    if (this.#items.size === 0) throw this.#drained()
    const taken = this.#take(request, demand)
    this.#serve()
    return taken
  }

  #take(request: Request, demand: Demand): unknown {
    const taken: unknown[] = []
    const most = typeof demand === 'number' ? demand : 1
    while (taken.length < most && this.#items.size > 0) taken.push(this.#items.shift())
    request.onUnanswered(() => {
      this.#items.putBack(taken)
      this.#serve()
    })
    if (typeof demand === 'number') return taken
    return demand === 'next' ? { value: taken[0] } : taken[0]
  }

  #ended(why: 'no more puts' | 'drained'): ShareError {
    return managerError('ERR_ENDED', { type: this.#type, why })
  }

  #drained(): ShareError {
    return this.#ended('drained')
  }
}

function assertValues(values: unknown): asserts values is readonly unknown[] {
  if (!Array.isArray(values)) throw typeError('values', 'an array', values)
}

const queueMethods: Methods<QueueOperations<unknown>, ManagedQueue> = {
  put: (queue, request, value, timeoutMs) => {
    assertTimeout('options.timeoutMs', timeoutMs)
    return queue.put(request, [value], timeoutMs)
  },
  putMany: (queue, request, values, timeoutMs) => {
    assertValues(values)
    assertTimeout('options.timeoutMs', timeoutMs)
    return queue.put(request, values, timeoutMs)
  },
  tryPut: (queue, _request, value) => queue.tryPut([value]),
  get: (queue, request, timeoutMs) => {
    assertTimeout('options.timeoutMs', timeoutMs)
    return queue.get(request, 'one', timeoutMs)
  },
  getMany: (queue, request, most, timeoutMs) => {
    assertInteger('most', most, 1, MAX_ITEMS)
    assertTimeout('options.timeoutMs', timeoutMs)
    return queue.get(request, most, timeoutMs) as Promise<unknown[]>
  },
  next: (queue, request) => queue.get(request, 'next') as Promise<Taken<unknown> | undefined>,
  tryGet: (queue, request) => queue.tryGet(request),
  putBack: (queue, _request, values) => {
    assertValues(values)
    queue.putBack(values)
  },
  end: (queue) => queue.end(),
  size: (queue) => queue.size,
  maxSize: (queue) => queue.maxSize,
  isEmpty: (queue) => queue.size === 0,
  isFull: (queue) => queue.size >= queue.maxSize,
  ended: (queue) => queue.hasEnded,
}

const joinableMethods: Methods<JoinableQueueOperations<unknown>, ManagedQueue> = {
  ...queueMethods,
  unfinished: (queue) => queue.unfinished,
  taskDone: (queue, _request, count = 1) => {
    assertInteger('count', count, 1, Number.MAX_SAFE_INTEGER)
    queue.taskDone(count)
  },
  join: (queue, request, timeoutMs) => {
    assertTimeout('options.timeoutMs', timeoutMs)
    return queue.join(request, timeoutMs)
  },
}

function typeOfQueues<O>(
  contract: Contract<O, readonly [maxSize?: number | undefined]>,
  methods: Methods<O, ManagedQueue>,
) {
  return managedType(
    contract,
    ([maxSize]) => {
      if (maxSize !== undefined) assertInteger('options.maxSize', maxSize, 1, MAX_ITEMS)
      return new ManagedQueue(contract.type, maxSize ?? Infinity)
    },
    {
      methods,
      disconnect: (queue, client) => queue.disconnect(client),
      show: ({ size, maxSize, hasEnded, waiting }) => {
        const room = maxSize === Infinity ? '' : `/${maxSize}`
        return `${contract.type}(size=${size}${room}${hasEnded ? ', ended' : ''}${showWaiting(waiting)})`
      },
    },
  )
}

export const queueType = typeOfQueues(queueContract, queueMethods)
export const joinableQueueType = typeOfQueues(joinableQueueContract, joinableMethods)
