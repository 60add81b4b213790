import { readFileSync } from 'node:fs'

const file = (name: string) => readFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url))

/** The authority of the tests and the certificates that it has signed; it has not signed `other`. */
export const ca = file('ca.crt')
export const serverTls = { key: file('server.key'), cert: file('server.crt') }
export const clientTls = { key: file('client.key'), cert: file('client.crt') }
export const otherTls = { key: file('other.key'), cert: file('other.crt') }
