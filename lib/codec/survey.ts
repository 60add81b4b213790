/**
 * The look through a value before it is encoded. It finds what cannot be, before anything is queued: msgpackr would write a
 * promise as an empty object. And it tells whether the value is a tree: plain, and no object occurs in it twice.
 */
import { types } from 'node:util'
import { isError } from '../kinds-of-value.ts'
import { isShareable } from '../memory/handle.ts'
import { notCloneable } from './not-cloneable.ts'
import { beginOccurrences, forgetOccurrences, hasOccurred } from './occurrences.ts'
import { isOfOtherRealm } from './other-realm.ts'

const VIEWS = new Set<unknown>([
  Buffer,
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
])

/** What a map of a tree can count. */
const MOST_KEYS = 2 ** 16 - 1

// The state of the one survey that is under way.
let isPlain = true
/** The errors and objects of other realms that are being looked through: one that contains itself could not be made again. */
const open: unknown[] = []

/**
 * Whether the value is a tree. What it calls of the value's own, getters, may throw.
 * @throws `DataCloneError` for what cannot be encoded.
 */
export function isTree(value: unknown): boolean {
  beginOccurrences()
  isPlain = true
  try {
    visit(value)
    return isPlain
  } finally {
    forgetOccurrences()
    open.length = 0
  }
}

/** Those of an AggregateError; the program may have put anything in their place. */
export function errorsOf(error: Error): unknown[] | undefined {
  const { errors } = error as { errors?: unknown }
  const isAggregate = error instanceof AggregateError || error.constructor?.name === 'AggregateError'
  return isAggregate && Array.isArray(errors) ? errors : undefined
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
    if (open.includes(value))
      throw notCloneable(`${isError(value) ? 'an error' : 'an object of another realm'} that contains itself`)
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
  if (keys > MOST_KEYS) isPlain = false
}

function visitOther(value: object): void {
  if (value instanceof Date || VIEWS.has(value.constructor)) return
  if (isOfOtherRealm(value)) {
    visitOtherRealm(value)
    return
  }
  const isOther = !(
    isShareable(value) ||
    value instanceof RegExp ||
    value instanceof ArrayBuffer ||
    value instanceof DataView
  )
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
  } else if (isError(value)) {
    open.push(value)
    visit(value.name)
    visit(value.message)
    visit(value.cause)
    visit(errorsOf(value))
    open.pop()
  } else {
    throw notCloneable(Object.prototype.toString.call(value))
  }
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
