/** What a client promises whether or not its server answers: timeouts, signals, and that what was granted too late goes back. */
import { getEventListeners } from 'node:events'
import { type ManagedProxy, Manager } from 'procshare'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { shareError } from '../helpers/error-matchers.ts'
import { eventually } from '../helpers/eventually.ts'
import { makeBox, startManager, warmUp } from '../helpers/managed-server.ts'

let manager: Manager
beforeEach(async () => {
  manager = await startManager()
})
afterEach(async () => {
  go()
  await manager.shutdown()
})

const stop = () => process.kill(manager.pid!, 'SIGSTOP')
const go = () => {
  try {
    process.kill(manager.pid!, 'SIGCONT')
  } catch {
    // A test has killed it.
  }
}

/** Waits that a server would grant at once, if it were not stopped; all are given up by then. */
async function grantable() {
  const lock = await manager.Lock()
  const rlock = await manager.RLock()
  const semaphore = await manager.BoundedSemaphore(1)
  const queue = await manager.Queue<number>()
  await queue.putMany([1, 2, 3, 4])
  const event = await manager.Event()
  await event.set()
  return { lock, rlock, semaphore, queue, event }
}

async function expectAllGivenBack({ lock, rlock, semaphore, queue }: Awaited<ReturnType<typeof grantable>>) {
  await eventually(async () => !(await lock.locked) && !(await rlock.locked) && (await semaphore.value) === 1)
  await eventually(async () => (await queue.size) === 4)
  const items = new Set(await queue.getMany(10))
  expect(items).toEqual(new Set([1, 2, 3, 4]))
  await semaphore.acquire()
}

describe.each(['socket', 'rings'])('through a %s', (way) => {
  beforeEach(async () => {
    if (way === 'rings') await warmUp(await makeBox(manager))
  })

  it('timeouts end every wait of a stopped server in time, and what it grants afterwards goes back', async () => {
    const objects = await grantable()
    const { lock, rlock, semaphore, queue, event } = objects
    stop()
    const options = { timeoutMs: 100 }
    const waits = [
      lock.acquire(options),
      rlock.acquire(options),
      semaphore.acquire(options),
      queue.get(options),
      queue.getMany(2, options),
      event.wait(options),
      lock.with(options).locked,
      semaphore.with(options).acquire(),
      queue.with(options).tryGet(),
    ]
    for (const { reason } of (await Promise.allSettled(waits)) as PromiseRejectedResult[]) {
      expect(reason).toEqual(shareError('ERR_TIMEOUT', /100 ms/))
    }
    go()
    await expectAllGivenBack(objects)
  })

  it('signals end every wait of a stopped server with their reason, and what it grants afterwards goes back', async () => {
    const objects = await grantable()
    const { lock, semaphore, queue, event } = objects
    stop()
    const controller = new AbortController()
    const { signal } = controller
    const waits = [
      lock.acquire({ signal }),
      semaphore.with({ signal }).acquire(),
      queue.get({ signal }),
      event.wait({ signal }),
      manager.Lock().then(() => 'made'),
      lock.with({ signal }).show(),
    ]
    const made = waits.splice(4, 1)[0]!
    controller.abort('enough')
    for (const result of await Promise.allSettled(waits)) expect(result).toMatchObject({ reason: 'enough' })
    go()
    expect(await made).toBe('made')
    await expectAllGivenBack(objects)
  })
})

it('items that were granted too late go back to the front, before later ones', async () => {
  const queue = await manager.Queue<number>()
  await queue.putMany([1, 2])
  stop()
  await expect(queue.get({ timeoutMs: 50 })).rejects.toThrow(shareError('ERR_TIMEOUT'))
  const put = queue.put(3)
  go()
  await put
  await eventually(async () => (await queue.size) === 3)
  expect(await queue.getMany(3)).toEqual([1, 2, 3])
})

