/** Handles of managed objects: how others attach to what a manager's server holds. */
import type { Handle } from '../memory/handle.ts'
import { registerKind } from '../memory/shareable.ts'
import { valueError } from '../validate.ts'
import { assertAddress, parseAddress } from './address.ts'
import type { ManagedProxy } from './client/proxy.ts'
import './client/proxies/index.ts'
import { connectionTo, learn } from './credentials.ts'

/** A handle that goes to a child process with what it takes to connect. */
export interface ChildHandle extends Handle {
  readonly credentials?: { readonly key: Uint8Array; readonly tls?: object }
}

/**
 * A proxy, at once; the connection is made meanwhile.
 * @throws {@link ShareError} `ERR_NO_KEY` when no key is known for the server.
 */
function attachToManaged(handle: ChildHandle): ManagedProxy {
  const [serverId, ...reference] = parse(handle)
  assertAddress('handle.name', parseAddress(handle.name))
  if (handle.credentials !== undefined) learn(handle.name, handle.credentials)
  return connectionTo(handle.name, serverId).adopt(reference)
}

function parse(handle: Handle): [serverId: string, ...reference: unknown[]] {
  try {
    const parts = JSON.parse(handle.id)
    const [serverId, id, typeName] = parts
    if (typeof serverId === 'string' && Number.isInteger(id) && typeof typeName === 'string') return parts
  } catch {
    // Reported below.
  }
  throw valueError('handle.id', 'the id of a managed object', handle.id)
}

registerKind('Manager', { attach: attachToManaged })
