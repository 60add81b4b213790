/**
 * The survey of a value before it is encoded. Before an item is queued, it finds parts that cannot be encoded: msgpackr would
 * write a promise as an empty object. It also finds how to encode the value: as a tree, which is plain and contains no object
 * twice; as a graph; or as a graph with errors in it.
 */
import { types } from 'node:util'
import { isError } from '../kinds-of-value.ts'
import { isShareable, type Shareable } from '../memory/shareable.ts'
import { ErrorTable } from './errors.ts'
import { notCloneable } from './not-cloneable.ts'
import { beginOccurrences, forgetOccurrences, hasOccurred } from './occurrences.ts'
import { isOfOtherRealm, KNOWN_ARRAYS } from './other-realm.ts'

const VIEWS = new Set<unknown>([Buffer, ...KNOWN_ARRAYS])

/** The most keys that a map of a tree can have. */
const MAX_KEYS = 2 ** 16 - 1

/** How a value is encoded: as a tree, as a graph, or as a graph with these errors. */
export type Shape = 'tree' | 'graph' | ErrorTable

/**
 * How to encode the value. Getters of the value may throw.
 * @param canShare - whether shared objects in it can be encoded
 * @throws `DataCloneError` for values that cannot be encoded.
 */
export function shapeOf(value: unknown, canShare = true): Shape {
  return new Survey(canShare).shapeOf(value)
}

class Survey {
  readonly #canShare: boolean
  #isPlain = true
  #isInError = false
  #errors: ErrorTable | undefined
  /** The objects of other realms that contain the visited object. Such an object that contains itself cannot be decoded. */
  readonly #open: unknown[] = []

  constructor(canShare: boolean) {
    this.#canShare = canShare
  }

  shapeOf(value: unknown): Shape {
    this.#look(value)
    if (this.#errors === undefined) return this.#isPlain ? 'tree' : 'graph'
    this.#isInError = true
    this.#errors.complete((part) => this.#canBeEncoded(part))
    return this.#errors
  }

  #look(value: unknown): void {
    beginOccurrences()
    try {
      this.#visit(value)
    } finally {
      forgetOccurrences()
      this.#open.length = 0
    }
  }

  #canBeEncoded(value: unknown): boolean {
    try {
      this.#look(value)
      return true
    } catch {
      return false
    }
  }

  #visit(value: unknown): void {
    if (typeof value === 'object') {
      if (value !== null) this.#visitObject(value)
    } else if (typeof value === 'string') {
      assertWellFormed(value)
    } else if (typeof value === 'function' || typeof value === 'symbol') {
      throw notCloneable(String(value).slice(0, 60))
    }
  }

  #visitObject(value: object): void {
    if (hasOccurred(value)) {
      if (this.#open.includes(value)) throw notCloneable('an object of another realm that contains itself')
      this.#isPlain = false
    } else if (Array.isArray(value)) {
      for (let i = 0; i < value.length; i++) this.#visit(value[i])
    } else if (value.constructor === Object) {
      this.#visitFields(value)
    } else {
      this.#visitOther(value)
    }
  }

  #visitFields(value: object): void {
    let keys = 0
    for (const key in value) {
      if (key === '__proto__') throw notCloneable('a key "__proto__"')
      assertWellFormed(key)
      this.#visit((value as Record<string, unknown>)[key])
      keys++
    }
    if (keys > MAX_KEYS) this.#isPlain = false
  }

  #visitOther(value: object): void {
    if (value instanceof Date || VIEWS.has(value.constructor)) return
    if (isOfOtherRealm(value)) {
      this.#visitOtherRealm(value)
      return
    }
    if (isShareable(value)) {
      this.#isPlain = false
      this.#visitShared(value)
      return
    }
    if (isError(value)) {
      this.#errors ??= new ErrorTable()
      this.#errors.add(value)
      return
    }
    const isOther = !(value instanceof RegExp || value instanceof ArrayBuffer || value instanceof DataView)
    if (isOther && Object.prototype.toString.call(value) === '[object Object]') {
      this.#visitFields(value)
      return
    }
    this.#isPlain = false
    if (!isOther) return
    if (value.constructor === Map) {
      for (const [key, item] of value as Map<unknown, unknown>) {
        this.#visit(key)
        this.#visit(item)
      }
    } else if (value.constructor === Set) {
      for (const item of value as Set<unknown>) this.#visit(item)
    } else {
      throw notCloneable(Object.prototype.toString.call(value))
    }
  }

  /** @throws for a shared object that cannot be sent. In an error its text replaces it; elsewhere reading its handle throws the reason. */
  #visitShared(object: Shareable): void {
    if (!this.#canShare) throw notCloneable('a shared object')
    if (this.#isInError) void object.handle
  }

  #visitOtherRealm(value: object): void {
    this.#isPlain = false
    if (!types.isMap(value) && !types.isSet(value)) return
    this.#open.push(value)
    for (const [key, item] of value.entries()) {
      this.#visit(key)
      this.#visit(item)
    }
    this.#open.pop()
  }
}

function assertWellFormed(text: string): void {
  if (!text.isWellFormed()) throw notCloneable('text with half a surrogate pair')
}
