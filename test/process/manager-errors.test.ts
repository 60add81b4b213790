/** What goes wrong when a server is started or connected to, and how it is said. */
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Manager, type ManagerAddress } from 'procshare'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writeHello } from '../../lib/manager/wire/handshake.ts'
import { shareError } from '../helpers/error-matchers.ts'
import { startManager } from '../helpers/managed-server.ts'

let directory: string
const cleanups: (() => unknown)[] = []
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'manager-errors-'))
})
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
  chmodSync(directory, 0o700)
  rmSync(directory, { recursive: true, force: true })
})

const authkey = 'the key'
const connect = (address: ManagerAddress, key: string | undefined = authkey) =>
  Manager.connect({ address, ...(key !== undefined && { authkey: key }) })

async function serve(options: Parameters<typeof Manager.serve>[0] = {}) {
  const server = await Manager.serve({ authkey, ...options })
  cleanups.push(() => server.close())
  return server
}

it('options that cannot be sent to the server are an error, and no process stays', () => {
  const program = `import { Manager } from 'procshare'
    Manager.start({ tls: { SNICallback() {} } }).catch(({ message }) => console.log(message))`
  const options = { cwd: new URL('../..', import.meta.url), timeout: 20_000 }
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', program], options)
  expect(output.toString()).toMatch(/could not be cloned/)
})

/** Listens at a port with something that is no manager. */
async function listen(server: Server): Promise<{ host: string; port: number }> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => new Promise((resolve) => server.close(resolve)))
  return { host: '127.0.0.1', port: (server.address() as { port: number }).port }
}

/** A server that does what it is told with each connection, and lets go of it at the end. */
function peer(act: (socket: Socket) => void): Promise<{ host: string; port: number }> {
  const server = createServer((socket) => {
    cleanups.push(() => socket.destroy())
    socket.on('error', () => {})
    act(socket)
  })
  return listen(server)
}

