/** wait, waitAsync and notify on an element of an array. */
import assert from 'node:assert/strict'
import { SharedArray } from 'procshare'
import { failsWith, RANGE_ERROR, tookAtLeast } from './assertions.ts'
import type { Capability, Case, Party, Step } from './driver.ts'

type Words = { readonly handle: unknown }

const word = (words: Words, method: string, ...args: unknown[]): Step => ({
  do: 'word',
  on: words.handle,
  method,
  args,
})

const ways = [
  {
    form: 'waiting asynchronously',
    wait: 'waitAsync',
    needs: [] as Capability[],
    result: (value: string) => ({ async: true, value }),
  },
  { form: 'blocking', wait: 'wait', needs: ['block'] as Capability[], result: (value: string) => value },
]

export const wordCases: Case[] = [
  ...ways.flatMap(({ form, wait, needs, result }): Case[] => [
    {
      name: `wake exactly as many as they are told to, ${form}`,
      needs,
      async run({ parties, share }) {
        const [a, ...others] = (await parties(4)) as [Party, ...Party[]]
        const words = share(new SharedArray('i', 4))
        const waiting = []
        for (const party of others) waiting.push(await party.begin(word(words, wait, 1, 0)))
        for (const [i, party] of others.entries()) await party.waits(waiting[i]!)
        assert.equal(await a.perform(word(words, 'notify', 0)), 0) // another element
        assert.equal(await a.perform(word(words, 'notify', 1, 0)), 0)
        assert.equal(await a.perform(word(words, 'notify', 1, 1)), 1)
        const first = await Promise.race(waiting.map(({ value }, i) => value.then(() => i)))
        for (const [i, party] of others.entries()) if (i !== first) await party.waits(waiting[i]!)
        assert.equal(await a.perform(word(words, 'notify', 1)), 2)
        for (const { value } of waiting) assert.deepEqual(await value, result('ok'))
        assert.equal(await a.perform(word(words, 'notify', 1)), 0)
      },
    },
    {
      name: `give up after a timeout, and count for nobody then, ${form}`,
      needs,
      async run({ parties, share }) {
        const [a, b] = (await parties(2)) as [Party, Party]
        const words = share(new SharedArray('i', 4))
        await tookAtLeast(25, async () => {
          assert.deepEqual(await b.perform(word(words, wait, 0, 0, 25)), result('timed-out'))
        })
        assert.equal(await a.perform(word(words, 'notify', 0)), 0)
      },
    },
    {
      name: `wake one who lives when others were killed while waiting, ${form}`,
      needs: ['end', ...needs],
      async run({ parties, share }) {
        const [a, b, c] = (await parties(3)) as [Party, Party, Party]
        const words = share(new SharedArray('i', 4))
        await b.waits(await b.begin(word(words, wait, 0, 0)))
        const waiting = await c.begin(word(words, wait, 0, 0))
        await c.waits(waiting)
        await b.end()
        assert.equal(await a.perform(word(words, 'notify', 0, 1)), 1)
        assert.deepEqual(await waiting.value, result('ok'))
      },
    },
  ]),
  {
    name: 'do not wait when the element holds another number',
    async run({ parties, share }) {
      const [a] = (await parties(1)) as [Party]
      const words = share(new SharedArray('i', [5, 6]))
      assert.equal(await a.perform(word(words, 'wait', 1, 5)), 'not-equal')
      assert.deepEqual(await a.perform(word(words, 'waitAsync', 1, 5)), { async: false, value: 'not-equal' })
      assert.equal(await a.perform(word(words, 'wait', 1, 6, 0)), 'timed-out')
      assert.deepEqual(await a.perform(word(words, 'waitAsync', 1, 6, 0)), { async: false, value: 'timed-out' })
    },
  },
  {
    name: 'are for elements that there are',
    async run({ parties, share }) {
      const [a] = (await parties(1)) as [Party]
      const words = share(new SharedArray('i', 2))
      for (const method of ['wait', 'waitAsync', 'notify']) {
        for (const index of [2, -1]) await failsWith(RANGE_ERROR, a.errorOf(word(words, method, index, 0)))
      }
      const floats = share(new SharedArray('d', 2))
      const { name } = await a.errorOf(word(floats, 'notify', 0))
      assert.equal(name, 'TypeError')
    },
  },
]
