// The program's own code runs in the middle of some calls: getters of items and options, actions, callbacks. It may close the
// very handle that is being used.
import { Barrier, Condition, Event, JoinableQueue, Lock, Pipe, Queue, RLock, Semaphore } from 'procshare'
import { describe, expect, it } from 'vitest'
import { shareError } from '../helpers/error-matchers.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { turns } from '../helpers/turns.ts'

expectNoLeftovers()

const closed = expect.objectContaining({ code: 'ERR_CLOSED' })

interface Closable {
  close(): void
}
const closingItem = (...handles: Closable[]) => ({
  get item() {
    for (const handle of handles) handle.close()
    return 'x'.repeat(10)
  },
})
const closingOptions = (handle: Closable) => ({
  get timeoutMs() {
    handle.close()
    return 5
  },
})

describe('an item that closes its queue while it is encoded', () => {
  it.each([
    ['putSync', (queue: Queue) => queue.putSync(closingItem(queue))],
    ['tryPut', (queue: Queue) => queue.tryPut(closingItem(queue))],
    ['put', (queue: Queue) => queue.put(closingItem(queue))],
    ['putManySync', (queue: Queue) => queue.putManySync([closingItem(queue)])],
    ['putMany', (queue: Queue) => queue.putMany([closingItem(queue)])],
    ['putSync of a large one', (queue: Queue) => queue.putSync([closingItem(queue), 'x'.repeat(100_000)])],
  ])('is ERR_CLOSED (%s)', async (_name, put) => {
    await expect((async () => put(new Queue()))()).rejects.toThrow(shareError('ERR_CLOSED'))
    await expect((async () => put(new Queue({ spill: true, byteLength: 256 })))()).rejects.toThrow(
      shareError('ERR_CLOSED'),
    )
  })

  it('does not get into another queue', () => {
    const queue = new Queue()
    let other: Queue | undefined
    const item = {
      get item() {
        queue.close()
        other ??= new Queue()
        return 1
      },
    }
    expect(() => queue.putSync(item)).toThrow(shareError('ERR_CLOSED'))
    expect(other?.isEmpty).toBe(true)
    other?.close()
  })

  it('is ERR_CLOSED in a pipe', async () => {
    for (const send of ['send', 'sendSync', 'trySend'] as const) {
      const [ours, theirs] = new Pipe()
      await expect((async () => ours[send](closingItem(ours, theirs)))()).rejects.toThrow(shareError('ERR_CLOSED'))
    }
  })

  it('is put when another object of the queue is open', () => {
    const queue = new Queue()
    using other = Queue.attach(queue.handle)
    queue.putSync(closingItem(queue))
    expect(other.getSync()).toEqual({ item: 'x'.repeat(10) })
  })
})

it('options that close the object while they are read are ERR_CLOSED', async () => {
  const calls: [() => Closable, (handle: never) => unknown][] = [
    [() => new Lock(), (lock: Lock) => lock.acquireSync(closingOptions(lock))],
    [() => new Lock(), (lock: Lock) => lock.acquire(closingOptions(lock))],
    [() => new Event(), (event: Event) => event.waitSync(closingOptions(event))],
    [() => new Event(), (event: Event) => event.wait(closingOptions(event))],
    [() => new Semaphore(0), (semaphore: Semaphore) => semaphore.acquireSync(closingOptions(semaphore))],
    [() => new Barrier(2), (barrier: Barrier) => barrier.wait(closingOptions(barrier))],
    [() => new Queue(), (queue: Queue) => queue.getSync(closingOptions(queue))],
    [() => new Queue(), (queue: Queue) => queue.get(closingOptions(queue))],
    [() => new JoinableQueue(), (queue: JoinableQueue) => queue.joinSync(closingOptions(queue))],
    [() => new Condition(), (each: Condition) => each.runSync(() => each.waitSync(closingOptions(each)))],
  ]
  for (const [make, call] of calls) await expect((async () => call(make() as never))()).rejects.toThrow(closed)
})

describe('the action of a barrier', () => {
  it('may close the last object of the barrier', async () => {
    const [one, two] = [0, 1].map(() => {
      const barrier: Barrier = new Barrier(1, { action: () => barrier.close() })
      return barrier
    }) as [Barrier, Barrier]
    expect(() => one.waitSync()).toThrow(shareError('ERR_CLOSED'))
    await expect(two.wait()).rejects.toThrow(shareError('ERR_CLOSED'))
    const failing: Barrier = new Barrier(1, {
      action: () => {
        failing.close()
        throw new Error('of the action')
      },
    })
    expect(() => failing.waitSync()).toThrow('of the action')
  })

  it('that closes one of two objects does not stop the parties', async () => {
    const one: Barrier = new Barrier(2, { action: () => one.close() })
    using two = Barrier.attach(one.handle)
    expect(await Promise.all([two.wait(), one.wait()])).toEqual([0, 1])
  })
})

it('a condition whose lock is closed before a wait acquires it again fails that wait', async () => {
  const lock = new RLock()
  const condition = new Condition({ lock })
  const waiting = condition.run(() => condition.wait())
  const guard = await condition.acquire()
  condition.notify(1, { guard })
  await turns()
  condition.close()
  lock.close()
  await expect(waiting).rejects.toThrow(shareError('ERR_CLOSED'))
})
