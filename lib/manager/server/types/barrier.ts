/** Managed barriers: who has arrived, and who acts for all before they are let go. */
import { managerError } from '../../../errors/manager-messages.ts'
import type { ShareError } from '../../../errors/share-error.ts'
import { assertBoolean, assertInteger, assertTimeout } from '../../../validate.ts'
import type { Call } from '../call.ts'
import { CallLine } from '../call-line.ts'
import { type ManagedType, methods } from '../managed-type.ts'
import type { Session } from '../session.ts'

/** More than clients that anybody would want to wait. */
const MAX_PARTIES = 2 ** 31 - 1

/** The last one to arrive, who has something to do for all and then calls `finish` or `fail`. */
export interface Acting {
  readonly index: number
  readonly generation: number
}

/** What an arrival comes to: the place in the order, for the last one perhaps with a task. */
export type Arrival = number | Acting

interface Newcomer {
  readonly acts: boolean
  readonly deadline: number
}

/**
 * A barrier.
 *
 *   M1  In line are those of the current generation, fewer than the parties; who leaves the line alone breaks the barrier.
 *   M2  At the door are those who come while one acts for a generation that is complete; they have not arrived yet.
 */
class ManagedBarrier {
  readonly parties: number
  isBroken = false
  readonly #timeoutMs: number
  readonly #line: CallLine<Arrival, number>
  readonly #door = new CallLine<Arrival, Newcomer>('Barrier')
  #acting: { readonly session: Session; readonly generation: number } | undefined
  #lastGeneration = 0

  constructor(parties: number, timeoutMs: number) {
    this.parties = parties
    this.#timeoutMs = timeoutMs
    this.#line = new CallLine('Barrier', (waiting, reason) => {
      waiting.reject(reason)
      this.break()
    })
  }

  get waiting(): number {
    return this.#line.size
  }

  /** @throws {@link ShareError} `ERR_BROKEN_BARRIER`; `ERR_TIMEOUT`, which breaks it. */
  wait(call: Call, timeoutMs = this.#timeoutMs, acts = false): Arrival | Promise<Arrival> {
    if (this.isBroken) throw brokenError()
    if (this.#acting === undefined) return this.#arrive(call, timeoutMs, acts)
    return this.#door.wait(call, { acts, deadline: performance.now() + timeoutMs }, timeoutMs)
  }

  /** The one who acts is done. @throws {@link ShareError} `ERR_BROKEN_BARRIER` when the barrier was broken or reset meanwhile. */
  finish(call: Call, generation: number): void {
    if (!this.#isActing(call, generation)) throw brokenError()
    this.#acting = undefined
    this.#trip()
    this.#admit()
  }

  /** The one who acts has failed. */
  fail(call: Call, generation: number): void {
    if (this.#isActing(call, generation)) this.break()
  }

  break(): void {
    this.isBroken = true
    this.#acting = undefined
    this.#line.failAll(brokenError)
    this.#door.failAll(brokenError)
  }

  reset(): void {
    this.isBroken = false
    this.#acting = undefined
    this.#line.failAll(brokenError)
    this.#admit()
  }

  leave(session: Session): void {
    if (this.#acting?.session === session) this.break()
    this.#line.endSession(session)
    this.#door.endSession(session)
  }

  #arrive(call: Call, timeoutMs: number, acts: boolean): Arrival | Promise<Arrival> {
    const index = this.#line.size
    if (index + 1 < this.parties) {
      if (timeoutMs === 0) this.break() // whoever gives up breaks it, also at once
      return this.#line.wait(call, index, timeoutMs)
    }
    if (acts) {
      this.#acting = { session: call.session, generation: ++this.#lastGeneration }
      return { index, generation: this.#lastGeneration }
    }
    this.#trip()
    return index
  }

  #trip(): void {
    for (const waiting of this.#line) this.#line.grant(waiting, waiting.demand)
  }

  /** Lets in those at the door, until one of them acts. */
  #admit(): void {
    for (const waiting of this.#door) {
      if (this.#acting !== undefined) return
      const { acts, deadline } = waiting.demand
      const leftMs = Math.max(deadline - performance.now(), 1)
      this.#door.grant(waiting, this.#arrive(waiting.call, leftMs, acts))
    }
  }

  #isActing({ session }: Call, generation: number): boolean {
    return this.#acting?.session === session && this.#acting.generation === generation
  }
}

function brokenError(): ShareError {
  return managerError('ERR_BROKEN_BARRIER', { type: 'Barrier' })
}

export const barrierType: ManagedType = {
  name: 'Barrier',
  create: ([parties, timeoutMs = Infinity]) => {
    assertInteger('parties', parties, 1, MAX_PARTIES)
    assertTimeout('options.timeoutMs', timeoutMs)
    return new ManagedBarrier(parties, timeoutMs as number)
  },
  methods: methods({
    wait: (barrier: ManagedBarrier, call, timeoutMs: unknown, acts: unknown = false) => {
      assertTimeout('options.timeoutMs', timeoutMs)
      assertBoolean('acts', acts)
      return barrier.wait(call, timeoutMs, acts)
    },
    finish: (barrier: ManagedBarrier, call, generation: unknown) => barrier.finish(call, generation as number),
    fail: (barrier: ManagedBarrier, call, generation: unknown) => barrier.fail(call, generation as number),
    abort: (barrier: ManagedBarrier) => barrier.break(),
    reset: (barrier: ManagedBarrier) => barrier.reset(),
    parties: (barrier: ManagedBarrier) => barrier.parties,
    waiting: (barrier: ManagedBarrier) => barrier.waiting,
    isBroken: (barrier: ManagedBarrier) => barrier.isBroken,
  }),
  leave: (barrier: ManagedBarrier, session) => barrier.leave(session),
  show: ({ isBroken, parties, waiting }: ManagedBarrier) =>
    isBroken ? 'Barrier(broken)' : `Barrier(waiting=${waiting}/${parties})`,
}
