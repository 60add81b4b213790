/** Managed semaphores: free units, and the units of each client. */

import { managerError } from '../../../errors/manager-messages.ts'
import { assertBoolean, assertInteger, assertTimeout } from '../../../validate.ts'
import { managedType } from '../../server/managed-type.ts'
import type { Client, Request } from '../../server/request.ts'
import { RequestQueue, showWaiting } from '../../server/request-queue.ts'
import { boundedSemaphoreContract, semaphoreContract } from './contract.ts'

/** The largest value of a semaphore, as in Python. */
const MAX_VALUE = 2 ** 31 - 1

/**
 * A semaphore.
 *
 *   M1  There are no free units, or the queue is empty.
 *   M2  The sum of the free units and the clients' units is at most the limit.
 */
class ManagedSemaphore {
  readonly limit: number
  readonly #type: string
  readonly #isRecoverable: boolean
  readonly #queue: RequestQueue<void>
  /** The units of each client, in the order of the first acquisition. */
  readonly #unitsByClient = new Map<Client, number>()
  #value: number

  constructor(name: string, value: number, limit: number, isRecoverable: boolean) {
    this.limit = limit
    this.#type = name
    this.#isRecoverable = isRecoverable
    this.#queue = new RequestQueue(name)
    this.#value = value
  }

  get value(): number {
    return this.#value
  }

  get waiting(): number {
    return this.#queue.size
  }

  tryAcquire({ client }: Request): boolean {
    if (this.#value === 0) return false
    this.#take(client)
    return true
  }

  acquire(request: Request, timeoutMs: number | undefined): void | Promise<void> {
    if (!this.tryAcquire(request)) return this.#queue.wait(request, undefined, timeoutMs)
  }

  /** @throws {@link ShareError} `ERR_OVER_RELEASE` when the value would exceed the limit. */
  release({ client }: Request, units: number): void {
    if (this.#value + units > this.limit) {
      throw managerError('ERR_OVER_RELEASE', { type: this.#type, units, max: this.limit })
    }
    let left = this.#takeBack(client, units)
    for (const owner of this.#unitsByClient.keys()) {
      if (left === 0) break
      left = this.#takeBack(owner, left)
    }
    this.#give(units)
  }

  disconnect(client: Client): void {
    this.#queue.cancelAllOf(client)
    const units = this.#unitsByClient.get(client) ?? 0
    this.#unitsByClient.delete(client)
    if (this.#isRecoverable) this.#give(units)
  }

  #take(client: Client): void {
    this.#value--
    this.#unitsByClient.set(client, (this.#unitsByClient.get(client) ?? 0) + 1)
  }

  /** Takes up to `units` units back from a client; returns how many are missing. */
  #takeBack(client: Client, units: number): number {
    const held = this.#unitsByClient.get(client) ?? 0
    if (held > units) this.#unitsByClient.set(client, held - units)
    else this.#unitsByClient.delete(client)
    return Math.max(units - held, 0)
  }

  #give(units: number): void {
    this.#value += units
    for (const waiting of this.#queue) {
      if (this.#value === 0) break
      this.#take(waiting.request.client)
      this.#queue.grant(waiting, undefined)
    }
  }
}

function typeOfSemaphores(contract: typeof semaphoreContract, isBounded: boolean) {
  return managedType(
    contract,
    ([value = 1, recoverable = true]) => {
      assertInteger('value', value, 0, MAX_VALUE)
      assertBoolean('options.recoverable', recoverable)
      return new ManagedSemaphore(contract.type, value, isBounded ? value : MAX_VALUE, recoverable)
    },
    {
      methods: {
        acquire: (semaphore, request, timeoutMs) => {
          assertTimeout('options.timeoutMs', timeoutMs)
          return semaphore.acquire(request, timeoutMs)
        },
        tryAcquire: (semaphore, request) => semaphore.tryAcquire(request),
        release: (semaphore, request, units = 1) => {
          assertInteger('units', units, 1, MAX_VALUE)
          semaphore.release(request, units)
        },
        value: (semaphore) => semaphore.value,
      },
      disconnect: (semaphore, client) => semaphore.disconnect(client),
      show: ({ value, waiting }) => `${contract.type}(value=${value}${showWaiting(waiting)})`,
    },
  )
}

export const semaphoreType = typeOfSemaphores(semaphoreContract, false)
export const boundedSemaphoreType = typeOfSemaphores(boundedSemaphoreContract, true)
