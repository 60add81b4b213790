/** The blocking form of a client whose server does not take the rings that it offers: the client goes on through a socket. */
import { spawn } from 'node:child_process'
import { expect, it } from 'vitest'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { startManager } from '../helpers/managed-server.ts'

expectNoLeftovers()

/** Longer than the client waits for an answer in rings, and shorter than it waits for one through a socket. */
const STOPPED_S = 4

it('goes through a relay when the server does not answer in rings for three seconds', async () => {
  const manager = await startManager()
  try {
    const dict = await manager.dict<string, number>({ a: 1 })
    const relays: unknown[] = []
    process.on('worker', (worker) => relays.push(worker))
    process.kill(manager.pid!, 'SIGSTOP')
    spawn('sh', ['-c', `sleep ${STOPPED_S}; kill -CONT ${manager.pid}`], { stdio: 'ignore' })

    const blocking = manager.sync.of(dict)
    expect(blocking.get('a')).toBe(1)
    await new Promise(setImmediate) // the event of the relay
    expect(relays).toHaveLength(1)

    blocking.set('b', 2)
    expect(await dict.get('b')).toBe(2)
  } finally {
    await manager.shutdown()
  }
})
