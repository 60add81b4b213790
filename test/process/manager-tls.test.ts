/** Managers over TLS: who is let in, and what is said to those who are not. */
import { connect as connectSocket } from 'node:net'
import { Manager, type ManagerConnectOptions, type ManagerServeOptions, type ManagerServer } from 'procshare'
import { afterEach, expect, it } from 'vitest'
import { shareError } from '../helpers/error-matchers.ts'
import { makeBox, TYPES } from '../helpers/managed-server.ts'
import { RawClient } from '../helpers/raw-client.ts'
import { ca, clientTls, otherTls, serverTls } from '../helpers/tls-files.ts'

const authkey = 'the key'
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

async function serve(tls: ManagerServeOptions['tls'], options: ManagerServeOptions = {}): Promise<ManagerServer> {
  const server = await Manager.serve({
    authkey,
    address: { host: '127.0.0.1', port: 0 },
    ...(tls && { tls }),
    ...options,
  })
  cleanups.push(() => server.close())
  return server
}

async function connect(
  { address }: ManagerServer,
  tls?: ManagerConnectOptions['tls'],
  key = authkey,
): Promise<Manager> {
  const manager = await Manager.connect({ address, authkey: key, timeoutMs: 10_000, ...(tls && { tls }) })
  cleanups.push(() => manager.close())
  return manager
}

it('a client that knows the authority and the key is let in', async () => {
  const server = await serve(serverTls, { types: TYPES })
  const manager = await connect(server, { ca })
  const box = await makeBox(manager, 'secret')
  expect(await box.get()).toBe('secret')
  await expect(connect(server, { ca }, 'another')).rejects.toThrow(shareError('ERR_AUTHENTICATION'))
})

it('a manager starts a server with TLS, and connects to it in both forms', async () => {
  const manager = await Manager.start({
    address: { host: '127.0.0.1', port: 0 },
    tls: serverTls,
    clientTls: { ca },
    types: TYPES,
  })
  cleanups.push(() => manager.shutdown())
  expect(await (await makeBox(manager, 1)).get()).toBe(1)
  expect(manager.sync.names()).toEqual([])
})

it('a server of an unknown authority is not trusted', async () => {
  const server = await serve(otherTls)
  await expect(connect(server, { ca })).rejects.toThrow(shareError('ERR_TLS', /TLS failed at .*self.signed/))
  await expect(connect(server, {})).rejects.toThrow(shareError('ERR_TLS'))
})

it('a server with the certificate of another host is not trusted', async () => {
  const server = await serve(serverTls)
  await expect(connect(server, { ca, servername: 'example.org' })).rejects.toThrow(
    shareError('ERR_TLS', /example\.org/),
  )
})

it('a client without the certificate that is required is not let in, one with it is', async () => {
  const server = await serve({ ...serverTls, ca })
  await expect(connect(server, { ca })).rejects.toThrow(shareError('ERR_TLS'))
  await expect(connect(server, { ca, ...otherTls })).rejects.toThrow(shareError('ERR_TLS'))
  const manager = await connect(server, { ca, ...clientTls })
  expect(await manager.names()).toEqual([])
})

it('a client without TLS at a server with it, and the other way round, are told so', async () => {
  await expect(connect(await serve(serverTls))).rejects.toThrow(shareError('ERR_DISCONNECTED', /if it uses TLS/))
  await expect(connect(await serve(undefined), { ca })).rejects.toThrow(shareError('ERR_TLS'))
})

it('options of TLS that cannot be right are refused, on either side', async () => {
  await expect(serve({ key: 'no key', cert: 'no certificate' })).rejects.toThrow(shareError('ERR_TLS'))
  const server = await serve(serverTls)
  await expect(connect(server, { ca, cert: 'no certificate', key: 'no key' })).rejects.toThrow(shareError('ERR_TLS'))
})

it('clients that do not come to the end of the handshake are limited, and let go of', async () => {
  const server = await serve(serverTls, { limits: { authenticateMs: 500, clients: 8 } })
  const silent = Array.from({ length: 100 }, () => {
    const socket = connectSocket(server.address as { host: string; port: number })
    return new RawClient(socket)
  })
  cleanups.push(() => {
    for (const client of silent) client[Symbol.dispose]()
  })
  await Promise.all(silent.map((client) => client.closed))
  const manager = await connect(server, { ca })
  expect(await manager.names()).toEqual([])
})

it('a server ends although a client does not come to the end of the handshake', async () => {
  const server = await serve(serverTls, { limits: { authenticateMs: 600_000 } })
  const silent = await RawClient.connect(server.address)
  cleanups.push(() => silent[Symbol.dispose]())
  await server.close()
  await silent.closed
})
