import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Barrier, Event, Manager, Pipe, Queue, SharedMemory, SharedState, Value, whenAvailable } from 'procshare'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { native } from '../../lib/native.ts'
import { rangeError, shareError, typeError, valueError } from '../helpers/error-matchers.ts'
import { spawnFixture } from '../helpers/fixture.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'
import { isPending, turns } from '../helpers/turns.ts'

expectNoLeftovers()

const reason = new Error('enough')
const schema = { hits: Value('i'), ready: Event() }

describe('an object whose name does not exist yet', () => {
  it.each<[string, (name: string) => Disposable, (name: string) => Disposable]>([
    ['Value', (name) => Value.create(name, 'i'), (name) => Value.attach(name, 'i')],
    ['Queue', (name) => Queue.create(name), (name) => Queue.attach(name)],
    ['Barrier', (name) => Barrier.create(name, 2), (name) => Barrier.attach(name)],
    ['SharedMemory', (name) => SharedMemory.create(name, 8), (name) => SharedMemory.attach(name)],
    ['SharedState', (name) => SharedState.create(name, schema), (name) => SharedState.attach(name, schema)],
    ['Pipe', (name) => Pipe.create(name), (name) => Pipe.attach(name, 1)],
  ])('is attached to when it is (%s)', async (_kind, create, attach) => {
    const name = uniqueName()
    const waiting = whenAvailable(() => attach(name), { timeoutMs: 10_000 })
    expect(await isPending(waiting)).toBe(true)
    using _created = create(name)
    using attached = await waiting
    expect((attached as { name?: string }).name).toBe(name)
  })

  it('is ERR_TIMEOUT after the timeout, with the last error as its cause; with 0 at once', async () => {
    const name = uniqueName()
    for (const timeoutMs of [0, 20]) {
      const error = await whenAvailable(() => Queue.attach(name), { timeoutMs }).catch((error) => error)
      expect(error).toEqual(
        shareError('ERR_TIMEOUT', new RegExp(`${name}.*timeoutMs is 0$|${name}.* ${timeoutMs} ms$`)),
      )
      expect(error.cause).toEqual(shareError('ENOENT'))
    }
  })

  it('is waited for until the signal aborts', async () => {
    const controller = new AbortController()
    const attach = () => Queue.attach(uniqueName())
    const waits = Array.from({ length: 20 }, () => whenAvailable(attach, { signal: controller.signal }))
    controller.abort(reason)
    for (const wait of waits) await expect(wait).rejects.toBe(reason)
    await expect(whenAvailable(attach, { signal: controller.signal })).rejects.toBe(reason)
  })

  it('of another kind, and any other error, ends the wait at once', async () => {
    using event = Event.create(uniqueName())
    await expect(whenAvailable(() => Queue.attach(event.name))).rejects.toThrow(shareError('ERR_KIND'))
    const fail = () => {
      throw reason
    }
    await expect(whenAvailable(fail)).rejects.toBe(reason)
    await expect(whenAvailable(() => Promise.reject(reason))).rejects.toBe(reason)
  })
})

describe('a segment that another process is still creating', () => {
  const making = (name: string) => native.createSegment(name, 8, 0, '{"kind":"SharedMemory"}', 0o600)

  it.each<[string, (name: string) => SharedMemory]>([
    ['attach', (name) => SharedMemory.attach(name)],
    ['open', (name) => SharedMemory.open(name, 8)],
  ])('is waited for without blocking the event loop (%s)', async (_form, reach) => {
    const name = uniqueName()
    const segment = making(name)
    let tries = 0
    const waiting = whenAvailable(() => {
      tries++
      return reach(name)
    })
    await expect.poll(() => tries).toBeGreaterThan(3) // each of them would block for ten seconds
    await turns()
    native.publishSegment(segment)
    using memory = await waiting
    expect(memory.byteLength).toBe(8)
    native.closeSegment(segment)
  })

  it('makes attach() wait again after whenAvailable() was used', async () => {
    const name = uniqueName()
    const segment = making(name)
    try {
      await using other = await spawnFixture('handle-user')
      const attached = other.call('attachAfterWaiting', name)
      attached.catch(() => {})
      expect(await other.event('attaching')).toBe('ERR_NOT_READY')
      await delay(100) // now it blocks, or it has failed
      native.publishSegment(segment)
      expect(await attached).toBe(8)
    } finally {
      native.closeSegment(segment)
    }
  })

  it('is ERR_NOT_READY as the cause of the timeout', async () => {
    const name = uniqueName()
    const segment = making(name)
    const error = await whenAvailable(() => SharedMemory.attach(name), { timeoutMs: 10 }).catch((error) => error)
    expect(error.code).toBe('ERR_TIMEOUT')
    expect(error.cause).toEqual(shareError('ERR_NOT_READY', /is still being created/))
    native.closeSegment(segment)
  })
})

