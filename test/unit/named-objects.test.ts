/** create, open and attach: which of them works depends on whether the name exists, for every class alike. */
import {
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  JoinableQueue,
  Lock,
  Queue,
  RawArray,
  RawValue,
  RLock,
  Semaphore,
  SharedArray,
  SharedMemory,
  SharedState,
  SimpleQueue,
  Struct,
  Value,
} from 'procshare'
import { describe, expect, it } from 'vitest'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'
import { outcomeOf, type Shared } from './state-matrix/matrix.ts'

expectNoLeftovers()

const Point = Struct({ x: 'd', y: 'd' })

describe.each([
  ['Value', Value, ['i', 1]],
  ['RawValue', RawValue, ['i', 1]],
  ['SharedArray', SharedArray, ['i', 3]],
  ['RawArray', RawArray, [Point, 2]],
  ['SharedMemory', SharedMemory, [10]],
  ['Lock', Lock, []],
  ['RLock', RLock, []],
  ['Semaphore', Semaphore, [3]],
  ['BoundedSemaphore', BoundedSemaphore, [3, { recoverable: true }]],
  ['Condition', Condition, []],
  ['Event', Event, []],
  ['Barrier', Barrier, [3]],
  ['Queue', Queue, [{ maxSize: 5 }]],
  ['JoinableQueue', JoinableQueue, [{ spill: true }]],
  ['SimpleQueue', SimpleQueue, []],
  ['SharedState', SharedState, [{ hits: Value('i') }]],
] as const)('create, attach and open of a named %s', (_title, Class, args) => {
  const statics = Class as unknown as Record<
    'create' | 'open' | 'attach',
    (name: unknown, ...rest: unknown[]) => Shared
  >
  const outcomes = async (name: string) => {
    const found: Record<string, string> = {}
    for (const [way, rest] of [
      ['attach', []],
      ['create', args],
      ['open', args],
    ] as const) {
      let made: Shared | undefined
      found[way] = await outcomeOf(() => {
        made = statics[way](name, ...rest)
      })
      made?.close()
    }
    return found
  }

  it('depend on its existence', async () => {
    const name = uniqueName()
    expect(await outcomes(name)).toEqual({ attach: 'ENOENT', create: 'returns', open: 'returns' })
    using object = statics.create(name, ...args)
    expect(await outcomes(name)).toEqual({ attach: 'returns', create: 'EEXIST', open: 'returns' })
    object.unlink()
    expect(await outcomes(name)).toEqual({ attach: 'ENOENT', create: 'returns', open: 'returns' })
    object.close()
    expect(await outcomes(name)).toEqual({ attach: 'ENOENT', create: 'returns', open: 'returns' })
  })
})
