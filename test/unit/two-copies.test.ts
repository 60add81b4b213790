import * as first from 'procshare'
import { expect, it } from 'vitest'
import * as second from '../../lib/index.ts'

// A test runner that loads modules anew makes a second copy of the library's modules, on the same native part.
it('two copies of the library in one thread both wake when their waits end', async () => {
  const ours = new first.Queue<string>()
  const theirs = second.Queue.attach<string>(ours.handle)
  const back = new first.Queue<string>()
  const theirBack = second.Queue.attach<string>(back.handle)
  const gots = [ours.get({ timeoutMs: 20_000 }), theirBack.get({ timeoutMs: 20_000 })]
  await new Promise((resolve) => setTimeout(resolve, 20)) // both sleep, neither looks any more
  await theirs.put('to the first')
  await back.put('to the second')
  expect(await Promise.all(gots)).toEqual(['to the first', 'to the second'])
  for (const queue of [ours, theirs, back, theirBack]) queue.close()
})
