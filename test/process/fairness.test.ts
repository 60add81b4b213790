import { availableParallelism, loadavg } from 'node:os'
import { Lock, RawArray } from 'procshare'
import { describe, expect, it } from 'vitest'
import { now } from '../helpers/clock.ts'
import { eventually } from '../helpers/eventually.ts'
import { spawnFixture, together } from '../helpers/fixture.ts'

/** How many programs there are for each processor: a holder that is not running keeps others waiting, fair or not. */
function crowding(): number {
  return Math.max(1, loadavg()[0]! / availableParallelism())
}

describe('a lock that other processes acquire again as soon as they have released it', () => {
  it.each([0, 0.05, 1])(
    'is acquired by a task within 50 ms in 99 of 100 cases, when they hold it for %d ms',
    async (holdMs) => {
      using lock = new Lock()
      await using hammerers = await together([spawnFixture('hammer'), spawnFixture('hammer')])
      const hammering = hammerers.map((peer) => peer.call<number>('hammer', lock.handle, 2_500, holdMs))
      const waits: number[] = []
      for (const end = now() + 2_000; now() < end; ) {
        const asked = now()
        const guard = await lock.acquire()
        waits.push(now() - asked)
        guard.release()
        await new Promise((resolve) => setTimeout(resolve, 1)) // a new request, not a second turn
      }
      waits.sort((one, other) => one - other)
      expect(waits.length).toBeGreaterThan(50)
      expect(waits[Math.floor(waits.length * 0.99)]).toBeLessThan(50 * crowding())
      for (const turns of await Promise.all(hammering)) expect(turns).toBeGreaterThan(100)
    },
  )

  it.each([
    ['a task', 20],
    ['a thread', 20],
    ['a task', 2],
  ])('is acquired by %s after a few turns of an owner that never pauses, of %d ms each', async (who, holdMs) => {
    using lock = new Lock()
    using turns = new RawArray('i', 1)
    await using holder = await spawnFixture('hammer')
    void holder.call('hammer', lock.handle, 60_000, holdMs, turns.handle).catch(() => {})
    await eventually(() => turns[0]! > 0)
    for (let round = 0; round < 20; round++) {
      const before = turns[0]!
      const guard =
        who === 'a task' ? await lock.acquire({ timeoutMs: 20_000 }) : lock.acquireSync({ timeoutMs: 20_000 })
      const meanwhile = turns[0]! - before
      guard.release()
      // The turn that is under way, one until the holder is told, those within the 5 ms of patience, and some for a busy machine.
      expect(meanwhile).toBeLessThanOrEqual(5 + Math.ceil(20 / holdMs))
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  })

  it('is acquired by each of eight equal processes at least three tenths as often in a second as by any other', async () => {
    using lock = new Lock()
    await using equals = await together(Array.from({ length: 8 }, () => spawnFixture('hammer')))
    const turns = await Promise.all(equals.map((peer) => peer.call<number>('hammer', lock.handle, 1_000, 0)))
    expect(Math.min(...turns) / Math.max(...turns)).toBeGreaterThan(0.3)
  })

  it.each(['a task', 'a thread'])(
    'is not kept from %s for long by a waiter that reserves the next turn and is killed',
    async (who) => {
      using lock = new Lock()
      const guard = lock.acquireSync()
      const asker = await spawnFixture('lock-user')
      const asking = asker.call('block', lock.handle).catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, 20)) // longer than its patience
      await asker.kill('SIGKILL')
      await asking
      guard.release()
      const asked = now()
      const next = who === 'a task' ? await lock.acquire({ timeoutMs: 5_000 }) : lock.acquireSync({ timeoutMs: 5_000 })
      next.release()
      expect(now() - asked).toBeLessThan(100)
    },
  )
})
