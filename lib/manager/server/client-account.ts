/** ClientAccount: the references of one client to objects, and the objects in which it may own something. */
import { managerError } from '../../errors/manager-messages.ts'
import type { Referent, ReferentTable } from './referent.ts'
import type { Client } from './request.ts'

export class ClientAccount {
  readonly #client: Client
  readonly #referents: ReferentTable
  readonly #maxObjects: number
  readonly #referenced = new Map<number, Referent>()
  /** The objects in which the client may own something, or wait. */
  readonly #used = new Set<Referent>()

  /** @param maxObjects - the largest number of objects to which the client may have references */
  constructor(client: Client, referents: ReferentTable, maxObjects: number) {
    this.#client = client
    this.#referents = referents
    this.#maxObjects = maxObjects
  }

  /** Returns the object with that number. @throws {@link ShareError} `ERR_NO_OBJECT`. */
  find(id: number): Referent {
    const referent = this.#referents.get(id)
    if (referent === undefined) throw managerError('ERR_NO_OBJECT', { id })
    return referent
  }

  /** Adds a reference of the client to an object. @throws {@link ShareError} `ERR_LIMIT`. */
  ref(referent: Referent): void {
    if (!this.#referenced.has(referent.id) && this.#referenced.size >= this.#maxObjects) {
      throw managerError('ERR_LIMIT', { limit: 'proxies', max: this.#maxObjects })
    }
    this.#referenced.set(referent.id, referent)
    this.#referents.ref(referent, this.#client)
  }

  /** Removes `count` references of the client to an object. */
  unref(id: number, count: number): void {
    const referent = this.#referenced.get(id)
    if (referent === undefined || !this.#referents.unref(referent, this.#client, count)) return
    this.#referenced.delete(id)
    this.#disconnect(referent)
  }

  /** Notes that the client requests a method of an object. From now on, the client may own something in the object. */
  noteUse(referent: Referent): void {
    if (referent.type.disconnect !== undefined) this.#used.add(referent)
  }

  /** Ends the account of a client that is gone: everything that it owns is released, and its references are removed. */
  end(): void {
    for (const referent of this.#used) this.#disconnect(referent)
    for (const referent of this.#referenced.values()) this.#referents.unref(referent, this.#client, Infinity)
    this.#referenced.clear()
  }

  #disconnect(referent: Referent): void {
    if (this.#used.delete(referent)) referent.type.disconnect?.(referent.object, this.#client)
  }
}
