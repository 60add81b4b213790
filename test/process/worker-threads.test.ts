import { SharedArray, Value } from 'procshare'
import { expect, it } from 'vitest'
import { startWorker } from '../helpers/fixture.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

it('attaches in a worker by handle and by name', async () => {
  using array = SharedArray.create(uniqueName('array'), 'i', [1, 2, 3])
  await using worker = await startWorker('worker-user')
  expect(await worker.call('bumpAttached', array.handle)).toEqual([2, 3, 4])
  expect(await worker.call('bumpNamed', array.name)).toEqual([3, 4, 5])
  expect([...array]).toEqual([3, 4, 5])
})

it('shares its memory with a worker that receives its buffer, also after close() and collection', async ({ skip }) => {
  using array = new SharedArray('i', [1, 2, 3])
  skip(!(array.buffer instanceof SharedArrayBuffer), `Node ${process.version} has no external SharedArrayBuffer`)
  await using worker = await startWorker('worker-user')
  expect(await worker.call('bumpPosted', array.buffer)).toEqual([2, 3, 4])
  expect([...array]).toEqual([2, 3, 4])
  array.close()
  for (let i = 0; i < 5; i++) {
    global.gc?.()
    await new Promise(setImmediate)
  }
  expect(await worker.call('bumpAgain')).toEqual([3, 4, 5])
})

it('keeps its memory if its buffer is in the transfer list of a message', () => {
  using array = new SharedArray('i', [1, 2, 3])
  const { buffer } = array
  try {
    structuredClone(buffer, { transfer: [buffer as ArrayBuffer] }) // some versions of Node copy it
  } catch (error) {
    expect(error).toMatchObject({ name: 'DataCloneError' })
  }
  expect(buffer.byteLength).toBe(12)
  expect([...array]).toEqual([1, 2, 3])
})

it('keeps an exact count with concurrent and successive workers', async () => {
  using array = new SharedArray('i', 2)
  for (let round = 0; round < 5; round++) {
    const workers = await Promise.all(Array.from({ length: 4 }, () => startWorker('worker-user')))
    await Promise.all(workers.map((worker) => worker.call('bumpAttached', array.handle)))
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
  expect([...array]).toEqual([20, 20])
})

it('stays usable when workers are terminated during its use', async () => {
  using counter = new Value('i')
  for (let i = 1; i <= 20; i++) {
    const worker = await startWorker('worker-user')
    expect(await worker.call('use', counter.handle)).toBe(i)
    await worker.terminate()
  }
})
