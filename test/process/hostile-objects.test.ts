/**
 * Descriptions that are signed and nonsense: whoever attaches to such an object and uses it gets ERR_CORRUPT. All of it happens in
 * a child process, so that a crash is seen as one.
 */
import { afterAll, expect, it } from 'vitest'
import { type FixtureProcess, spawnFixture } from '../helpers/fixture.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

let child: FixtureProcess | undefined
afterAll(async () => {
  await child?.[Symbol.asyncDispose]()
})

const NO_OFFSETS = ['-1', '1.5', '1e300', '9007199254740991', '9007199254740928', '"64"', 'null', '[]', 'true']

async function outcomes(kind: string, replaced: string, by: readonly string[]): Promise<Record<string, string>> {
  child ??= await spawnFixture('hostile-descriptions')
  return child.call<Record<string, string>>('damage', uniqueName('hostile'), kind, replaced, by)
}

it.each([
  ['words', 'SharedArray', '"words":128', NO_OFFSETS.map((offset) => `"words":${offset}`)],
  ['length', 'Pipe', '"byteLength":1024', NO_OFFSETS.map((length) => `"byteLength":${length}`)],
  [
    'length of a value',
    'Value',
    '"type":"i"',
    ['-1', '2', '1e300', '"x"', 'null'].map((n) => `"type":"i","length":${n}`),
  ],
  ['cell of a condition', 'SharedState', '"cell":0', NO_OFFSETS.map((offset) => `"cell":${offset}`)],
  ['place of a value', 'SharedState', '"byteOffset":64', NO_OFFSETS.map((offset) => `"byteOffset":${offset}`)],
])('a number of a description that is none (%s) is ERR_CORRUPT', async (_what, kind, replaced, by) => {
  const found = await outcomes(kind, replaced, by)
  expect(found).toEqual(Object.fromEntries(by.map((text) => [text, 'ERR_CORRUPT'])))
})

it('a generation of a barrier beyond the safe integers is ERR_CORRUPT', async () => {
  child ??= await spawnFixture('hostile-descriptions')
  expect(await child.call('generation', uniqueName('hostile'))).toEqual(['ERR_CORRUPT', 'ERR_CORRUPT'])
})

it('bytes of a queue that are not an item are ERR_CORRUPT', async () => {
  child ??= await spawnFixture('hostile-descriptions')
  const { seed, strange } = await child.call<{ seed: number; strange: string[] }>('items', uniqueName('hostile'), 400)
  expect(strange, `seed ${seed}`).toEqual([])
})
