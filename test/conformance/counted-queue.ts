/** What Queue and JoinableQueue have beyond a SimpleQueue. */
import assert from 'node:assert/strict'
import { JoinableQueue, Queue } from 'procshare'
import { failsWith, tookAtLeast } from './assertions.ts'
import { type Case, call, forms, type Party } from './driver.ts'

/** Of queues that bound the number of items. */
export function countedCases(kind: 'Queue' | 'JoinableQueue'): Case[] {
  const make = (options: object) => (kind === 'Queue' ? new Queue(options) : new JoinableQueue(options))
  return [
    ...forms.map(
      ({ form, suffix, needs }): Case => ({
        name: `holds as many items as it may, ${form}`,
        needs,
        async run({ parties, share }) {
          const [a, b] = (await parties(2)) as [Party, Party]
          const queue = share(make({ maxSize: 2 }))
          await a.call(queue, `put${suffix}`, 1)
          assert.deepEqual([queue.size, queue.isFull, queue.isEmpty, queue.maxSize], [1, false, false, 2])
          await b.call(queue, `put${suffix}`, 2)
          assert.deepEqual([queue.size, queue.isFull], [2, true])
          assert.equal(await a.call(queue, 'tryPut', 3), false)
          const waiting = await b.start(queue, `put${suffix}`, 3)
          await b.waits(waiting)
          assert.equal(await a.call(queue, `get${suffix}`), 1)
          await waiting.value
          assert.deepEqual(await a.call(queue, `getMany${suffix}`, 10), [2, 3])
          assert.deepEqual([queue.size, queue.isEmpty], [0, true])
        },
      }),
    ),
    {
      name: 'puts many at once with nothing in between, or none',
      async run({ parties, share }) {
        const [a, b] = (await parties(2)) as [Party, Party]
        const queue = share(make({ maxSize: 3 }))
        await a.call(queue, 'put', 0)
        await failsWith('ERR_TIMEOUT', a.errorOf(call(queue, 'putMany', [1, 2, 3], { timeoutMs: 0 })))
        assert.equal(queue.size, 1)
        const waiting = await a.start(queue, 'putMany', [1, 2, 3])
        await a.waits(waiting)
        assert.equal(await b.call(queue, 'get'), 0)
        await waiting.value
        assert.deepEqual(await b.call(queue, 'getMany', 2), [1, 2])
        assert.deepEqual(await b.call(queue, 'getManySync', 2), [3])
        await failsWith('ERR_TOO_LARGE', a.errorOf(call(queue, 'putMany', [1, 2, 3, 4])))
      },
    },
  ]
}

export function joinableCases(): Case[] {
  return [
    ...forms.map(
      ({ form, suffix, needs }): Case => ({
        name: `is joined when all that was put has been reported done, ${form}`,
        needs,
        async run({ parties, share }) {
          const [a, b, c] = (await parties(3)) as [Party, Party, Party]
          const queue = share(new JoinableQueue())
          await c.call(queue, `join${suffix}`) // nothing to do
          await a.call(queue, 'put', 1)
          await a.call(queue, 'put', 2)
          const joining = [await a.start(queue, `join${suffix}`), await c.start(queue, `join${suffix}`)]
          await b.call(queue, 'get')
          await b.call(queue, 'get')
          await a.waits(joining[0]!)
          assert.equal(await b.get(queue, 'unfinished'), 2)
          await b.call(queue, 'taskDone')
          await c.waits(joining[1]!)
          await b.call(queue, 'taskDone')
          await Promise.all(joining.map(({ value }) => value))
        },
      }),
    ),
    {
      name: 'is joined no longer than the timeout',
      async run({ parties, share }) {
        const [a] = (await parties(1)) as [Party]
        const queue = share(new JoinableQueue())
        await a.call(queue, 'put', 1)
        for (const method of ['join', 'joinSync']) {
          await failsWith('ERR_TIMEOUT', a.errorOf(call(queue, method, { timeoutMs: 0 })))
          const late = () => a.errorOf(call(queue, method, { timeoutMs: 25 }))
          await tookAtLeast(25, () => failsWith('ERR_TIMEOUT', late()))
        }
      },
    },
    {
      name: 'has no more done than was put, but it need not have been taken',
      async run({ parties, share }) {
        const [a, b] = (await parties(2)) as [Party, Party]
        const queue = share(new JoinableQueue())
        await failsWith('ERR_TASK_DONE', a.errorOf(call(queue, 'taskDone')))
        await a.call(queue, 'put', 1)
        await failsWith('ERR_TASK_DONE', b.errorOf(call(queue, 'taskDone', 2)))
        await b.call(queue, 'taskDone')
        await failsWith('ERR_TASK_DONE', a.errorOf(call(queue, 'taskDone')))
        await a.call(queue, 'join')
        assert.equal(await b.call(queue, 'get'), 1)
      },
    },
  ]
}
