/** Handles of managed objects: how other processes attach to objects of a server. */
import type { Handle } from '../../memory/handle.ts'
import { valueError } from '../../validate.ts'
import { assertAddress, parseAddress } from '../address.ts'
import { connectionTo, noteCredentials } from './known-servers.ts'
import type { ManagedProxy } from './proxy.ts'

/** A handle for a child process, with the key and the TLS options. */
export interface ChildHandle extends Handle {
  readonly credentials?: { readonly key: Uint8Array; readonly tls?: object }
}

/**
 * Returns a proxy before its connection is established.
 * @throws {@link ShareError} `ERR_NO_KEY` when this process has no key for the server.
 */
export function attachToManaged(handle: ChildHandle): ManagedProxy {
  const [serverId, ...reference] = parse(handle)
  assertAddress('handle.name', parseAddress(handle.name))
  if (handle.credentials !== undefined) noteCredentials(handle.name, handle.credentials)
  return connectionTo(handle.name, serverId).adopt(reference) as ManagedProxy
}

function parse(handle: Handle): [serverId: string, ...reference: unknown[]] {
  try {
    const parts = JSON.parse(handle.id)
    const [serverId, id, typeName] = parts
    if (typeof serverId === 'string' && Number.isInteger(id) && typeof typeName === 'string') return parts
  } catch {
    // The error below reports it.
  }
  throw valueError('handle.id', 'the id of a managed object', handle.id)
}
