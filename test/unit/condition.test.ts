import { inspect } from 'node:util'
import { type AnyLock, attach, Condition, Event, Lock, RLock, Value } from 'procshare'
import { describe, expect, it } from 'vitest'
import { rangeError, shareError, typeError, valueError } from '../helpers/error-matchers.ts'
import { spawnFixture } from '../helpers/fixture.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'
import { isPending, turns } from '../helpers/turns.ts'

expectNoLeftovers()

describe('a condition', () => {
  it('has a recursive lock of its own, or the one that is given', () => {
    using own = new Condition()
    expect(own.lock).toBeInstanceOf(RLock)
    expect(own.lock).toBe(own.lock)
    for (const Class of [Lock, RLock]) {
      using lock: AnyLock = new Class()
      using condition = new Condition({ lock })
      expect(condition.lock).toBe(lock)
      using _guard = condition.acquireSync()
      expect([lock.locked, condition.notifyAll()]).toEqual([true, 0])
    }
  })

  it('refuses misspelt options and wrong ones, and names them', async () => {
    expect(() => new Condition({ locked: true } as never)).toThrow(valueError(/^options\.locked/))
    for (const lock of [true, false])
      expect(() => new Condition({ lock } as never)).toThrow(typeError(/^options\.lock must be a Lock or an RLock/))
    using event = new Event()
    for (const lock of [5, null, {}, event])
      expect(() => new Condition({ lock } as never)).toThrow(typeError(/^options\.lock/))
    using condition = new Condition()
    using _guard = condition.acquireSync()
    expect(() => condition.waitSync({ timeout: 5 } as never)).toThrow(valueError(/^options\.timeout/))
    expect(() => condition.waitSync({ timeoutMs: -1 })).toThrow(rangeError(/^options\.timeoutMs/))
    expect(() => condition.waitSync({ guard: {} as never })).toThrow(typeError(/^options\.guard must be a guard/))
    await expect(condition.wait({ signal: 5 } as never)).rejects.toThrow(typeError(/^options\.signal/))
    await expect(condition.waitFor(5 as never)).rejects.toThrow(typeError(/^predicate must be a function/))
    expect(() => condition.waitForSync(undefined as never)).toThrow(typeError(/^predicate/))
    for (const predicate of [() => false, () => true]) {
      for (const timeoutMs of [-1, NaN])
        expect(() => condition.waitForSync(predicate, { timeoutMs })).toThrow(rangeError(/^options\.timeoutMs/))
      for (const timeoutMs of ['1', 1n, null] as never[]) {
        expect(() => condition.waitForSync(predicate, { timeoutMs })).toThrow(typeError(/^options\.timeoutMs/))
        await expect(condition.waitFor(predicate, { timeoutMs })).rejects.toThrow(typeError(/^options\.timeoutMs/))
      }
      await expect(condition.waitFor(predicate, { timeout: 5 } as never)).rejects.toThrow(
        valueError(/^options\.timeout/),
      )
    }
    for (const count of [-1, 0.5, NaN]) expect(() => condition.notify(count)).toThrow(rangeError(/^count/))
    expect(() => condition.notify('1' as never)).toThrow(typeError(/^count/))
    expect(() => condition.notifyAll({ guard: 5 as never })).toThrow(typeError(/^options\.guard/))
    expect(condition.lock.locked).toBe(true)
  })

  it('is found by name and by handle, with its lock', () => {
    const name = uniqueName()
    using condition = Condition.create(name)
    using attached = Condition.attach(name)
    using opened = Condition.open(name)
    using revived = attach(JSON.parse(JSON.stringify(condition))) as Condition
    using _guard = attached.acquireSync()
    for (const each of [condition, opened, revived]) expect(each.lock.locked).toBe(true)
    expect(() => Condition.create(name)).toThrow(shareError('EEXIST'))
    expect(() => Event.attach(name)).toThrow(shareError('ERR_KIND'))
    using event = Event.create(uniqueName())
    expect(() => Condition.attach(event.name)).toThrow(shareError('ERR_KIND'))
    expect(() => Condition.open(event.name)).toThrow(shareError('ERR_KIND'))
    expect(inspect(condition)).toMatch(`Condition "${name}" {`)
  })
})

