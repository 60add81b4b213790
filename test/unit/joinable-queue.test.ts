import { JoinableQueue } from 'procshare'
import { describe, expect, it } from 'vitest'
import { rangeError, shareError } from '../helpers/error-matchers.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { isPending } from '../helpers/turns.ts'

expectNoLeftovers()

describe('a joinable queue', () => {
  it('is joined when all items are finished', async () => {
    using queue = new JoinableQueue<number>()
    await queue.join()
    queue.joinSync()
    queue.putManySync([1, 2, 3])
    const joining = queue.join()
    queue.getManySync(3)
    queue.taskDone()
    queue.taskDone()
    expect([await isPending(joining), queue.unfinished]).toEqual([true, 1])
    queue.taskDone()
    await joining
    expect(queue.unfinished).toBe(0)
  })

  it('is joined even when an item is put right after the last one is finished', async () => {
    using queue = new JoinableQueue<number>()
    queue.putSync(1)
    const joining = queue.join()
    queue.getSync()
    queue.taskDone()
    queue.putSync(2)
    await joining
    expect(queue.unfinished).toBe(1)
  })

  it('refuses to finish more items than were put', () => {
    using queue = new JoinableQueue<number>()
    expect(() => queue.taskDone()).toThrow(shareError('ERR_TASK_DONE'))
    queue.putSync(1)
    expect(() => queue.taskDone(2)).toThrow(shareError('ERR_TASK_DONE'))
    expect(() => queue.taskDone(0)).toThrow(rangeError())
    expect(queue.unfinished).toBe(1)
    queue.taskDone()
  })

  it('ends a join at a timeout, an abort and a close', async () => {
    using queue = new JoinableQueue<number>()
    queue.putSync(1)
    await expect(queue.join({ timeoutMs: 10 })).rejects.toThrow(shareError('ERR_TIMEOUT'))
    await expect(queue.join({ timeoutMs: 0 })).rejects.toThrow(shareError('ERR_TIMEOUT'))
    expect(() => queue.joinSync({ timeoutMs: 10 })).toThrow(shareError('ERR_TIMEOUT'))
    await expect(queue.join({ signal: AbortSignal.abort('no') })).rejects.toBe('no')
    const joining = queue.join()
    queue.close()
    await expect(joining).rejects.toThrow(shareError('ERR_CLOSED'))
  })
})
