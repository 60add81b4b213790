/** Counts the values inside a value. */
import { Referent } from '../referent.ts'

/** Counts the values inside one. A value that occurs twice counts twice. Counting stops at `most`. */
export function countValues(value: unknown, most: number, isCompared = false): number {
  let count = 0
  const open = [value]
  const inside = new Set<object>()
  while (open.length > 0 && count < most) {
    const one = open.pop()
    count++
    if (one instanceof Leaving) inside.delete(one.object)
    if (typeof one !== 'object' || one === null || one instanceof Leaving || one instanceof Referent) continue
    if (inside.has(one)) continue // a cycle, which the comparison detects
    inside.add(one)
    open.push(new Leaving(one))
    if (one instanceof Set || one instanceof Map) {
      let objects = 0
      for (const key of one.keys()) {
        if (typeof key === 'object') objects++
        if (open.length + count > most) return most
        open.push(key)
      }
      if (isCompared) count += objects * objects
      if (one instanceof Map) for (const item of one.values()) open.push(item)
    } else if (ArrayBuffer.isView(one)) {
      count += one.byteLength / 64 // it is compared as memory
    } else {
      const items = Array.isArray(one) ? one : Object.values(one)
      if (open.length + items.length + count > most) return most
      for (const item of items) open.push(item)
    }
  }
  return Math.min(count, most)
}

/** Marks the end of an object on the stack. */
class Leaving {
  readonly object: object

  constructor(object: object) {
    this.object = object
  }
}
