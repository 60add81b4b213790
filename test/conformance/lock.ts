/** Lock and RLock: one owner at a time, told apart by thread and task, and survived by the lock. */
import assert from 'node:assert/strict'
import { Lock, RawValue, RLock } from 'procshare'
import { failsWith, inOrder, isGuard, RANGE_ERROR, TYPE_ERROR, tookAtLeast, VALUE_ERROR } from './assertions.ts'
import {
  type Case,
  call,
  forms,
  type GuardOf,
  inside,
  type Outcome,
  type Party,
  pause,
  SIGNAL,
  type Step,
} from './driver.ts'
import { pair, requestCases } from './lock-requests.ts'

type Kind = 'Lock' | 'RLock'

export function lockCases(kind: Kind): Case[] {
  const make = () => (kind === 'Lock' ? new Lock() : new RLock())
  return [
    ...eachForm(make),
    ...asynchronous(make),
    ...requestCases(kind, make),
    ...(kind === 'RLock' ? recursion() : []),
    {
      name: 'is free at first, and says who holds it',
      async run({ parties, share }) {
        const [a, b] = await pair(parties)
        const lock = share(make())
        assert.equal(await a.get(lock, 'locked'), false)
        assert.equal(await b.get(lock, 'owner'), undefined)
        const guard = await a.call<GuardOf>(lock, 'tryAcquire')
        assert.equal(await b.get(lock, 'locked'), true)
        assert.deepEqual(await b.get(lock, 'owner'), { pid: a.pid, threadId: a.threadId })
        await a.release(guard)
        assert.equal(await b.get(lock, 'locked'), false)
        assert.equal(await a.get(lock, 'owner'), undefined)
      },
    },
    {
      name: 'is released by its guard only, and once',
      async run({ parties, share }) {
        const [a, b] = await pair(parties)
        const lock = share(make())
        const guard = await a.call<GuardOf>(lock, 'acquire')
        await failsWith('TypeError', a.errorOf(call(lock, 'release')).then(nameAsCode))
        await failsWith('TypeError', b.errorOf(call(lock, 'release')).then(nameAsCode))
        assert.equal(await b.get(lock, 'locked'), true)
        const use = (method: string): Step => ({ do: 'guard', guard: guard['@guard'], method })
        assert.equal(await a.perform(use('released')), false)
        await a.release(guard)
        assert.equal(await a.perform(use('released')), true)
        const next = await b.call<GuardOf>(lock, 'tryAcquire')
        await failsWith('ERR_NOT_OWNER', a.errorOf(use('release')))
        assert.equal(await a.get(lock, 'locked'), true)
        await b.release(next)
      },
    },
    {
      name: 'takes only timeouts that mean something',
      async run({ parties, share }) {
        const [a] = await pair(parties)
        const lock = share(make())
        for (const method of ['acquire', 'acquireSync']) {
          for (const [timeoutMs, code] of refusedTimeouts) {
            await failsWith(code, a.errorOf(call(lock, method, { timeoutMs })), `${method} ${timeoutMs}`)
          }
          await failsWith(VALUE_ERROR, a.errorOf(call(lock, method, { timeout: 1 })))
          for (const timeoutMs of [Infinity, 2 ** 53, 0, undefined]) {
            await a.release(await a.call<GuardOf>(lock, method, { timeoutMs }))
          }
        }
        assert.equal(await a.get(lock, 'locked'), false)
      },
    },
    {
      name: 'gives back what a function under it gives, and is free after one that throws',
      async run({ parties, share }) {
        const [a, b] = await pair(parties)
        const lock = share(make())
        for (const method of ['run', 'runSync']) {
          const given = await a.perform<unknown[]>(inside(lock, method, []))
          assert.deepEqual(given, [false])
          const failure = await a.errorOf(inside(lock, method, [{ do: 'throw', message: 'as asked' }]))
          assert.deepEqual([failure.name, failure.message], ['RangeError', 'as asked'])
          await b.release(await b.call<GuardOf>(lock, 'tryAcquire'))
        }
        await failsWith(VALUE_ERROR, a.errorOf({ ...inside(lock, 'runSync', []), returns: 'promise' }))
        await b.release(await b.call<GuardOf>(lock, 'tryAcquire'))
      },
    },
    {
      name: 'passes to whoever asks when the last handle of its holder is closed, as abandoned',
      needs: ['apart'],
      async run({ parties, share }) {
        const [a, b] = await pair(parties)
        const lock = share(make())
        await a.call(lock, 'acquire')
        const waiting = await b.start<GuardOf>(lock, 'acquire')
        await b.waits(waiting)
        await a.call(lock, 'close')
        const guard = await waiting.value
        isGuard(guard, true)
        await b.release(guard)
      },
    },
  ]
}

