/** Clients of a manager that are killed, or end, wherever they are: what they held is given up, and the server goes on. */
import type { Manager } from 'procshare'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { writeOpening } from '../../lib/manager/wire/handshake.ts'
import { eventually } from '../helpers/eventually.ts'
import { type FixtureProcess, spawnFixture, startWorker } from '../helpers/fixture.ts'
import { descriptorsOf, ringsOf, startManager } from '../helpers/managed-server.ts'
import { RawClient } from '../helpers/raw-client.ts'

let manager: Manager
let before: { descriptors: number; objects: number; clients: number }
beforeAll(async () => {
  manager = await startManager()
  const { objects, clients } = await manager.stats()
  before = { descriptors: descriptorsOf(manager.pid!), objects, clients }
})
afterAll(() => manager?.shutdown())

const credentials = () => [manager.address, Buffer.from(manager.authkey).toString('base64')]

async function newUser(isWarm = false): Promise<FixtureProcess> {
  const user = await spawnFixture('manager-user')
  await user.call('connect', ...credentials())
  await user.call('create', 'box', 1)
  if (isWarm) {
    await user.call('warmUp', 'box')
    expect(ringsOf(user.pid)).toBe(1)
  }
  return user
}

/** The server has nothing left of those who are gone, but the named object. */
async function expectNoTraces(): Promise<void> {
  await eventually(async () => {
    await manager.unlink('box')
    const { objects, clients } = await manager.stats()
    expect({ objects, clients }).toEqual({ objects: before.objects, clients: before.clients })
    expect(descriptorsOf(manager.pid!)).toBeLessThanOrEqual(before.descriptors)
    return true
  })
}

const SPEECH = [
  ['a client', false],
  ['a client in shared memory', true],
] as const

it.each(SPEECH)('%s, killed with pending calls', async (_who, isWarm) => {
  await using user = await newUser(isWarm)
  for (let i = 0; i < 100; i++) await user.call('begin', 'box', 'wait')
  await user.kill()
  await expectNoTraces()
})

it('killed in a blocking call', async () => {
  await using user = await newUser()
  await user.call('block', 'box', 'wait')
  await user.event('blocking')
  await eventually(async () => (await manager.stats()).clients === before.clients + 2)
  await user.kill()
  await expectNoTraces()
})

it.each(SPEECH)(
  '%s, killed in the middle of a long message to the server, and of one from it',
  async (_who, isWarm) => {
    for (const [method, ...params] of [
      ['pour', 'box', 30 * 2 ** 20],
      ['begin', 'box', 'text', 60 * 2 ** 20],
    ] as [string, ...unknown[]][]) {
      await using user = await newUser(isWarm)
      await user.call(method, ...params)
      await user.kill()
      await expectNoTraces()
    }
  },
)

it('gone in the handshake, after each byte', async () => {
  const opening = writeOpening()
  for (let length = 0; length <= opening.byteLength; length++) {
    const client = await RawClient.connect(manager.address)
    client.send(opening.subarray(0, length))
    await client.next()
    client.socket.destroy()
  }
  await expectNoTraces()
})

it.each(SPEECH)('%s, ended by process.exit with pending calls', async (_who, isWarm) => {
  await using user = await newUser(isWarm)
  await user.call('begin', 'box', 'wait')
  user.call('exit', 3).catch(() => {})
  expect(await user.ended()).toEqual({ code: 3, signal: null })
  await expectNoTraces()
})

it('a client in shared memory is heard to its last word', async () => {
  for (let round = 0; round < 10; round++) {
    await using user = await newUser(true)
    user.call('sayAndGo', 'box', `last of ${round}`).catch(() => {})
    await user.ended()
    const box = await manager.create<{ get(): unknown }>('box', [], { name: 'box' })
    await eventually(async () => (await box.get()) === `last of ${round}`)
    box.close()
  }
  await expectNoTraces()
})

it.each(['begin', 'block'])('a worker that is terminated in a call that was made by %s', async (how) => {
  await using worker = await startWorker('manager-user')
  await worker.call('connect', ...credentials())
  await worker.call('create', 'box', 1)
  await worker.call('warmUp', 'box')
  await worker.call(how, 'box', 'wait')
  if (how === 'block') {
    await worker.event('blocking')
    await eventually(async () => (await manager.stats()).clients === before.clients + 2)
  }
  await worker.terminate()
  await expectNoTraces()
})

it('killed one after the other, many', async () => {
  for (let round = 0; round < 5; round++) {
    const users = await Promise.all([newUser(), newUser(true), newUser(true)])
    await Promise.all(users.map((user) => user.call('begin', 'box', 'wait')))
    await Promise.all(users.map((user) => user.kill()))
  }
  await expectNoTraces()
})

it('killed with the connection half made through shared memory', async () => {
  await using user = await newUser()
  // The server is busy while the client asks it for a connection.
  await user.call('begin', 'box', 'spin', 500)
  user.call('block', 'box', 'wait').catch(() => {})
  await new Promise((resolve) => setTimeout(resolve, 100))
  await user.kill()
  await expectNoTraces()
})
