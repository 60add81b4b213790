/** Managed queues: items, who waits to put some, and who waits to take some. */
import { managerError } from '../../../errors/manager-messages.ts'
import type { ShareError } from '../../../errors/share-error.ts'
import { assertInteger, assertTimeout, typeError } from '../../../validate.ts'
import type { Call } from '../call.ts'
import { CallLine, showWaiting } from '../call-line.ts'
import { Fifo } from '../fifo.ts'
import { assertItems } from '../limits.ts'
import { type ManagedType, methods } from '../managed-type.ts'
import type { Session } from '../session.ts'

const MAX_ITEMS = 2 ** 31 - 1

/** What a call takes: one item, up to so many, or one of an iteration, which ends without an error. */
type Demand = 'one' | 'next' | number

/**
 * A queue.
 *
 *   M1  There are no items, or nobody waits for one.
 *   M2  The first who waits to put something has no room, or nobody waits.
 *   M3  After the end nobody waits: there are items to take, or none will ever come.
 */
class ManagedQueue {
  readonly maxSize: number
  readonly #type: string
  hasEnded = false
  unfinished = 0
  readonly #items = new Fifo<unknown>()
  readonly #getters: CallLine<unknown, Demand>
  readonly #putters: CallLine<void, readonly unknown[]>
  readonly #joiners: CallLine<void>

