/**
 * Keyed: the base of dicts, sets and namespaces. It is a Map whose keys are compared by value, even if they are arrays or dates. Its last
 * entry is found at once, its changes are noted in the journal, and it can be iterated in batches.
 */
import { inspect } from 'node:util'
import { typeError } from '../../../validate.ts'
import { journal } from '../journal.ts'
import { assertItems, OPERATIONS } from '../limits.ts'

const EXPECTED = 'a primitive value, a Date, or an array of those'

/** The temporary entry after the last one. */
const END = Symbol('end')

export class Keyed<V> {
  readonly #map = new Map<unknown, V>()
  /** The keys that are arrays or dates, by their text. Two keys with the same text are the same key. */
  readonly #compound = new Map<string, object>()
  /** All keys in their order, including deleted ones. The array is made at the first request for the last key. */
  #order: unknown[] | undefined

  /** Keys that a transaction has deleted, which keep their places until it has succeeded. */
  readonly #leaving = new Set<unknown>()
  readonly #typeName: string

  /** @param typeName - of the managed object, for messages */
  constructor(typeName: string) {
    this.#typeName = typeName
  }

  get size(): number {
    return this.#map.size - this.#leaving.size
  }

  has(key: unknown): boolean {
    return this.#isThere(this.#find(key))
  }

  get(key: unknown): V | undefined {
    const own = this.#find(key)
    return this.#leaving.has(own) ? undefined : this.#map.get(own)
  }

