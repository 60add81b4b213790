/** Managed barriers: the parties that have arrived, and the one that runs the action. */

import { managerError } from '../../../errors/manager-messages.ts'
import type { ShareError } from '../../../errors/share-error.ts'
import { assertBoolean, assertInteger, assertTimeout } from '../../../validate.ts'
import { managedType } from '../../server/managed-type.ts'
import type { Client, Request } from '../../server/request.ts'
import { RequestQueue } from '../../server/request-queue.ts'
import { barrierContract } from './contract.ts'

/** The largest number of parties. */
const MAX_PARTIES = 2 ** 31 - 1

/** The last party to arrive, if it has an action to run. It then requests `finish` or `fail`. */
export interface Acting {
  readonly index: number
  readonly generation: number
}

/** The result of an arrival: the place in the order, or for the last party also an action to run. */
export type Arrival = number | Acting

interface Newcomer {
  readonly acts: boolean
  readonly deadline: number
}

/**
 * A barrier.
 *
 *   M1  The queue has the arrivals of the current generation, fewer than the parties. An arrival that leaves the queue early breaks the
 *       barrier.
 *   M2  The door has the requests that come while the action of a complete generation runs. They do not count as arrivals yet.
 */
class ManagedBarrier {
  readonly parties: number
  isBroken = false
  readonly #timeoutMs: number
  readonly #queue: RequestQueue<Arrival, number>
  readonly #door = new RequestQueue<Arrival, Newcomer>('Barrier')
  #acting: { readonly client: Client; readonly generation: number } | undefined
  #lastGeneration = 0

  constructor(parties: number, timeoutMs: number) {
    this.parties = parties
    this.#timeoutMs = timeoutMs
    this.#queue = new RequestQueue('Barrier', (waiting, reason) => {
      waiting.reject(reason)
      this.break()
    })
  }

  get waiting(): number {
    return this.#queue.size
  }

  /** @throws {@link ShareError} `ERR_BROKEN_BARRIER`; `ERR_TIMEOUT`, which breaks it. */
  wait(request: Request, timeoutMs = this.#timeoutMs, acts = false): Arrival | Promise<Arrival> {
    if (this.isBroken) throw brokenError()
    if (this.#acting === undefined) return this.#arrive(request, timeoutMs, acts)
    return this.#door.wait(request, { acts, deadline: performance.now() + timeoutMs }, timeoutMs)
  }

  /**
   * Ends a generation whose action has returned. @throws {@link ShareError} `ERR_BROKEN_BARRIER` when the barrier was broken or reset
   * before.
   */
  finish(request: Request, generation: number): void {
    if (!this.#isActing(request, generation)) throw brokenError()
    this.#acting = undefined
    this.#trip()
    this.#admit()
  }

  /** Breaks the barrier because the action has failed. */
  fail(request: Request, generation: number): void {
    if (this.#isActing(request, generation)) this.break()
  }

  break(): void {
    this.isBroken = true
    this.#acting = undefined
    this.#queue.failAll(brokenError)
    this.#door.failAll(brokenError)
  }

  reset(): void {
    this.isBroken = false
    this.#acting = undefined
    this.#queue.failAll(brokenError)
    this.#admit()
  }

  disconnect(client: Client): void {
    if (this.#acting?.client === client) this.break()
    this.#queue.cancelAllOf(client)
    this.#door.cancelAllOf(client)
  }

  #arrive(request: Request, timeoutMs: number, acts: boolean): Arrival | Promise<Arrival> {
    const index = this.#queue.size
    if (index + 1 < this.parties) {
      if (timeoutMs === 0) this.break() // a party that does not wait breaks it
      return this.#queue.wait(request, index, timeoutMs)
    }
    if (acts) {
      this.#acting = { client: request.client, generation: ++this.#lastGeneration }
      return { index, generation: this.#lastGeneration }
    }
    this.#trip()
    return index
  }

  #trip(): void {
    for (const waiting of this.#queue) this.#queue.grant(waiting, waiting.demand)
  }

  /** Admits the requests at the door, until one of them runs an action. */
  #admit(): void {
    for (const waiting of this.#door) {
      if (this.#acting !== undefined) return
      const { acts, deadline } = waiting.demand
      const leftMs = Math.max(deadline - performance.now(), 1)
      this.#door.grant(waiting, this.#arrive(waiting.request, leftMs, acts))
    }
  }

  #isActing({ client }: Request, generation: number): boolean {
    return this.#acting?.client === client && this.#acting.generation === generation
  }
}

function brokenError(): ShareError {
  return managerError('ERR_BROKEN_BARRIER', { type: 'Barrier' })
}

export const barrierType = managedType(
  barrierContract,
  ([parties, timeoutMs = Infinity]) => {
    assertInteger('parties', parties, 1, MAX_PARTIES)
    assertTimeout('options.timeoutMs', timeoutMs)
    return new ManagedBarrier(parties, timeoutMs as number)
  },
  {
    methods: {
      wait: (barrier, request, timeoutMs, acts = false) => {
        assertTimeout('options.timeoutMs', timeoutMs)
        assertBoolean('acts', acts)
        return barrier.wait(request, timeoutMs, acts)
      },
      finish: (barrier, request, generation) => barrier.finish(request, generation as number),
      fail: (barrier, request, generation) => barrier.fail(request, generation as number),
      abort: (barrier) => barrier.break(),
      reset: (barrier) => barrier.reset(),
      parties: (barrier) => barrier.parties,
      waiting: (barrier) => barrier.waiting,
      broken: (barrier) => barrier.isBroken,
    },
    disconnect: (barrier, client) => barrier.disconnect(client),
    show: ({ isBroken, parties, waiting }) => (isBroken ? 'Barrier(broken)' : `Barrier(waiting=${waiting}/${parties})`),
  },
)
