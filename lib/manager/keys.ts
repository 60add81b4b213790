/** Keys: the secrets that both sides of a connection must have. */
import { randomBytes } from 'node:crypto'
import { types } from 'node:util'
import { typeError, valueError } from '../validate.ts'

/** The environment variable with the key to use when no other key is given. */
const KEY_VARIABLE = 'PROCSHARE_AUTHKEY'

/** A random key. */
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
