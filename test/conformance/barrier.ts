/** Barrier: so many wait for each other, and one who gives up breaks it for all. */
import assert from 'node:assert/strict'
import { Barrier, RawValue } from 'procshare'
import { eventually } from '../helpers/eventually.ts'
import { failsWith, RANGE_ERROR, TYPE_ERROR, tookAtLeast } from './assertions.ts'
import { type Case, call, forms, type Party, SIGNAL, type Started, type Step } from './driver.ts'

const BROKEN = 'ERR_BROKEN_BARRIER'

/** Makes a party wait, and asserts that it does. */
async function arrive(party: Party, barrier: Barrier, method: string, options?: object): Promise<Started<number>> {
  const started = await party.start<number>(barrier, method, ...(options === undefined ? [] : [options]))
  await party.waits(started)
  return started
}

/** Has a party attach with an action or timeout of its own. */
const attachWith = (barrier: Barrier, options: object): Step => ({ do: 'attach', on: barrier.handle, options })

export const barrierCases: Case[] = [
  ...forms.flatMap(({ form, suffix, needs }): Case[] => {
    const wait = `wait${suffix}`
    return [
      {
        name: `lets all go when the last one arrives, each with its place, time and again, ${form}`,
        needs,
        async run({ parties, share }) {
          const all = (await parties(3)) as [Party, Party, Party]
          const barrier = share(new Barrier(3))
          for (let trip = 0; trip < 4; trip++) {
            const first = await arrive(all[trip % 3]!, barrier, wait)
            assert.equal(barrier.waiting, 1)
            const second = await arrive(all[(trip + 1) % 3]!, barrier, wait)
            assert.equal(barrier.waiting, 2)
            assert.equal(await all[(trip + 2) % 3]!.call(barrier, wait), 2)
            assert.deepEqual([await first.value, await second.value], [0, 1])
            assert.equal(barrier.waiting, 0)
          }
          assert.equal(barrier.broken, false)
        },
      },
      {
        name: `is broken for all when one has waited too long, ${form}`,
        needs,
        async run({ parties, share }) {
          const [a, b, c] = (await parties(3)) as [Party, Party, Party]
          const barrier = share(new Barrier(3))
          const waiting = await arrive(a, barrier, wait)
          const late = () => b.errorOf(call(barrier, wait, { timeoutMs: 25 }))
          await tookAtLeast(25, () => failsWith('ERR_TIMEOUT', late()))
          await failsWith(BROKEN, waiting.error)
          await failsWith(BROKEN, c.errorOf(call(barrier, wait)))
          assert.deepEqual([barrier.broken, barrier.waiting], [true, 0])
          barrier.reset()
          const again = await arrive(a, barrier, wait)
          await failsWith('ERR_TIMEOUT', b.errorOf(call(barrier, wait, { timeoutMs: 0 })))
          await failsWith(BROKEN, again.error)
        },
      },
      {
        name: `waits as long as the barrier says, whoever attaches, unless the call says otherwise, ${form}`,
        needs,
        async run({ parties, share }) {
          const [a, b] = (await parties(2)) as [Party, Party]
          const barrier = share(new Barrier(2, { timeoutMs: 25 }))
          await tookAtLeast(25, () => failsWith('ERR_TIMEOUT', a.errorOf(call(barrier, wait))))
          barrier.reset()
          const waiting = await arrive(a, barrier, wait, { timeoutMs: 20_000 })
          assert.equal(await b.call(barrier, wait, { timeoutMs: 20_000 }), 1)
          assert.equal(await waiting.value, 0)
        },
      },
      {
        name: `ends all waits by reset, and is as new then, ${form}`,
        needs,
        async run({ parties, share }) {
          const [a, b, c] = (await parties(3)) as [Party, Party, Party]
          const barrier = share(new Barrier(3))
          const waiting = [await arrive(a, barrier, wait), await arrive(b, barrier, wait)]
          assert.equal(await c.call(barrier, 'reset'), undefined)
          for (const { error } of waiting) await failsWith(BROKEN, error)
          assert.deepEqual([barrier.broken, barrier.waiting], [false, 0])
          const again = [await arrive(a, barrier, wait), await arrive(b, barrier, wait)]
          assert.equal(await c.call(barrier, wait), 2)
          assert.deepEqual(await Promise.all(again.map(({ value }) => value)), [0, 1])
        },
      },
      {
        name: `is broken by abort until reset, ${form}`,
        needs,
        async run({ parties, share }) {
          const [a, b, c] = (await parties(3)) as [Party, Party, Party]
          const barrier = share(new Barrier(3))
          const waiting = [await arrive(a, barrier, wait), await arrive(b, barrier, wait)]
          await c.call(barrier, 'abort')
          for (const { error } of waiting) await failsWith(BROKEN, error)
          await c.call(barrier, 'abort')
          assert.equal(await a.get(barrier, 'broken'), true)
          await failsWith(BROKEN, c.errorOf(call(barrier, wait)))
          await a.call(barrier, 'reset')
          assert.equal(await c.get(barrier, 'broken'), false)
          const again = [await arrive(a, barrier, wait), await arrive(b, barrier, wait)]
          assert.equal(await c.call(barrier, wait), 2)
          await Promise.all(again.map(({ value }) => value))
        },
      },
      {
        name: `has the last one act before any of them goes on, ${form}`,
        needs,
        async run({ parties, share }) {
          const all = (await parties(3)) as [Party, Party, Party]
          const barrier = share(new Barrier(3))
          const acted = share(new RawValue('i', 0))
          for (const party of all) await party.perform(attachWith(barrier, { action: { '@adds': acted.handle } }))
          for (let trip = 1; trip <= 3; trip++) {
            const waiting = [await arrive(all[0], barrier, wait), await arrive(all[1], barrier, wait)]
            assert.equal(acted.value, trip - 1)
            await all[2].call(barrier, wait)
            assert.equal(acted.value, trip)
            await Promise.all(waiting.map(({ value }) => value))
          }
        },
      },
      {
        name: `is broken by an action that throws; the one who acted gets what it threw, ${form}`,
        needs,
        async run({ parties, share }) {
          const [a, b] = (await parties(2)) as [Party, Party]
          const barrier = share(new Barrier(2))
          await b.perform(attachWith(barrier, { action: { '@throws': 'as asked' } }))
          const waiting = await arrive(a, barrier, wait)
          const thrown = await b.errorOf(call(barrier, wait))
          assert.deepEqual([thrown.name, thrown.message], ['RangeError', 'as asked'])
          await failsWith(BROKEN, waiting.error)
          assert.equal(barrier.broken, true)
        },
      },
      {
        name: `is broken by the death of one who waits, ${form}`,
        needs: ['end', ...needs],
        async run({ parties, share }) {
          const [a, b, c] = (await parties(3)) as [Party, Party, Party]
          const barrier = share(new Barrier(3))
          const waiting = await arrive(a, barrier, wait)
          await arrive(b, barrier, wait)
          await b.end()
          await failsWith(BROKEN, waiting.error)
          await failsWith(BROKEN, c.errorOf(call(barrier, wait)))
          await c.call(barrier, 'reset')
          assert.deepEqual([barrier.broken, barrier.waiting], [false, 0])
          // The dead one counts for nobody.
          const again = [await arrive(a, barrier, wait), await arrive(c, barrier, 'wait')]
          assert.equal(await c.call(barrier, 'wait'), 2)
          await Promise.all(again.map(({ value }) => value))
        },
      },
    ]
  }),
  {
    name: 'for one party lets it go at once',
    async run({ parties, share }) {
      const [a] = (await parties(1)) as [Party]
      const barrier = share(new Barrier(1))
      for (const wait of ['wait', 'waitSync', 'wait']) assert.equal(await a.call(barrier, wait), 0)
      assert.equal(await a.call(barrier, 'wait', { timeoutMs: 0 }), 0)
    },
  },
  {
    name: 'knows for how many it is, and is for at least one',
    async run({ parties, share }) {
      const [a] = (await parties(1)) as [Party]
      assert.equal(await a.get(share(new Barrier(3)), 'parties'), 3)
      for (const parties of [0, -1, 1.5, 2 ** 31]) {
        await failsWith(RANGE_ERROR, a.errorOf({ do: 'new', kind: 'Barrier', args: [parties] }), String(parties))
      }
      for (const parties of ['2', null, undefined]) {
        await failsWith(TYPE_ERROR, a.errorOf({ do: 'new', kind: 'Barrier', args: [parties] }), String(parties))
      }
    },
  },
  {
    name: 'makes newcomers wait for the end of an action that takes its time',
    async run({ parties, share }) {
      const [a, b, c] = (await parties(3)) as [Party, Party, Party]
      const barrier = share(new Barrier(2))
      await b.perform(attachWith(barrier, { action: { '@pauses': 'action' } }))
      const first = await arrive(a, barrier, 'wait')
      const acting = await arrive(b, barrier, 'wait')
      await a.waits(first)
      const newcomer = await arrive(c, barrier, 'wait')
      await b.resume('action')
      assert.deepEqual([await first.value, await acting.value], [0, 1])
      await eventually(() => barrier.waiting === 1)
      assert.equal(await a.call(barrier, 'wait'), 1)
      assert.equal(await newcomer.value, 0)
    },
  },
  {
    name: 'is broken when a wait is aborted, or its handle closed',
    async run({ parties, share }) {
      const [a, b] = (await parties(2)) as [Party, Party]
      const barrier = share(new Barrier(3))
      const aborted = await arrive(a, barrier, 'wait', { signal: SIGNAL })
      const waiting = await arrive(b, barrier, 'wait')
      await aborted.abort(new Error('no longer needed'))
      assert.equal((await aborted.error).message, 'no longer needed')
      await failsWith(BROKEN, waiting.error)
      barrier.reset()
      const closed = await arrive(a, barrier, 'wait')
      const again = await arrive(b, barrier, 'wait')
      await a.call(barrier, 'close')
      await failsWith('ERR_CLOSED', closed.error)
      await failsWith(BROKEN, again.error)
      for (const method of ['wait', 'waitSync', 'abort', 'reset']) {
        await failsWith('ERR_CLOSED', a.errorOf(call(barrier, method)))
      }
    },
  },
  {
    name: 'lets tasks of one party wait for each other',
    async run({ parties, share }) {
      const [a] = (await parties(1)) as [Party]
      const barrier = share(new Barrier(3))
      const waiting = [await arrive(a, barrier, 'wait'), await arrive(a, barrier, 'wait')]
      assert.equal(await a.call(barrier, 'wait'), 2)
      assert.deepEqual(await Promise.all(waiting.map(({ value }) => value)), [0, 1])
    },
  },
]