  constructor(name: string, maxSize: number) {
    this.maxSize = maxSize
    this.#type = name
    this.#getters = new CallLine(name)
    this.#putters = new CallLine(name, (waiting, reason) => {
      waiting.reject(reason)
      // The next one may need less room than this one did. Those of a client that is gone must not be served in its last moments:
      // leave() comes when all of them have given up.
      if (!waiting.call.session.isClosed) this.#serve()
    })
    this.#joiners = new CallLine(name)
  }

  get size(): number {
    return this.#items.size
  }

  get waiting(): number {
    return this.#getters.size + this.#putters.size + this.#joiners.size
  }

  /** @throws {@link ShareError} `ERR_ENDED`, `ERR_TIMEOUT`; `ERR_LIMIT` for more than there can ever be. */
  put(call: Call, values: readonly unknown[], timeoutMs: number | undefined): void | Promise<void> {
    if (!this.tryPut(values)) return this.#putters.wait(call, values, timeoutMs)
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
  get(call: Call, demand: Demand, timeoutMs?: number): unknown {
    if (this.#items.size === 0) {
      if (!this.hasEnded) return this.#getters.wait(call, demand, timeoutMs)
      if (demand === 'next') return undefined
    }
    return this.#takeFor(call, demand)
  }

  /** An item as `{ value }`, if there is one. @throws {@link ShareError} `ERR_ENDED`. */
  tryGet(call: Call): unknown {
    return this.#items.size === 0 && !this.hasEnded ? undefined : { value: this.#takeFor(call, 'one') }
  }

  /** Items that were taken, and came too late for who had asked for them, go back to the front. */
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

  join(call: Call, timeoutMs: number | undefined): void | Promise<void> {
    if (this.unfinished > 0) return this.#joiners.wait(call, undefined, timeoutMs)
  }

  leave(session: Session): void {
    for (const line of [this.#getters, this.#putters, this.#joiners]) line.endSession(session)
    this.#serve()
  }

  #hasRoomFor(values: readonly unknown[]): boolean {
    return this.#items.size + values.length <= this.maxSize
  }

  #add(values: readonly unknown[]): void {
    for (let i = 0; i < values.length; i++) this.#items.push(values[i])
    this.unfinished += values.length
  }

  /** Gives those who wait what there is, items and room. */
  #serve(): void {
    for (;;) {
      const { first: getter } = this.#getters
      const { first: putter } = this.#putters
      if (getter !== undefined && this.#items.size > 0) {
        this.#getters.grant(getter, this.#take(getter.call, getter.demand))
      } else if (putter !== undefined && this.#hasRoomFor(putter.demand)) {
        this.#add(putter.demand)
        this.#putters.grant(putter, undefined)
      } else {
        return
      }
    }
  }

  #takeFor(call: Call, demand: Demand): unknown {
    if (this.#items.size === 0) throw this.#drained()
    const taken = this.#take(call, demand)
    this.#serve()
    return taken
  }

  #take(call: Call, demand: Demand): unknown {
    const taken: unknown[] = []
    const most = typeof demand === 'number' ? demand : 1
    while (taken.length < most && this.#items.size > 0) taken.push(this.#items.shift())
    call.onUnanswered(() => {
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

const queueMethods = {
  put: (queue: ManagedQueue, call: Call, value: unknown, timeoutMs: unknown) => {
    assertTimeout('options.timeoutMs', timeoutMs)
    return queue.put(call, [value], timeoutMs)
  },
  putMany: (queue: ManagedQueue, call: Call, values: unknown, timeoutMs: unknown) => {
    assertValues(values)
    assertTimeout('options.timeoutMs', timeoutMs)
    return queue.put(call, values, timeoutMs)
  },
  tryPut: (queue: ManagedQueue, _call: Call, value: unknown) => queue.tryPut([value]),
  get: (queue: ManagedQueue, call: Call, timeoutMs: unknown) => {
    assertTimeout('options.timeoutMs', timeoutMs)
    return queue.get(call, 'one', timeoutMs)
  },
  getMany: (queue: ManagedQueue, call: Call, most: unknown, timeoutMs: unknown) => {
    assertInteger('most', most, 1, MAX_ITEMS)
    assertTimeout('options.timeoutMs', timeoutMs)
    return queue.get(call, most, timeoutMs)
  },
  next: (queue: ManagedQueue, call: Call) => queue.get(call, 'next'),
  tryGet: (queue: ManagedQueue, call: Call) => queue.tryGet(call),
  putBack: (queue: ManagedQueue, _call: Call, values: unknown) => {
    assertValues(values)
    queue.putBack(values)
  },
  end: (queue: ManagedQueue) => queue.end(),
  size: (queue: ManagedQueue) => queue.size,
  maxSize: (queue: ManagedQueue) => queue.maxSize,
  isEmpty: (queue: ManagedQueue) => queue.size === 0,
  isFull: (queue: ManagedQueue) => queue.size >= queue.maxSize,
  hasEnded: (queue: ManagedQueue) => queue.hasEnded,
}

const joinableMethods = {
  ...queueMethods,
  unfinished: (queue: ManagedQueue) => queue.unfinished,
  taskDone: (queue: ManagedQueue, _call: Call, count: unknown = 1) => {
    assertInteger('count', count, 1, Number.MAX_SAFE_INTEGER)
    queue.taskDone(count)
  },
  join: (queue: ManagedQueue, call: Call, timeoutMs: unknown) => {
    assertTimeout('options.timeoutMs', timeoutMs)
    return queue.join(call, timeoutMs)
  },
}

function typeOfQueues(name: string, table: typeof queueMethods): ManagedType {
  return {
    name,
    create: ([maxSize]) => {
      if (maxSize !== undefined) assertInteger('options.maxSize', maxSize, 1, MAX_ITEMS)
      return new ManagedQueue(name, maxSize ?? Infinity)
    },
    methods: methods(table),
    leave: (queue: ManagedQueue, session) => queue.leave(session),
    show: ({ size, maxSize, hasEnded, waiting }: ManagedQueue) =>
      `${name}(size=${size}${maxSize === Infinity ? '' : `/${maxSize}`}${hasEnded ? ', ended' : ''}${showWaiting(waiting)})`,
  }
}

export const queueType = typeOfQueues('Queue', queueMethods)
export const joinableQueueType = typeOfQueues('JoinableQueue', joinableMethods)
