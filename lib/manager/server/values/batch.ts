/** Batches of an iteration. A batch has at most the requested number of items, and a limited size for one message. */
import { assertInteger } from '../../../validate.ts'

/** The largest size of the items of one batch, apart from a larger last item. */
const MAX_BYTES = 2 ** 18
const MAX_ITEMS = 2 ** 14

export class Batch<T> {
  readonly items: T[] = []
  readonly #count: number
  #bytes = 0

  constructor(count: unknown) {
    assertInteger('count', count, 1, MAX_ITEMS)
    this.#count = count
  }

  /** Adds an item. Returns whether there is room for another one. */
  add(item: T): boolean {
    this.items.push(item)
    this.#bytes += bytesOf(item, MAX_BYTES)
    return this.items.length < this.#count && this.#bytes < MAX_BYTES
  }
}

/** Estimates the bytes of a value in a message. Counting stops at `most`. */
function bytesOf(value: unknown, most: number): number {
  let bytes = 0
  const open = [value]
  while (open.length > 0 && bytes < most) {
    const one = open.pop()
    bytes += 8
    if (typeof one === 'string') bytes += one.length
    else if (ArrayBuffer.isView(one) || one instanceof ArrayBuffer) bytes += one.byteLength
    else if (Array.isArray(one)) bytes += pushAll(open, one, most)
    else if (one instanceof Map) bytes += pushAll(open, one.keys(), most) + pushAll(open, one.values(), most)
    else if (one instanceof Set) bytes += pushAll(open, one, most)
    else if (typeof one === 'object' && one !== null && one.constructor === Object) {
      bytes += pushAll(open, Object.keys(one), most) + pushAll(open, Object.values(one), most)
    }
  }
  return bytes
}

/** Puts items aside to be counted, up to the number that can affect the result. */
function pushAll(open: unknown[], items: Iterable<unknown>, most: number): number {
  let left = most / 8
  for (const item of items) {
    if (left-- <= 0) return most
    open.push(item)
  }
  return 0
}
