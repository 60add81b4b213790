// An implicit hold of an abandoned lock, which nobody was told of, hands it on. From then on it is somebody else's.
import { Lock, Value } from 'procshare'
import { expect, it } from 'vitest'
import { spawnFixture } from '../helpers/fixture.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'

expectNoLeftovers()

it('a lock that was handed on as abandoned is not released by the last close or the exit of its former owner', async () => {
  for (const end of ['close', 'exit'] as const) {
    using lock = new Lock()
    await using victim = await spawnFixture('lock-user')
    await victim.call('hold', lock.handle)
    await using next = await spawnFixture('lock-user')
    await using between = await spawnFixture('value-user')
    const value = new Value('i', 0, { lock })
    await between.call('keep', value.handle)
    await victim.kill()
    await between.call('updateKept') // nobody is told there
    expect(await next.call('hold', lock.handle)).toBe(true) // the next one is
    if (end === 'close') await between.call('closeKept')
    else {
      between.call('exit').catch(() => {})
      await between.ended()
    }
    await next.call('release', lock.handle)
    expect((await lock.acquire()).abandoned).toBe(false)
    value.close()
  }
})
