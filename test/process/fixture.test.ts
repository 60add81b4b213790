import { expect, it } from 'vitest'
import { type FixtureProcess, type FixtureWorker, spawnFixture, startWorker } from '../helpers/fixture.ts'

const kinds: [string, () => Promise<FixtureProcess | FixtureWorker>][] = [
  ['a process', () => spawnFixture('echo', { a: 1 })],
  ['a worker', () => startWorker('echo', { a: 1 })],
]

it.each(kinds)('%s answers calls, reports events, passes errors on and ends by itself', async (_kind, start) => {
  await using peer = await start()
  expect(await peer.call('args')).toEqual({ a: 1 })
  expect(await peer.call('echo', 1, 'b', [2])).toEqual([1, 'b', [2]])
  await peer.call('report', 'first')
  await peer.call('report', 'second')
  expect(await peer.event('told')).toBe('first')
  expect(await peer.event('told')).toBe('second')
  await expect(peer.call('fail')).rejects.toMatchObject({
    name: 'RangeError',
    message: 'as asked',
    code: 'ERR_ASKED',
  })
  void peer.call('end').catch(() => {})
  expect(await peer.ended()).toEqual('pid' in peer ? { code: 0, signal: null } : 0)
  await expect(peer.call('args')).rejects.toThrow('has ended')
})

it('kills a process that is still there at the end of its scope', async () => {
  let outer: FixtureProcess
  {
    await using inner = await spawnFixture('echo')
    outer = inner
  }
  expect(await outer.ended()).toEqual({ code: null, signal: 'SIGKILL' })
})

it('reports why a fixture did not become ready', async () => {
  await expect(spawnFixture('no-such-fixture')).rejects.toThrow('Cannot find module')
  await expect(startWorker('no-such-fixture')).rejects.toThrow('Cannot find module')
})
