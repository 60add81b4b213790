/** Event: a flag, and those who wait for it. */
import assert from 'node:assert/strict'
import { Event } from 'procshare'
import { failsWith, RANGE_ERROR, TYPE_ERROR, tookAtLeast, VALUE_ERROR } from './assertions.ts'
import { type Case, call, forms, SIGNAL } from './driver.ts'

export const eventCases: Case[] = [
  {
    name: 'is not set at first; whoever sets or clears it does so for all, as often as they like',
    async run({ parties, share }) {
      const [a, b] = await parties(2)
      const event = share(new Event())
      const isSet = () => Promise.all([a!, b!].map((party) => party.get(event, 'isSet')))
      assert.deepEqual(await isSet(), [false, false])
      assert.equal(await a!.call(event, 'set'), undefined)
      assert.equal(await b!.call(event, 'set'), undefined)
      assert.deepEqual(await isSet(), [true, true])
      assert.equal(await b!.call(event, 'clear'), undefined)
      assert.equal(await a!.call(event, 'clear'), undefined)
      assert.deepEqual(await isSet(), [false, false])
    },
  },
  {
    name: 'ends a wait at once while it is set, and is set still',
    async run({ parties, share }) {
      const [a, b] = await parties(2)
      const event = share(new Event())
      await a!.call(event, 'set')
      for (const options of [[], [{ timeoutMs: 0 }], [{ timeoutMs: 1000 }]]) {
        assert.equal(await b!.call(event, 'wait', ...options), true)
        assert.equal(await b!.call(event, 'waitSync', ...options), true)
      }
      assert.equal(await a!.get(event, 'isSet'), true)
    },
  },
  {
    name: 'takes only timeouts that mean something',
    async run({ parties, share }) {
      const [a] = await parties(1)
      const event = share(new Event())
      await a!.call(event, 'set')
      for (const method of ['wait', 'waitSync']) {
        for (const timeoutMs of [-1, Number.NaN]) {
          await failsWith(RANGE_ERROR, a!.errorOf(call(event, method, { timeoutMs })))
        }
        await failsWith(TYPE_ERROR, a!.errorOf(call(event, method, { timeoutMs: 'x' })))
        await failsWith(VALUE_ERROR, a!.errorOf(call(event, method, { timeout: 1 })))
        assert.equal(await a!.call(event, method, { timeoutMs: Infinity }), true)
      }
    },
  },
  ...forms.flatMap(({ form, suffix, needs }): Case[] => {
    const wait = `wait${suffix}`
    return [
      {
        name: `ends all waits when it is set, ${form}`,
        needs,
        async run({ parties, share }) {
          const [a, ...others] = await parties(4)
          const event = share(new Event())
          const waiting = await Promise.all(others.map((party) => party.start(event, wait)))
          await Promise.all(others.map((party, i) => party.waits(waiting[i]!)))
          await a!.call(event, 'set')
          assert.deepEqual(await Promise.all(waiting.map(({ value }) => value)), [true, true, true])
        },
      },
      {
        name: `ends all waits also when it is cleared again at once, ${form}`,
        needs,
        async run({ parties, share }) {
          const [a, ...others] = await parties(4)
          const event = share(new Event())
          const waiting = await Promise.all(others.map((party) => party.start(event, wait)))
          await Promise.all(others.map((party, i) => party.waits(waiting[i]!)))
          // Not by way of the parties: nothing comes in between.
          event.set()
          event.clear()
          assert.deepEqual(await Promise.all(waiting.map(({ value }) => value)), [true, true, true])
          assert.equal(await a!.get(event, 'isSet'), false)
        },
      },
      {
        name: `makes those wait for the next time who come after it was cleared, ${form}`,
        needs,
        async run({ parties, share }) {
          const [a, b] = await parties(2)
          const event = share(new Event())
          await a!.call(event, 'set')
          await a!.call(event, 'clear')
          const waiting = await b!.start(event, wait)
          await b!.waits(waiting)
          await a!.call(event, 'clear')
          await b!.waits(waiting)
          await a!.call(event, 'set')
          assert.equal(await waiting.value, true)
        },
      },
      {
        name: `is waited for no longer than the timeout, ${form}`,
        needs,
        async run({ parties, share }) {
          const [a, b] = await parties(2)
          const event = share(new Event())
          await failsWith('ERR_TIMEOUT', b!.errorOf(call(event, wait, { timeoutMs: 0 })))
          const waited = () => b!.errorOf(call(event, wait, { timeoutMs: 25 }))
          await tookAtLeast(25, () => failsWith('ERR_TIMEOUT', waited()))
          await a!.call(event, 'set')
          assert.equal(await b!.call(event, wait, { timeoutMs: 0 }), true)
        },
      },
      {
        name: `ends the waits of those who are left when others were killed while waiting, ${form}`,
        needs: ['end', ...needs],
        async run({ parties, share }) {
          const [a, b, c] = await parties(3)
          const event = share(new Event())
          await b!.waits(await b!.start(event, wait))
          const waiting = await c!.start(event, wait)
          await c!.waits(waiting)
          await b!.end()
          await a!.call(event, 'set')
          assert.equal(await waiting.value, true)
        },
      },
    ]
  }),
  {
    name: 'stays as it is when the one is killed who has set it',
    needs: ['end'],
    async run({ parties, share }) {
      const [a, b] = await parties(2)
      const event = share(new Event())
      await a!.call(event, 'set')
      await a!.end()
      assert.equal(await b!.get(event, 'isSet'), true)
      assert.equal(await b!.call(event, 'wait', { timeoutMs: 0 }), true)
    },
  },
  {
    name: 'is no longer waited for when a wait is aborted, or its handle closed',
    async run({ parties, share }) {
      const [a, b, c] = await parties(3)
      const event = share(new Event())
      const aborted = await b!.start(event, 'wait', { signal: SIGNAL })
      const refused = await b!.start(event, 'wait')
      const waiting = await c!.start(event, 'wait')
      await b!.waits(aborted)
      await aborted.abort(new Error('no longer needed'))
      assert.equal((await aborted.error).message, 'no longer needed')
      await b!.waits(refused)
      await b!.call(event, 'close')
      await failsWith('ERR_CLOSED', refused.error)
      for (const method of ['set', 'clear', 'wait', 'waitSync']) {
        await failsWith('ERR_CLOSED', b!.errorOf(call(event, method)))
      }
      await c!.waits(waiting)
      await a!.call(event, 'set')
      assert.equal(await waiting.value, true)
    },
  },
]
