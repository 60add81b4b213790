/** Semaphore and BoundedSemaphore: units that anybody takes and anybody puts back. */
import assert from 'node:assert/strict'
import { BoundedSemaphore, RawValue, Semaphore, type SemaphoreOptions } from 'procshare'
import { failsWith, inOrder, RANGE_ERROR, TYPE_ERROR, tookAtLeast, VALUE_ERROR } from './assertions.ts'
import { type Case, call, forms, SIGNAL } from './driver.ts'

type Kind = 'Semaphore' | 'BoundedSemaphore'
type Make = (value?: number, options?: SemaphoreOptions) => Semaphore | BoundedSemaphore

/** The highest value. */
const MAX_VALUE = 2 ** 31 - 1

export function semaphoreCases(kind: Kind): Case[] {
  const make: Make = (value, options) =>
    kind === 'Semaphore' ? new Semaphore(value, options) : new BoundedSemaphore(value, options)
  return [
    ...values(kind, make),
    ...eachForm(make),
    ...asynchronous(make),
    ...ends(make),
    ...(kind === 'Semaphore' ? unbounded() : bounded()),
  ]
}

function values(kind: Kind, make: Make): Case[] {
  return [
    {
      name: 'begins with the value that it is given, and with 1 otherwise',
      async run({ parties }) {
        const [a] = await parties(1)
        const firstValue = (...args: unknown[]) => a!.perform({ do: 'new', kind, args, property: 'value' })
        assert.equal(await firstValue(), 1)
        for (const value of [0, 1, 3, MAX_VALUE]) assert.equal(await firstValue(value), value)
      },
    },
    {
      name: 'has no other value than an integer from 0 to the highest',
      async run({ parties }) {
        const [a] = await parties(1)
        const refused: [unknown, string][] = [
          [-1, RANGE_ERROR],
          [MAX_VALUE + 1, RANGE_ERROR],
          [1.5, RANGE_ERROR],
          [Number.NaN, RANGE_ERROR],
          ['1', TYPE_ERROR],
          [null, TYPE_ERROR],
          [true, TYPE_ERROR],
          [1n, TYPE_ERROR],
        ]
        for (const [value, code] of refused) {
          await failsWith(code, a!.errorOf({ do: 'new', kind, args: [value] }), String(value))
        }
      },
    },
    {
      name: 'goes down by one with each acquisition, also of the same party, and up with each release, by anybody',
      async run({ parties, share }) {
        const [a, b] = await parties(2)
        const semaphore = share(make(3, { recoverable: false }))
        assert.equal(await a!.call(semaphore, 'acquire'), undefined)
        assert.equal(await a!.call(semaphore, 'acquireSync'), undefined)
        assert.equal(await b!.get(semaphore, 'value'), 1)
        assert.equal(await a!.call(semaphore, 'tryAcquire'), true)
        assert.equal(await b!.call(semaphore, 'tryAcquire'), false)
        assert.equal(await b!.get(semaphore, 'value'), 0)
        assert.equal(await b!.call(semaphore, 'release'), undefined)
        assert.equal(await a!.get(semaphore, 'value'), 1)
        await b!.call(semaphore, 'release', 2)
        assert.equal(await a!.get(semaphore, 'value'), 3)
      },
    },
    {
      name: 'releases a whole number of units, at least one',
      async run({ parties, share }) {
        const [a] = await parties(1)
        const semaphore = share(make(2))
        await a!.call(semaphore, 'acquire')
        for (const units of [0, -1, 1.5, Number.NaN]) {
          await failsWith(RANGE_ERROR, a!.errorOf(call(semaphore, 'release', units)))
        }
        await failsWith(TYPE_ERROR, a!.errorOf(call(semaphore, 'release', '1')))
        assert.equal(await a!.get(semaphore, 'value'), 1)
      },
    },
    {
      name: 'takes only timeouts that mean something',
      async run({ parties, share }) {
        const [a] = await parties(1)
        const semaphore = share(make(1))
        for (const method of ['acquire', 'acquireSync']) {
          for (const timeoutMs of [-1, Number.NaN]) {
            await failsWith(RANGE_ERROR, a!.errorOf(call(semaphore, method, { timeoutMs })))
          }
          await failsWith(TYPE_ERROR, a!.errorOf(call(semaphore, method, { timeoutMs: 'x' })))
          await failsWith(VALUE_ERROR, a!.errorOf(call(semaphore, method, { timeout: 1 })))
          for (const timeoutMs of [0, Infinity, undefined]) {
            await a!.call(semaphore, method, { timeoutMs })
            await a!.call(semaphore, 'release')
          }
        }
        assert.equal(semaphore.value, 1)
      },
    },
  ]
}

