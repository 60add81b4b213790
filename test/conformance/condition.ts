/** Condition: waiting with the lock let go, until somebody who holds the lock notifies. */
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { Condition, Lock, RawValue, RLock, Semaphore } from 'procshare'
import { eventually } from '../helpers/eventually.ts'
import { failsWith, isGuard, RANGE_ERROR, TYPE_ERROR, tookAtLeast } from './assertions.ts'
import {
  type Case,
  call,
  forms,
  type GuardOf,
  inside,
  type Outcome,
  type Party,
  SIGNAL,
  type Started,
} from './driver.ts'

/** A wait, and the guard through which its party has the lock when the wait is over. */
interface Parked {
  readonly party: Party
  readonly guard: GuardOf
  readonly started: Started
}

/** Makes a party wait. */
async function park(party: Party, condition: Condition, method: string, options: object = {}): Promise<Parked> {
  const blocking = method.endsWith('Sync')
  const guard = await party.call<GuardOf>(condition, blocking ? 'acquireSync' : 'acquire')
  const args = [...(method.startsWith('waitFor') ? [predicateOf(options)] : []), { guard, ...waitOptions(options) }]
  const started = await party.start(condition, method, ...args)
  await party.waits(started)
  return { party, guard, started }
}

const predicateOf = (options: object) => ('predicate' in options ? options.predicate : undefined)
const waitOptions = ({ predicate: _, ...options }: { predicate?: unknown }) => options

/** That the waits of all these go on. */
async function stillWait(parked: readonly Parked[]): Promise<void> {
  for (const { party, started } of parked) await party.waits(started)
}

/** Notifies, holding the lock; how many there were. */
async function notify(party: Party, condition: Condition, method = 'notify', ...args: unknown[]): Promise<number> {
  const [abandoned, { value, error }] = await party.perform<[boolean, Outcome]>(
    inside(condition, 'run', [call(condition, method, ...args)]),
  )
  assert.deepEqual([abandoned, error], [false, undefined])
  return value as number
}

/** What a wait has given; the lock is released then. */
async function goOn({ party, guard, started }: Parked): Promise<unknown> {
  const value = await started.value
  await party.release(guard)
  return value
}

