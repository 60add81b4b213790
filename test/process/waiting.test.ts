import { setTimeout as delay } from 'node:timers/promises'
import { Lock, RLock, Value } from 'procshare'
import { describe, expect, it } from 'vitest'
import { now, StallWatch } from '../helpers/clock.ts'
import { shareError } from '../helpers/error-matchers.ts'
import { type FixtureProcess, type Peer, spawnFixture, startWorker, together } from '../helpers/fixture.ts'
import { uniqueName } from '../helpers/segment-names.ts'
import { untilAsleep } from '../helpers/sleepers.ts'

/** Who has waited for longer reserves the next turn. */
const PATIENCE_MS = 10

it('grants a hundred pending acquisitions of one process in order, while another process takes its turns', async () => {
  using lock = new Lock()
  await using other = await spawnFixture('lock-user')
  await other.call('hold', lock.handle)
  const order: number[] = []
  const expected = Array.from({ length: 100 }, (_, i) => i)
  const pending = expected.map(async (i) => {
    const guard = await lock.acquire()
    order.push(i)
    await new Promise(setImmediate)
    guard.release()
  })
  await other.call('release', lock.handle)
  await other.call('churn', lock.handle, 100)
  await Promise.all(pending)
  expect(order).toEqual(expected)
})

it('never hangs while processes, workers and tasks use three locks at once', async () => {
  const locks = [new Lock(), new RLock(), new Lock()]
  const counters = locks.map(() => new Value('i', 0, { lock: false }))
  const args = { locks: locks.map(({ handle }) => handle), counters: counters.map(({ handle }) => handle) }
  await using peers = await together<Peer>([
    ...Array.from({ length: 4 }, () => spawnFixture('chaos', args)),
    ...Array.from({ length: 2 }, () => startWorker('chaos', args)),
  ])
  const plays = peers.map((peer, i) => {
    const tasks = i % 2 === 0 ? 1 : 20
    return peer.call<number[]>('play', 2_000 / tasks, tasks)
  })
  const counted = await Promise.all(plays)
  for (const [i, { value }] of counters.entries()) expect(value).toBe(counted.reduce((sum, each) => sum + each[i]!, 0))
  await Promise.all(peers.map((peer) => peer.call('nest', 50)))
  for (const lock of locks) {
    expect(lock.acquireSync({ timeoutMs: 1_000 }).abandoned).toBe(false)
    lock.close()
  }
  for (const counter of counters) counter.close()
})