describe('connecting', () => {
  it('with the wrong key is refused by the server', async () => {
    const { address } = await serve()
    await expect(connect(address, 'another')).rejects.toThrow(
      shareError('ERR_AUTHENTICATION', /rejected this client's key/),
    )
  })

  it('to a server that does not know the key is refused by the client', async () => {
    const address = await peer((socket) => {
      socket.write(writeHello(Buffer.alloc(32)))
      // It welcomes everybody.
      const welcome = Buffer.concat([writeHello(Buffer.alloc(32)), Buffer.from('{"id":"x"}')])
      welcome.writeUInt32LE(welcome.byteLength - 4, 0)
      let received = 0
      socket.on('data', (chunk) => {
        received += chunk.length
        if (received >= 12 + 76) socket.write(welcome)
      })
    })
    await expect(connect(address)).rejects.toThrow(shareError('ERR_AUTHENTICATION', /does not know this client's key/))
  })

  it('to a server of another version names both versions', async () => {
    const hello = writeHello(Buffer.alloc(32))
    hello.writeUInt16LE(7, 8)
    const address = await peer((socket) => socket.write(hello))
    await expect(connect(address)).rejects.toThrow(
      shareError('ERR_PROTOCOL', /speaks version 7 of the protocol, and this client speaks version 2/),
    )
  })

  it('to another kind of server is reported', async () => {
    const http = await listen(createHttpServer())
    await expect(connect(http)).rejects.toThrow(
      shareError('ERR_PROTOCOL', /something other than a procshare manager answers/i),
    )
    const ssh = await peer((socket) => socket.write('SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n'))
    await expect(connect(ssh)).rejects.toThrow(
      shareError('ERR_PROTOCOL', /something other than a procshare manager answers/i),
    )
  })

  it('to a peer that hangs up, or sends nothing, ends', async () => {
    const rude = await peer((socket) => socket.end())
    await expect(connect(rude)).rejects.toThrow(shareError('ERR_DISCONNECTED'))
    const silent = await peer(() => {})
    await expect(Manager.connect({ address: silent, authkey, timeoutMs: 50 })).rejects.toThrow(
      shareError('ERR_TIMEOUT', /longer than 50 ms/),
    )
  })

  it('without a server is reported', async () => {
    await expect(connect(join(directory, 'nothing'))).rejects.toThrow(
      shareError('ENOENT', /^No server listens at .*nothing: the socket does not exist\. Start the server first/),
    )
    const file = join(directory, 'file')
    writeFileSync(file, '')
    await expect(connect(file)).rejects.toThrow(shareError('ECONNREFUSED', /^No server listens at .*: start it first/))
    const { close, address } = await (async () => {
      const server = await Manager.serve({ authkey, address: { host: '127.0.0.1', port: 0 } })
      return { close: () => server.close(), address: server.address }
    })()
    await close()
    await expect(connect(address)).rejects.toThrow(shareError('ECONNREFUSED'))
  })

  it('to a host that does not exist is reported', async () => {
    await expect(connect({ host: 'no-such-host.invalid', port: 1 })).rejects.toThrow(
      shareError('ERR_DISCONNECTED', /no-such-host\.invalid/),
    )
  })

  it('without a key names the sources of one', async () => {
    const { address } = await serve({ address: join(directory, 'socket') })
    await expect(Manager.connect({ address: `${address}-other` })).rejects.toThrow(
      shareError('ERR_NO_KEY', /set PROCSHARE_AUTHKEY/),
    )
  })

  it.skipIf(process.getuid?.() === 0)('without permission says so', async () => {
    const { address } = await serve({ address: join(directory, 'socket') })
    chmodSync(address as string, 0)
    await expect(connect(address)).rejects.toThrow(shareError('EACCES', /^This user has no permission to listen at /))
  })
})

describe('serving', () => {
  it('at the address of another server is refused, and does not disturb that server', async () => {
    const { address } = await serve({ address: join(directory, 'socket') })
    await expect(Manager.serve({ address })).rejects.toThrow(shareError('EADDRINUSE', /is already in use by a server/))
    await expect(Manager.start({ address })).rejects.toThrow(shareError('EADDRINUSE'))
    const manager = await connect(address)
    expect(await manager.names()).toEqual([])
    manager.close()
    const { address: port } = await serve({ address: { host: '127.0.0.1', port: 0 } })
    await expect(Manager.serve({ address: port })).rejects.toThrow(shareError('EADDRINUSE'))
  })

  it('at a file that is not a socket is refused, and does not change the file', async () => {
    const file = join(directory, 'precious')
    writeFileSync(file, 'data')
    await expect(Manager.serve({ address: file })).rejects.toThrow(shareError('EADDRINUSE'))
    expect(statSync(file).size).toBe(4)
  })

  it('takes over the socket of a server that was killed', async () => {
    const address = join(directory, 'socket')
    const first = await startManager({ address })
    process.kill(first.pid!, 'SIGKILL')
    await expect(first.names()).rejects.toThrow(shareError('ERR_DISCONNECTED'))
    expect(existsSync(address)).toBe(true)
    await serve({ address })
    const manager = await connect(address)
    expect(await manager.names()).toEqual([])
    manager.close()
  })

  it('at an unusable address is refused', async () => {
    await expect(Manager.serve({ address: join(directory, 'no', 'socket') })).rejects.toThrow(
      shareError('ENOENT', /^Cannot listen at .*socket: its directory does not exist/),
    )
    await expect(Manager.serve({ address: join(directory, 'x'.repeat(104)) })).rejects.toThrow(
      shareError('ENAMETOOLONG', /^A socket path has at most 103 bytes, and .* has \d+: choose a shorter one$/),
    )
    await expect(Manager.serve({ address: { host: '203.0.113.1', port: 0 } })).rejects.toThrow(
      shareError('EADDRNOTAVAIL', /^The address tcp:\/\/203\.0\.113\.1:0 is not one of this machine/),
    )
    await expect(Manager.start({ address: join(directory, 'no', 'socket') })).rejects.toThrow(shareError('ENOENT'))
  })

  it.skipIf(process.getuid?.() === 0)('without permission is refused', async () => {
    chmodSync(directory, 0o500)
    await expect(Manager.serve({ address: join(directory, 'socket') })).rejects.toThrow(
      shareError('EACCES', /^This user has no permission to listen at /),
    )
  })

  it('at a given address does not remove its directory', async () => {
    const named = mkdtempSync(join(tmpdir(), 'procshare-manager-'))
    cleanups.push(() => rmSync(named, { recursive: true, force: true }))
    writeFileSync(join(named, 'precious'), 'data')
    const manager = await startManager({ address: join(named, 'socket') })
    await manager.shutdown()
    expect(existsSync(join(named, 'precious'))).toBe(true)
  })

  it('ends although clients neither read nor close', async () => {
    const server = await Manager.serve({ authkey, address: join(directory, 'socket') })
    const { connect: open } = await import('node:net')
    const socket = open({ path: join(directory, 'socket'), allowHalfOpen: true })
    cleanups.push(() => socket.destroy())
    await new Promise((resolve) => socket.once('connect', resolve))
    await server.close()
    expect(existsSync(join(directory, 'socket'))).toBe(false)
  })
})

it('a blocking call to a server in the same thread is refused', async () => {
  const { address } = await serve()
  const manager = await connect(address)
  cleanups.push(() => manager.close())
  expect(() => manager.sync.names()).toThrow(shareError('ERR_DEADLOCK'))
  expect(await manager.names()).toEqual([])
})

it('a type for a server that has ended is refused', async () => {
  const manager = await startManager()
  await manager.shutdown()
  await expect(manager.register('box2', new URL('../fixtures/managed-box.mjs', import.meta.url))).rejects.toThrow(
    shareError('ERR_DISCONNECTED'),
  )
})
