/** memberCount: how many environments have a segment open, whatever they are, and whoever of them dies. */
import { attach, Lock, Queue, SharedArray, SharedMemory, SharedState, Struct, Value } from 'procshare'
import { expect, it } from 'vitest'
import { shareError } from '../helpers/error-matchers.ts'
import { eventually } from '../helpers/eventually.ts'
import { DEADLINE_MS, spawnFixture, startWorker } from '../helpers/fixture.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

it('an environment counts once, with however many objects', () => {
  using value = Value.create(uniqueName(), 'i')
  expect(value.memberCount).toBe(1)
  using same = Value.attach(value.name)
  expect([value.memberCount, same.memberCount, value.lock.memberCount]).toEqual([1, 1, 1])
})

it('processes and workers count until they close, end or are killed', async () => {
  using lock = new Lock()
  await using child = await spawnFixture('object-user')
  await using other = await spawnFixture('object-user')
  await using worker = await startWorker('object-user')
  for (const [index, peer] of [child, other, worker].entries()) {
    await peer.call('attach', lock.handle)
    expect(lock.memberCount).toBe(index + 2)
  }
  expect(await child.call('get', lock.handle, 'memberCount')).toBe(4)
  expect(await worker.call('get', lock.handle, 'memberCount')).toBe(4)
  await child.call('close', lock.handle)
  expect(lock.memberCount).toBe(3)
  await other.kill()
  await eventually(() => lock.memberCount === 2, DEADLINE_MS)
  await worker[Symbol.asyncDispose]()
  await eventually(() => lock.memberCount === 1, DEADLINE_MS)
})

it('every kind of object has it, and a member of a state that of its state', async () => {
  using state = new SharedState({ hits: Value('i'), workers: [Value('d'), Value('d')], jobs: Queue() })
  await using child = await spawnFixture('object-user')
  const objects = [
    Value.create(uniqueName(), Struct({ x: 'd' })),
    new SharedArray('i', 3),
    new SharedArray(Struct({ x: 'd' }), 3),
    new SharedMemory(8),
    new Queue(),
  ]
  for (const object of [...objects, state.workers[1]!]) {
    await child.call('attach', object.handle)
    expect(object.memberCount).toBe(2)
  }
  // The child has one member of the state.
  expect([state.memberCount, state.hits.memberCount, state.jobs.memberCount]).toEqual([2, 2, 2])
  for (const object of objects) object.close()
})

it('many members are counted exactly', async () => {
  using queue = Queue.create(uniqueName())
  const workers = await Promise.all(Array.from({ length: 12 }, () => startWorker('object-user')))
  await Promise.all(workers.map((worker) => worker.call('attach', queue.handle)))
  expect(queue.memberCount).toBe(13)
  await Promise.all(workers.map((worker) => worker[Symbol.asyncDispose]()))
  await eventually(() => queue.memberCount === 1, DEADLINE_MS)
})

it('a closed object has none', () => {
  const value = new Value('i')
  using same = attach<Value<'i'>>(value.handle)
  value.close()
  expect(() => value.memberCount).toThrow(shareError('ERR_CLOSED'))
  expect(same.memberCount).toBe(1)
})