describe('a given lock', () => {
  it('may belong to several conditions, which have separate waits', async () => {
    using lock = new Lock()
    using filled = new Condition({ lock })
    using emptied = new Condition({ lock })
    const [one, two] = [filled, emptied].map((condition) => lock.run(() => condition.wait()))
    await turns()
    expect(lock.runSync(() => filled.notifyAll())).toBe(1)
    expect(await one).toBe(true)
    expect(await isPending(two!)).toBe(true)
    expect(lock.runSync(() => [filled.notifyAll(), emptied.notifyAll()])).toEqual([0, 1])
    expect(await two).toBe(true)
  })

  it('is the same lock for processes that attach, which find it abandoned, too', async () => {
    using lock = new Lock()
    using condition = Condition.create(uniqueName(), { lock })
    using attached = Condition.attach(condition.name)
    expect(attached.lock.handle).toEqual(lock.handle)
    const waiting = attached.run(() => attached.wait())
    await turns()
    expect(lock.runSync(() => condition.notify())).toBe(1)
    expect(await waiting).toBe(true)
  })

  it('must be the same when a condition is opened with one', () => {
    using lock = new Lock()
    using other = new Lock()
    using condition = Condition.create(uniqueName(), { lock })
    using same = Condition.open(condition.name, { lock })
    using unsaid = Condition.open(condition.name)
    expect([same.lock.handle, unsaid.lock.handle]).toEqual([lock.handle, lock.handle])
    expect(() => Condition.open(condition.name, { lock: other })).toThrow(
      shareError('ERR_TYPE', /a different lock than the given one/),
    )
    using own = Condition.create(uniqueName())
    expect(() => Condition.open(own.name, { lock })).toThrow(
      shareError('ERR_TYPE', /a different lock than the given one/),
    )
  })

  it('must persist when the condition is to', () => {
    using passing = new Lock()
    const options = { lock: passing, persist: true }
    expect(() => Condition.create(uniqueName(), options)).toThrow(
      valueError(/^options\.lock must be a persistent lock/),
    )
    using lock = Lock.create(uniqueName(), { persist: true })
    const condition = Condition.create(uniqueName(), { lock, persist: true })
    const { name } = condition
    condition.close()
    using again = Condition.attach(name)
    expect(again.lock.handle).toEqual(lock.handle)
    again.unlink()
    lock.unlink()
  })

  it('that is closed cannot be given; that gets closed goes on working for the condition', async () => {
    const lock = new Lock()
    using condition = new Condition({ lock })
    const waiting = condition.run(() => condition.wait())
    await turns()
    lock.close()
    expect(() => new Condition({ lock })).toThrow(shareError('ERR_CLOSED'))
    using other = Condition.attach(condition.handle)
    expect(other.runSync(() => other.notifyAll())).toBe(1)
    expect(await waiting).toBe(true)
  })

  it('may be the lock of a value', async () => {
    using value = new Value('i')
    using condition = new Condition({ lock: value.lock })
    const waiting = condition.run(() => condition.waitFor(() => value.value === 2))
    for (let i = 0; i < 2; i++) {
      await condition.run(() => {
        value.add(1)
        condition.notify()
      })
      await turns()
    }
    expect(await waiting).toBe(true)
  })
})

