/**
 * Keys and certificates: what was given to connect with, by address, so that a proxy that arrives as a handle finds them.
 */
import { randomBytes } from 'node:crypto'
import { types } from 'node:util'
import { managerError } from '../errors/manager-messages.ts'
import { typeError, valueError } from '../validate.ts'
import { parseAddress } from './address.ts'
import { Connection, type Credentials } from './client/connection.ts'
import { keyBeside } from './server/private-directory.ts'

/** The variable that says which key to use where no other is known. */
const KEY_VARIABLE = 'PROCSHARE_AUTHKEY'

const known = new Map<string, Credentials>()
/** The connection to each server that handles are attached through; ended ones are replaced. */
const connections = new Map<string, Connection>()

/** A key that nobody can guess. */
export function newKey(): Uint8Array {
  return new Uint8Array(randomBytes(32))
}

/** A key as bytes: text is UTF-8. @throws `TypeError` */
export function keyBytes(name: string, key: unknown): Uint8Array {
  if (typeof key !== 'string' && !types.isUint8Array(key)) throw typeError(name, 'a string or a Uint8Array', key)
  if (key.length === 0) throw valueError(name, 'a non-empty key', key)
  return typeof key === 'string' ? new TextEncoder().encode(key) : new Uint8Array(key)
}

/** The key in the environment of the process. */
export function environmentKey(): Uint8Array | undefined {
  const text = process.env[KEY_VARIABLE]
  return text === undefined || text === '' ? undefined : keyBytes(KEY_VARIABLE, text)
}

export function remember(connection: Connection): void {
  known.set(connection.address, connection.credentials)
  if (connections.get(connection.address)?.hasEnded !== false) connections.set(connection.address, connection)
}

/** Other credentials than those of a connection: from the parent of this process. */
export function learn(address: string, credentials: Credentials): void {
  if (!known.has(address)) known.set(address, credentials)
}

/** What was given to connect to an address with. */
export function credentialsOf(address: string): Credentials | undefined {
  return known.get(address)
}

/**
 * The key for an address: the one that was used before, the one beside the socket, or the one in the environment.
 * @throws {@link ShareError} `ERR_NO_KEY`.
 */
export function keyFor(address: string): Uint8Array {
  const key = known.get(address)?.key ?? keyBeside(address) ?? environmentKey()
  if (key === undefined) throw managerError('ERR_NO_KEY', { address })
  return key
}

/** The connection through which a handle is attached to; it connects meanwhile. @throws {@link ShareError} `ERR_NO_KEY`. */
export function connectionTo(address: string, serverId: string): Connection {
  const existing = connections.get(address)
  if (existing !== undefined && !existing.hasEnded && (existing.serverId ?? serverId) === serverId) return existing
  const connection = new Connection(parseAddress(address), { ...known.get(address), key: keyFor(address) })
  connection.serverId = serverId
  connections.set(address, connection)
  connection.open().catch(() => {}) // each call reports it
  return connection
}
