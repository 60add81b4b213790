/** The address of a server: a path (a Unix socket, or a named pipe on Windows), or a host and port. */
import { isIP } from 'node:net'
import { managerError } from '../errors/manager-messages.ts'
import { assertInteger, assertString, typeError, unknownKeyError, valueError } from '../validate.ts'

/** The address of the server of a {@link Manager}: the path of a Unix socket (a named pipe `\\.\pipe\…` on Windows), or host and port. */
export type ManagerAddress = string | { readonly host: string; readonly port: number }

/** The longest path of a Unix socket on all platforms. */
export const MAX_PATH_BYTES = 103

export function assertAddress(name: string, value: unknown): asserts value is ManagerAddress {
  if (typeof value === 'string') {
    if (value === '' || value.includes('\0')) throw valueError(name, 'a non-empty path without NUL', value)
    const isPipe = value.startsWith('\\\\')
    const byteLength = Buffer.byteLength(value)
    if (!isPipe && byteLength > MAX_PATH_BYTES) {
      throw managerError('ENAMETOOLONG', { address: value, byteLength, max: MAX_PATH_BYTES })
    }
    return
  }
  if (typeof value !== 'object' || value === null) throw typeError(name, 'a path, or { host, port }', value)
  const { host, port, ...rest } = value as { host?: unknown; port?: unknown }
  for (const key of Object.keys(rest)) throw unknownKeyError(name, key, 'part of an address', ['host', 'port'])
  assertString(`${name}.host`, host)
  if (host === '') throw valueError(`${name}.host`, 'a non-empty host name or IP address', host)
  assertInteger(`${name}.port`, port, 0, 65_535)
}

/** The address as text, which identifies it and can be passed to another process. */
export function formatAddress(address: ManagerAddress): string {
  if (typeof address === 'string') return address
  return `tcp://${isIP(address.host) === 6 ? `[${address.host}]` : address.host}:${address.port}`
}

/** Parses the text of an address. */
export function parseAddress(text: string): ManagerAddress {
  if (!text.startsWith('tcp://')) return text
  const colon = text.lastIndexOf(':')
  return { host: text.slice(6, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) }
}

/** The options for `connect` and `listen` of node:net. */
export function socketOptions(address: ManagerAddress): { path: string } | { host: string; port: number } {
  return typeof address === 'string' ? { path: address } : { host: address.host, port: address.port }
}