describe('the caller', () => {
  const calls: [string, (condition: Condition) => unknown][] = [
    ['wait', (condition) => condition.wait()],
    ['waitSync', (condition) => condition.waitSync()],
    ['waitFor', (condition) => condition.waitFor(() => true)],
    ['waitForSync', (condition) => condition.waitForSync(() => true)],
    ['notify', (condition) => condition.notify()],
    ['notifyAll', (condition) => condition.notifyAll()],
  ]

  it.each(calls)('of %s must hold the lock', async (_title, call) => {
    using condition = new Condition()
    const outcome = async () => call(condition)
    await expect(outcome()).rejects.toThrow(shareError('ERR_NOT_OWNER', /^The lock of Condition .* by the caller: /))
    const guard = await condition.acquire()
    // Somebody else of this thread holds it: nobody can know that it is us.
    await expect(outcome()).rejects.toThrow(shareError('ERR_NOT_OWNER'))
    guard.release()
    expect(condition.lock.locked).toBe(false)
  })

  it('accepts the guard through which the caller holds the lock, and no other one', async () => {
    using condition = new Condition()
    using other = new Lock()
    const guard = await condition.acquire()
    const wrong = await other.acquire()
    expect(() => condition.notify(1, { guard: wrong })).toThrow(shareError('ERR_NOT_OWNER'))
    expect([condition.notify(1, { guard }), condition.notifyAll({ guard })]).toEqual([0, 0])
    await expect(condition.wait({ guard, timeoutMs: 5 })).rejects.toThrow(shareError('ERR_TIMEOUT'))
    const waiting = condition.wait({ guard })
    expect(condition.lock.locked).toBe(false)
    // While it waits it holds nothing.
    expect(() => condition.notify(1, { guard })).toThrow(shareError('ERR_NOT_OWNER'))
    condition.runSync(() => condition.notify())
    expect(await waiting).toBe(true)
    expect([condition.lock.locked, guard.released]).toEqual([true, false])
    guard.release()
    wrong.release()
    expect(() => condition.notify(1, { guard })).toThrow(shareError('ERR_NOT_OWNER'))
  })

  it('lets go of all levels, and has them again afterwards', async () => {
    using condition = new Condition()
    const guards = [condition.acquireSync(), condition.acquireSync(), condition.acquireSync()]
    expect(() => condition.waitSync({ timeoutMs: 1 })).toThrow(shareError('ERR_TIMEOUT'))
    for (const guard of guards) {
      expect(condition.lock.locked).toBe(true)
      guard.release()
    }
    expect(condition.lock.locked).toBe(false)
    await condition.run(async () => {
      await condition.run(async () => {
        const waiting = condition.wait()
        expect(condition.lock.locked).toBe(false)
        setImmediate(() => condition.runSync(() => condition.notify()))
        await waiting
        expect(condition.lock.locked).toBe(true)
      })
      expect(condition.lock.locked).toBe(true)
    })
    expect(condition.lock.locked).toBe(false)
  })
})