/** Cases that hold for the waiting and the blocking form alike. */
function eachForm(make: Make): Case[] {
  return forms.flatMap(({ form, suffix, needs }): Case[] => {
    const acquire = `acquire${suffix}`
    return [
      {
        name: `at 0 makes those wait who want a unit, and serves as many as there are released, ${form}`,
        needs,
        async run({ parties, share }) {
          const [a, ...others] = await parties(4)
          const semaphore = share(make(3))
          for (let i = 0; i < 3; i++) await a!.call(semaphore, acquire)
          const waiting = await Promise.all(others.map((party) => party.start(semaphore, acquire)))
          await Promise.all(others.map((party, i) => party.waits(waiting[i]!)))
          await a!.call(semaphore, 'release')
          await Promise.race(waiting.map(({ value }) => value))
          const served = waiting.findIndex(({ settled }) => settled)
          for (const [i, started] of waiting.entries()) if (i !== served) await others[i]!.waits(started)
          await a!.call(semaphore, 'release', 2)
          await Promise.all(waiting.map(({ value }) => value))
          assert.equal(semaphore.value, 0)
        },
      },
      {
        name: `gives up after a timeout and has taken nothing, ${form}`,
        needs,
        async run({ parties, share }) {
          const [a, b] = await parties(2)
          const semaphore = share(make(1))
          await a!.call(semaphore, acquire, { timeoutMs: 0 })
          await failsWith('ERR_TIMEOUT', b!.errorOf(call(semaphore, acquire, { timeoutMs: 0 })))
          const waited = () => b!.errorOf(call(semaphore, acquire, { timeoutMs: 25 }))
          await tookAtLeast(25, () => failsWith('ERR_TIMEOUT', waited()))
          await a!.call(semaphore, 'release')
          assert.equal(semaphore.value, 1)
        },
      },
      {
        name: `never lets more in than it has units, ${form}`,
        needs,
        async run({ parties, share }) {
          const all = await parties(4)
          const semaphore = share(make(2))
          const present = share(new RawValue('i', 0))
          const step = { do: 'crowd', semaphore: semaphore.handle, inside: present.handle, times: 40, method: acquire }
          const most = await Promise.all(all.map((party) => party.perform<number>(step)))
          assert.ok(Math.max(...most) <= 2, `${most}`)
          assert.deepEqual([semaphore.value, present.value], [2, 0])
        },
      },
      {
        name: `loses no unit to one who was killed while waiting, ${form}`,
        needs: ['end', ...needs],
        async run({ parties, share }) {
          const [a, b, c] = await parties(3)
          const semaphore = share(make(1))
          await a!.call(semaphore, acquire)
          await b!.waits(await b!.start(semaphore, acquire))
          const waiting = await c!.start(semaphore, acquire)
          await c!.waits(waiting)
          await b!.end()
          await a!.call(semaphore, 'release')
          await waiting.value
          assert.equal(semaphore.value, 0)
        },
      },
      {
        name: `gets back what one held who was killed, when it is recoverable, ${form}`,
        needs: ['end', 'apart', ...needs],
        async run({ parties, share }) {
          const [a, b, c] = await parties(3)
          const semaphore = share(make(3, { recoverable: true }))
          for (let i = 0; i < 3; i++) await a!.call(semaphore, acquire)
          const waiting = [await b!.start(semaphore, acquire), await c!.start(semaphore, acquire)]
          await b!.waits(waiting[0]!)
          await c!.waits(waiting[1]!)
          await a!.end()
          await Promise.all(waiting.map(({ value }) => value))
          assert.equal(await b!.call(semaphore, 'tryAcquire'), true)
          assert.equal(await b!.call(semaphore, 'tryAcquire'), false)
        },
      },
    ]
  })
}

function asynchronous(make: Make): Case[] {
  return [
    {
      name: 'is given in the order in which one party asked',
      async run({ parties, share }) {
        const [a, b] = await parties(2)
        const semaphore = share(make(1))
        await a!.call(semaphore, 'acquire')
        const waiting = []
        for (let i = 0; i < 4; i++) waiting.push(await b!.start(semaphore, 'acquire'))
        const order = inOrder(waiting.map(({ value }) => value.then(() => b!.call(semaphore, 'release'))))
        await a!.call(semaphore, 'release')
        assert.deepEqual(await order, [0, 1, 2, 3])
      },
    },
    {
      name: 'is not taken by a request that is aborted',
      async run({ parties, share }) {
        const [a, b] = await parties(2)
        const semaphore = share(make(1))
        await a!.call(semaphore, 'acquire')
        const aborted = await b!.start(semaphore, 'acquire', { signal: SIGNAL })
        await b!.waits(aborted)
        await aborted.abort(new Error('no longer needed'))
        assert.equal((await aborted.error).message, 'no longer needed')
        await a!.call(semaphore, 'release')
        assert.equal(semaphore.value, 1)
      },
    },
    {
      name: 'is refused to pending requests of a handle that is closed, and to no others',
      async run({ parties, share }) {
        const [a, b, c] = await parties(3)
        const semaphore = share(make(1))
        await a!.call(semaphore, 'acquire')
        const refused = await b!.start(semaphore, 'acquire')
        const waiting = await c!.start(semaphore, 'acquire')
        await b!.call(semaphore, 'close')
        await failsWith('ERR_CLOSED', refused.error)
        for (const method of ['acquire', 'acquireSync', 'tryAcquire', 'release']) {
          await failsWith('ERR_CLOSED', b!.errorOf(call(semaphore, method)))
        }
        await c!.waits(waiting)
        await a!.call(semaphore, 'release')
        await waiting.value
      },
    },
  ]
}