const refusedTimeouts: [unknown, string][] = [
  [-1, RANGE_ERROR],
  [Number.NaN, RANGE_ERROR],
  [-Infinity, RANGE_ERROR],
  ['x', TYPE_ERROR],
  [null, TYPE_ERROR],
]

/** Cases that hold for the waiting and the blocking form alike. */
function eachForm(make: () => Lock | RLock): Case[] {
  return forms.flatMap(({ form, suffix, needs }): Case[] => {
    const acquire = `acquire${suffix}`
    const run = `run${suffix}`
    return [
      {
        name: `is held by one at a time; the next one gets it on release, ${form}`,
        needs,
        async run({ parties, share }) {
          const [a, b] = await pair(parties)
          const lock = share(make())
          const guard = await a.call<GuardOf>(lock, acquire)
          isGuard(guard)
          assert.equal(await b.call(lock, 'tryAcquire'), undefined)
          const waiting = await b.start<GuardOf>(lock, acquire)
          await b.waits(waiting)
          await a.release(guard)
          const next = await waiting.value
          isGuard(next)
          assert.equal(await a.call(lock, 'tryAcquire'), undefined)
          await b.release(next)
          await a.release(await a.call<GuardOf>(lock, 'tryAcquire'))
        },
      },
      {
        name: `gives up after a timeout and has taken nothing, ${form}`,
        needs,
        async run({ parties, share }) {
          const [a, b] = await pair(parties)
          const lock = share(make())
          const guard = await a.call<GuardOf>(lock, acquire)
          for (const method of [acquire, run]) {
            const ask = (timeoutMs: number) =>
              method === run ? inside(lock, run, [], { timeoutMs }) : call(lock, acquire, { timeoutMs })
            await failsWith('ERR_TIMEOUT', b.errorOf(ask(0)))
            await tookAtLeast(25, () => failsWith('ERR_TIMEOUT', b.errorOf(ask(25))))
          }
          assert.deepEqual(await b.get(lock, 'owner'), { pid: a.pid, threadId: a.threadId })
          await a.release(guard)
          assert.equal(await a.get(lock, 'locked'), false)
          await a.release(await a.call<GuardOf>(lock, acquire, { timeoutMs: 0 }))
        },
      },
      {
        name: `serves all who wait, one after the other, ${form}`,
        needs,
        async run({ parties, share }) {
          const [a, ...others] = await crew(parties, 4)
          const lock = share(make())
          const guard = await a.call<GuardOf>(lock, acquire)
          const waiting = await Promise.all(others.map((party) => party.start<GuardOf>(lock, acquire)))
          await Promise.all(others.map((party, i) => party.waits(waiting[i]!)))
          await a.release(guard)
          const counted = waiting.map(async ({ value }, i) => {
            const mine = await value
            isGuard(mine)
            assert.equal(await a.call(lock, 'tryAcquire'), undefined)
            await others[i]!.release(mine)
          })
          await Promise.all(counted)
          assert.equal(await a.get(lock, 'locked'), false)
        },
      },
      {
        name: `loses no update of four at once, ${form}`,
        needs,
        async run({ parties, share }) {
          const all = await crew(parties, 4)
          const lock = share(make())
          const counter = share(new RawValue('i', 0))
          const step = { do: 'tally', lock: lock.handle, counter: counter.handle, times: 60, method: run }
          await Promise.all(all.map((party) => party.perform(step)))
          assert.equal(counter.value, 240)
        },
      },
      {
        name: `goes on to one who waits when its holder is killed, as abandoned, ${form}`,
        needs: ['end', ...needs],
        async run({ parties, share }) {
          const [a, b] = await pair(parties)
          const lock = share(make())
          await a.call(lock, acquire)
          const waiting = await b.start<GuardOf>(lock, acquire)
          await b.waits(waiting)
          await a.end()
          const guard = await waiting.value
          isGuard(guard, true)
          await b.release(guard)
          const again = await b.call<GuardOf>(lock, acquire)
          isGuard(again)
          await b.release(again)
        },
      },
      {
        name: `tells one who comes later that its holder has ended without releasing it, ${form}`,
        needs: ['end', ...needs],
        async run({ parties, share }) {
          const [a, b] = await pair(parties)
          const lock = share(make())
          await a.call(lock, acquire)
          await a.exit()
          assert.equal(await b.get(lock, 'owner'), undefined)
          assert.deepEqual(await b.perform(inside(lock, run, [])), [true])
          assert.deepEqual(await b.perform(inside(lock, run, [])), [false])
        },
      },
      {
        name: `is not held up by one who was killed while it waited, ${form}`,
        needs: ['end', ...needs],
        async run({ parties, share }) {
          const [a, b, c] = await crew(parties, 3)
          const lock = share(make())
          const guard = await a.call<GuardOf>(lock, acquire)
          await b.waits(await b.start(lock, acquire))
          const waiting = await c.start<GuardOf>(lock, acquire)
          await c.waits(waiting)
          await b.end()
          await a.release(guard)
          const next = await waiting.value
          isGuard(next)
          await c.release(next)
        },
      },
    ]
  })
}

