import { inspect } from 'node:util'
import { attach, Event, Semaphore } from 'procshare'
import { describe, expect, it } from 'vitest'
import { rangeError, shareError, typeError, valueError } from '../helpers/error-matchers.ts'
import { spawnFixture, startWorker } from '../helpers/fixture.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'
import { isPending } from '../helpers/turns.ts'

expectNoLeftovers()

describe('an event', () => {
  it('refuses misspelt options and wrong ones, and names them', async () => {
    expect(() => new Event({ set: true } as never)).toThrow(valueError(/^options\.set/))
    expect(() => new Event(true as never)).toThrow(typeError(/^options/))
    expect(() => Event.create(uniqueName(), { mode: '600' } as never)).toThrow(typeError(/^options\.mode/))
    using event = new Event()
    await expect(event.wait({ timeout: 5 } as never)).rejects.toThrow(valueError(/^options\.timeout/))
    await expect(event.wait({ timeoutMs: NaN })).rejects.toThrow(rangeError(/^options\.timeoutMs/))
    await expect(event.wait({ signal: 5 } as never)).rejects.toThrow(typeError(/^options\.signal/))
    expect(() => event.waitSync({ timeoutMs: -1 })).toThrow(rangeError(/^options\.timeoutMs/))
    expect(() => event.waitSync({ signal: AbortSignal.abort() } as never)).toThrow(valueError(/^options\.signal/))
  })

  it('is found by name and by handle, and not as another kind', () => {
    const name = uniqueName()
    using event = Event.create(name)
    using attached = Event.attach(name)
    using opened = Event.open(name)
    using revived = attach(JSON.parse(JSON.stringify(event))) as Event
    attached.set()
    expect([event.isSet, opened.isSet, revived.isSet]).toEqual([true, true, true])
    expect(() => Event.create(name)).toThrow(shareError('EEXIST'))
    expect(() => Semaphore.attach(name)).toThrow(shareError('ERR_KIND', /an Event, not a Semaphore/))
    using semaphore = Semaphore.create(uniqueName())
    expect(() => Event.attach(semaphore.name)).toThrow(shareError('ERR_KIND'))
    expect(() => Event.open(semaphore.name)).toThrow(shareError('ERR_KIND'))
    expect(inspect(event)).toMatch(`Event "${name}" {`)
  })

  it('ends waits also when it is cleared before the waiter has come to look', async () => {
    using event = new Event()
    const waits = [event.wait(), event.wait({ timeoutMs: 10_000 })]
    event.set()
    event.clear()
    expect(await Promise.all(waits)).toEqual([true, true])
    expect(await isPending(event.wait({ timeoutMs: 1_000 }))).toBe(true)
    expect(() => event.waitSync({ timeoutMs: 0 })).toThrow(shareError('ERR_TIMEOUT'))
  })

  it('ends waits also when another process sets and clears it before this one has noticed', async () => {
    using event = new Event()
    using said = new Event()
    await using child = await spawnFixture('object-user')
    const waiting = event.wait({ timeoutMs: 10_000 })
    const answered = child.call('setAndClear', event.handle, said.handle)
    said.waitSync({ timeoutMs: 10_000 }) // the event loop has had no turn
    expect(event.isSet).toBe(false)
    expect(await waiting).toBe(true)
    await answered
  })

  it('makes one attempt with a timeout of 0', async () => {
    using event = new Event()
    await expect(event.wait({ timeoutMs: 0 })).rejects.toThrow(
      shareError('ERR_TIMEOUT', /not ready, and timeoutMs is 0/),
    )
    event.set()
    expect([await event.wait({ timeoutMs: 0 }), event.waitSync({ timeoutMs: 0 })]).toEqual([true, true])
  })

  it("rejects with the signal's reason before and while waiting, and not after", async () => {
    using event = new Event()
    const reason = { enough: true }
    const controller = new AbortController()
    const waits = [event.wait({ signal: controller.signal }), event.wait()]
    controller.abort(reason)
    await expect(waits[0]).rejects.toBe(reason)
    const late = new AbortController()
    const lucky = event.wait({ signal: late.signal })
    event.set()
    late.abort()
    expect([await waits[1], await lucky]).toEqual([true, true])
    // The signal goes before the event.
    await expect(event.wait({ signal: controller.signal })).rejects.toBe(reason)
  })

  it('rejects the pending waits of an object that is closed, and no others', async () => {
    using event = new Event()
    const other = Event.attach(event.handle)
    const failing = [other.wait(), other.wait()]
    const waiting = event.wait()
    other.close()
    for (const one of failing) await expect(one).rejects.toThrow(shareError('ERR_CLOSED'))
    expect(await isPending(waiting)).toBe(true)
    event.set()
    expect(await waiting).toBe(true)
  })

  it('is set for all tasks, blocked processes and workers, and stays set when the process that set it is killed', async () => {
    using event = new Event()
    await using child = await spawnFixture('object-user')
    await using blocked = await spawnFixture('object-user')
    await using worker = await startWorker('object-user')
    await child.call('begin', event.handle, 'wait')
    const waits = [
      blocked.call('do', event.handle, 'waitSync'),
      worker.call('do', event.handle, 'waitSync'),
      event.wait(),
    ]
    await using setter = await spawnFixture('object-user')
    await setter.call('do', event.handle, 'set')
    await setter.kill()
    expect(await Promise.all(waits)).toEqual([true, true, true])
    expect(await child.event('done')).toBe(true)
    expect(event.isSet).toBe(true)
  })
})