describe('a pending acquisition', () => {
  const ends = { code: 0, signal: null }

  async function askingUnrefd(lock: Lock, options?: object): Promise<FixtureProcess> {
    const child = await spawnFixture('lock-user')
    await child.call('unref', lock.handle)
    await child.call('ask', lock.handle, options)
    return child
  }

  function letEnd(peer: Peer): void {
    peer.call('letEnd').catch(() => {})
  }

  it('does not keep its process alive after unref(), with or without a timeout', async () => {
    using lock = new Lock()
    using _guard = lock.acquireSync()
    await using children = await together([askingUnrefd(lock), askingUnrefd(lock, { timeoutMs: 3_600_000 })])
    children.map(letEnd)
    expect(await Promise.all(children.map((child) => child.ended()))).toEqual([ends, ends])
  })

  it('keeps its process alive until it is granted, also after unref() and ref(), and not after unref()', async () => {
    using lock = new Lock()
    const guard = lock.acquireSync()
    await using children = await together(Array.from({ length: 4 }, () => spawnFixture('lock-user')))
    const [before, after, undone, without] = children as unknown as [Peer, Peer, Peer, Peer] & FixtureProcess[]
    await before.call('ask', lock.handle)
    await after.call('unref', lock.handle)
    await after.call('ask', lock.handle)
    await after.call('ref', lock.handle)
    await undone.call('ask', lock.handle)
    await undone.call('unref', lock.handle)
    await without.call('unref', lock.handle)
    await without.call('ask', lock.handle)
    for (const child of children) letEnd(child)
    expect(await children[2]!.ended()).toEqual(ends)
    expect(await children[3]!.ended()).toEqual(ends)

    let ended = 0
    for (const child of children.slice(0, 2)) void child.exit.then(() => ended++)
    await Promise.all(children.slice(0, 2).map(({ pid }) => untilAsleep(pid, lock.name)))
    expect(ended).toBe(0)
    guard.release()
    await Promise.all([before.event('granted'), after.event('granted')])
    expect(await children[0]!.ended()).toEqual(ends)
    expect(await children[1]!.ended()).toEqual(ends)
  })

  it('does not keep its worker alive after unref()', async () => {
    using lock = new Lock()
    using _guard = lock.acquireSync()
    await using worker = await startWorker('lock-user')
    await worker.call('unref', lock.handle)
    await worker.call('ask', lock.handle)
    letEnd(worker)
    expect(await worker.ended()).toBe(0)
  })

  it('ends cleanly with process.exit(), which keeps its exit code', async () => {
    const locks = Array.from({ length: 20 }, () => new Lock())
    const guards = locks.map((lock) => lock.acquireSync())
    await using child = await spawnFixture('lock-user')
    for (const { handle } of [...locks, ...locks]) await child.call('ask', handle)
    child.call('exit', 7).catch(() => {})
    expect(await child.ended()).toEqual({ code: 7, signal: null })
    expect(child.stderr).toBe('')
    for (const guard of guards) guard.release()
    for (const lock of locks) {
      expect(lock.tryAcquire()?.abandoned).toBe(false)
      lock.close()
    }
  })

  it('gives up its reserved turn when its process calls process.exit()', async () => {
    const locks = Array.from({ length: 20 }, () => new Lock())
    const guards = locks.map((lock) => lock.acquireSync())
    await using child = await spawnFixture('lock-user')
    for (const { handle } of locks) await child.call('ask', handle)
    await delay(PATIENCE_MS)
    // Each of them is woken, tries in vain, and reserves the next turn; unless it was quicker than we are.
    const held = locks.flatMap((lock, i) => {
      guards[i]!.release()
      const guard = lock.tryAcquire()
      return guard === undefined ? [] : [{ lock, guard }]
    })
    for (let i = 0; i < 10; i++) await child.call('args')
    child.call('exit', 7).catch(() => {})
    expect(await child.ended()).toEqual({ code: 7, signal: null })
    for (const { lock, guard } of held) {
      guard.release()
      expect(lock.tryAcquire()?.abandoned).toBe(false)
    }
    for (const lock of locks) lock.close()
  })

  it('ends cleanly with a worker that is terminated or calls process.exit()', async () => {
    const locks = Array.from({ length: 20 }, () => new Lock())
    const guards = locks.map((lock) => lock.acquireSync())
    for (let round = 0; round < 5; round++) {
      await using workers = await together([startWorker('lock-user'), startWorker('lock-user')])
      for (const worker of workers) {
        for (const { handle } of [...locks, ...locks]) await worker.call('ask', handle)
      }
      workers[1]!.call('exit', 7).catch(() => {})
      expect(await Promise.all([workers[0]!.terminate(), workers[1]!.ended()])).toEqual([1, 7])
    }
    for (const guard of guards) guard.release()
    for (const lock of locks) {
      expect(lock.tryAcquire()?.abandoned).toBe(false)
      lock.close()
    }
  })

  it('takes no thread of the pool, so files are read and names are looked up during fifty of them', async () => {
    const locks = Array.from({ length: 50 }, () => new Lock())
    const guards = locks.map((lock) => lock.acquireSync())
    await using child = await spawnFixture('lock-user', {}, { env: { ...process.env, UV_THREADPOOL_SIZE: '1' } })
    for (const { handle } of locks) await child.call('ask', handle)
    for (const { name } of locks) await untilAsleep(child.pid, name)
    expect(await child.call('usePool')).toBe(true)
    for (const guard of guards) guard.release()
    for (const lock of locks) {
      await child.event('granted')
      lock.close()
    }
  })

  // Without a call that sleeps on a word of another process the waiting threads look every few milliseconds.
  const MAX_MS = process.env.TEST_FALLBACKS === undefined ? 60 : 300

  it('costs no processor time', async () => {
    using lock = new Lock()
    using _guard = lock.acquireSync()
    await using child = await spawnFixture('lock-user')
    for (let i = 0; i < 10; i++) await child.call('ask', lock.handle)
    await untilAsleep(child.pid, lock.name)
    await child.call('processorTime', 100) // what starting up has left to do
    expect(await child.call('processorTime', 2_000)).toBeLessThan(MAX_MS)
  })
})