function asynchronous(make: () => Lock | RLock): Case[] {
  return [
    {
      name: 'is given in the order in which one party asked',
      async run({ parties, share }) {
        const [a, b] = await pair(parties)
        const lock = share(make())
        const guard = await a.call<GuardOf>(lock, 'acquire')
        const waiting = []
        for (let i = 0; i < 4; i++) waiting.push(await b.start<GuardOf>(lock, 'acquire'))
        await a.release(guard)
        const order = await inOrder(
          waiting.map(async ({ value }) => {
            await b.release(await value)
          }),
        )
        assert.deepEqual(order, [0, 1, 2, 3])
      },
    },
    {
      name: 'is not taken by a request that is aborted',
      async run({ parties, share }) {
        const [a, b] = await pair(parties)
        const lock = share(make())
        const guard = await a.call<GuardOf>(lock, 'acquire')
        const aborted = await b.start(lock, 'acquire', { signal: SIGNAL })
        const other = await b.start<GuardOf>(lock, 'acquire')
        await b.waits(aborted)
        await aborted.abort(new Error('no longer needed'))
        assert.equal((await aborted.error).message, 'no longer needed')
        await b.waits(other)
        await a.release(guard)
        await b.release(await other.value)
        assert.equal(await a.get(lock, 'locked'), false)
      },
    },
    {
      name: 'is refused to pending requests of a handle that is closed, and to no others',
      async run({ parties, share }) {
        const [a, b, c] = await crew(parties, 3)
        const lock = share(make())
        const guard = await a.call<GuardOf>(lock, 'acquire')
        const refused = await b.start(lock, 'acquire')
        const waiting = await c.start<GuardOf>(lock, 'acquire')
        await b.call(lock, 'close')
        await failsWith('ERR_CLOSED', refused.error)
        for (const method of ['acquire', 'acquireSync', 'tryAcquire']) {
          await failsWith('ERR_CLOSED', b.errorOf(call(lock, method)))
        }
        await c.waits(waiting)
        await a.release(guard)
        await c.release(await waiting.value)
      },
    },
  ]
}

function recursion(): Case[] {
  return [
    {
      name: 'is free when it has been released as often as it was taken',
      async run({ parties, share }) {
        const [a, b] = await pair(parties)
        const lock = share(new RLock())
        const guards = [
          await a.call<GuardOf>(lock, 'acquireSync'),
          await a.call<GuardOf>(lock, 'tryAcquire'),
          await a.call<GuardOf>(lock, 'acquireSync', { timeoutMs: 0 }),
        ]
        const waiting = await b.start<GuardOf>(lock, 'acquire')
        for (const guard of guards) {
          await b.waits(waiting)
          await a.release(guard)
        }
        await b.release(await waiting.value)
      },
    },
    {
      name: 'is taken again by a task at any depth, in every form, and free after the outermost one',
      async run({ parties, share }) {
        const [a, b] = await pair(parties)
        const lock = share(new RLock())
        const innermost = inside(lock, 'runSync', [{ do: 'get', on: lock.handle, property: 'locked' }])
        const nested = inside(lock, 'run', [inside(lock, 'run', [innermost, pause('deep')])])
        const holding = await a.begin<[boolean, Outcome]>(nested)
        const waiting = await b.start<GuardOf>(lock, 'acquire')
        await b.waits(waiting)
        await a.resume('deep')
        const [, { value: inner }] = await holding.value
        assert.deepEqual(inner, [false, { value: [false, { value: true }] }, { value: undefined }])
        await b.release(await waiting.value)
      },
    },
    {
      name: 'goes on to the next one, wholly, when its holder is killed at depth three',
      needs: ['end'],
      async run({ parties, share }) {
        const [a, b] = await pair(parties)
        const lock = share(new RLock())
        for (let depth = 0; depth < 3; depth++) await a.call(lock, 'acquireSync')
        const waiting = await b.start<GuardOf>(lock, 'acquire')
        await b.waits(waiting)
        await a.end()
        const guard = await waiting.value
        isGuard(guard, true)
        await b.release(guard)
        assert.equal(await b.get(lock, 'locked'), false)
      },
    },
  ]
}

/** Errors of the language itself have no code. */
function nameAsCode(failure: { name: string; message: string }) {
  return { ...failure, name: failure.name === 'TypeError' ? 'ShareError' : failure.name, code: failure.name }
}

async function crew(
  parties: (count: number) => Promise<Party[]>,
  count: number,
): Promise<[Party, Party, Party, ...Party[]]> {
  return (await parties(count)) as [Party, Party, Party, ...Party[]]
}
