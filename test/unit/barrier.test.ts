import { inspect } from 'node:util'
import { attach, Barrier, Event, SharedState } from 'procshare'
import { describe, expect, it } from 'vitest'
import { rangeError, shareError, typeError, valueError } from '../helpers/error-matchers.ts'
import { spawnFixture, startWorker } from '../helpers/fixture.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'
import { isPending } from '../helpers/turns.ts'

expectNoLeftovers()

const broken = shareError('ERR_BROKEN_BARRIER')

describe('a barrier', () => {
  it.each([
    [0, rangeError(/^parties must be an integer from 1 to 2147483647, got 0/)],
    [-1, rangeError(/^parties/)],
    [1.5, rangeError(/^parties/)],
    [2 ** 31, rangeError(/^parties/)],
    ['2', typeError(/^parties/)],
    [undefined, typeError(/^parties must be an integer, got undefined/)],
  ])('is not for %s parties', (parties, error) => {
    for (const make of [
      () => new Barrier(parties as number),
      () => Barrier.create(uniqueName(), parties as number),
      () => Barrier.open(uniqueName(), parties as number),
    ]) {
      expect(make).toThrow(error)
    }
  })

  it('refuses misspelt options and wrong ones, and names them', async () => {
    expect(() => new Barrier(2, { timeout: 5 } as never)).toThrow(valueError(/^options\.timeout/))
    expect(() => new Barrier(2, { action: 5 } as never)).toThrow(typeError(/^options\.action must be a function/))
    expect(() => new Barrier(2, { timeoutMs: -1 })).toThrow(rangeError(/^options\.timeoutMs/))
    using barrier = Barrier.create(uniqueName(), 2)
    expect(() => Barrier.attach(barrier.name, { action: 5 } as never)).toThrow(typeError(/^options\.action/))
    expect(() => Barrier.attach(barrier.name, { persist: true } as never)).toThrow(valueError(/^options\.persist/))
    await expect(barrier.wait({ timeout: 5 } as never)).rejects.toThrow(valueError(/^options\.timeout/))
    await expect(barrier.wait({ signal: 5 } as never)).rejects.toThrow(typeError(/^options\.signal/))
    expect(() => barrier.waitSync({ timeoutMs: NaN })).toThrow(rangeError(/^options\.timeoutMs/))
    expect([barrier.waiting, barrier.broken]).toEqual([0, false])
  })

  it('is found by name and by handle, for as many parties', async () => {
    const name = uniqueName()
    using barrier = Barrier.create(name, 4)
    using attached = Barrier.attach(name)
    using opened = Barrier.open(name, 4)
    using revived = attach(JSON.parse(JSON.stringify(barrier))) as Barrier
    const all = [barrier, attached, opened, revived]
    expect(await Promise.all(all.map((each) => each.wait()))).toEqual([0, 1, 2, 3])
    expect(all.map(({ parties }) => parties)).toEqual([4, 4, 4, 4])
    expect(() => Barrier.create(name, 4)).toThrow(shareError('EEXIST'))
    expect(() => Barrier.open(name, 5)).toThrow(shareError('ERR_TYPE', /created with parties: 4, not with parties: 5/))
    expect(() => Event.open(name)).toThrow(shareError('ERR_KIND'))
    using event = Event.create(uniqueName())
    expect(() => Barrier.attach(event.name)).toThrow(shareError('ERR_KIND'))
    expect(inspect(barrier)).toMatch(`Barrier "${name}" {`)
  })

  it.each([5, 0, 0.25, Infinity, undefined, 2 ** 40])('has a timeout of %s ms in all processes', (timeoutMs) => {
    const name = uniqueName()
    using barrier = Barrier.create(name, 2, { timeoutMs })
    using attached = Barrier.attach(name)
    using revived = attach(JSON.parse(JSON.stringify(barrier))) as Barrier
    using opened = Barrier.open(name, 2, { timeoutMs })
    const told = Math.min(timeoutMs ?? Infinity, timeoutMs === 2 ** 40 ? Number.MAX_SAFE_INTEGER / 1e6 : Infinity)
    for (const each of [barrier, attached, revived, opened]) expect(each.timeoutMs).toBe(told)
    expect(() => Barrier.open(name, 2, { timeoutMs: 77 })).toThrow(
      shareError('ERR_TYPE', new RegExp(`with timeoutMs: ${told}, not with timeoutMs: 77\\. `)),
    )
    expect(() => Barrier.attach(name, { timeoutMs: 77 } as never)).toThrow(valueError(/^options\.timeoutMs/))
    if (timeoutMs === undefined || timeoutMs === Infinity) return
    expect(() => Barrier.open(name, 2)).toThrow(shareError('ERR_TYPE'))
    using state = new SharedState({ barrier: Barrier(3, { timeoutMs }) })
    using same = SharedState.attach(state.handle, { barrier: Barrier(3, { timeoutMs }) })
    expect(same.barrier.timeoutMs).toBe(told)
    expect(() => SharedState.attach(state.handle, { barrier: Barrier(3) })).toThrow(shareError('ERR_LAYOUT'))
  })

  it('ends the waits of another process after the timeout that it was created with', async () => {
    using barrier = new Barrier(3, { timeoutMs: 50 })
    await using child = await spawnFixture('object-user')
    for (const method of ['wait', 'waitSync']) {
      await expect(child.call('do', barrier.handle, method)).rejects.toThrow(/longer than 50 ms/)
      expect(barrier.broken).toBe(true)
      barrier.reset()
    }
  })

  it('has a timeout that the one of a wait goes before', async () => {
    using barrier = new Barrier(2, { timeoutMs: 5 })
    await expect(barrier.wait()).rejects.toThrow(shareError('ERR_TIMEOUT', /5 ms/))
    barrier.reset()
    expect(() => barrier.waitSync()).toThrow(shareError('ERR_TIMEOUT', /5 ms/))
    barrier.reset()
    expect(() => barrier.waitSync({ timeoutMs: 1 })).toThrow(shareError('ERR_TIMEOUT', /1 ms/))
    barrier.reset()
    using other = Barrier.attach(barrier.handle)
    const waiting = other.wait({ timeoutMs: 10_000 })
    expect(await barrier.wait({ timeoutMs: 10_000 })).toBe(1)
    expect(await waiting).toBe(0)
  })
})

