/**
 * The objects that have occurred in the value that is being encoded. MessagePack alone cannot express that an object occurs
 * twice. There is one such value at a time.
 */
import { notCloneable } from './not-cloneable.ts'

/**
 * For V8: the first objects are in an array, because filling a set takes longer (docs/platforms/performance.md, "Plain items").
 */
const FEW = 16
const few: unknown[] = new Array(FEW).fill(undefined)
const many = new Set<unknown>()
let count = 0

let isInUse = false

/** Whether a value is being visited, so that one of its getters calls this. */
export function isLooking(): boolean {
  return isInUse
}

/** Begins with a value. @throws `DataCloneError` when a getter of another value that is being encoded calls this. */
export function beginOccurrences(): void {
  if (isInUse) throw notCloneable('a value whose getters send others')
  isInUse = true
}

/** Whether the object has occurred before. Records that it occurs now. */
export function hasOccurred(object: object): boolean {
  if (count >= FEW) return hasOccurredAmongMany(object)
  for (let i = 0; i < count; i++) if (few[i] === object) return true
  few[count++] = object
  return false
}

function hasOccurredAmongMany(object: object): boolean {
  if (count === FEW) for (const one of few) many.add(one)
  if (many.has(object)) return true
  many.add(object)
  count++
  return false
}

/** Forgets the objects at the end of the value. */
export function forgetOccurrences(): void {
  isInUse = false
  for (let i = 0; i < count && i < FEW; i++) few[i] = undefined
  if (count >= FEW) many.clear()
  count = 0
}
