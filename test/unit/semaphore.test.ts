import { inspect } from 'node:util'
import { attach, BoundedSemaphore, Event, Semaphore } from 'procshare'
import { describe, expect, it } from 'vitest'
import { rangeError, shareError, typeError, valueError } from '../helpers/error-matchers.ts'
import { eventually } from '../helpers/eventually.ts'
import { type Peer, spawnFixture, startWorker } from '../helpers/fixture.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'
import { isPending } from '../helpers/turns.ts'

expectNoLeftovers()

const MAX_VALUE = 2 ** 31 - 1

describe.each([
  ['Semaphore', Semaphore],
  ['BoundedSemaphore', BoundedSemaphore],
] as const)('a %s', (kind, Class) => {
  it('has one unit by default, or the given number', () => {
    for (const [given, value] of [
      [undefined, 1],
      [0, 0],
      [MAX_VALUE, MAX_VALUE],
    ] as const) {
      using semaphore = new Class(given)
      expect(semaphore.value).toBe(value)
    }
  })

  it.each([
    [-1, rangeError(/^value must be an integer from 0 to 2147483647, got -1/)],
    [1.5, rangeError(/^value/)],
    [2 ** 31, rangeError(/^value/)],
    [NaN, rangeError(/^value/)],
    ['1', typeError(/^value must be an integer, got '1'/)],
    [1n, typeError(/^value/)],
    [null, typeError(/^value/)],
  ])('has no value such as %s', (value, error) => {
    expect(() => new Class(value as number)).toThrow(error)
    expect(() => Class.create(uniqueName(), value as number)).toThrow(error)
    expect(() => Class.open(uniqueName(), value as number)).toThrow(error)
  })

  it('refuses misspelt options and wrong ones, and names them', async () => {
    expect(() => new Class(1, { recoverabel: true } as never)).toThrow(valueError(/^options\.recoverabel/))
    expect(() => new Class(1, { recoverable: 1 } as never)).toThrow(
      typeError(/^options\.recoverable must be a boolean/),
    )
    expect(() => new Class(1, 5 as never)).toThrow(typeError(/^options/))
    expect(() => new Class(1, { persist: 1 } as never)).toThrow(typeError(/^options\.persist/))
    expect(() => Class.create('a/b')).toThrow()
    using semaphore = new Class(1)
    await expect(semaphore.acquire({ timeout: 5 } as never)).rejects.toThrow(valueError(/^options\.timeout/))
    await expect(semaphore.acquire({ timeoutMs: -1 })).rejects.toThrow(rangeError(/^options\.timeoutMs/))
    await expect(semaphore.acquire({ signal: {} } as never)).rejects.toThrow(typeError(/^options\.signal/))
    expect(() => semaphore.acquireSync({ timeoutMs: '5' } as never)).toThrow(typeError(/^options\.timeoutMs/))
    expect(() => semaphore.acquireSync({ signal: AbortSignal.abort() } as never)).toThrow(
      valueError(/^options\.signal/),
    )
    for (const units of [0, -1, 1.5, 2 ** 31]) expect(() => semaphore.release(units)).toThrow(rangeError(/^units/))
    expect(() => semaphore.release('1' as never)).toThrow(typeError(/^units/))
    expect(semaphore.value).toBe(1)
  })

  it('is found by name and by handle', () => {
    const name = uniqueName()
    using semaphore = Class.create(name, 3)
    using attached = Class.attach(name)
    using opened = Class.open(name, 3)
    using revived = attach(JSON.parse(JSON.stringify(semaphore))) as Semaphore
    expect(revived).toBeInstanceOf(Class)
    attached.acquireSync()
    expect([semaphore.value, opened.value, revived.value]).toEqual([2, 2, 2])
    expect(() => Class.create(name)).toThrow(shareError('EEXIST'))
    expect(inspect(semaphore)).toMatch(`${kind} "${name}" {`)
  })

  it('is not another kind of object, nor the other kind of semaphore', () => {
    using event = Event.create(uniqueName())
    expect(() => Class.attach(event.name)).toThrow(shareError('ERR_KIND'))
    expect(() => Class.open(event.name)).toThrow(shareError('ERR_KIND'))
    using semaphore = Class.create(uniqueName())
    const Other = Class === Semaphore ? BoundedSemaphore : Semaphore
    expect(() => Other.attach(semaphore.name)).toThrow(shareError('ERR_KIND', new RegExp(`contains a ${kind}, not `)))
    expect(() => Other.open(semaphore.name)).toThrow(shareError('ERR_KIND'))
    const byDefault = Class === BoundedSemaphore
    using _same = Class.open(semaphore.name, 1, { recoverable: byDefault })
    expect(() => Class.open(semaphore.name, 1, { recoverable: !byDefault })).toThrow(
      shareError('ERR_TYPE', new RegExp(`recoverable: ${byDefault}`)),
    )
  })

  it('gives nothing and takes nothing when a signal aborts before, while or after', async () => {
    using semaphore = new Class(1)
    const reason = new Error('enough')
    await expect(semaphore.acquire({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(semaphore.value).toBe(1)
    semaphore.acquireSync()
    const controller = new AbortController()
    const waits = [semaphore.acquire({ signal: controller.signal }), semaphore.acquire()]
    controller.abort(reason)
    await expect(waits[0]).rejects.toBe(reason)
    semaphore.release()
    await waits[1]
    const late = new AbortController()
    semaphore.release()
    await semaphore.acquire({ signal: late.signal })
    late.abort()
    expect(semaphore.value).toBe(0)
    semaphore.release()
    expect(semaphore.tryAcquire()).toBe(true)
  })

  it('rejects the pending acquisitions of an object that is closed, and no others', async () => {
    using semaphore = new Class(1)
    semaphore.acquireSync()
    const other = Class.attach(semaphore.handle)
    const failing = [other.acquire(), other.acquire()]
    const waiting = semaphore.acquire()
    other.close()
    for (const one of failing) await expect(one).rejects.toThrow(shareError('ERR_CLOSED'))
    expect(await isPending(waiting)).toBe(true)
    semaphore.release()
    await waiting
  })
})

it('a Semaphore is opened whatever its value, a BoundedSemaphore only with its own limit', () => {
  using semaphore = Semaphore.create(uniqueName(), 2)
  using same = Semaphore.open(semaphore.name, 5)
  expect(same.value).toBe(2)
  using bounded = BoundedSemaphore.create(uniqueName(), 2)
  expect(() => BoundedSemaphore.open(bounded.name, 5)).toThrow(
    shareError('ERR_TYPE', /created with value: 2, not with value: /),
  )
})

describe('a release too many', () => {
  it('of a BoundedSemaphore changes nothing', () => {
    using semaphore = new BoundedSemaphore(2)
    semaphore.acquireSync()
    expect(() => semaphore.release(2)).toThrow(shareError('ERR_OVER_RELEASE'))
    expect(semaphore.value).toBe(1)
    semaphore.release()
    expect(() => semaphore.release()).toThrow(shareError('ERR_OVER_RELEASE', /would exceed its limit/))
    expect(semaphore.value).toBe(2)
  })

  it('of a BoundedSemaphore of nothing is any', () => {
    using semaphore = new BoundedSemaphore(0)
    expect(semaphore.tryAcquire()).toBe(false)
    expect(() => semaphore.release()).toThrow(shareError('ERR_OVER_RELEASE'))
  })

  it('of a Semaphore is one beyond 2^31 - 1', () => {
    using semaphore = new Semaphore(1)
    semaphore.release(MAX_VALUE - 1)
    expect(() => semaphore.release()).toThrow(shareError('ERR_OVER_RELEASE'))
    expect(semaphore.value).toBe(MAX_VALUE)
  })

  it('of a recoverable one is what this process has not acquired', async () => {
    using semaphore = new Semaphore(2, { recoverable: true })
    expect(() => semaphore.release()).toThrow(shareError('ERR_NOT_OWNER'))
    await using child = await spawnFixture('object-user')
    await child.call('do', semaphore.handle, 'acquireSync')
    expect(() => semaphore.release()).toThrow(shareError('ERR_NOT_OWNER'))
    semaphore.acquireSync()
    expect(() => semaphore.release(2)).toThrow(shareError('ERR_NOT_OWNER', /this process or worker holds/i))
    semaphore.release()
    expect(semaphore.value).toBe(1)
    await child.call('do', semaphore.handle, 'release')
    expect(semaphore.value).toBe(2)
  })
})

describe('units of a recoverable semaphore that were not released come back', () => {
  it('when the last object of the process is closed', () => {
    using semaphore = new BoundedSemaphore(3)
    const { handle } = semaphore
    semaphore.acquireSync()
    const other = BoundedSemaphore.attach(handle)
    other.acquireSync()
    other.close() // one of two
    expect(semaphore.value).toBe(1)
  })

  const ends: [string, () => Promise<Peer>, (peer: Peer, semaphore: Semaphore) => Promise<unknown>][] = [
    ['when another process closes its handle', () => spawnFixture('object-user'), (p, s) => p.call('close', s.handle)],
    ['when another process exits', () => spawnFixture('object-user'), (p) => p.call('exit', 0).catch(() => {})],
    ['when another process is killed', () => spawnFixture('object-user'), (p) => p[Symbol.asyncDispose]()],
    ['when a worker is terminated', () => startWorker('object-user'), (p) => p[Symbol.asyncDispose]()],
    ['when a worker exits', () => startWorker('object-user'), (p) => p.call('exit', 0).catch(() => {})],
    ['when a worker closes its handle', () => startWorker('object-user'), (p, s) => p.call('close', s.handle)],
  ]

  it.each(ends)('%s, for current and later waiters', async (_title, start, end) => {
    using semaphore = new Semaphore(3, { recoverable: true })
    await using peer = await start()
    await peer.call('do', semaphore.handle, 'acquire')
    await peer.call('do', semaphore.handle, 'acquireSync')
    await peer.call('do', semaphore.handle, 'tryAcquire')
    const waiting = [semaphore.acquire({ timeoutMs: 10_000 }), semaphore.acquire({ timeoutMs: 10_000 })]
    await end(peer, semaphore)
    await Promise.all(waiting)
    await eventually(() => semaphore.value === 1)
    semaphore.acquireSync({ timeoutMs: 10_000 })
    expect(semaphore.tryAcquire()).toBe(false)
    semaphore.release(3)
    expect(semaphore.value).toBe(3)
  })

  it('also to a thread that is blocked', async () => {
    using semaphore = new Semaphore(1, { recoverable: true })
    await using owner = await spawnFixture('object-user')
    await using waiter = await spawnFixture('object-user')
    await owner.call('do', semaphore.handle, 'acquireSync')
    const waiting = waiter.call('do', semaphore.handle, 'acquireSync', { timeoutMs: 20_000 })
    await owner.kill()
    await waiting
    expect(semaphore.value).toBe(0)
  })

  it('and units of a semaphore that is not recoverable are lost with their process', async () => {
    using semaphore = new Semaphore(2)
    await using child = await spawnFixture('object-user')
    await child.call('do', semaphore.handle, 'acquireSync')
    await child.kill()
    expect(semaphore.value).toBe(1)
  })
})
