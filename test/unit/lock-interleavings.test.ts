import fc from 'fast-check'
import { Lock, type LockGuard, RLock } from 'procshare'
import { describe, expect, it } from 'vitest'
import { within } from '../helpers/fixture.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { turns } from '../helpers/turns.ts'

expectNoLeftovers()

const DEADLINE_MS = 10_000

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('acquire' as const), timeoutMs: fc.constantFrom(0, 1, Infinity) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('run' as const), rounds: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('try' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('sync' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('release' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('abort' as const), which: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('turn' as const), rounds: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('close' as const) }) },
)

describe.each([
  ['Lock', Lock],
  ['RLock', RLock],
] as const)('%s, in any order of asynchronous steps,', (_kind, AnyLock) => {
  it('has one owner at a time, settles every promise, and is free in the end', async () => {
    const property = fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      using lock = new AnyLock()
      let handle = AnyLock.attach(lock.handle)
      const guards: LockGuard[] = []
      const aborts: AbortController[] = []
      const promises: Promise<unknown>[] = []
      let running = 0
      let granted = 0
      const owners = () => guards.filter((guard) => !guard.released).length + running
      const keep = (guard: LockGuard | undefined) => {
        if (guard === undefined) return
        granted++
        guards.push(guard)
        expect(owners()).toBe(1)
      }
      const expected = new Set(['ERR_TIMEOUT', 'ERR_CLOSED', 'ERR_DEADLOCK', 'aborted'])
      const watch = (promise: Promise<unknown>) => {
        promises.push(
          promise.catch((error) => {
            if (!expected.has(error.code ?? error)) throw error
          }),
        )
      }
      for (const now of steps) {
        if (now.kind === 'acquire') {
          const controller = new AbortController()
          aborts.push(controller)
          watch(handle.acquire({ timeoutMs: now.timeoutMs, signal: controller.signal }).then(keep))
        } else if (now.kind === 'run') {
          const body = async () => {
            running++
            granted++
            expect(owners()).toBe(1)
            await turns(now.rounds)
            expect(owners()).toBe(1)
            running--
          }
          watch(lock.run(body))
        } else if (now.kind === 'try') {
          // Here the thread would be the owner, which may take a recursive lock again.
          if (owners() === 0) keep(lock.tryAcquire())
        } else if (now.kind === 'sync') {
          if (!lock.locked) lock.runSync(() => expect(owners()).toBe(0))
        } else if (now.kind === 'release') {
          guards.find((guard) => !guard.released)?.release()
        } else if (now.kind === 'abort') {
          aborts[now.which % Math.max(1, aborts.length)]?.abort('aborted')
        } else if (now.kind === 'turn') {
          await turns(now.rounds)
        } else {
          handle.close()
          handle = AnyLock.attach(lock.handle)
        }
      }
      let settled = false
      const all = Promise.all(promises).finally(() => {
        settled = true
      })
      const drain = async () => {
        while (!settled) {
          guards.find((guard) => !guard.released)?.release()
          await turns(1)
        }
        await all
      }
      await within(drain(), DEADLINE_MS, () => `${promises.length} promises, ${granted} granted, one is lost`)
      for (const guard of guards) guard[Symbol.dispose]()
      expect(owners()).toBe(0)
      expect(lock.locked).toBe(false)
      handle.close()
    })
    await fc.assert(property, { numRuns: 100 })
  })
})