describe('a wait for a lock of another process', () => {
  const LATE_MS = 100
  const STALLED_MS = 25

  async function held(): Promise<{ lock: Lock; owner: FixtureProcess } & AsyncDisposable> {
    const lock = Lock.create(uniqueName('held'))
    const owner = await spawnFixture('lock-user')
    await owner.call('hold', lock.handle)
    const dispose = async () => {
      await owner[Symbol.asyncDispose]()
      lock.close()
    }
    return { lock, owner, [Symbol.asyncDispose]: dispose }
  }

  /** Nobody in this process holds the lock or gets it by an old wish. */
  async function expectNothingLeft(lock: Lock, owner: Peer): Promise<void> {
    expect(lock.owner).toMatchObject({ threadId: 0 })
    await owner.call('release', lock.handle)
    expect(lock.locked).toBe(false)
    expect((await owner.call<{ abandoned: boolean }>('visit', lock.handle, 'sync')).abandoned).toBe(false)
    const guard = await lock.acquire({ timeoutMs: 1_000 })
    guard.release()
    expect(guard.abandoned).toBe(false)
    lock.acquireSync({ timeoutMs: 1_000 }).release()
  }

  it('rejects with ERR_TIMEOUT in time, and holds nothing afterwards', async () => {
    await using setup = await held()
    using watch = new StallWatch()
    const { lock, owner } = setup
    const lateness = await Promise.all(
      [0, 1, 20, 50, 50, 100].map(async (timeoutMs) => {
        const start = now()
        await expect(lock.acquire({ timeoutMs })).rejects.toThrow(shareError('ERR_TIMEOUT'))
        return now() - start - timeoutMs
      }),
    )
    expect(Math.min(...lateness)).toBeGreaterThan(-2)
    if (watch.worstMs() < STALLED_MS) expect(Math.max(...lateness)).toBeLessThan(LATE_MS)
    await expect(lock.run(() => {}, { timeoutMs: 5 })).rejects.toThrow(shareError('ERR_TIMEOUT'))
    await expectNothingLeft(lock, owner)
  })

  it('throws ERR_TIMEOUT in time in the blocking form, and holds nothing afterwards', async () => {
    await using setup = await held()
    const { lock, owner } = setup
    for (const timeoutMs of [0, 1, 30, 150]) {
      // The best of some: this thread could not notice a machine that stands still.
      let best = Infinity
      for (let attempt = 0; best >= LATE_MS && attempt < 20; attempt++) {
        const start = now()
        expect(() => lock.acquireSync({ timeoutMs })).toThrow(shareError('ERR_TIMEOUT'))
        best = Math.min(best, now() - start - timeoutMs)
        expect(best).toBeGreaterThan(-2)
      }
      expect(best).toBeLessThan(LATE_MS)
    }
    expect(() => lock.runSync(() => {}, { timeoutMs: 5 })).toThrow(shareError('ERR_TIMEOUT'))
    expect(lock.tryAcquire()).toBeUndefined()
    await expectNothingLeft(lock, owner)
  })

  it("rejects with the signal's reason, before and during the wait", async () => {
    await using setup = await held()
    const { lock, owner } = setup
    const reason = new Error('enough')
    await expect(lock.acquire({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    const waiting = [lock.acquire({ signal: controller.signal }), lock.run(() => {}, { signal: controller.signal })]
    controller.abort(reason)
    for (const one of waiting) await expect(one).rejects.toBe(reason)
    await expect(lock.acquire({ signal: AbortSignal.timeout(20) })).rejects.toMatchObject({ name: 'TimeoutError' })
    await expectNothingLeft(lock, owner)
  })

  it('lets later waiters move up when it ends early', async () => {
    await using setup = await held()
    const { lock, owner } = setup
    const controllers = Array.from({ length: 6 }, () => new AbortController())
    const order: number[] = []
    const pending = controllers.map(async ({ signal }, i) => {
      const guard = await lock.acquire({ signal })
      order.push(i)
      guard.release()
    })
    for (const i of [0, 2, 5]) controllers[i]!.abort()
    const outcomes = Promise.allSettled(pending)
    await owner.call('release', lock.handle)
    expect((await outcomes).map(({ status }) => status)).toEqual([
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
      'rejected',
    ])
    expect(order).toEqual([1, 3, 4])
  })

  it('does not lose the lock when the signal aborts during the grant', async () => {
    using lock = new Lock()
    await using owner = await spawnFixture('lock-user')
    for (let round = 0; round < 50; round++) {
      await owner.call('hold', lock.handle)
      const controller = new AbortController()
      const outcome = lock.acquire({ signal: controller.signal }).then(
        (guard) => guard.release(),
        (error) => expect(error.name).toBe('AbortError'),
      )
      const released = owner.call('release', lock.handle)
      setTimeout(() => controller.abort(), round % 3)
      await Promise.all([outcome, released])
      lock.acquireSync({ timeoutMs: 1_000 }).release()
    }
  })
})
