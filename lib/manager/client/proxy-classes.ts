/** The classes of proxies, by the types of their objects. */
import * as PROXY_TYPES from '../types/proxies.ts'
import type { ManagedProxy } from './proxy.ts'
import { registeredClass } from './registered-proxy.ts'
import type { Remote } from './remote.ts'

const classes = new Map<string, new (remote: Remote) => ManagedProxy>(
  Object.values(PROXY_TYPES).map(({ contract, Class }) => [contract.type, Class]),
)

export function proxyClassOf(remote: Remote): new (remote: Remote) => ManagedProxy {
  return classes.get(remote.typeName) ?? registeredClass(remote)
}
