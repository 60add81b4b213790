/** Which class of proxies is for which type of objects. */
import type { Remote } from './channel.ts'
import type { ProxyClass } from './proxy.ts'

const classes = new Map<string, ProxyClass>()
let fallback: ((remote: Remote) => ProxyClass) | undefined

/** The proxies of a type that is built in. */
export function registerProxy(typeName: string, Class: ProxyClass): void {
  classes.set(typeName, Class)
}

/** The proxies of all other types. */
export function registerOtherProxies(classOf: (remote: Remote) => ProxyClass): void {
  fallback = classOf
}

export function proxyClassOf(remote: Remote): ProxyClass {
  return classes.get(remote.typeName) ?? fallback!(remote)
}
