import { Lock } from 'procshare'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { now, StallWatch } from '../helpers/clock.ts'
import { type FixtureProcess, spawnFixture, startWorker, together } from '../helpers/fixture.ts'
import { uniqueName } from '../helpers/segment-names.ts'
import { untilAsleep } from '../helpers/sleepers.ts'

const ROUNDS = 15
// Those who sleep beside one that is killed look again after 100 ms.
const NOTICED_WITHIN_MS = 250
const STALLED_MS = 25

let owner: FixtureProcess
let next: FixtureProcess

beforeAll(async () => {
  owner = await spawnFixture('lock-user')
  next = await spawnFixture('lock-user')
})

afterAll(async () => {
  await owner[Symbol.asyncDispose]()
  await next[Symbol.asyncDispose]()
})

it('a waiter that is killed or terminated affects neither the owner nor other waiters', async () => {
  using lock = Lock.create(uniqueName('lock'))
  await owner.call('hold', lock.handle)
  const others = [lock.acquire(), next.call<{ abandoned: boolean }>('visit', lock.handle, 'sync')] as const
  await untilAsleep(next.pid, lock.name)
  {
    await using processes = await together([spawnFixture('lock-user'), spawnFixture('lock-user')])
    await using worker = await startWorker('lock-user')
    processes[0]!.call('block', lock.handle).catch(() => {})
    await processes[1]!.call('ask', lock.handle)
    worker.call('block', lock.handle).catch(() => {})
    for (const { pid } of processes) await untilAsleep(pid, lock.name)
    await untilAsleep(process.pid, lock.name, 2)
    await Promise.all([...processes.map((one) => one.kill('SIGKILL')), worker.terminate()])
  }
  expect(lock.owner).toEqual({ pid: owner.pid, threadId: 0 })
  await owner.call('release', lock.handle)
  const guard = await others[0]
  guard.release()
  expect([guard.abandoned, (await others[1]).abandoned]).toEqual([false, false])
})

it('a waiter that is killed while the lock is released to it does not keep the lock', async () => {
  using watch = new StallWatch()
  for (let round = 0; round < ROUNDS; round++) {
    using lock = Lock.create(uniqueName('lock'))
    await owner.call('hold', lock.handle)
    await using victim = await spawnFixture('lock-user')
    // The one that waits longer is woken first: the victim.
    if (round % 2 === 0) victim.call('block', lock.handle).catch(() => {})
    else await victim.call('ask', lock.handle)
    await untilAsleep(victim.pid, lock.name)
    const visit = next.call<{ at: number }>('visit', lock.handle, round % 3 === 0 ? 'async' : 'sync')
    await untilAsleep(next.pid, lock.name)
    watch.worstMs()
    const released = owner.call('release', lock.handle)
    const killAt = now() + (round % 5) * 0.1
    while (now() < killAt);
    victim.child.kill('SIGKILL')
    const { at } = await visit
    await released
    if (watch.worstMs() < STALLED_MS) expect(at - killAt).toBeLessThan(NOTICED_WITHIN_MS)
    // Whether it still got the lock, before or after the other one, is its luck; either way it has not kept it. It may have
    // reserved the next turn, for some milliseconds.
    await victim.ended()
    lock.acquireSync({ timeoutMs: 1_000 }).release()
  }
})