export const conditionCases: Case[] = [
  ...forms.flatMap(({ form, suffix, needs }): Case[] => {
    const wait = `wait${suffix}`
    const waitFor = `waitFor${suffix}`
    const acquire = `acquire${suffix}`
    return [
      {
        name: `lets go of its lock while it waits, and has it again afterwards, ${form}`,
        needs,
        async run({ parties, share }) {
          const [a, b] = (await parties(2)) as [Party, Party]
          const condition = share(new Condition())
          const parked = await park(b, condition, wait)
          const guard = await a.call<GuardOf>(condition, acquire)
          assert.equal(await a.call(condition, 'notify', 1, { guard }), 1)
          await stillWait([parked]) // for the lock, now
          await a.release(guard)
          assert.equal(await parked.started.value, true)
          assert.equal(await a.call(condition, 'tryAcquire'), undefined)
          await b.release(parked.guard)
          await a.release(await a.call<GuardOf>(condition, 'tryAcquire'))
        },
      },
      {
        name: `wakes as many as it is told to, and says how many there were, ${form}`,
        needs,
        async run({ parties, share }) {
          const [a, ...others] = (await parties(4)) as [Party, ...Party[]]
          const condition = share(new Condition())
          const parked: Parked[] = []
          for (const party of others) parked.push(await park(party, condition, wait))
          assert.equal(await notify(a, condition, 'notify', 0), 0)
          await stillWait(parked)
          assert.equal(await notify(a, condition), 1)
          const ended = parked.map(async (one) => {
            await goOn(one)
            return one
          })
          const first = await Promise.race(ended)
          await stillWait(parked.filter((one) => one !== first))
          assert.equal(await notify(a, condition, 'notify', 5), 2)
          await Promise.all(ended)
          assert.equal(await notify(a, condition), 0)
        },
      },
      {
        name: `wakes all, ${form}`,
        needs,
        async run({ parties, share }) {
          const [a, ...others] = (await parties(4)) as [Party, ...Party[]]
          const condition = share(new Condition({ lock: share(new Lock()) }))
          const parked: Parked[] = []
          for (const party of others) parked.push(await park(party, condition, wait))
          assert.equal(await notify(a, condition, 'notifyAll'), 3)
          assert.deepEqual(await Promise.all(parked.map(goOn)), [true, true, true])
          assert.equal(await notify(a, condition, 'notifyAll'), 0)
        },
      },
      {
        name: `keeps no notification for those who come later, ${form}`,
        needs,
        async run({ parties, share }) {
          const [a, b] = (await parties(2)) as [Party, Party]
          const condition = share(new Condition())
          assert.equal(await notify(a, condition, 'notify', 3), 0)
          const parked = await park(b, condition, wait)
          assert.equal(await notify(a, condition, 'notifyAll'), 1)
          await goOn(parked)
        },
      },
      {
        name: `gives up after a timeout, holds the lock then, and takes no notification any more, ${form}`,
        async run({ parties, share }) {
          const [a, b] = (await parties(2)) as [Party, Party]
          const condition = share(new Condition())
          const guard = await b.call<GuardOf>(condition, acquire)
          await failsWith('ERR_TIMEOUT', b.errorOf(call(condition, wait, { guard, timeoutMs: 0 })))
          const waited = () => b.errorOf(call(condition, wait, { guard, timeoutMs: 25 }))
          await tookAtLeast(25, () => failsWith('ERR_TIMEOUT', waited()))
          assert.deepEqual(await a.get(condition.lock, 'owner'), { pid: b.pid, threadId: b.threadId })
          assert.equal(await b.call(condition, 'notifyAll', { guard }), 0)
          await b.release(guard)
          assert.equal(condition.lock.locked, false)
        },
      },
      {
        name: `takes the lock again after a timeout however long that takes, ${form}`,
        needs,
        async run({ parties, share }) {
          const [a, b] = (await parties(2)) as [Party, Party]
          const condition = share(new Condition())
          const parked = await park(b, condition, wait, { timeoutMs: 500 }) // enough to acquire the lock meanwhile
          const guard = await a.call<GuardOf>(condition, acquire)
          await delay(520) // the timeout is over
          await stillWait([parked])
          await a.release(guard)
          await failsWith('ERR_TIMEOUT', parked.started.error)
          assert.equal(await a.call(condition, 'tryAcquire'), undefined)
          await b.release(parked.guard)
        },
      },
      {
        name: `lets go of all levels of a recursive lock, and has them all again, ${form}`,
        needs,
        async run({ parties, share }) {
          const [a, b] = (await parties(2)) as [Party, Party]
          const condition = share(new Condition({ lock: share(new RLock()) }))
          const guards: GuardOf[] = []
          for (let depth = 0; depth < 3; depth++) guards.push(await b.call<GuardOf>(condition, 'acquireSync'))
          const started = await b.start(condition, wait)
          await b.waits(started)
          assert.equal(await notify(a, condition), 1)
          assert.equal(await started.value, true)
          const waiting = await a.start<GuardOf>(condition, 'acquire')
          for (const guard of guards) {
            await a.waits(waiting)
            await b.release(guard)
          }
          await a.release(await waiting.value)
        },
      },
      {
        name: `goes on waiting for a predicate that does not hold, and gives what it gives when it does, ${form}`,
        needs,
        async run({ parties, share }) {
          const [a, b] = (await parties(2)) as [Party, Party]
          const condition = share(new Condition())
          const value = share(new RawValue('i', 0))
          const looks = share(new RawValue('i', 0))
          const predicate = { '@reads': value.handle, equals: 3, gives: 'three', looks: looks.handle }
          const parked = await park(b, condition, waitFor, { predicate })
          assert.equal(await notify(a, condition), 1)
          await eventually(() => looks.value === 2)
          // It holds the lock while it asks, and lets go of it when it waits again.
          const guard = await a.call<GuardOf>(condition, acquire)
          value.value = 3
          await a.release(guard)
          await stillWait([parked]) // nobody has said so
          assert.equal(await notify(a, condition), 1)
          assert.equal(await goOn(parked), 'three')
        },
      },
      {
        name: `gives at once what a predicate gives that holds, ${form}`,
        async run({ parties, share }) {
          const [a, b] = (await parties(2)) as [Party, Party]
          const condition = share(new Condition())
          const value = share(new RawValue('i', 3))
          const predicate = { '@reads': value.handle, equals: 3, gives: 'three' }
          const guard = await b.call<GuardOf>(condition, acquire)
          assert.equal(await b.call(condition, waitFor, predicate, { guard, timeoutMs: 0 }), 'three')
          value.value = 4
          await failsWith(
            'ERR_TIMEOUT',
            b.errorOf(call(condition, waitFor, predicate, { guard, timeoutMs: 20 })),
            'predicate',
          )
          const thrown = await b.errorOf(call(condition, waitFor, { '@throws': 'as asked' }, { guard }))
          assert.deepEqual([thrown.name, thrown.message], ['RangeError', 'as asked'])
          assert.equal(await a.get(condition.lock, 'locked'), true)
          await b.release(guard)
        },
      },
      {
        name: `notifies one who lives when others were killed while waiting, ${form}`,
        needs: ['end', ...needs],
        async run({ parties, share }) {
          const [a, b, c] = (await parties(3)) as [Party, Party, Party]
          const condition = share(new Condition())
          await park(b, condition, wait)
          const parked = await park(c, condition, wait)
          await b.end()
          assert.equal(await notify(a, condition), 1)
          assert.equal(await goOn(parked), true)
          assert.equal(await notify(a, condition, 'notifyAll'), 0)
        },
      },
      {
        name: `goes on for a waiter when the one is killed who has notified and still holds the lock, ${form}`,
        needs: ['end', ...needs],
        async run({ parties, share }) {
          const [a, b, c] = (await parties(3)) as [Party, Party, Party]
          const condition = share(new Condition())
          const parked = await park(b, condition, wait)
          const guard = await a.call<GuardOf>(condition, acquire)
          assert.equal(await a.call(condition, 'notify', 1, { guard }), 1)
          await a.end()
          assert.equal(await parked.started.value, true)
          const waiting = await c.start<GuardOf>(condition, acquire)
          await c.waits(waiting)
          await b.release(parked.guard)
          const next = await waiting.value
          isGuard(next, true) // the waiter was not told, so the next one is
          await c.release(next)
        },
      },
      {
        name: `is not woken by the death of one who holds the lock, ${form}`,
        needs: ['end', ...needs],
        async run({ parties, share }) {
          const [a, b, c] = (await parties(3)) as [Party, Party, Party]
          const condition = share(new Condition())
          const parked = await park(b, condition, wait)
          await a.call(condition, acquire)
          await a.end()
          const guard = await c.call<GuardOf>(condition, acquire)
          isGuard(guard, true)
          await stillWait([parked])
          assert.equal(await c.call(condition, 'notify', 1, { guard }), 1)
          await c.release(guard)
          assert.equal(await goOn(parked), true)
        },
      },
      {
        name: `wakes those only who wait for the same condition, also when two have one lock, ${form}`,
        needs,
        async run({ parties, share }) {
          const [a, b, c] = (await parties(3)) as [Party, Party, Party]
          const lock = share(new Lock())
          const full = share(new Condition({ lock }))
          const empty = share(new Condition({ lock }))
          const first = await park(b, full, wait)
          const second = await park(c, empty, wait)
          assert.equal(await notify(a, full, 'notifyAll'), 1)
          assert.equal(await goOn(first), true)
          await stillWait([second])
          assert.equal(await notify(a, empty), 1)
          assert.equal(await goOn(second), true)
        },
      },
    ]
  }),
  {
    name: 'is for those who hold its lock',
    async run({ parties, share }) {
      const [a, b] = (await parties(2)) as [Party, Party]
      const condition = share(new Condition())
      const value = share(new RawValue('i', 1))
      const holds = { '@reads': value.handle, equals: 1, gives: true }
      const attempts = [
        ...['wait', 'waitSync', 'notify', 'notifyAll'].map((method) => call(condition, method)),
        call(condition, 'waitFor', holds),
        call(condition, 'waitForSync', holds),
      ]
      for (const attempt of attempts) await failsWith('ERR_NOT_OWNER', a.errorOf(attempt), String(attempt.method))
      const guard = await b.call<GuardOf>(condition, 'acquire')
      for (const attempt of attempts) await failsWith('ERR_NOT_OWNER', a.errorOf(attempt), String(attempt.method))
      // The guard of `await acquire()` belongs to nobody who could be recognised.
      await failsWith('ERR_NOT_OWNER', b.errorOf(call(condition, 'notify')))
      assert.equal(await b.call(condition, 'notify', 1, { guard }), 0)
      await b.release(guard)
      await failsWith('ERR_NOT_OWNER', b.errorOf(call(condition, 'notify', 1, { guard })))
    },
  },
  {
    name: 'recognises who holds the lock by thread and inside run',
    async run({ parties, share }) {
      const [a] = (await parties(1)) as [Party]
      const condition = share(new Condition())
      for (const method of ['run', 'runSync']) {
        const steps = [call(condition, 'notify'), call(condition, 'notifyAll')]
        const outcomes = await a.perform(inside(condition, method, steps))
        assert.deepEqual(outcomes, [false, { value: 0 }, { value: 0 }])
      }
      const guard = await a.call<GuardOf>(condition, 'tryAcquire')
      assert.equal(await a.call(condition, 'notify', 7), 0)
      await a.release(guard)
    },
  },
  {
    name: 'waits inside run, at any depth',
    async run({ parties, share }) {
      const [a, b] = (await parties(2)) as [Party, Party]
      const condition = share(new Condition())
      const nested = inside(condition, 'run', [inside(condition, 'run', [call(condition, 'wait')])])
      const started = await b.begin(nested)
      await b.waits(started)
      assert.equal(await notify(a, condition), 1)
      assert.deepEqual(await started.value, [false, { value: [false, { value: true }] }])
      assert.equal(condition.lock.locked, false)
    },
  },
  {
    name: 'is no longer waited for when a wait is aborted; the lock is held then',
    async run({ parties, share }) {
      const [a, b] = (await parties(2)) as [Party, Party]
      const condition = share(new Condition())
      const { guard, started } = await park(b, condition, 'wait', { signal: SIGNAL })
      await started.abort(new Error('no longer needed'))
      assert.equal((await started.error).message, 'no longer needed')
      assert.equal(await a.call(condition, 'tryAcquire'), undefined)
      assert.equal(await b.call(condition, 'notifyAll', { guard }), 0)
      await b.release(guard)
    },
  },
  {
    name: 'ends the waits of a handle that is closed, and no others',
    async run({ parties, share }) {
      const [a, b, c] = (await parties(3)) as [Party, Party, Party]
      const condition = share(new Condition())
      const closed = await park(b, condition, 'wait')
      const parked = await park(c, condition, 'wait')
      await b.call(condition, 'close')
      await failsWith('ERR_CLOSED', closed.started.error)
      const use = (method: string) => b.perform({ do: 'guard', guard: closed.guard['@guard'], method })
      if ((await use('released')) === false) await use('release')
      for (const method of ['wait', 'waitSync', 'notify', 'notifyAll', 'tryAcquire', 'acquire']) {
        await failsWith('ERR_CLOSED', b.errorOf(call(condition, method)), method)
      }
      await stillWait([parked])
      const guard = await a.call<GuardOf>(condition, 'acquire')
      assert.equal(await a.call(condition, 'notifyAll', { guard }), 1)
      await a.release(guard)
      assert.equal(await goOn(parked), true)
    },
  },
  {
    name: 'takes only counts, timeouts, guards and locks that are such',
    async run({ parties, share }) {
      const [a] = (await parties(1)) as [Party]
      const condition = share(new Condition())
      const guard = await a.call<GuardOf>(condition, 'tryAcquire')
      for (const count of [-1, 1.5, Number.NaN]) {
        await failsWith(RANGE_ERROR, a.errorOf(call(condition, 'notify', count)))
      }
      await failsWith(TYPE_ERROR, a.errorOf(call(condition, 'notify', '1')))
      for (const method of ['wait', 'waitSync']) {
        await failsWith(RANGE_ERROR, a.errorOf(call(condition, method, { timeoutMs: -1 })))
        await failsWith(TYPE_ERROR, a.errorOf(call(condition, method, { timeoutMs: 'x' })))
        await failsWith(TYPE_ERROR, a.errorOf(call(condition, method, { guard: 'x' })))
      }
      for (const method of ['waitFor', 'waitForSync']) {
        await failsWith(TYPE_ERROR, a.errorOf(call(condition, method, 'no function')))
      }
      await a.release(guard)
      const semaphore = share(new Semaphore())
      for (const lock of ['x', true, null, { '@object': semaphore.handle }]) {
        await failsWith(TYPE_ERROR, a.errorOf({ do: 'new', kind: 'Condition', args: [{ lock }] }), String(lock))
      }
    },
  },
]
