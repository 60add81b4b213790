/** Options are the own properties of a plain object, copied once at the call: for managers, their objects, queues, pipes and processes. */
import { type LockProxy, Manager, type ManagerServer, Pipe, type PipeEnds, Process, Queue } from 'procshare'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { typeError } from '../helpers/error-matchers.ts'

const authkey = 'a key of this test'
const signal = new AbortController().signal

let server: ManagerServer
let manager: Manager
let lock: LockProxy
let queue: Queue<number>
let ends: PipeEnds<number>
beforeAll(async () => {
  server = await Manager.serve({ authkey })
  manager = await Manager.connect({ address: server.address, authkey })
  lock = await manager.Lock()
  queue = new Queue()
  ends = new Pipe()
})
afterAll(async () => {
  manager.close()
  await server.close()
  queue.close()
  for (const end of ends) end.close()
})

/** A call with options, and good ones that it knows. */
type Call = readonly [call: (options: never) => unknown, good: () => Readonly<Record<string, unknown>>]

const serve = async (options: never) => (await Manager.serve(options)).close()

const CALLS: Record<string, Call> = {
  'Manager.serve': [serve, () => ({ authkey, limits: { clients: 3 }, types: {} })],
  'the limits of Manager.serve': [
    (limits) => serve({ authkey, limits } as never),
    () => ({ clients: 3, authenticateMs: 50 }),
  ],
  'Manager.connect': [
    async (options) => (await Manager.connect(options)).close(),
    () => ({ address: server.address, authkey, timeoutMs: 5_000, signal, syncTimeoutMs: 1_000, reconnect: false }),
  ],
  'manager.dict': [async (options) => (await manager.dict({}, options)).close(), () => ({ name: undefined })],
  'manager.Value': [async (options) => (await manager.Value('i', 0, options)).close(), () => ({ name: undefined })],
  'lock.acquire of a manager': [
    async (options) => (await lock.acquire(options)).release(),
    () => ({ timeoutMs: 5_000, signal }),
  ],
  'with of a proxy': [(options) => lock.with(options), () => ({ timeoutMs: 5_000, signal })],
  'queue.putSync': [
    (options) => {
      queue.putSync(1, options)
      queue.tryGet()
    },
    () => ({ timeoutMs: 5 }),
  ],
  'queue.get': [
    async (options) => {
      queue.putSync(1)
      await queue.get(options)
    },
    () => ({ timeoutMs: 5_000, signal }),
  ],
  'connection.send': [
    async (options) => {
      await ends[0].send(1, options)
      ends[1].tryRecv()
    },
    () => ({ timeoutMs: 5_000, signal }),
  ],
  'new Process': [
    (options) => new Process('./job.mjs', options),
    () => ({ args: [1], export: 'work', name: 'job', stdio: 'ignore', detached: false }),
  ],
}

const settled = async (call: () => unknown) => await call()

describe.each(Object.entries(CALLS))('%s', (_title, [call, good]) => {
  it('takes a plain object', async () => {
    await settled(() => call(good() as never))
  })

  it('refuses an object that has a class or inherits its options', async () => {
    const options = [Object.create(good()), Object.setPrototypeOf({ ...good() }, new Map()), new Date()]
    for (const each of options) {
      await expect(settled(() => call(each as never))).rejects.toThrow(typeError(/must be a plain object, got /))
    }
  })

  it('reads each option once', async () => {
    for (const [key, option] of Object.entries(good())) {
      let reads = 0
      const get = () => {
        reads++
        return option
      }
      const options = Object.defineProperty({ ...good() }, key, { get, enumerable: true })
      await settled(() => call(options as never))
      expect([key, reads]).toEqual([key, 1])
    }
  })
})
