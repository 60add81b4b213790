/** What requests for a lock meet, by who holds it: the table of docs/internals/lock-protocol.md, column by column. */
import assert from 'node:assert/strict'
import type { Lock, RLock } from 'procshare'
import { verdict } from './assertions.ts'
import { type Case, call, type GuardOf, inside, type Outcome, type Party, pause, type Step } from './driver.ts'

/** One column of the table "What a request meets" in docs/internals/lock-protocol.md. */
type Meetings = Record<'acquireSync' | 'runSync' | 'tryAcquire' | 'acquire' | 'run', string>

const BLOCKING = ['acquireSync', 'runSync']

export function requestCases(kind: 'Lock' | 'RLock', make: () => Lock | RLock): Case[] {
  const recursive = kind === 'RLock'
  const bySelf = {
    acquireSync: recursive ? 'guard' : 'ERR_DEADLOCK',
    runSync: recursive ? 'guard' : 'ERR_DEADLOCK',
    tryAcquire: recursive ? 'guard' : 'nothing',
  }
  const byOtherTask = { acquireSync: 'ERR_DEADLOCK', runSync: 'ERR_DEADLOCK', tryAcquire: 'nothing' }
  const waits = { acquire: 'waits', run: 'waits' }
  const inRun = recursive ? { acquire: 'guard', run: 'guard' } : { acquire: 'ERR_DEADLOCK', run: 'ERR_DEADLOCK' }
  const request = (lock: Lock | RLock, method: string) =>
    method.startsWith('run') ? inside(lock, method, []) : call(lock, method)

  /** Asks in every way while `holder` holds the lock; `free` lets it go. */
  async function ask(asker: Party, lock: Lock | RLock, expected: Meetings, free: () => Promise<void>): Promise<void> {
    const pending = []
    for (const [method, meeting] of Object.entries(expected)) {
      if (meeting === 'waits' && !BLOCKING.includes(method)) {
        const started = await asker.begin(request(lock, method))
        await asker.waits(started)
        pending.push([method, started] as const)
      } else if (meeting !== 'waits') {
        const outcome = await outcomeOf(asker, request(lock, method))
        assert.equal(verdict(outcome), meeting, method)
        if (isHeld(outcome.value)) await asker.release(outcome.value)
      }
    }
    await free()
    for (const [method, { value }] of pending) {
      const got = await value
      assert.notEqual(got, undefined, method)
      if (isHeld(got)) await asker.release(got)
    }
  }

  return [
    {
      name: 'answers requests while their own thread holds it, as the table of the lock protocol says',
      async run({ parties, share }) {
        const [a] = await pair(parties)
        const lock = share(make())
        const guard = await a.call<GuardOf>(lock, 'tryAcquire')
        await ask(a, lock, { ...bySelf, ...waits }, () => a.release(guard))
      },
    },
    {
      name: 'answers requests from inside the task that holds it, as the table of the lock protocol says',
      async run({ parties, share }) {
        const [a] = await pair(parties)
        const lock = share(make())
        const expected: Meetings = { ...bySelf, ...inRun }
        const methods = Object.keys(expected)
        const steps = methods.map((method) => request(lock, method))
        const [abandoned, ...outcomes] = await a.perform<[boolean, ...Outcome[]]>(inside(lock, 'run', steps))
        assert.equal(abandoned, false)
        assert.deepEqual(Object.fromEntries(outcomes.map((outcome, i) => [methods[i], verdict(outcome)])), expected)
        // The guards keep the lock until the last one is released.
        for (const { value } of outcomes) {
          if (!isHeld(value)) continue
          assert.equal(await a.get(lock, 'locked'), true)
          await a.release(value)
        }
        assert.equal(await a.get(lock, 'locked'), false)
      },
    },
    {
      name: 'answers requests from outside the task that holds it, as the table of the lock protocol says',
      async run({ parties, share }) {
        const [a] = await pair(parties)
        const lock = share(make())
        const holding = await a.begin(inside(lock, 'run', [pause('held')]))
        await ask(a, lock, { ...byOtherTask, ...waits }, () => a.resume('held'))
        await holding.value
      },
    },
    {
      name: 'answers requests while a guard of its own party holds it, as the table of the lock protocol says',
      async run({ parties, share }) {
        const [a] = await pair(parties)
        const lock = share(make())
        const guard = await a.call<GuardOf>(lock, 'acquire')
        await ask(a, lock, { ...byOtherTask, ...waits }, () => a.release(guard))
      },
    },
    {
      name: 'answers requests while another task holds it, as the table of the lock protocol says',
      async run({ parties, share }) {
        const [a, b] = await pair(parties)
        const lock = share(make())
        const guard = await a.call<GuardOf>(lock, 'acquire')
        const sync =
          a.threadId === b.threadId && a.pid === b.pid ? byOtherTask : { acquireSync: 'waits', runSync: 'waits' }
        await ask(b, lock, { ...sync, tryAcquire: 'nothing', ...waits }, () => a.release(guard))
      },
    },
    {
      name: 'makes blocking requests wait while another thread holds it',
      needs: ['block', 'apart'],
      async run({ parties, share }) {
        const [a, b] = await pair(parties)
        const lock = share(make())
        for (const hold of ['acquire', 'acquireSync']) {
          const guard = await a.call<GuardOf>(lock, hold)
          const waiting = await b.start<GuardOf>(lock, 'acquireSync')
          await b.waits(waiting)
          await a.release(guard)
          await b.release(await waiting.value)
        }
      },
    },
  ]
}

function isHeld(value: unknown): value is GuardOf {
  return typeof value === 'object' && value !== null && '@guard' in value
}

async function outcomeOf(party: Party, step: Step): Promise<Outcome> {
  const started = await party.begin(step)
  try {
    return { value: await started.value }
  } catch {
    return { error: await started.error }
  }
}

export async function pair(parties: (count: number) => Promise<Party[]>): Promise<[Party, Party]> {
  return (await parties(2)) as [Party, Party]
}
