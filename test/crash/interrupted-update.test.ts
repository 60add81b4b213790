import { type AnyLock, type Handle, type LockGuard, SharedArray, Struct, Value } from 'procshare'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { now, StallWatch } from '../helpers/clock.ts'
import { spawnFixture } from '../helpers/fixture.ts'
import { uniqueName } from '../helpers/segment-names.ts'
import { untilAsleep } from '../helpers/sleepers.ts'

const ROUNDS = 20
const NOTICED_WITHIN_MS = 100
const STALLED_MS = 25

/** Kills a process while it is inside what `command` does with the object. */
async function killInside(command: 'dieUpdating' | 'dieWriting', handle: Handle): Promise<void> {
  await using victim = await spawnFixture('value-user')
  victim.call(command, handle).catch(() => {})
  await victim.event('inside')
  await victim.kill('SIGKILL')
}

it('lets the next process update at once when a process is killed during its update', async () => {
  using watch = new StallWatch()
  using value = Value.create(uniqueName('value'), 'i', 100)
  await using next = await spawnFixture('value-user')
  for (let round = 1; round <= ROUNDS; round++) {
    await using victim = await spawnFixture('value-user')
    victim.call('dieUpdating', value.handle).catch(() => {})
    await victim.event('inside')
    const increment = next.call<{ at: number; result: number }>('increment', value.handle)
    await next.event('asking')
    await untilAsleep(next.pid, value.name)
    watch.worstMs()
    const killed = now()
    victim.child.kill('SIGKILL')
    const { at, result } = await increment
    expect(result).toBe(100 + round)
    if (watch.worstMs() < STALLED_MS) expect(at - killed).toBeLessThan(NOTICED_WITHIN_MS)
  }
  expect(value.value).toBe(100 + ROUNDS)
})

it('keeps the writes of a killed owner, and reports the death to the next owner', async () => {
  using array = SharedArray.create(uniqueName('array'), 'i', 10)
  await killInside('dieWriting', array.handle)
  array.lock.runSync(({ abandoned }) => {
    expect(abandoned).toBe(true)
    expect([...array]).toEqual([7, 7, 7, 7, 7, 0, 0, 0, 0, 0])
    array.fill(0)
  })
  array.lock.runSync(({ abandoned }) => expect(abandoned).toBe(false))
})

describe('the report that a lock was abandoned', () => {
  const Point = Struct({ x: 'd', y: 'd' })

  interface Guarded extends Disposable {
    readonly handle: Handle
    readonly lock: AnyLock
  }
  interface Case {
    readonly object: Guarded
    readonly operate: () => unknown
  }

  const scalar = (operate: (value: Value<'i'>) => unknown) => on(new Value('i'), operate)
  const struct = (operate: (value: Value<typeof Point>) => unknown) => on(new Value(Point), operate)
  const numbers = (operate: (array: SharedArray<'i'>) => unknown) => on(new SharedArray('i', 2), operate)
  const points = (operate: (array: SharedArray<typeof Point>) => unknown) => on(new SharedArray(Point, 2), operate)
  const text = (operate: (array: SharedArray<'c'>) => unknown) => on(new SharedArray('c', 10), operate)

  function on<T extends Guarded>(object: T, operate: (object: T) => unknown): Case {
    return { object, operate: () => operate(object) }
  }

  /** Operations that take the lock by themselves and have nobody to tell. */
  const implicit: Record<string, Case> = {
    'reading value': scalar((value) => value.value),
    'writing value': scalar((value) => {
      value.value = 5
    }),
    update: scalar((value) => value.update((n) => n + 1)),
    snapshot: scalar((value) => value.snapshot()),
    add: scalar((value) => value.add(1)),
    load: scalar((value) => value.load()),
    compareExchange: scalar((value) => value.compareExchange(0, 1)),
    'an update that throws': scalar((value) => {
      const fail = () => {
        throw new Error('as asked')
      }
      expect(() => value.update(fail)).toThrow('as asked')
    }),
    'the snapshot of a struct': struct((value) => value.snapshot()),
    'the update of a struct': struct((value) => value.update(() => ({ x: 1, y: 2 }))),
    'writing a struct': struct((value) => {
      value.value = { x: 1, y: 2 }
    }),
    'the snapshot of an array': numbers((array) => array.snapshot()),
    'assigning to an array': numbers((array) => array.assign([1, 2])),
    'setting a record of an array': points((array) => array.set(0, { x: 1, y: 2 })),
    'reading the text of an array': text((array) => array.value),
  }

  /** Ways to take the lock that are told. */
  const explicit: Record<string, (lock: AnyLock) => boolean | Promise<boolean>> = {
    acquireSync: (lock) => told(lock.acquireSync()),
    tryAcquire: (lock) => told(lock.tryAcquire()!),
    acquire: async (lock) => told(await lock.acquire()),
    runSync: (lock) => lock.runSync(({ abandoned }) => abandoned),
    run: (lock) => lock.run(({ abandoned }) => abandoned),
  }
  const values = Object.keys(explicit).map(() => new Value('i'))
  const visited = new Value('i')

  function told(guard: LockGuard): boolean {
    guard.release()
    return guard.abandoned
  }

  const all: Guarded[] = [...Object.values(implicit).map(({ object }) => object), ...values, visited]

  beforeAll(async () => {
    await using victim = await spawnFixture('lock-user')
    for (const { handle } of all) await victim.call('hold', handle)
    await victim.kill('SIGKILL')
  })

  afterAll(() => {
    for (const object of all) object[Symbol.dispose]()
  })

  it.each(Object.entries(implicit))('survives %s', (_name, { object, operate }) => {
    operate()
    operate()
    expect(told(object.lock.acquireSync())).toBe(true)
    operate()
    expect(told(object.lock.acquireSync())).toBe(false)
  })

  it.each(Object.entries(explicit))('is given once by %s', async (_name, take) => {
    const { lock } = values.pop()!
    expect(await take(lock)).toBe(true)
    expect(await take(lock)).toBe(false)
  })

  it('survives the operations of another process', async () => {
    await using other = await spawnFixture('value-user')
    await other.call('increment', visited.handle)
    expect(await other.call('increment', visited.handle)).toMatchObject({ result: 2 })
    expect(told(visited.lock.acquireSync())).toBe(true)
  })
})
