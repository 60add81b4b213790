import { expect, it } from 'vitest'
import { spawnFixture } from '../helpers/fixture.ts'

it('survives workers that are terminated at any moment, also while they load the library', async () => {
  await using program = await spawnFixture('terminator', { rounds: 30 })
  expect(await program.ended()).toEqual({ code: 0, signal: null })
  expect(program.stderr).toBe('')
})