it('a lock that was acquired through a view is released although the signal of the view has aborted', async () => {
  const lock = await manager.Lock()
  const controller = new AbortController()
  const guard = await lock.with({ signal: controller.signal }).acquire()
  controller.abort()
  await guard.release()
  expect(await lock.locked).toBe(false)
})

it('a view is the same object, of the same class, and ends with it', async () => {
  const dict = await manager.dict<string, number>({ a: 1 })
  const view = dict.with({ timeoutMs: 5_000 })
  expect(view.constructor).toBe(dict.constructor)
  expect(view.equals(dict)).toBe(true)
  expect(await view.get('a')).toBe(1)
  const list = await manager.list<ManagedProxy>([view])
  expect(dict.equals(await list.at(0))).toBe(true)
  view.close()
  await expect(dict.get('a')).rejects.toThrow(shareError('ERR_CLOSED'))
  expect(() => dict.with({ timeoutMs: -1 })).toThrow(RangeError)
  expect(() => dict.with({ later: 1 } as never)).toThrow()
})

it('calls leave no listener on their signal, however they end', async () => {
  const { signal } = new AbortController()
  const queue = await manager.Queue<number>()
  const view = queue.with({ signal })
  await Promise.all(Array.from({ length: 50 }, () => view.put(1, { signal })))
  await Promise.all(Array.from({ length: 50 }, () => view.get()))
  await Promise.allSettled(Array.from({ length: 50 }, () => view.get({ timeoutMs: 5 })))
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  const lost = Promise.allSettled([view.get(), view.get()])
  manager.close()
  await lost
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
})

it('the blocking form also ends waits in time, and returns what was granted too late', async () => {
  const client = await Manager.connect({ address: manager.address, authkey: manager.authkey, syncTimeoutMs: 100 })
  const lock = await manager.Lock('l')
  const queue = await manager.Queue<number>('q')
  await queue.put(1)
  const [sameLock, sameQueue] = [client.sync.Lock('l'), client.sync.Queue<number>('q')]
  expect(sameLock.locked).toBe(false)
  stop()
  expect(() => sameLock.acquire({ timeoutMs: 50 })).toThrow(shareError('ERR_TIMEOUT', /50 ms/))
  expect(() => sameQueue.with({ timeoutMs: 50 }).get()).toThrow(shareError('ERR_TIMEOUT', /50 ms/))
  expect(() => sameLock.locked).toThrow(shareError('ERR_TIMEOUT', /100 ms/))
  go()
  await eventually(async () => !(await lock.locked) && (await queue.size) === 1)
  expect(sameQueue.get()).toBe(1)
  client.close()
})

it('closed resolves with undefined after close(), otherwise with the reason', async () => {
  const [first, second] = await Promise.all(
    [1, 2].map(() => Manager.connect({ address: manager.address, authkey: manager.authkey })),
  )
  first!.close()
  expect(await first!.closed).toBeUndefined()
  process.kill(manager.pid!, 'SIGKILL')
  expect(await second!.closed).toEqual(shareError('ERR_DISCONNECTED'))
  expect(await manager.closed).toEqual(shareError('ERR_DISCONNECTED'))
})

it('an object of an unknown manager does not spoil the result that contains it', async () => {
  const dict = await manager.dict<string, unknown>({ a: 1 })
  const value = await import('procshare').then(({ Value }) => new Value('i', 7))
  await dict.set('gone', value)
  value.close()
  const map = await dict.toMap()
  expect(map.get('a')).toBe(1)
  const standIn = map.get('gone') as { value: number; handle: { kind: string } }
  expect(standIn.handle.kind).toBe('Value')
  expect(() => standIn.value).toThrow(shareError('ERR_STALE_HANDLE'))
  expect(String(standIn)).toContain('cannot be attached to')
  await expect(dict.get('gone')).rejects.toThrow(shareError('ERR_STALE_HANDLE'))
  const list = await manager.list<unknown>([standIn, 2])
  expect((await list.toArray())[1]).toBe(2)
})
