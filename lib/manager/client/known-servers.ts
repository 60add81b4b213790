/**
 * The servers to which this thread has connected, by address: their credentials, and the connections that serve attached handles.
 */
import { managerError } from '../../errors/manager-messages.ts'
import { parseAddress } from '../address.ts'
import { environmentKey } from '../keys.ts'
import { keyBeside } from '../private-directory.ts'
import { Connection, type Credentials } from './connection.ts'

const credentialsByAddress = new Map<string, Credentials>()
/** The connection to each server for attached handles. A connection that has ended is replaced. */
const connections = new Map<string, Connection>()

/** Notes a connection that the program has made. */
export function noteConnection(connection: Connection): void {
  credentialsByAddress.set(connection.address, connection.credentials)
  if (connections.get(connection.address)?.hasEnded !== false) connections.set(connection.address, connection)
}

/** Notes credentials that the parent process has passed; credentials of a connection of this thread take precedence. */
export function noteCredentials(address: string, credentials: Credentials): void {
  if (!credentialsByAddress.has(address)) credentialsByAddress.set(address, credentials)
}

/**
 * The key for an address: the key that was used before, the key in the directory of the socket, or the key in the environment.
 * @throws {@link ShareError} `ERR_NO_KEY`.
 */
export function keyFor(address: string): Uint8Array {
  const key = credentialsByAddress.get(address)?.key ?? keyBeside(address) ?? environmentKey()
  if (key === undefined) throw managerError('ERR_NO_KEY', { address })
  return key
}

/**
 * Returns the connection for an attached handle, before it is established.
 * @throws {@link ShareError} `ERR_NO_KEY`.
 */
export function connectionTo(address: string, serverId: string): Connection {
  const existing = connections.get(address)
  if (existing !== undefined && !existing.hasEnded && (existing.serverId ?? serverId) === serverId) return existing
  const connection = new Connection(parseAddress(address), {
    ...credentialsByAddress.get(address),
    key: keyFor(address),
  })
  connection.serverId = serverId
  connections.set(address, connection)
  connection.open().catch(() => {}) // each request reports the error
  return connection
}
