import { setTimeout as delay } from 'node:timers/promises'
import type { ConditionProxy, LockProxy } from 'procshare'
import { describe, expect, it } from 'vitest'
import { GRACE_MS } from '../../lib/manager/client/pending-requests.ts'
import { rangeError, shareError, typeError, valueError } from '../helpers/error-matchers.ts'
import { eventually } from '../helpers/eventually.ts'
import { arrived, managerClients, waits } from '../helpers/manager-clients.ts'

const { share, connect, end } = managerClients()
const conditions = (count: number) => share(count, (manager) => manager.Condition())
const NOT_OWNER = shareError('ERR_NOT_OWNER')

/** Waits under the lock, in a task of its own; resolves when the server knows. */
async function waitUnderLock(condition: ConditionProxy, options = {}): Promise<{ waiting: Promise<true> }> {
  let begun!: () => void
  const begins = new Promise<void>((resolve) => (begun = resolve))
  const waiting = condition.run(() => {
    const wait = condition.wait(options)
    begun()
    return wait
  })
  waiting.catch(() => {})
  await begins
  await arrived(condition)
  return { waiting }
}

describe('Condition of a manager', () => {
  it('wakes waiters in the order of their waits, each with the lock', async () => {
    const [a, b, c] = await conditions(3)
    const woken: string[] = []
    const begin = async (condition: ConditionProxy, name: string) => {
      const { waiting } = await waitUnderLock(condition)
      return waiting.then(() => woken.push(name))
    }
    const all = [begin(a!, 'a')]
    await arrived(a!)
    all.push(begin(b!, 'b'))
    await new Promise((resolve) => setTimeout(resolve, 20))
    all.push(begin(b!, 'b again'))
    await c!.show()
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(await c!.show()).toBe('Condition(free, waiting=3)')
    expect(await c!.run(() => c!.notify())).toBe(1)
    await eventually(() => woken.length > 0)
    expect(woken).toEqual(['a'])
    await c!.run(async () => {
      expect(await c!.notify(0)).toBe(0)
      expect(await c!.notify(5)).toBe(2)
      await arrived(b!)
      expect(woken).toEqual(['a']) // the lock is held
    })
    await Promise.all(all)
    expect(woken).toEqual(['a', 'b', 'b again'])
    expect(await c!.run(() => c!.notifyAll())).toBe(0)
  })

  it('refuses waits and notifications of a caller that does not hold the lock', async () => {
    const [a, b] = await conditions(2)
    await expect(a!.wait()).rejects.toThrow(NOT_OWNER)
    await expect(a!.notify()).rejects.toThrow(NOT_OWNER)
    await expect(a!.waitFor(() => true)).rejects.toThrow(NOT_OWNER)
    const guard = await b!.acquire()
    await expect(a!.notify()).rejects.toThrow(NOT_OWNER)
    await expect(b!.notify()).rejects.toThrow(NOT_OWNER) // nobody knows that it is the same task
    expect(await b!.notify(1, { guard })).toBe(0)
    expect(await b!.waitFor(() => 'yes', { guard })).toBe('yes')
    await expect(b!.wait({ guard, timeoutMs: 5 })).rejects.toThrow(shareError('ERR_TIMEOUT'))
    expect(await b!.locked).toBe(true)
    await guard.release()
    await expect(b!.notifyAll({ guard })).rejects.toThrow(NOT_OWNER)
    await expect(b!.wait({ guard: {} as never })).rejects.toThrow(typeError())
  })

  it.each([
    ['a timeout', { timeoutMs: 20 }, undefined, shareError('ERR_TIMEOUT', /20 ms/)],
    ['a signal', {}, new AbortController(), 'why'],
  ])('gives up for %s, and has the lock again', async (_why, options, controller, error) => {
    const [a, b] = await conditions(2)
    let inside = false
    const waiting = a!.run(async () => {
      const wait = a!.wait({ ...options, ...(controller && { signal: controller.signal }) })
      if (controller !== undefined) {
        await waits(wait, a!)
        controller.abort('why')
      }
      const failed = typeof error === 'string' ? expect(wait).rejects.toBe(error) : expect(wait).rejects.toThrow(error)
      await failed
      inside = true
      expect(await b!.locked).toBe(true)
      expect(await a!.notify()).toBe(0)
      inside = false
    })
    await waiting
    expect(inside).toBe(false)
    expect(await b!.locked).toBe(false)
  })

  it('returns from a wait only when the lock is free, whatever the timeout', async () => {
    const [a, b] = await conditions(2)
    // Has the lock as soon as the wait lets go of it, which is before its time has passed.
    const held = await a!.acquire()
    const acquiring = b!.acquire()
    await arrived(b!)
    const waiting = a!.wait({ guard: held, timeoutMs: 5 })
    waiting.catch(() => {})
    const guard = await acquiring
    await new Promise((resolve) => setTimeout(resolve, 30))
    await waits(waiting, a!)
    await guard.release()
    await expect(waiting).rejects.toThrow(shareError('ERR_TIMEOUT'))
  })

  it('releases all levels of a recursive lock during a wait, and acquires all again', async () => {
    const [a, b] = await conditions(2)
    await a!.run(() =>
      a!.run(async () => {
        const waiting = a!.wait()
        await waits(waiting, a!)
        await b!.run(() => b!.notify())
        await waiting
        const guard = await a!.acquire()
        await guard.release()
        expect(await b!.locked).toBe(true)
      }),
    )
    expect(await b!.locked).toBe(false)
  })

  it('waits for a predicate in both forms', async () => {
    const [a, b] = await conditions(2)
    let value = 0
    const waiting = a!.run(() => a!.waitFor(async () => value > 2 && `value ${value}`))
    await arrived(a!)
    while (value < 3) {
      await b!.run(async () => {
        value++
        await b!.notifyAll()
      })
    }
    expect(await waiting).toBe('value 3')
    await expect(a!.run(() => a!.waitFor(() => false, { timeoutMs: 20 }))).rejects.toThrow(
      shareError('ERR_TIMEOUT', /20 ms/),
    )
    const late = a!.run(() => a!.waitFor(() => value > 3, { timeoutMs: 20 }))
    value = 4
    expect(await late).toBe(true)
    const failing = a!.run(() =>
      a!.waitFor(() => {
        throw new RangeError('as asked')
      }),
    )
    await expect(failing).rejects.toThrow(new RangeError('as asked'))
    await expect(a!.waitFor(1 as never)).rejects.toThrow(typeError())
    expect(await b!.locked).toBe(false)
  })

  it('passes a notification on when the notified client ends before it has the lock', async () => {
    const [a, b, c] = await conditions(3)
    const first = await waitUnderLock(a!)
    const second = await waitUnderLock(b!)
    await c!.run(async () => {
      expect(await c!.notify()).toBe(1)
      await end(a!) // notified, and the lock is not free yet
    })
    expect(await second.waiting).toBe(true)
    await expect(first.waiting).rejects.toThrow(shareError('ERR_CLOSED'))
  })

  it('leaves no trace of a client that ends while it waits', async () => {
    const [a, b, c] = await conditions(3)
    const lost = await waitUnderLock(a!)
    const kept = await waitUnderLock(b!)
    await end(a!)
    await expect(lost.waiting).rejects.toThrow(shareError('ERR_CLOSED'))
    await waits(kept.waiting, b!)
    const guard = await c!.acquire()
    expect(guard.abandoned).toBe(false) // it had let go
    expect(await c!.notify(3, { guard })).toBe(1)
    await guard.release()
    await kept.waiting
  })

  it('tells the next new owner, not returning waiters, that a client died with the lock', async () => {
    const [a, b, c] = await conditions(3)
    const { waiting } = await waitUnderLock(a!)
    const guard = await b!.acquire()
    await b!.notify(1, { guard })
    await end(b!)
    await waiting
    expect((await c!.acquire()).abandoned).toBe(true)
  })

  it('works with a given lock of either kind, which several conditions may share', async () => {
    for (const kind of ['Lock', 'RLock'] as const) {
      const [one, two] = await connect(2)
      const lock = await one![kind]()
      const full = await one!.Condition({ lock })
      const empty = await one!.Condition({ lock })
      const name = `given ${kind}`
      const theirs = await two!.Condition({ name })
      await expect(one!.Condition({ lock: theirs as never })).rejects.toThrow(typeError())
      await two!.unlink(name)
      const waiting = lock.run(() => full.wait())
      await waits(waiting, full)
      expect(await lock.locked).toBe(false)
      await empty.run(async () => {
        expect(await lock.locked).toBe(true)
        expect(await empty.notify()).toBe(0)
        expect(await full.notify()).toBe(1)
      })
      expect(await waiting).toBe(true)
      expect(await lock.locked).toBe(false)
    }
  })

  it('ends the wait of a closed proxy of the condition with the lock held', async () => {
    const [manager] = await connect(1)
    const lock = await manager!.Lock()
    const condition = await manager!.Condition({ lock })
    await lock.run(async () => {
      const waiting = condition.wait()
      await waits(waiting, condition)
      condition.close()
      await expect(waiting).rejects.toThrow(shareError('ERR_CLOSED'))
      expect(await lock.locked).toBe(true)
    })
    expect(await lock.locked).toBe(false)
    expect((await lock.acquire()).abandoned).toBe(false)
  })

  it('acquires the lock again before a wait fails for a signal, however long others hold it', async () => {
    const [a, b] = await conditions(2)
    const controller = new AbortController()
    const { waiting } = await waitUnderLock(a!, { signal: controller.signal })
    const guard = await b!.acquire()
    let isOver = false
    waiting.catch(() => (isOver = true))
    controller.abort('enough')
    await delay(5 * GRACE_MS)
    expect(isOver).toBe(false)
    await guard.release()
    await expect(waiting).rejects.toBe('enough')
    expect(await b!.locked).toBe(false)
  })

  it('does not return the lock to a client that closed its proxy of the lock during the wait', async () => {
    let lock!: LockProxy
    const [a, b] = await share(2, async (manager) => {
      lock = await manager.Lock()
      return manager.Condition({ lock })
    })
    const guard = await lock.acquire()
    const waiting = a!.wait({ guard })
    await waits(waiting, a!)
    lock.close()
    await arrived(a!)
    expect(await b!.run(() => b!.notify())).toBe(1)
    expect(await waiting).toBe(true)
    expect(await b!.locked).toBe(false)
    const next = await b!.acquire()
    expect(next.abandoned).toBe(false)
    await next.release()
  })

  it('does not return the lock to a client that ended during the wait', async () => {
    const [a, b] = await conditions(2)
    let forgotten!: Promise<unknown>
    await a!.run(async () => {
      forgotten = a!.wait() // is not awaited: the hold is given up while it is suspended
      await arrived(a!)
    })
    expect(await b!.locked).toBe(false)
    expect(await b!.run(() => b!.notify())).toBe(1)
    expect(await forgotten).toBe(true)
    expect(await b!.locked).toBe(false)
  })

  it('refuses invalid options', async () => {
    const [manager] = await connect(1)
    await expect(manager!.Condition({ lock: 1 as never })).rejects.toThrow(typeError())
    const condition = await manager!.Condition()
    await condition.run(async () => {
      await expect(condition.notify(-1)).rejects.toThrow(rangeError())
      await expect(condition.notify(1.5)).rejects.toThrow(rangeError())
      await expect(condition.wait({ timeoutMs: -1 })).rejects.toThrow(rangeError())
      await expect(condition.wait({ timeout: 1 } as never)).rejects.toThrow(valueError())
      await expect(condition.notify(1, { timeoutMs: 1 } as never)).rejects.toThrow(valueError())
    })
  })
})