it('refuses invalid arguments', async () => {
  await expect(whenAvailable('name' as never)).rejects.toThrow(typeError(/^attempt must be a function/))
  await expect(whenAvailable(() => 1, { timeoutMs: -1 })).rejects.toThrow(rangeError(/^options\.timeoutMs/))
  await expect(whenAvailable(() => 1, { timeout: 1 } as never)).rejects.toThrow(valueError(/^options\.timeout/))
  await expect(Manager.connect({ address: 'x', signal: 5 } as never)).rejects.toThrow(typeError(/^options\.signal/))
})

describe('Manager.connect', () => {
  const authkey = 'the key'
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'when-available-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  it('with a timeout waits for a server that does not listen yet', async () => {
    const address = join(directory, 'later')
    const waiting = Manager.connect({ address, authkey, timeoutMs: 10_000 })
    const also = whenAvailable(() => Manager.connect({ address, authkey }), { timeoutMs: 10_000 })
    expect(await isPending(Promise.race([waiting, also]))).toBe(true)
    await using _server = await Manager.serve({ address, authkey })
    await using manager = await waiting
    await using other = await also
    expect([manager.isConnected, other.isConnected]).toEqual([true, true])
  })

  it('also waits for the key beside the socket of such a server', async () => {
    await using first = await Manager.serve()
    const address = first.address as string
    await first.close()
    const waiting = Manager.connect({ address, timeoutMs: 50 }).catch((error) => error)
    const error = await waiting
    expect(error.code).toBe('ERR_TIMEOUT')
    expect(['ERR_NO_KEY', 'ENOENT', 'ECONNREFUSED']).toContain(error.cause.code)
  })

  it('without one fails at once if no server listens', async () => {
    await expect(Manager.connect({ address: join(directory, 'x'), authkey })).rejects.toThrow(shareError('ENOENT'))
  })

  it('is ERR_TIMEOUT after the timeout, with the last error as its cause', async () => {
    const error = await Manager.connect({ address: join(directory, 'x'), authkey, timeoutMs: 20 }).catch(
      (error) => error,
    )
    expect(error).toEqual(shareError('ERR_TIMEOUT', /20 ms/))
    expect(error.cause).toEqual(shareError('ENOENT'))
  })

  it('has one timeout for both phases, and ends when its signal aborts in either', async () => {
    const address = join(directory, 'silent')
    const controller = new AbortController()
    const { signal } = controller
    const absent = Manager.connect({ address: join(directory, 'absent'), authkey, timeoutMs: Infinity, signal })
    const sockets: Socket[] = []
    const silent = createServer((socket) => void sockets.push(socket.on('error', () => {})))
    const late = Manager.connect({ address, authkey, timeoutMs: 300 })
    const lateEnded = expect(late).rejects.toThrow(shareError('ERR_TIMEOUT', /300 ms/))
    await new Promise<void>((resolve) => silent.listen(address, resolve))
    const present = Manager.connect({ address, authkey, signal })
    await expect.poll(() => sockets.length).toBe(2)
    controller.abort(reason)
    await expect(absent).rejects.toBe(reason)
    await expect(present).rejects.toBe(reason)
    await lateEnded
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => silent.close(resolve))
  })
})