  set(key: unknown, value: V): void {
    const own = this.#find(key)
    if (journal.isOpen) this.#noteSet(own)
    const { size } = this.#map
    if (size >= OPERATIONS.items && !this.#map.has(own)) assertItems(this.#typeName, size + 1)
    this.#map.set(own, value)
    if (this.#map.size > size) this.#noteKey(own)
  }

  delete(key: unknown): boolean {
    const own = this.#find(key)
    if (!this.#isThere(own)) return false
    if (journal.isOpen) this.#leave(own)
    else this.#remove(own)
    return true
  }

  clear(): void {
    this.#noteCopy()
    this.#refill([])
  }

  keys(): IterableIterator<unknown> {
    return this.#leaving.size === 0 ? this.#map.keys() : [...this.#staying()].map(([key]) => key).values()
  }

  values(): IterableIterator<V> {
    return this.#leaving.size === 0 ? this.#map.values() : [...this.#staying()].map(([, value]) => value).values()
  }

  entries(): IterableIterator<[unknown, V]> {
    return this.#leaving.size === 0 ? this.#map.entries() : this.#staying()
  }

  /** Takes the last entry out. */
  takeLast(): [unknown, V] | undefined {
    this.#order ??= [...this.#map.keys()]
    while (this.#order.length > 0) {
      const key = this.#order.pop()
      if (!this.#isThere(key)) continue
      const value = this.#map.get(key)!
      this.delete(key)
      return [key, value]
    }
    return undefined
  }

  /** Begins an iteration. */
  cursor(): Cursor<V> {
    return new Cursor(this.#map as Map<unknown, V | undefined>)
  }

  [inspect.custom](_depth: number, options: object): string {
    return inspect(this.#map, options)
  }

  /** The key as stored in the map, if it is there. @throws `TypeError` for a value that cannot be a key. */
  #find(key: unknown): unknown {
    if (typeof key === 'object' && key !== null) return this.#compound.get(keyText(key)) ?? key
    if (typeof key === 'function' || typeof key === 'symbol') throw typeError('key', EXPECTED, key)
    return key
  }

  #isThere(own: unknown): boolean {
    return this.#map.has(own) && !this.#leaving.has(own)
  }

  *#staying(): Generator<[unknown, V], void, undefined> {
    for (const entry of this.#map) if (!this.#leaving.has(entry[0])) yield entry
  }

  #noteKey(key: unknown): void {
    if (typeof key === 'object' && key !== null) this.#compound.set(keyText(key), key)
    if (this.#order === undefined) return
    if (this.#order.length > 2 * this.#map.size + 16) this.#order = undefined
    else this.#order.push(key)
  }

  #remove(key: unknown): void {
    this.#map.delete(key)
    if (typeof key === 'object' && key !== null) this.#compound.delete(keyText(key))
  }

  /** Deletes a key when the transaction succeeds. Until then it is not found, but keeps its place. */
  #leave(own: unknown): void {
    this.#leaving.add(own)
    journal.note(() => {
      this.#leaving.delete(own)
      this.#order = undefined
    })
    if (this.#leaving.size === 1) journal.onSuccess(() => this.#removeLeaving())
  }

  #removeLeaving(): void {
    for (const key of this.#leaving) this.#remove(key)
    this.#leaving.clear()
  }

  #noteSet(own: unknown): void {
    if (this.#leaving.has(own)) {
      // The key goes to the end. It could not return from there to its former place.
      this.#noteCopy()
      this.#leaving.delete(own)
      this.#remove(own)
    }
    if (this.#map.has(own)) {
      const old = this.#map.get(own)!
      journal.note(() => this.#map.set(own, old))
    } else {
      journal.note(() => this.#remove(own))
    }
  }

  /** Notes a copy before changes that, undone one by one, would restore another order. */
  #noteCopy(): void {
    if (!journal.isOpen) return
    journal.noteCopy(this, () => {
      const copy = [...this.#map]
      const leaving = [...this.#leaving]
      return () => {
        this.#refill(copy)
        for (const key of leaving) this.#leaving.add(key)
      }
    })
  }

  #refill(entries: readonly (readonly [unknown, V])[]): void {
    this.#map.clear()
    this.#leaving.clear()
    this.#compound.clear()
    this.#order = undefined
    for (const [key, value] of entries) {
      this.#map.set(key, value)
      this.#noteKey(key)
    }
  }
}

/**
 * An iteration over a map. An entry that is added later is visited; an entry that is deleted before its turn is not. Unlike an iterator of
 * a Map, it can reach the end and continue after entries have been added.
 */
export class Cursor<V> {
  readonly #map: Map<unknown, V | undefined>
  readonly #entries: IterableIterator<[unknown, V | undefined]>

  constructor(map: Map<unknown, V | undefined>) {
    this.#map = map
    this.#entries = map.entries()
  }

  /** Calls `take` with one entry after another, as long as it returns true and entries are left. */
  advance(take: (key: unknown, value: V) => boolean): void {
    // An iterator that has reached the end of its map stays there. A temporary last entry prevents this.
    this.#map.set(END, undefined)
    try {
      for (;;) {
        const { value: entry } = this.#entries.next()
        if (entry === undefined || entry[0] === END || !take(entry[0], entry[1] as V)) return
      }
    } finally {
      this.#map.delete(END)
    }
  }
}

/** @throws `TypeError` if one of the values cannot be a key. */
export function assertKeys(keys: readonly unknown[]): void {
  for (const key of keys) {
    if (typeof key === 'object' && key !== null) keyText(key)
    else if (typeof key === 'function' || typeof key === 'symbol') throw typeError('key', EXPECTED, key)
  }
}

/** Returns a text that differs for arrays and dates of different values. */
function keyText(key: object): string {
  if (Array.isArray(key)) return `[${key.map(keyPartText).join()}]`
  return keyPartText(key)
}

function keyPartText(part: unknown): string {
  if (typeof part === 'string') return JSON.stringify(part)
  if (typeof part === 'bigint') return `${part}n`
  if (part instanceof Date) return `date ${part.getTime()}`
  if (typeof part === 'object' && part !== null) throw typeError('key', EXPECTED, part)
  if (typeof part === 'function' || typeof part === 'symbol') throw typeError('key', EXPECTED, part)
  return String(part)
}