describe('a party that cancels its wait breaks the barrier for all:', () => {
  const reason = new Error('enough')

  it.each<[string, (barrier: Barrier) => { failing: Promise<unknown>; end: () => void; error: unknown }]>([
    [
      'its timeout',
      (barrier) => ({
        failing: barrier.wait({ timeoutMs: 20 }),
        end: () => {},
        error: shareError('ERR_TIMEOUT'),
      }),
    ],
    [
      'its signal',
      (barrier) => {
        const controller = new AbortController()
        return {
          failing: barrier.wait({ signal: controller.signal }),
          end: () => controller.abort(reason),
          error: reason,
        }
      },
    ],
    [
      'the close of its handle',
      (barrier) => {
        const other = Barrier.attach(barrier.handle)
        return { failing: other.wait(), end: () => other.close(), error: shareError('ERR_CLOSED') }
      },
    ],
  ])('%s', async (_title, give) => {
    using barrier = new Barrier(3)
    const { failing, end, error } = give(barrier)
    const other = barrier.wait()
    const outcomes = Promise.allSettled([failing, other])
    end()
    expect(await outcomes).toEqual([
      { status: 'rejected', reason: error },
      { status: 'rejected', reason: broken },
    ])
    expect([barrier.broken, barrier.waiting]).toEqual([true, 0])
    await expect(barrier.wait()).rejects.toThrow(broken)
    expect(() => barrier.waitSync()).toThrow(broken)
    barrier.reset()
    expect(await Promise.all([barrier.wait(), barrier.wait(), barrier.wait()])).toEqual([0, 1, 2])
  })

  it('not by a signal that is aborted before it arrives, nor by one that is aborted after', async () => {
    using barrier = new Barrier(2)
    await expect(barrier.wait({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(barrier.broken).toBe(false)
    const controller = new AbortController()
    const waits = [barrier.wait({ signal: controller.signal }), barrier.wait()]
    controller.abort(reason)
    // All had come: the wait was over.
    expect(await Promise.all(waits)).toEqual([0, 1])
    expect(barrier.broken).toBe(false)
  })

  it.each(['abort', 'reset'] as const)('by %s', async (method) => {
    using barrier = new Barrier(3)
    const outcomes = Promise.allSettled([barrier.wait(), barrier.wait()])
    barrier[method]()
    for (const outcome of await outcomes) expect(outcome).toEqual({ status: 'rejected', reason: broken })
    expect(barrier.broken).toBe(method === 'abort')
  })

  it.each(['killed', 'terminated'] as const)('by being %s', async (how) => {
    using barrier = new Barrier(3)
    await using peer = await (how === 'killed' ? spawnFixture('object-user') : startWorker('object-user'))
    await peer.call('begin', barrier.handle, 'wait')
    const isBroken = expect(barrier.wait({ timeoutMs: 20_000 })).rejects.toThrow(broken)
    expect(barrier.waiting).toBe(2)
    await peer[Symbol.asyncDispose]()
    await isBroken
    expect(barrier.broken).toBe(true)
  })
})

describe('the action of a barrier', () => {
  it('runs once in a generation, before any wait ends, in the object of the last party', async () => {
    const order: string[] = []
    using barrier = new Barrier(2, { action: () => order.push('action') })
    using silent = Barrier.attach(barrier.handle)
    for (const last of [barrier, silent]) {
      const others = last === barrier ? silent : barrier
      await Promise.all([others, last].map(async (each, i) => order.push(`${await each.wait()}=${i}`)))
    }
    expect(order[0]).toBe('action')
    expect(order.filter((entry) => entry === 'action')).toHaveLength(1)
    expect(order).toHaveLength(5)
  })

  it('may be slow: waiting parties wait for its end, and later ones for the next generation', async () => {
    let finish!: () => void
    const work = new Promise<void>((resolve) => {
      finish = resolve
    })
    using barrier = new Barrier(2, { action: () => work })
    const round = [barrier.wait(), barrier.wait()]
    const newcomer = barrier.wait({ timeoutMs: 10_000 })
    expect(await Promise.all([...round, newcomer].map(isPending))).toEqual([true, true, true])
    finish()
    expect(await Promise.all(round)).toEqual([0, 1])
    expect(await isPending(newcomer)).toBe(true)
    expect(await barrier.wait()).toBe(1)
    expect(await newcomer).toBe(0)
  })

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new RangeError('action')
      },
    ],
    ['rejects', () => Promise.reject(new RangeError('action'))],
  ])('that %s breaks the barrier, and its error is the one of the last one', async (_title, action) => {
    using barrier = new Barrier(3, { action })
    const outcomes = await Promise.allSettled([barrier.wait(), barrier.wait(), barrier.wait()])
    expect(outcomes.map((outcome) => (outcome as PromiseRejectedResult).reason)).toEqual([
      broken,
      broken,
      expect.objectContaining({ name: 'RangeError', message: 'action' }),
    ])
    expect(barrier.broken).toBe(true)
  })

  it('that throws in waitSync breaks the barrier', async () => {
    const action = () => {
      throw new RangeError('action')
    }
    using barrier = new Barrier(2, { action })
    const waiting = barrier.wait()
    const outcome = Promise.allSettled([waiting])
    expect(() => barrier.waitSync()).toThrow(new RangeError('action'))
    expect(await outcome).toEqual([{ status: 'rejected', reason: broken }])
  })

  it('must not return a promise in waitSync', async () => {
    using barrier = new Barrier(1, { action: async () => {} })
    expect(() => barrier.waitSync()).toThrow(valueError(/^action must be a function that does not return a promise/))
    expect(barrier.broken).toBe(true)
    barrier.reset()
    expect(await barrier.wait()).toBe(0)
  })

  it.each(['abort', 'reset'] as const)('may go on during %s: no party gets through', async (method) => {
    let finish!: () => void
    const work = new Promise<void>((resolve) => {
      finish = resolve
    })
    using barrier = new Barrier(2, { action: () => work })
    const round = Promise.allSettled([barrier.wait(), barrier.wait()])
    barrier[method]()
    finish()
    for (const outcome of await round) expect(outcome).toEqual({ status: 'rejected', reason: broken })
    expect(barrier.broken).toBe(method === 'abort')
    if (method === 'reset') expect(await Promise.all([barrier.wait(), barrier.wait()])).toEqual([0, 1])
  })

  it('is cancelled when the party that performs it closes its object', async () => {
    let finish!: () => void
    const work = new Promise<void>((resolve) => {
      finish = resolve
    })
    using barrier = new Barrier(2)
    const acting = Barrier.attach(barrier.handle, { action: () => work })
    const outcomes = Promise.allSettled([barrier.wait(), acting.wait()])
    acting.close()
    finish()
    // It is closed, but the round was complete: either way, nobody waits for ever, and all agree.
    const statuses = (await outcomes).map(({ status }) => status)
    expect(new Set(statuses).size).toBe(1)
  })

  it('of another process counts towards the timeout of a newcomer that blocks', async () => {
    using barrier = new Barrier(2)
    await using child = await spawnFixture('object-user')
    const waiting = barrier.wait()
    await child.call('actFor', barrier.handle, 3800)
    await child.event('acting')
    const started = performance.now()
    expect(() => barrier.waitSync({ timeoutMs: 4000 })).toThrow(shareError('ERR_TIMEOUT', /4000 ms/))
    // Not nearly four seconds at the door and four more in the round.
    expect(performance.now() - started).toBeLessThan(7500)
    expect(await waiting).toBe(0)
  })

  it('may be performed by another process, and breaks the barrier when that is killed', async () => {
    using barrier = new Barrier(2, { timeoutMs: 20_000 })
    await using child = await spawnFixture('object-user')
    await child.call('actForEver', barrier.handle)
    const waiting = barrier.wait()
    await child.event('acting')
    const newcomer = barrier.wait()
    const outcomes = Promise.allSettled([waiting, newcomer])
    await child.kill()
    for (const outcome of await outcomes) expect(outcome).toEqual({ status: 'rejected', reason: broken })
  })
})
