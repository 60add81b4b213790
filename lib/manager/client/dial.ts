/** Sockets to servers: Unix sockets, named pipes, TCP, and TLS over TCP. */
import { connect, isIP, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { type ManagerAddress, socketOptions } from '../address.ts'

/** The silence after which TCP's keep-alive probes a connection. */
const KEEP_ALIVE_MS = 10_000

/** Begins to connect. @throws the error of invalid TLS options or of an invalid address. */
export function dial(at: ManagerAddress, tls: ConnectionOptions | undefined): Socket {
  const socket = tls === undefined ? connect(socketOptions(at)) : connectTls(tlsOptions(at, tls))
  socket.setNoDelay(true)
  socket.setKeepAlive(true, KEEP_ALIVE_MS)
  return socket
}

function tlsOptions(at: ManagerAddress, tls: ConnectionOptions): ConnectionOptions {
  const isNamed = typeof at !== 'string' && isIP(at.host) === 0
  return { ...(isNamed && { servername: at.host }), ...tls, ...socketOptions(at) }
}
