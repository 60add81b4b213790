import { RawValue, SharedArray, Struct, type TypeName, Value } from 'procshare'
import { expect, it } from 'vitest'
import { type Peer, spawnFixture, startWorker, together } from '../helpers/fixture.ts'

const ROUNDS = 20
const STEPS = 15
const PROCESSES = 8
const WORKERS = 4
const TASKS = 100
/** Each step, and each task, adds this to each value. */
const PER_STEP = 2

// Where the first value matters: beyond 2 ** 53 a number would lose the addition, and a fraction shows a float.
const NUMERIC: [TypeName, number | bigint][] = [
  ['b', 0],
  ['B', 0],
  ['h', 0],
  ['H', 0],
  ['i', -1000],
  ['I', 2 ** 31 - 1000],
  ['l', 0],
  ['L', 0],
  ['q', 2n ** 53n - 1000n],
  ['Q', 2n ** 63n - 1000n],
  ['f', 0.5],
  ['d', -0.25],
]

it(`counts exactly with ${PROCESSES} processes, ${WORKERS} workers and ${TASKS} tasks at once, in every numeric type`, async () => {
  const locked = NUMERIC.filter(holdsAll).map(([type, initial]) => new Value(type, initial as never))
  const raw = NUMERIC.map(([type, initial]) => new RawValue(type, initial as never))
  using array = new SharedArray('d', 16)
  const args = {
    locked: locked.map((value) => value.handle),
    raw: raw.map((value) => value.handle),
    array: array.handle,
  }

  await using adders = await together<Peer>([
    ...Array.from({ length: PROCESSES }, () => spawnFixture('counting', args)),
    ...Array.from({ length: WORKERS }, () => startWorker('counting', args)),
  ])
  await using tasks = await spawnFixture('counting', args)

  for (let round = 1; round <= ROUNDS; round++) {
    await Promise.all([...adders.map((adder) => adder.call('add', STEPS)), tasks.call('addInTasks', TASKS)])
    const steps = round * (STEPS * (PROCESSES + WORKERS) + TASKS)
    const found = [...locked, ...raw].map((value) => value.value)
    const expected = (types: typeof NUMERIC) => types.map(([type, initial]) => wrapped(type, initial, steps * PER_STEP))
    expect(found).toEqual([...expected(NUMERIC.filter(holdsAll)), ...expected(NUMERIC)])
    expect(array.snapshot()).toEqual(new Float64Array(array.length).fill(steps))
  }
  for (const value of [...locked, ...raw]) value.close()
})

/** Whether the type can hold the total: a value with a lock refuses what it cannot hold, one without wraps round. */
function holdsAll([type]: (typeof NUMERIC)[number]): boolean {
  return !(['b', 'B', 'h', 'H'] as TypeName[]).includes(type)
}

/** What the type makes of `initial + added`. */
function wrapped(type: TypeName, initial: number | bigint, added: number): unknown {
  using scratch = new SharedArray(type, 1)
  const isBig = typeof scratch[0] === 'bigint'
  scratch[0] = (isBig ? BigInt(initial) + BigInt(added) : Number(initial) + added) as never
  return scratch[0]
}

it('never shows half of a write under the lock, in structs, arrays of structs, arrays and text', async () => {
  const Inner = Struct({ b: 'd', c: ['q', 3] })
  const Record = Struct({ a: 'i', inner: Inner, z: 'I' })
  using record = new Value(Record)
  using records = new SharedArray(Record, 20)
  using floats = new SharedArray('d', 1000)
  using text = new SharedArray('c', 60)
  const args = { record: record.handle, records: records.handle, floats: floats.handle, text: text.handle }

  await using writers = await together<Peer>([
    ...Array.from({ length: 3 }, () => spawnFixture('agreeing', args)),
    startWorker('agreeing', args),
  ])
  await using readers = await together<Peer>([
    ...Array.from({ length: 2 }, () => spawnFixture('agreeing', args)),
    startWorker('agreeing', args),
  ])
  const writing = writers.map((writer, seed) => writer.call('write', 300, seed))
  const torn = await Promise.all(readers.map((reader) => reader.call('read', 300)))
  await Promise.all(writing)
  expect(torn).toEqual([0, 0, 0])
})
