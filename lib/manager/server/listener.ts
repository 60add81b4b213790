/** Listener: accepts clients at a Unix socket, a named pipe, or a port, with or without TLS. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { lstat, rm } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { constants } from 'node:os'
import { dirname, resolve } from 'node:path'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import { isMainThread } from 'node:worker_threads'
import { socketError } from '../../errors/manager-messages.ts'
import { hasCode } from '../../errors/share-error.ts'
import { Lock } from '../../sync/lock.ts'
import { formatAddress, type ManagerAddress, socketOptions } from '../address.ts'
import { SwitchingTransport } from '../wire/switching-transport.ts'
import { MAX_REFUSED, type ServerCore } from './server-core.ts'
import { FAREWELL_MS } from './session.ts'

/** The silence after which TCP's keep-alive probes a connection, which detects a peer that has vanished. */
const KEEP_ALIVE_MS = 10_000
const BACKLOG = 1024
const TAKE_OVER_MS = 10_000

export interface Listener {
  /** The address at which it listens. Port 0 is replaced by the port that the system has chosen. */
  readonly address: ManagerAddress
  /** Stops accepting clients. */
  close(): Promise<void>
  ref(): void
  unref(): void
}

/**
 * Begins to listen.
 * @throws {@link ShareError} `EADDRINUSE`, `EACCES`, `ENOENT` (no such directory), `EADDRNOTAVAIL`, `ERR_TLS`.
 */
export async function listen(
  core: ServerCore,
  address: ManagerAddress,
  tls: TlsOptions | undefined,
): Promise<Listener> {
  try {
    return await listenOnce(core, address, tls)
  } catch (error) {
    if (!hasCode(error, 'EADDRINUSE') || typeof address !== 'string' || !(await isAbandoned(address))) throw error
    return takeOver(core, address, tls)
  }
}

/** Listens in the place of a killed server whose socket still exists. */
async function takeOver(core: ServerCore, address: string, tls: TlsOptions | undefined): Promise<Listener> {
  // Without the lock, this server could remove the socket of another one that has just taken over.
  const lock = lockOf(address)
  try {
    const guard = await lock?.acquire({ timeoutMs: TAKE_OVER_MS })
    try {
      if (await isAbandoned(address)) await rm(address, { force: true })
      return await listenOnce(core, address, tls)
    } finally {
      guard?.release()
    }
  } finally {
    lock?.close()
  }
}

/** The lock of all servers that try to listen at a path. It is undefined without shared memory: the server starts nevertheless. */
function lockOf(address: string): Lock | undefined {
  try {
    return Lock.open(`procshare-socket-${createHash('sha256').update(resolve(address)).digest('hex').slice(0, 24)}`)
  } catch {
    return undefined
  }
}

async function listenOnce(core: ServerCore, address: ManagerAddress, tls: TlsOptions | undefined): Promise<Listener> {
  const formatted = formatAddress(address)
  const onSocket = (socket: Socket) => {
    socket.setNoDelay(true)
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    core.accept(new SwitchingTransport(socket))
  }
  const server = newServer(core, tls, onSocket, formatted)
  const connections = new Set<Socket>()
  server.on('connection', (socket) => {
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(socketError(withoutDirectory(error, address) ?? error, formatted, 'listen')))
    server.once('listening', resolve)
    privately(typeof address === 'string', () => {
      server.listen({ ...socketOptions(address), backlog: BACKLOG, exclusive: true })
    })
  })
  // Connections that do not complete the TLS handshake do not reach the core.
  server.maxConnections = core.limits.clients + MAX_REFUSED
  server.on('error', () => {}) // a client could not be accepted; other clients are not affected
  const bound = server.address()
  return {
    address: typeof bound === 'object' && bound !== null ? { host: hostOf(address), port: bound.port } : address,
    close: () => endServer(server, connections),
    ref: () => void server.ref(),
    unref: () => void server.unref(),
  }
}

function newServer(
  core: ServerCore,
  tls: TlsOptions | undefined,
  onSocket: (socket: Socket) => void,
  address: string,
): Server {
  if (tls === undefined) return createServer(onSocket)
  try {
    // The option `ca` is there to check the certificates of clients.
    const verified = tls.ca === undefined ? {} : { requestCert: true, rejectUnauthorized: true }
    const server = createTlsServer({ handshakeTimeout: core.limits.authenticateMs, ...verified, ...tls }, onSocket)
    // Otherwise, a connection with a slow handshake would stay open.
    return server.on('tlsClientError', (_error, socket) => socket.destroy())
  } catch (error) {
    throw socketError(error as Error, address, 'listen')
  }
}

/** Stops accepting clients, and waits for a limited time until the present ones have closed. */
async function endServer(server: Server, connections: ReadonlySet<Socket>): Promise<void> {
  const timer = setTimeout(() => {
    for (const socket of connections) socket.destroy()
  }, FAREWELL_MS)
  await new Promise<void>((resolve) => server.close(() => resolve()))
  clearTimeout(timer)
}

/** Returns the error of a missing directory, which Node reports as a missing permission. */
function withoutDirectory(error: Error, address: ManagerAddress): Error | undefined {
  const isPath = typeof address === 'string' && process.platform !== 'win32'
  if (!isPath || (error as NodeJS.ErrnoException).code !== 'EACCES' || existsSync(dirname(address))) return undefined
  return Object.assign(error, { code: 'ENOENT', errno: -constants.errno.ENOENT })
}

function hostOf(address: ManagerAddress): string {
  return typeof address === 'string' ? '' : address.host
}

/** Makes a socket to which only this user can connect. A worker thread cannot set the umask. */
function privately(isPath: boolean, fn: () => void): void {
  const umask = isPath && isMainThread && process.platform !== 'win32' ? process.umask(0o177) : undefined
  try {
    fn()
  } finally {
    if (umask !== undefined) process.umask(umask)
  }
}

/** Whether there is a socket at the path on which no server listens. */
export async function isAbandoned(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined)
  if (found?.isSocket() !== true) return false
  return new Promise((resolve) => {
    const socket = connect({ path })
    socket.once('connect', () => {
      socket.destroy()
      resolve(false)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'))
  })
}
