/**
 * The objects that have occurred in the value that is being encoded: MessagePack alone cannot tell that one occurs twice.
 * There is one such value at a time.
 */
import { notCloneable } from './not-cloneable.ts'

/** The first ones stand in an array, which is searched faster than a set is filled. */
const FEW = 16
const few: unknown[] = new Array(FEW).fill(undefined)
const many = new Set<unknown>()
let count = 0

let isInUse = false

/** Begins with a value. @throws `DataCloneError` in the middle of another one: a getter of that sends something. */
export function beginOccurrences(): void {
  if (isInUse) throw notCloneable('a value whose getters send others')
  isInUse = true
}

/** Whether the object occurred before; from now on it has. */
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

/** The value has been looked through. */
export function forgetOccurrences(): void {
  isInUse = false
  for (let i = 0; i < count && i < FEW; i++) few[i] = undefined
  if (count >= FEW) many.clear()
  count = 0
}