/** What becomes of the units of one who ends. */
function ends(make: Make): Case[] {
  return [
    {
      name: 'is without the units of one who was killed, when it is not recoverable',
      needs: ['end'],
      async run({ parties, share }) {
        const [a, b] = await parties(2)
        const semaphore = share(make(2, { recoverable: false }))
        await a!.call(semaphore, 'acquire')
        await a!.end()
        assert.equal(await b!.get(semaphore, 'value'), 1)
        await b!.call(semaphore, 'release') // anybody may make up for it
        assert.equal(await b!.get(semaphore, 'value'), 2)
      },
    },
    {
      name: 'gets back what one held who has ended by itself, when it is recoverable',
      needs: ['end', 'apart'],
      async run({ parties, share }) {
        const [a, b] = await parties(2)
        const semaphore = share(make(2, { recoverable: true }))
        await b!.call(semaphore, 'acquire')
        await a!.call(semaphore, 'acquire')
        await a!.exit()
        await b!.call(semaphore, 'acquire', { timeoutMs: 10_000 })
        await b!.call(semaphore, 'release', 2)
        assert.equal(semaphore.value, 2)
      },
    },
    {
      name: 'takes back from a party only what that has acquired, when it is recoverable',
      needs: ['apart'],
      async run({ parties, share }) {
        const [a, b] = await parties(2)
        const semaphore = share(make(3, { recoverable: true }))
        await a!.call(semaphore, 'acquire')
        await b!.call(semaphore, 'acquireSync')
        await b!.call(semaphore, 'acquire')
        await failsWith('ERR_NOT_OWNER', a!.errorOf(call(semaphore, 'release', 2)))
        await a!.call(semaphore, 'release')
        await failsWith('ERR_NOT_OWNER', a!.errorOf(call(semaphore, 'release')))
        await b!.call(semaphore, 'release', 2)
        assert.equal(semaphore.value, 3)
      },
    },
  ]
}

function unbounded(): Case[] {
  return [
    {
      name: 'goes above its first value, up to the highest one',
      async run({ parties, share }) {
        const [a, b] = await parties(2)
        const semaphore = share(new Semaphore(0))
        await a!.call(semaphore, 'release', 5)
        assert.equal(await b!.get(semaphore, 'value'), 5)
        await failsWith('ERR_OVER_RELEASE', b!.errorOf(call(semaphore, 'release', MAX_VALUE - 4)))
        assert.equal(await b!.get(semaphore, 'value'), 5)
        await b!.call(semaphore, 'release', MAX_VALUE - 5)
        assert.equal(await a!.get(semaphore, 'value'), MAX_VALUE)
        await failsWith('ERR_OVER_RELEASE', a!.errorOf(call(semaphore, 'release')))
        assert.equal(await a!.call(semaphore, 'tryAcquire'), true)
      },
    },
  ]
}

function bounded(): Case[] {
  return [
    {
      name: 'never goes above its first value',
      async run({ parties, share }) {
        const [a, b] = await parties(2)
        const semaphore = share(new BoundedSemaphore(2, { recoverable: false }))
        await failsWith('ERR_OVER_RELEASE', a!.errorOf(call(semaphore, 'release')))
        await a!.call(semaphore, 'acquire')
        await failsWith('ERR_OVER_RELEASE', b!.errorOf(call(semaphore, 'release', 2)))
        assert.equal(await b!.get(semaphore, 'value'), 1)
        await b!.call(semaphore, 'release')
        await failsWith('ERR_OVER_RELEASE', b!.errorOf(call(semaphore, 'release')))
        assert.equal(await a!.get(semaphore, 'value'), 2)
      },
    },
    {
      name: 'may have no units at all',
      async run({ parties, share }) {
        const [a] = await parties(1)
        const semaphore = share(new BoundedSemaphore(0, { recoverable: false }))
        assert.equal(await a!.call(semaphore, 'tryAcquire'), false)
        await failsWith('ERR_OVER_RELEASE', a!.errorOf(call(semaphore, 'release')))
      },
    },
  ]
}
