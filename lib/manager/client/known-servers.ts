/**
 * The servers that this thread has connected to, by address: their credentials, and the connections through which handles are
 * attached to.
 */
import { managerError } from '../../errors/manager-messages.ts'
import { parseAddress } from '../address.ts'
import { environmentKey } from '../keys.ts'
import { keyBeside } from '../private-directory.ts'
import { Connection, type Credentials } from './connection.ts'

const credentialsByAddress = new Map<string, Credentials>()
/** The connection to each server that handles are attached through; ended ones are replaced. */
const connections = new Map<string, Connection>()

/** Notes a connection that the program has made. */
export function noteConnection(connection: Connection): void {
  credentialsByAddress.set(connection.address, connection.credentials)
  if (connections.get(connection.address)?.hasEnded !== false) connections.set(connection.address, connection)
}

/** Notes credentials that the parent process has passed; those of a connection of this thread come first. */
export function noteCredentials(address: string, credentials: Credentials): void {
  if (!credentialsByAddress.has(address)) credentialsByAddress.set(address, credentials)
}

/**
 * The key for an address: the one that was used before, the one beside the socket, or the one in the environment.
 * @throws {@link ShareError} `ERR_NO_KEY`.
 */
export function keyFor(address: string): Uint8Array {
  const key = credentialsByAddress.get(address)?.key ?? keyBeside(address) ?? environmentKey()
  if (key === undefined) throw managerError('ERR_NO_KEY', { address })
  return key
}

/**
 * The connection through which a handle is attached to; it is returned before it is established.
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
  connection.open().catch(() => {}) // each request reports it
  return connection
}
