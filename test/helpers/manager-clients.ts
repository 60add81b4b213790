/** A server in the test's own process, and clients of it that come and go. */
import { type ManagedProxy, Manager, type ManagerServer } from 'procshare'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { eventually } from './eventually.ts'

export interface Clients {
  /** That many clients of the one server, until the end of the test. */
  connect(count: number): Promise<Manager[]>
  /** Proxies of one new object, one for each of that many clients, which end when `end` is called or the test is over. */
  share<P extends ManagedProxy>(count: number, make: (manager: Manager) => Promise<P>): Promise<P[]>
  /** Ends the client that a proxy belongs to, as its death would; resolves when the server has noticed. */
  end(proxy: ManagedProxy): Promise<void>
}

/** For a test file, or a `describe`. No object may be left behind by a test. */
export function managerClients(): Clients {
  let server: ManagerServer
  let watcher: Manager
  let clients: Manager[] = []
  const clientOf = new Map<ManagedProxy, Manager>()

  beforeAll(async () => {
    server = await Manager.serve()
    watcher = await Manager.connect({ address: server.address })
  })
  afterEach(() => {
    for (const client of clients) client.close()
    clients = []
    clientOf.clear()
  })
  afterAll(async () => {
    watcher.close()
    await server.close()
  })

  async function connect(count: number): Promise<Manager[]> {
    const connecting = Array.from({ length: count }, () => Manager.connect({ address: server.address }))
    const more = await Promise.all(connecting)
    clients.push(...more)
    return more
  }

  let lastName = 0
  return {
    connect,
    async share(count, make) {
      const managers = await connect(count)
      const first = await make(managers[0]!)
      clientOf.set(first, managers[0]!)
      // A container of the first client passes it to the others.
      const carrier = `carrier ${++lastName}`
      const queue = await managers[0]!.Queue({ name: carrier })
      const rest: (typeof first)[] = []
      for (const manager of managers.slice(1)) {
        await queue.put(first)
        const proxy = (await (await manager.Queue(carrier)).get()) as typeof first
        clientOf.set(proxy, manager)
        rest.push(proxy)
      }
      await managers[0]!.unlink(carrier)
      return [first, ...rest]
    },
    async end(proxy) {
      const { clients: before } = await watcher.stats()
      clientOf.get(proxy)!.close()
      await eventually(async () => (await watcher.stats()).clients < before)
    },
  }
}

/** Waits until all messages of the client of `proxy` so far were received, and answered where possible. */
export async function arrived(...proxies: readonly ManagedProxy[]): Promise<void> {
  for (const proxy of proxies) await proxy.show()
}

/** Asserts that something waits: the server has seen the call and has not answered it. */
export async function waits(waiting: Promise<unknown>, proxy: ManagedProxy): Promise<void> {
  let settled = false
  const note = () => {
    settled = true
  }
  waiting.then(note, note)
  await arrived(proxy)
  await arrived(proxy)
  expect(settled, 'it does not wait').toBe(false)
}
