/** A pending wait of a managed object keeps its process alive until it is over; one that was told not to does not. */
import type { Manager } from 'procshare'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { eventually } from '../helpers/eventually.ts'
import { runProgram } from '../helpers/fixture.ts'
import { startManager } from '../helpers/managed-server.ts'

let manager: Manager
beforeAll(async () => {
  manager = await startManager()
})
afterAll(() => manager?.shutdown())

const argv = (operation: string, how: string) => [
  operation,
  how,
  String(manager.address),
  Buffer.from(manager.authkey).toString('base64'),
]

/** Makes the operation wait; gives what ends the wait. */
const OPERATIONS: Record<string, () => Promise<() => Promise<unknown>>> = {
  async lock() {
    const guard = await (await manager.Lock('l')).acquire()
    return () => guard.release()
  },
  lockTimeout: () => OPERATIONS.lock!(),
  async rlock() {
    const guard = await (await manager.RLock('r')).acquire()
    return () => guard.release()
  },
  async semaphore() {
    const semaphore = await manager.Semaphore(2, { name: 's' })
    await Promise.all([semaphore.acquire(), semaphore.acquire()])
    return () => semaphore.release(2)
  },
  async event() {
    const event = await manager.Event('e')
    await event.clear()
    return () => event.set()
  },
  async condition() {
    const condition = await manager.Condition('c')
    return () => condition.run(() => condition.notifyAll())
  },
  async barrier() {
    const barrier = await manager.Barrier(2, { name: 'b' })
    await barrier.reset()
    return () => barrier.wait()
  },
  async get() {
    const queue = await manager.Queue('q')
    while ((await queue.tryGet()) !== undefined);
    return () => queue.put(1)
  },
  getMany: () => OPERATIONS.get!(),
  iterate: () => OPERATIONS.get!(),
  async put() {
    const queue = await manager.Queue({ name: 'full', maxSize: 1 })
    await queue.tryPut(1)
    return async () => {
      await queue.get()
      await queue.tryGet()
    }
  },
  async join() {
    const queue = await manager.JoinableQueue('j')
    if ((await queue.unfinished) === 0) await queue.put(1)
    return () => queue.taskDone()
  },
}

async function expectKept(operation: string, how: string): Promise<void> {
  const grant = await OPERATIONS[operation]!()
  await using child = runProgram('manager-keeps', { argv: argv(operation, how) })
  await eventually(() => child.stdout.includes('waits'))
  await grant()
  expect(await child.output()).toBe('waits\nwaited\nended\n')
  expect(await child.ended()).toEqual({ code: 0, signal: null })
}

async function expectNotKept(operation: string, how: string): Promise<void> {
  const grant = await OPERATIONS[operation]!()
  await using child = runProgram('manager-keeps', { argv: argv(operation, how) })
  expect(await child.output()).toBe('waits\nended\n')
  await grant().catch(() => {})
}

it.each(Object.keys(OPERATIONS))(
  '%s keeps the process until it is granted, unless its proxy was told not to',
  async (name) => {
    await expectKept(name, 'plain')
    await expectNotKept(name, 'unref')
  },
)

it.each(['ref again', 'hot'])('a wait keeps the process (%s)', (how) => expectKept('get', how))

it.each(['manager', 'unref later'])('a wait does not keep the process (%s)', (how) => expectNotKept('lock', how))

it('a call that the client has cancelled does not keep the process alive', async () => {
  const server = await startManager()
  const address = [String(server.address), Buffer.from(server.authkey).toString('base64')]
  await using child = runProgram('manager-keeps', { argv: ['stopped', String(server.pid), ...address] })
  try {
    expect(await child.output()).toBe('waits\nERR_TIMEOUT\nended\n')
    expect(await child.ended()).toEqual({ code: 0, signal: null })
  } finally {
    process.kill(server.pid!, 'SIGCONT')
    await server.shutdown()
  }
})
