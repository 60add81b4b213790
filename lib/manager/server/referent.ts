/**
 * Referents: the objects of the server, and the table of the objects to which clients have references.
 *
 * A client gets one reference each time the object is sent to it, and keeps it until it sends UNREF or ends. An object without references
 * and without a name is removed from the table. If other objects of the server contain it, it lives on, and returns to the table when it is
 * sent from there.
 */
import { inspect } from 'node:util'
import type { Handle } from '../../memory/handle.ts'
import { registerShareable } from '../../memory/shareable.ts'
import type { operations } from '../contract/contract.ts'
import type { ManagedType } from './managed-type.ts'
import type { Client } from './request.ts'

/** An object that lives in the server. */
export class Referent {
  readonly id: number
  readonly type: ManagedType
  readonly object: object
  /** The name under which every client gets the object. */
  name: string | undefined
  /** The number of references of each client. */
  readonly references = new Map<Client, number>()
  declare readonly [operations]: never

  /** @internal Referents are made by the table. */
  constructor(id: number, type: ManagedType, object: object) {
    this.id = id
    this.type = type
    this.object = object
    registerShareable(this, true)
  }

  /** Shows it inside another object by its type and name only, because it may contain that object. */
  [inspect.custom](): string {
    return `<${this.type.name} ${this.name === undefined ? `#${this.id}` : JSON.stringify(this.name)}>`
  }
}

/** A shared object in memory, or of another server, that was put into a managed object. It is kept as its handle and not attached here. */
export class KeptHandle {
  readonly handle: Handle

  constructor(handle: Handle) {
    this.handle = handle
    registerShareable(this, true)
  }

  [inspect.custom](): string {
    return `<${this.handle.kind} ${JSON.stringify(this.handle.name)}>`
  }
}

/** The objects to which clients have references, and the objects that have names. */
export class ReferentTable {
  readonly #byId = new Map<number, Referent>()
  readonly #byName = new Map<string, Referent>()
  #lastId = 0

  get size(): number {
    return this.#byId.size
  }

  values(): Iterable<Referent> {
    return this.#byId.values()
  }

  make(type: ManagedType, object: object): Referent {
    this.#lastId++
    return new Referent(this.#lastId, type, object)
  }

  get(id: number): Referent | undefined {
    return this.#byId.get(id)
  }

  named(name: string): Referent | undefined {
    return this.#byName.get(name)
  }

  names(): string[] {
    return [...this.#byName.keys()]
  }

  /** Gives a referent a name, which keeps it in the table. */
  bind(name: string, referent: Referent): void {
    referent.name = name
    this.#byName.set(name, referent)
    this.#byId.set(referent.id, referent)
  }

  /** Removes the name. Returns whether it existed. */
  unbind(name: string): boolean {
    const referent = this.#byName.get(name)
    if (referent === undefined) return false
    this.#byName.delete(name)
    referent.name = undefined
    this.#removeIfUnused(referent)
    return true
  }

  /** Adds a reference of the client. */
  ref(referent: Referent, client: Client): void {
    this.#byId.set(referent.id, referent)
    referent.references.set(client, (referent.references.get(client) ?? 0) + 1)
  }

  /** Removes `count` references of the client. Returns whether it has none left. */
  unref(referent: Referent, client: Client, count: number): boolean {
    const left = (referent.references.get(client) ?? 0) - count
    if (left > 0) {
      referent.references.set(client, left)
      return false
    }
    referent.references.delete(client)
    this.#removeIfUnused(referent)
    return true
  }

  #removeIfUnused(referent: Referent): void {
    if (referent.references.size === 0 && referent.name === undefined) this.#byId.delete(referent.id)
  }
}
