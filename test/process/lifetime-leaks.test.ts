/** Thousands of objects leave nothing: no descriptor, no mapping, no memory, no name. */
import { SharedArray, SharedMemory, Value } from 'procshare'
import { expect, it } from 'vitest'
import { eventually } from '../helpers/eventually.ts'
import { type FixtureProcess, spawnFixture } from '../helpers/fixture.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

interface Measurement {
  /** Of segments. */
  readonly descriptors: number
  readonly mappings: number
  readonly allDescriptors: number
  /** With names. */
  readonly segments: number
  readonly sharedMegabytes: number
  readonly privateMegabytes: number
  readonly heapMegabytes: number
}

/** Whether buffers here can only be collected, not emptied. */
const hasSharedBuffers = (() => {
  using memory = new SharedMemory(1)
  return memory.buffer instanceof SharedArrayBuffer
})()

const start = (): Promise<FixtureProcess> => spawnFixture('lifetime-cycles', {}, { execArgv: ['--expose-gc'] })

/** In 10,000 cycles; a leak of 200 bytes of V8's heap in each would exceed it. */
const HEAP_GROWTH = 2
/** What malloc does not give back grows for a while. */
const PRIVATE_GROWTH = 16

/** Repeats a call that does `portion` cycles, so that none takes long. */
async function repeat(child: FixtureProcess, times: number, portion: number, ...call: [string, ...unknown[]]) {
  for (let done = 0; done < times; done += portion) await child.call(...call, portion)
}

async function expectNothingLeft(child: FixtureProcess, before: Measurement): Promise<void> {
  let after = before
  await eventually(async () => {
    after = await child.call<Measurement>('measure')
    return after.descriptors === before.descriptors && after.mappings === before.mappings
  })
  expect(after.segments).toBe(before.segments)
  expect(after.allDescriptors).toBe(before.allDescriptors)
  expect(after.sharedMegabytes - before.sharedMegabytes).toBeLessThan(1)
  expect(after.heapMegabytes - before.heapMegabytes).toBeLessThan(HEAP_GROWTH)
  expect(after.privateMegabytes - before.privateMegabytes).toBeLessThan(PRIVATE_GROWTH)
}

it.each([
  ['an array of 1 MB', 2_000, 'largeArray'],
  ['objects of every kind', 10_000, 'all'],
])('creating and closing leaves nothing: %s, %i times', { timeout: 120_000 }, async (_title, times, kind) => {
  await using child = await start()
  await repeat(child, times / 5, 400, 'cycle', kind, 'closing')
  const before = await child.call<Measurement>('measure')
  await repeat(child, times, 400, 'cycle', kind, 'closing')
  await expectNothingLeft(child, before)
})

it.each([
  ['Value', 'value', 10_000],
  ['SharedMemory without a buffer', 'memoryWithoutBuffer', 10_000],
])('%s: a closed segment disappears at once, also in a loop that never pauses', async (_title, kind, times) => {
  await using child = await start()
  const before = await child.call<Measurement>('measure')
  const after = await child.call<Measurement>('cycle', kind, 'closingWithoutPause', times)
  expect(after.descriptors).toBe(before.descriptors)
  expect(after.segments).toBe(before.segments)
  if (kind === 'memoryWithoutBuffer' || !hasSharedBuffers) expect(after.mappings).toBe(before.mappings)
  else expect(after.mappings).toBeLessThan(times) // a SharedArrayBuffer cannot be emptied, only collected
  expect(after.privateMegabytes - before.privateMegabytes).toBeLessThan(150)
  await eventually(async () => (await child.call<Measurement>('measure')).mappings === before.mappings)
})

it('10,000 times attaching and closing leaves nothing', { timeout: 120_000 }, async () => {
  await using child = await start()
  using array = SharedArray.create(uniqueName(), 'B', 2 ** 20)
  await repeat(child, 2_000, 1_000, 'attach', array.name, 'closing')
  const before = await child.call<Measurement>('measure')
  await repeat(child, 10_000, 1_000, 'attach', array.name, 'closing')
  await expectNothingLeft(child, before)
})

it('objects that are dropped without close() are collected, and nothing is left', { timeout: 120_000 }, async () => {
  await using child = await start()
  await repeat(child, 400, 400, 'cycle', 'all', 'dropping')
  const before = await child.call<Measurement>('measure')
  await repeat(child, 4_000, 400, 'cycle', 'all', 'dropping')
  await expectNothingLeft(child, before)
})

it('attachments that are dropped without close() are collected', async () => {
  await using child = await start()
  using array = SharedArray.create(uniqueName(), 'B', 2 ** 20)
  await repeat(child, 400, 400, 'attach', array.name, 'dropping')
  const before = await child.call<Measurement>('measure')
  await repeat(child, 4_000, 400, 'attach', array.name, 'dropping')
  await expectNothingLeft(child, before)
})

it('80 workers that end without closing anything leave nothing', { timeout: 120_000 }, async () => {
  await using child = await start()
  using counter = Value.create(uniqueName(), 'i')
  await repeat(child, 20, 20, 'workers', counter.name)
  const before = await child.call<Measurement>('measure')
  const lane = () => repeat(child, 30, 10, 'workers', counter.name)
  await Promise.all([lane(), lane()])
  await expectNothingLeft(child, before)
  expect(counter.value).toBe(80)
  expect(counter.lock.locked).toBe(false)
})
