/**
 * The look through a value before it is encoded. It finds what cannot be, before anything is queued: msgpackr would write a
 * promise as an empty object. And it tells how to encode the value: as a tree, which is plain and has no object twice; as a graph; or as
 * one with errors in it, each of which can be encoded.
 */
import { types } from 'node:util'
import { isError } from '../kinds-of-value.ts'
import { isShareable, type Shareable } from '../memory/shareable.ts'
import { ErrorTable } from './errors.ts'
import { notCloneable } from './not-cloneable.ts'
import { beginOccurrences, forgetOccurrences, hasOccurred } from './occurrences.ts'
import { isOfOtherRealm, KNOWN_ARRAYS } from './other-realm.ts'

const VIEWS = new Set<unknown>([Buffer, ...KNOWN_ARRAYS])

/** What a map of a tree can count. */
const MAX_KEYS = 2 ** 16 - 1

/** How a value is encoded; for a graph with errors in it, the table of those. */
export type Shape = 'tree' | 'graph' | ErrorTable

// The state of the one survey that is under way.
let isUnderWay = false
let isPlain = true
let mayShare = true
let isInError = false
let errors: ErrorTable | undefined
/** The objects of other realms that are being looked through: one that contains itself could not be made again. */
const open: unknown[] = []

/**
 * How to encode the value. What it calls of the value's own, getters, may throw.
 * @param isShared - whether shared objects in it can be encoded
 * @throws `DataCloneError` for what cannot be encoded.
 */
export function shapeOf(value: unknown, isShared = true): Shape {
  if (isUnderWay) throw notCloneable('a value whose getters send others')
  isUnderWay = true
  isPlain = true
  mayShare = isShared
  try {
    look(value)
    if (errors === undefined) return isPlain ? 'tree' : 'graph'
    isInError = true
    errors.complete(canBeEncoded)
    return errors
  } finally {
    isUnderWay = false
    isInError = false
    errors = undefined
  }
}

function look(value: unknown): void {
  beginOccurrences()
  try {
    visit(value)
  } finally {
    forgetOccurrences()
    open.length = 0
  }
}

function canBeEncoded(value: unknown): boolean {
  try {
    look(value)
    return true
  } catch {
    return false
  }
}

function visit(value: unknown): void {
  if (typeof value === 'object') {
    if (value !== null) visitObject(value)
  } else if (typeof value === 'string') {
    assertWellFormed(value)
  } else if (typeof value === 'function' || typeof value === 'symbol') {
    throw notCloneable(String(value).slice(0, 60))
  }
}

function visitObject(value: object): void {
  if (hasOccurred(value)) {
    if (open.includes(value)) throw notCloneable('an object of another realm that contains itself')
    isPlain = false
  } else if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) visit(value[i])
  } else if (value.constructor === Object) {
    visitFields(value)
  } else {
    visitOther(value)
  }
}

function visitFields(value: object): void {
  let keys = 0
  for (const key in value) {
    if (key === '__proto__') throw notCloneable('a key "__proto__"')
    assertWellFormed(key)
    visit((value as Record<string, unknown>)[key])
    keys++
  }
  if (keys > MAX_KEYS) isPlain = false
}

function visitOther(value: object): void {
  if (value instanceof Date || VIEWS.has(value.constructor)) return
  if (isOfOtherRealm(value)) {
    visitOtherRealm(value)
    return
  }
  if (isShareable(value)) {
    isPlain = false
    assertShared(value)
    return
  }
  if (isError(value)) {
    errors ??= new ErrorTable()
    errors.add(value)
    return
  }
  const isOther = !(value instanceof RegExp || value instanceof ArrayBuffer || value instanceof DataView)
  if (isOther && Object.prototype.toString.call(value) === '[object Object]') {
    visitFields(value)
    return
  }
  isPlain = false
  if (!isOther) return
  if (value.constructor === Map) {
    for (const [key, item] of value as Map<unknown, unknown>) {
      visit(key)
      visit(item)
    }
  } else if (value.constructor === Set) {
    for (const item of value as Set<unknown>) visit(item)
  } else {
    throw notCloneable(Object.prototype.toString.call(value))
  }
}

/** @throws for a shared object that does not travel: in an error it is replaced, elsewhere its handle says what is wrong with it. */
function assertShared(object: Shareable): void {
  if (!mayShare) throw notCloneable('a shared object')
  if (isInError) void object.handle
}

function visitOtherRealm(value: object): void {
  isPlain = false
  if (!types.isMap(value) && !types.isSet(value)) return
  open.push(value)
  for (const [key, item] of value.entries()) {
    visit(key)
    visit(item)
  }
  open.pop()
}

function assertWellFormed(text: string): void {
  if (!text.isWellFormed()) throw notCloneable('text with half a surrogate pair')
}
