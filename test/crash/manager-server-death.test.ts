/** Servers of managers that are killed, or end, wherever their clients are: those are told at once, and nothing is left. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { listSegments, Manager, type RegisteredProxy } from 'procshare'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { shareError } from '../helpers/error-matchers.ts'
import { eventually } from '../helpers/eventually.ts'
import { spawnFixture } from '../helpers/fixture.ts'
import { BOX, type Box, makeBox, startManager, warmUp } from '../helpers/managed-server.ts'

const gone = shareError('ERR_DISCONNECTED')

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Neither the process nor its directory nor its memory. */
async function expectNothingLeft(pid: number, address: unknown): Promise<void> {
  await eventually(() => !isAlive(pid))
  await eventually(() => !existsSync(dirname(address as string)))
  const segments = listSegments().filter(({ creatorPid, attached }) => creatorPid === pid && attached)
  expect(segments).toEqual([])
}

let manager: Manager
let box: RegisteredProxy<Box>
beforeEach(async () => {
  manager = await startManager()
  box = await makeBox(manager, 1)
})
afterEach(() => manager.shutdown())

const kill = () => process.kill(manager.pid!, 'SIGKILL')

describe.each([
  ['sockets', async () => {}],
  ['shared memory', () => warmUp(box)],
] as const)('a server that is killed, with clients over %s,', (_what, prepare) => {
  beforeEach(prepare)

  it('rejects the pending calls and all later ones, and leaves nothing', async () => {
    const pending = Array.from({ length: 50 }, () => box.wait())
    kill()
    for (const outcome of await Promise.allSettled(pending)) {
      expect(outcome).toEqual({ status: 'rejected', reason: gone })
    }
    await expect(box.get()).rejects.toThrow(gone)
    await expect(manager.names()).rejects.toThrow(gone)
    await expect(manager.create('box')).rejects.toThrow(gone)
    expect(manager.isConnected).toBe(false)
    expect(() => manager.sync).toThrow(gone)
    await expectNothingLeft(manager.pid!, manager.address)
  })

  it('in the middle of a long message, in either direction', async () => {
    const asking = box.text(60 * 2 ** 20)
    const telling = box.set('x'.repeat(60 * 2 ** 20))
    kill()
    const outcomes = await Promise.allSettled([asking, telling])
    expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason)).toEqual([gone, gone])
    await expectNothingLeft(manager.pid!, manager.address)
  })

  it('while a client is in a blocking call: that ends at once', async () => {
    await using user = await spawnFixture('manager-user')
    await user.call('connect', manager.address, Buffer.from(manager.authkey).toString('base64'))
    await user.call('create', 'box', 1)
    await user.call('block', 'box', 'wait')
    await user.event('blocking')
    kill()
    expect(await user.event('failed')).toBe('ERR_DISCONNECTED')
    await expectNothingLeft(manager.pid!, manager.address)
  })

  it('while somebody connects: that fails', async () => {
    const { address, authkey } = manager
    const connecting = Promise.allSettled(Array.from({ length: 20 }, () => Manager.connect({ address, authkey })))
    kill()
    for (const outcome of await connecting) {
      if (outcome.status === 'fulfilled') await expect(outcome.value.names()).rejects.toThrow(gone)
      else expect(outcome.reason).toEqual(expect.objectContaining({ name: 'ShareError' }))
    }
    await eventually(() => !existsSync(dirname(address as string)))
    await expect(Manager.connect({ address, authkey })).rejects.toThrow(shareError('ENOENT'))
  })

  it('before a type is registered, or while one is', async () => {
    const registering = manager.register('another', BOX)
    kill()
    const [outcome] = await Promise.allSettled([registering])
    if (outcome.status === 'rejected') expect(outcome.reason).toEqual(gone)
    await expect(box.get()).rejects.toThrow(gone)
    await eventually(() => !isAlive(manager.pid!))
    await expect(manager.register('later', BOX)).rejects.toThrow(gone)
  })
})

describe('a server that is shut down', () => {
  it.each([false, true])('says so to its clients; in shared memory: %s', async (isWarm) => {
    const other = await Manager.connect({ address: manager.address })
    const theirBox = await makeBox(other)
    if (isWarm) {
      await warmUp(box)
      await warmUp(theirBox)
    }
    const pending = box.wait()
    const rejection = expect(pending).rejects.toThrow(shareError('ERR_CLOSED'))
    const theirs = expect(theirBox.wait()).rejects.toThrow(shareError('ERR_DISCONNECTED', /its server was shut down/))
    await other.names()
    await manager.shutdown()
    await Promise.all([rejection, theirs])
    await expectNothingLeft(manager.pid!, manager.address)
  })

  it('although it is busy for ever', async () => {
    void box.spin(600_000).catch(() => {})
    await manager.shutdown()
    await expectNothingLeft(manager.pid!, manager.address)
  })
})

describe('the creator of a server', () => {
  it.each(['SIGKILL', 'SIGTERM'] as const)('that is ended by %s takes it with it', async (signal) => {
    await using user = await spawnFixture('manager-user')
    const { pid, address } = await user.call<{ pid: number; address: string }>('start', { box: { module: BOX.href } })
    await user.call('create', 'box', 1)
    await user.call('begin', 'box', 'wait')
    await user.kill(signal)
    await expectNothingLeft(pid, address)
  })

  it('that is killed together with it leaves at most a directory, which the next server removes', async () => {
    await using user = await spawnFixture('manager-user')
    const { pid, address } = await user.call<{ pid: number; address: string }>('start', {})
    process.kill(pid, 'SIGSTOP')
    await user.kill()
    process.kill(pid, 'SIGKILL')
    await eventually(() => !isAlive(pid))
    await using other = await startManager()
    expect(await other.names()).toEqual([])
    expect(existsSync(dirname(address))).toBe(false)
  })
})

it('of several that want to take the place of one that was killed one does, and the others see it', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'manager-takeover-'))
  const address = join(directory, 'socket')
  try {
    for (let round = 0; round < 10; round++) {
      const killed = await Manager.start({ address })
      process.kill(killed.pid!, 'SIGKILL')
      await eventually(() => !isAlive(killed.pid!))
      const attempts = await Promise.allSettled(Array.from({ length: 4 }, () => Manager.serve({ address })))
      const servers = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []))
      const refused = attempts.flatMap((attempt) => (attempt.status === 'rejected' ? [attempt.reason] : []))
      expect(refused).toEqual(Array(3).fill(shareError('EADDRINUSE')))
      const client = await Manager.connect({ address, authkey: servers[0]!.authkey })
      await client.dict('here')
      expect(await client.names()).toEqual(['here'])
      client.close()
      await servers[0]!.close()
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
})
