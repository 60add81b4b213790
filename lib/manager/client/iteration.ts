/**
 * Iteration over items in the server, in both forms, in batches: a small one first, for loops that end early, then larger ones. Each is
 * fetched when the one before has been used up, so no unneeded items are requested.
 */

/** What is iterated over. */
export interface Pages<T> {
  /** At most `count` of the next items, in the blocking form plainly; none when there are no more. */
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
 * Makes the proxies of a class iterable plainly as well, which works in the blocking form. It is no member of the class, for then
 * `for…of` would compile for the asynchronous form, too.
 */
export function iteratePlainly(Class: { readonly prototype: AsyncIterable<unknown> }): void {
  Object.defineProperty(Class.prototype, Symbol.iterator, {
    value(this: AsyncIterable<unknown>) {
      const iterator = this[Symbol.asyncIterator]() as unknown as Iterator<unknown>
      if (Symbol.iterator in iterator) return iterator
      throw new TypeError('An asynchronous proxy cannot be iterated by `for…of`: use `for await`')
    },
    configurable: true,
    writable: true,
  })
}
