import { Condition, Lock } from 'procshare'
import { describe, expect, it } from 'vitest'
import { spawnFixture, startWorker } from '../helpers/fixture.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'

expectNoLeftovers()

describe.each([
  ['its own lock', () => ({ condition: new Condition(), lock: undefined })],
  [
    'a given lock',
    () => {
      const lock = new Lock()
      return { condition: new Condition({ lock }), lock }
    },
  ],
] as const)('when somebody is killed who holds the lock while others wait for a condition with %s', (_title, make) => {
  it.each(['wait', 'waitSync'] as const)(
    '%s goes on, and the next acquisition finds the lock abandoned',
    async (form) => {
      const { condition, lock } = make()
      using _condition = condition
      using _lock = lock
      await using owner = await spawnFixture('object-user')
      let waiting: Promise<unknown>
      await using blocked = await startWorker('object-user')
      if (form === 'wait') {
        waiting = condition.run(() => condition.wait({ timeoutMs: 20_000 }))
      } else {
        waiting = blocked.call('waitUnderLockSync', condition.handle)
        await blocked.event('waiting')
      }
      expect(await owner.call('hold', condition.handle)).toBe(false)
      // It notifies, and dies before it lets go of the lock: the waiter gets the lock, abandoned, with nobody to tell.
      expect(await owner.call('do', condition.handle, 'notify')).toBe(1)
      await owner.kill()
      await waiting
      const next = condition.acquireSync({ timeoutMs: 10_000 })
      expect(next.abandoned).toBe(true)
      next.release()
      expect(condition.acquireSync().abandoned).toBe(false)
    },
  )

  it('an acquisition while they still wait finds the lock abandoned, and later ones do not', async () => {
    const { condition, lock } = make()
    using _condition = condition
    using _lock = lock
    const waiting = condition.run(() => condition.wait({ timeoutMs: 20_000 }))
    await using owner = await spawnFixture('object-user')
    await owner.call('hold', condition.handle)
    await owner.kill()
    const guard = condition.acquireSync({ timeoutMs: 10_000 })
    expect([guard.abandoned, condition.notify()]).toEqual([true, 1])
    guard.release()
    await waiting
    expect(condition.acquireSync().abandoned).toBe(false)
  })
})

it.each(['before', 'after'])('a waiter that is killed takes no notification with it (killed %s it)', async (when) => {
  using condition = new Condition()
  await using doomed = await spawnFixture('object-user')
  doomed.call('waitUnderLock', condition.handle).catch(() => {})
  await doomed.event('waiting')
  let surviving: Promise<true> | undefined
  await condition.run(() => {}) // it waits: it has let go of the lock
  const entered = new Promise<void>((resolve) => {
    surviving = condition.run(() => {
      resolve()
      return condition.wait({ timeoutMs: 20_000 })
    })
  })
  await entered
  if (when === 'before') await doomed.kill()
  else doomed.child.kill('SIGSTOP') // it cannot answer
  expect(condition.runSync(() => condition.notify())).toBe(1)
  await doomed.kill()
  expect(await surviving).toBe(true)
})