describe('a wait', () => {
  it('holds the lock again however it ends', async () => {
    using condition = new Condition()
    const reason = new Error('enough')
    const controller = new AbortController()
    await condition.run(async () => {
      await expect(condition.wait({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      await expect(condition.wait({ timeoutMs: 0 })).rejects.toThrow(shareError('ERR_TIMEOUT'))
      await expect(condition.wait({ timeoutMs: 5 })).rejects.toThrow(shareError('ERR_TIMEOUT'))
      setImmediate(() => controller.abort(reason))
      await expect(condition.wait({ signal: controller.signal })).rejects.toBe(reason)
      expect(condition.lock.locked).toBe(true)
      await expect(
        condition.waitFor(() => {
          throw reason
        }),
      ).rejects.toBe(reason)
      expect(condition.notify()).toBe(0) // nobody is left over
    })
    expect(condition.lock.locked).toBe(false)
  })

  it('that is cancelled takes no notification from other waits', async () => {
    using condition = new Condition()
    const controllers = Array.from({ length: 3 }, () => new AbortController())
    const waits = controllers.map(({ signal }) => condition.run(() => condition.wait({ signal })))
    const outcomes = Promise.allSettled(waits)
    await turns()
    condition.runSync(() => {
      controllers[0]!.abort()
      expect(condition.notify(2)).toBe(2)
    })
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
  })

  it('that was notified has ended, also when the signal aborts before it has the lock again', async () => {
    using condition = new Condition()
    const controller = new AbortController()
    const waiting = condition.run(() => condition.wait({ signal: controller.signal, timeoutMs: 1_000 }))
    await turns()
    const guard = await condition.acquire()
    condition.notify(1, { guard })
    await turns()
    controller.abort()
    expect(await isPending(waiting)).toBe(true)
    guard.release()
    expect(await waiting).toBe(true)
  })

  it('that another process has notified has ended, also when the signal aborts before this one has noticed', async () => {
    using condition = new Condition()
    using said = new Event()
    await using child = await spawnFixture('object-user')
    const controller = new AbortController()
    const waiting = condition.run(() => condition.wait({ signal: controller.signal }))
    await turns()
    const answered = child.call('notifyAndSay', condition.handle, said.handle)
    said.waitSync({ timeoutMs: 10_000 }) // the event loop has had no turn
    controller.abort()
    expect(await waiting).toBe(true)
    await answered
  })

  it('fails when its object is closed, with the lock held again while another object of it is open', async () => {
    using lock = new Lock()
    const condition = new Condition({ lock })
    let held: boolean | undefined
    const waiting = lock.run(async () => {
      try {
        await condition.wait()
      } finally {
        held = lock.locked
      }
    })
    await turns()
    condition.close()
    await expect(waiting).rejects.toThrow(shareError('ERR_CLOSED'))
    expect([held, lock.locked]).toEqual([true, false])
    expect(() => condition.notify()).toThrow(shareError('ERR_CLOSED'))
    expect(() => condition.lock).toThrow(shareError('ERR_CLOSED'))
  })

  it('fails when its object is closed, also with a lock of its own', async () => {
    const condition = new Condition()
    const waiting = condition.run(() => condition.wait())
    await turns()
    condition.close()
    await expect(waiting).rejects.toThrow(shareError('ERR_CLOSED'))
  })

  it('for a predicate counts its timeout once, and gives what the predicate gives', async () => {
    using condition = new Condition()
    await condition.run(async () => {
      expect(await condition.waitFor(() => 'text')).toBe('text')
      expect(await condition.waitFor(async () => 7, { timeoutMs: 0 })).toBe(7)
      const started = performance.now()
      const ticking = setInterval(() => {
        using guard = condition.tryAcquire()
        if (guard !== undefined) condition.notify()
      }, 5)
      await expect(condition.waitFor(() => false, { timeoutMs: 60 })).rejects.toThrow(
        shareError('ERR_TIMEOUT', /than 60 ms/),
      )
      clearInterval(ticking)
      expect(performance.now() - started).toBeGreaterThan(55)
    })
    using _guard = condition.acquireSync()
    expect(condition.waitForSync(() => 'text')).toBe('text')
    expect(() => condition.waitForSync(() => false, { timeoutMs: 10 })).toThrow(shareError('ERR_TIMEOUT', /than 10 ms/))
  })

  it('for a predicate calls it once more after the timeout', async () => {
    using condition = new Condition()
    using _guard = condition.acquireSync()
    let asked = 0
    expect(condition.waitForSync(() => ++asked === 2 && 'late', { timeoutMs: 10 })).toBe('late')
    asked = 0
    expect(await condition.waitFor(() => ++asked === 2 && 'late', { timeoutMs: 10 })).toBe('late')
  })
})

describe('an ownership that is left while its wait goes on', () => {
  it('ends, and does not release the lock of the next owner', async () => {
    using condition = new Condition()
    let waiting: Promise<unknown> | undefined
    await condition.run(() => {
      waiting = condition.wait() // and nobody awaits it
    })
    await condition.run(async () => {
      condition.notify()
      await turns(20)
      expect([condition.lock.locked, await isPending(waiting as Promise<unknown>)]).toEqual([true, false])
    })
    expect(condition.lock.locked).toBe(false)
  })

  it('ends, also when it is left while it waits for the lock', async () => {
    using condition = new Condition()
    const left = await condition.acquire()
    const waiting = condition.wait({ guard: left })
    const other = await condition.acquire()
    condition.notify(1, { guard: other })
    await turns(20) // it is in line
    left.release()
    other.release()
    expect(await waiting).toBe(true)
    expect(condition.lock.locked).toBe(false)
  })

  it('does not end the next ownership', async () => {
    using condition = new Condition()
    let waiting: Promise<unknown> | undefined
    const first = condition.run(async () => {
      waiting = condition.wait()
      await turns(5)
    })
    const second = condition.run(async () => {
      await first
      expect(condition.lock.locked).toBe(true)
      condition.notify()
    })
    await second
    await waiting
    expect(condition.lock.locked).toBe(false)
  })

  it('is not had by the thread', async () => {
    using condition = new Condition()
    const guard = condition.acquireSync()
    const waiting = condition.wait()
    guard.release()
    condition.runSync(() => {
      expect(condition.lock.locked).toBe(true)
      condition.notify()
    })
    expect(condition.lock.locked).toBe(false)
    await waiting
    expect(condition.lock.locked).toBe(false)
  })

  it('is not what a guard shows', async () => {
    using condition = new Condition()
    using guard = await condition.acquire()
    const waiting = condition.wait({ guard })
    const other = await condition.acquire()
    expect(() => condition.notify(1, { guard })).toThrow(shareError('ERR_NOT_OWNER'))
    expect(condition.notify(1, { guard: other })).toBe(1)
    other.release()
    await waiting
    expect(condition.notify(1, { guard })).toBe(0)
  })
})
