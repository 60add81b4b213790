/**
 * Random programs of clients that use one object of a manager, give calls up and leave, against sequential models. After each move
 * every call must have come to what the model says, or wait. Directly with the types of the server: thousands of moves a second.
 */
import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, it } from 'vitest'
import type { ManagedType } from '../../lib/manager/server/managed-type.ts'
import { type Client, Request } from '../../lib/manager/server/request.ts'
import * as OBJECT_TYPES from '../../lib/manager/types/objects.ts'
import {
  BarrierModel,
  ConditionModel,
  LockModel,
  type Model,
  type Move,
  QueueModel,
  SemaphoreModel,
  WAITS,
} from './manager-models.ts'
import { STRESS_TIMEOUT_MS, settings } from './settings.ts'

const SEATS = 4

const subjects: Record<string, { type: string; args?: unknown[]; model: () => Model }> = {
  Lock: { type: 'Lock', model: () => new LockModel(false) },
  RLock: { type: 'RLock', model: () => new LockModel(true) },
  Semaphore: { type: 'Semaphore', args: [2], model: () => new SemaphoreModel(2, 2 ** 31 - 1, true) },
  BoundedSemaphore: { type: 'BoundedSemaphore', args: [3], model: () => new SemaphoreModel(3, 3, true) },
  'Semaphore, not recoverable': {
    type: 'Semaphore',
    args: [2, false],
    model: () => new SemaphoreModel(2, 2 ** 31 - 1, false),
  },
  Condition: { type: 'Condition', model: () => new ConditionModel() },
  Barrier: { type: 'Barrier', args: [3], model: () => new BarrierModel(3) },
  Queue: { type: 'Queue', args: [2], model: () => new QueueModel(2) },
  'Queue without a bound': { type: 'Queue', model: () => new QueueModel(Infinity) },
  JoinableQueue: { type: 'JoinableQueue', args: [3], model: () => new QueueModel(3) },
}

const types = new Map<string, ManagedType>(Object.values(OBJECT_TYPES).map((type) => [type.name, type]))
const typeNamed = (name: string): ManagedType => types.get(name)!

class FakeClient {
  isClosed = false
}

/** A program that runs: the clients, the object, and what has become of each call. */
class Run {
  readonly outcomes: string[] = []
  readonly #type: ManagedType
  readonly #object: object
  readonly #clients = Array.from({ length: SEATS }, () => new FakeClient())
  readonly #requests: Request[] = []

  constructor(type: ManagedType, args: unknown[]) {
    this.#type = type
    this.#object = type.create(args, undefined as never) as object
  }

  begin(id: number, seat: number, method: string, args: readonly unknown[], task: number): void {
    const request = new Request(this.#clients[seat] as unknown as Client, task)
    this.#requests[id] = request
    try {
      const result = this.#type.methods[method]!(this.#object, request, ...args)
      if (result instanceof Promise) {
        this.outcomes[id] = WAITS
        result.then(
          (value) => this.#note(id, describeResult(value)),
          (error) => this.#note(id, describeError(error)),
        )
      } else {
        this.outcomes[id] = describeResult(result)
      }
    } catch (error) {
      this.outcomes[id] = describeError(error)
    }
  }

  cancel(id: number, when?: 'if it has been answered'): void {
    if (when === undefined || this.outcomes[id] !== WAITS) this.#requests[id]!.cancel()
  }

  leave(seat: number): void {
    const client = this.#clients[seat]!
    client.isClosed = true
    for (const [id, request] of this.#requests.entries()) {
      if ((request.client as unknown) !== client || this.outcomes[id] !== WAITS) continue
      request.cancel()
      this.outcomes[id] = 'gone'
    }
    this.#type.disconnect?.(this.#object, client as unknown as Client)
    this.#clients[seat] = new FakeClient()
  }

  #note(id: number, outcome: string): void {
    if (this.outcomes[id] === WAITS) this.outcomes[id] = outcome
  }
}

function describeResult(value: unknown): string {
  const isGrant = typeof value === 'object' && value !== null && 'abandoned' in value
  if (isGrant) return value.abandoned ? 'granted, abandoned' : 'granted'
  return value === undefined ? 'undefined' : JSON.stringify(value)
}

function describeError(error: unknown): string {
  const { code, name } = error as { code?: string; name: string }
  return code ?? name
}

/** Verbs beyond those of the model. */
const GIVE_UP = 100
const LEAVE = 101

const aMove: fc.Arbitrary<Move> = fc.record({
  seat: fc.nat(SEATS - 1),
  verb: fc.oneof(
    { weight: 12, arbitrary: fc.nat(20) },
    { weight: 2, arbitrary: fc.constant(GIVE_UP) },
    { weight: 1, arbitrary: fc.constant(LEAVE) },
  ),
  size: fc.nat(7),
})

describe.each(Object.entries(subjects))('%s of a manager', (_name, { type, args = [], model: newModel }) => {
  it('behaves like a sequential program, whichever requests are cancelled and clients end', {
    timeout: STRESS_TIMEOUT_MS,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(aMove, { minLength: 20, maxLength: 80 }), async (moves) => {
        const model = newModel()
        const run = new Run(typeNamed(type), args)
        let calls = 0
        for (const move of moves) {
          const { seat, verb, size } = move
          if (verb === LEAVE) {
            run.leave(seat)
            model.leave(seat)
          } else if (verb === GIVE_UP) {
            const waiting = model.outcomes.flatMap((outcome, id) => (outcome === WAITS ? [id] : []))
            // What was granted is not given up any more.
            if (calls > 0) run.cancel(calls - 1 - (size % calls), 'if it has been answered')
            const id = waiting[size % waiting.length]
            if (id === undefined) continue
            run.cancel(id)
            model.cancel(id)
          } else {
            const step = model.step(move)
            const id = calls++
            run.begin(id, seat, step.method, step.args, step.task ?? 0)
            model.begin(id, seat, step)
          }
          await turn()
          assert.deepEqual(run.outcomes, model.outcomes)
        }
      }),
      settings(150),
    )
  })
})
