/**
 * Iteration over items in the server, in batches and in both forms. The first batch is small, for loops that end early; later ones are
 * larger. Each batch is fetched when the previous one has been used up, so no unneeded items are requested.
 */
import { defineProperty } from '../../define-property.ts'

/** The source of an iteration. */
export interface Pages<T> {
  /** At most `count` of the next items; none when there are no more. The blocking form returns them without a promise. */
  next(count: number): Promise<readonly T[]>
  /** The iteration is over, or was left early. */
  end?(): void
}

const FIRST = 16
const GROWTH = 4
const MAX_COUNT = 4096

/** The items one by one: an asynchronous iterator, or in the blocking form a plain one. */
export function iterateOver<T>(pages: Pages<T>, isBlocking: boolean): AsyncIterableIterator<T> {
  return isBlocking ? (plainly(pages) as unknown as AsyncIterableIterator<T>) : asynchronously(pages)
}

async function* asynchronously<T>(pages: Pages<T>): AsyncGenerator<T, void, undefined> {
  try {
    for (let count = FIRST; ; count = Math.min(count * GROWTH, MAX_COUNT)) {
      const items = await pages.next(count)
      if (items.length === 0) return
      for (const item of items) yield item
    }
  } finally {
    pages.end?.()
  }
}

function* plainly<T>(pages: Pages<T>): Generator<T, void, undefined> {
  try {
    for (let count = FIRST; ; count = Math.min(count * GROWTH, MAX_COUNT)) {
      const items = pages.next(count) as unknown as readonly T[]
      if (items.length === 0) return
      for (const item of items) yield item
    }
  } finally {
    pages.end?.()
  }
}

/**
 * Makes the proxies of a class plainly iterable as well, which works in the blocking form. The iterator is not declared in the class,
 * because `for…of` would then compile for the asynchronous form, too.
 */
export function iteratePlainly(Class: { readonly prototype: AsyncIterable<unknown> }): void {
  defineProperty(Class.prototype, Symbol.iterator, {
    value(this: AsyncIterable<unknown>) {
      const iterator = this[Symbol.asyncIterator]() as unknown as Iterator<unknown>
      if (Symbol.iterator in iterator) return iterator
      throw new TypeError('An asynchronous proxy cannot be iterated by `for…of`: use `for await`')
    },
    configurable: true,
    writable: true,
  })
}
