/** Iteration that a signal ends: over queues, pipes and managed queues. */
import { getEventListeners } from 'node:events'
import { type ConsumeOptions, JoinableQueue, Pipe, Queue, SimpleQueue } from 'procshare'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { shareError, typeError } from '../helpers/error-matchers.ts'
import { eventually } from '../helpers/eventually.ts'
import { segmentsOfThisProcess } from '../helpers/leftovers.ts'
import { startManager } from '../helpers/managed-server.ts'

/** What can be consumed, and the other side of it. */
interface Subject {
  consume(options?: ConsumeOptions): AsyncGenerator<number, void, undefined>
  put(item: number): Promise<unknown>
  /** Takes what is left. */
  rest(): Promise<number[]>
  end(): Promise<unknown> | unknown
  close(): void
}

let manager: Awaited<ReturnType<typeof startManager>>
beforeAll(async () => {
  manager = await startManager()
})
afterAll(async () => {
  await manager.shutdown() // whose connection has rings of this process
  expect(segmentsOfThisProcess()).toEqual([])
})

function shared(queue: Queue<number> | JoinableQueue<number> | SimpleQueue<number>): Subject {
  return {
    consume: (options) => queue.consume(options),
    put: (item) => queue.put(item),
    rest: async () => {
      const items: number[] = []
      for (let got = queue.tryGet(); got !== undefined; got = queue.tryGet()) items.push(got.value)
      return items
    },
    end: () => queue.end(),
    close: () => queue.close(),
  }
}

async function managed(kind: 'Queue' | 'JoinableQueue'): Promise<Subject> {
  const queue = await manager[kind]<number>()
  return {
    consume: (options) => queue.consume(options),
    put: (item) => queue.put(item),
    rest: async () => {
      const items: number[] = []
      for (let got = await queue.tryGet(); got !== undefined; got = await queue.tryGet()) items.push(got.value)
      return items
    },
    end: () => queue.end(),
    close: () => queue.close(),
  }
}

function pipe(): Subject {
  const [ours, theirs] = new Pipe<number>()
  return {
    consume: (options) => ours.consume(options),
    put: (item) => theirs.send(item),
    rest: async () => {
      const items: number[] = []
      for (let got = ours.tryRecv(); got !== undefined; got = ours.tryRecv()) items.push(got.value)
      return items
    },
    end: () => theirs.close(),
    close: () => {
      ours.close()
      theirs.close()
    },
  }
}

describe.each<[name: string, make: () => Subject | Promise<Subject>]>([
  ['a Queue', () => shared(new Queue())],
  ['a JoinableQueue', () => shared(new JoinableQueue())],
  ['a SimpleQueue', () => shared(new SimpleQueue())],
  ['a Pipe', pipe],
  ['a managed Queue', () => managed('Queue')],
  ['a managed JoinableQueue', () => managed('JoinableQueue')],
])('consuming %s', (_name, make) => {
  it('ends after the current item when the signal aborts, and leaves the others in the queue', async () => {
    const subject = await make()
    for (const item of [1, 2, 3, 4]) await subject.put(item)
    const { signal, ...controller } = aborter()
    const seen: number[] = []
    for await (const item of subject.consume({ signal })) {
      if (item === 2) controller.abort()
      await new Promise(setImmediate)
      seen.push(item)
    }
    expect([seen, await subject.rest(), getEventListeners(signal, 'abort')]).toEqual([[1, 2], [3, 4], []])
    subject.close()
  })

  it('ends without an error when the signal aborts while it waits, and takes no item after that', async () => {
    const subject = await make()
    const { signal, ...controller } = aborter()
    const seen: number[] = []
    let hasStarted = false
    const consuming = (async () => {
      const items = subject.consume({ signal })
      for (let next = items.next(); ; next = items.next()) {
        hasStarted = true
        const { done, value } = await next
        if (done) return
        seen.push(value)
      }
    })()
    await eventually(() => hasStarted)
    controller.abort(new Error('enough'))
    await consuming
    await subject.put(1)
    expect([seen, await subject.rest(), getEventListeners(signal, 'abort')]).toEqual([[], [1], []])
    subject.close()
  })

  it('takes no item when the signal has aborted before', async () => {
    const subject = await make()
    await subject.put(1)
    for await (const _ of subject.consume({ signal: AbortSignal.abort() })) expect.unreachable()
    expect(await subject.rest()).toEqual([1])
    subject.close()
  })

  it('ends when the queue has ended and is empty', async () => {
    const subject = await make()
    for (const item of [1, 2]) await subject.put(item)
    await subject.end()
    const seen: number[] = []
    for await (const item of subject.consume({ signal: aborter().signal })) seen.push(item)
    expect(seen).toEqual([1, 2])
    subject.close()
  })

  it('loses and duplicates no item, whenever the signal aborts', async () => {
    const subject = await make()
    const seen: number[] = []
    let put = 0
    for (let round = 0; round < 100; round++) {
      const { signal, ...controller } = aborter()
      const consuming = (async () => {
        for await (const item of subject.consume({ signal })) seen.push(item)
      })()
      const putting = subject.put(put++)
      for (let turn = 0; turn < round % 5; turn++) await new Promise(setImmediate)
      controller.abort()
      await Promise.all([consuming, putting])
    }
    expect([...seen, ...(await subject.rest())].sort((a, b) => a - b)).toEqual(Array.from({ length: put }, (_, i) => i))
    subject.close()
  })

  it('refuses invalid options at the call', async () => {
    const subject = await make()
    expect(() => subject.consume({ timeoutMs: 1 } as never)).toThrow(/timeoutMs/)
    expect(() => subject.consume({ signal: 1 as never })).toThrow(typeError(/options\.signal/))
    subject.close()
    await expect(subject.consume().next()).rejects.toThrow(shareError('ERR_CLOSED'))
  })
})

it('the blocking form of a managed queue is iterated by for…of, and has no consume', () => {
  const queue = manager.sync.Queue<number>()
  expect(() => (queue as unknown as Queue).consume()).toThrow(typeError(/queue/))
})

function aborter() {
  const controller = new AbortController()
  return { signal: controller.signal, abort: (reason?: unknown) => controller.abort(reason) }
}
