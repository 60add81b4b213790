import { Lock } from 'procshare'
import { expect, it } from 'vitest'
import { spawnFixture, startWorker } from '../helpers/fixture.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'

expectNoLeftovers()

const NEVER_MS = 3_600_000

it('a pending acquisition does not keep a process alive after unref(), with or without a timeout', async () => {
  using lock = new Lock()
  using _guard = lock.acquireSync()
  for (const options of [{}, { timeoutMs: NEVER_MS }]) {
    await using child = await spawnFixture('lock-user')
    await child.call('unref', lock.handle)
    await child.call('ask', lock.handle, options)
    await child.call('letEnd')
    expect(await child.ended()).toEqual({ code: 0, signal: null })
  }
})

it('a pending acquisition keeps a process alive until it is granted', async () => {
  using lock = new Lock()
  const guard = lock.acquireSync()
  await using child = await spawnFixture('lock-user')
  await child.call('ask', lock.handle)
  await child.call('letEnd')
  const granted = child.event('granted')
  guard.release()
  await granted
  expect(await child.ended()).toEqual({ code: 0, signal: null })
  // What the child held when it ended is free again.
  const next = await lock.acquire()
  expect(next.abandoned).toBe(true)
  next.release()
})

it('a pending acquisition keeps a process alive until its timeout', async () => {
  using lock = new Lock()
  using _guard = lock.acquireSync()
  await using child = await spawnFixture('lock-user')
  const failed = child.event('failed')
  await child.call('ask', lock.handle, { timeoutMs: 50 })
  await child.call('letEnd')
  expect(await failed).toBe('ERR_TIMEOUT')
  expect(await child.ended()).toEqual({ code: 0, signal: null })
})

it('ref() and unref() count for acquisitions that are pending already', async () => {
  using lock = new Lock()
  const guard = lock.acquireSync()
  await using child = await spawnFixture('lock-user')
  await child.call('unref', lock.handle)
  await child.call('ask', lock.handle, { timeoutMs: NEVER_MS })
  await child.call('ref', lock.handle)
  await child.call('letEnd')
  const granted = child.event('granted')
  guard.release()
  await granted
  await child.ended()

  using _again = await lock.acquire()
  await using other = await spawnFixture('lock-user')
  await other.call('ask', lock.handle, { timeoutMs: NEVER_MS })
  await other.call('unref', lock.handle)
  await other.call('letEnd')
  expect(await other.ended()).toEqual({ code: 0, signal: null })
})

it('is the same in a worker', async () => {
  using lock = new Lock()
  const guard = lock.acquireSync()
  await using worker = await startWorker('lock-user')
  await worker.call('unref', lock.handle)
  await worker.call('ask', lock.handle)
  await worker.call('letEnd')
  expect(await worker.ended()).toBe(0)

  await using kept = await startWorker('lock-user')
  await kept.call('ask', lock.handle)
  await kept.call('letEnd')
  const granted = kept.event('granted')
  guard.release()
  await granted
  expect(await kept.ended()).toBe(0)
})
