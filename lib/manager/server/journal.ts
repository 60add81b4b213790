/**
 * The journal: how what a transaction has done is taken back when it fails. Methods run one at a time and a transaction runs to its end
 * without a pause, so there is one journal, and outside of transactions it is closed and costs one comparison.
 */

class Journal {
  /** How to take back what was done, in the order in which it was done. */
  #undo: (() => void)[] | undefined
  /** What is to be done when it has succeeded. */
  readonly #finish: (() => void)[] = []
  /** Objects of which there is a copy. */
  readonly #copied = new Set<object>()

  /** Whether a transaction is under way: only then changes are to be noted. */
  get isOpen(): boolean {
    return this.#undo !== undefined
  }

  /** Notes a change: `undo` takes it back, at a time when everything that was done later has been taken back. */
  note(undo: () => void): void {
    this.#undo?.push(undo)
  }

  /** What is left to be done when nothing can be taken back any more. */
  onSuccess(fn: () => void): void {
    this.#finish.push(fn)
  }

  /** Notes any number of changes of an object that are taken back only by restoring a copy, which is made once. */
  noteCopy(object: object, copy: () => () => void): void {
    if (this.#undo === undefined || this.#copied.has(object)) return
    this.#copied.add(object)
    this.#undo.push(copy())
  }

  /** Runs `fn`; when it throws, takes back what was noted meanwhile. */
  transact<T>(fn: () => T): T {
    const undo: (() => void)[] = []
    this.#undo = undo
    try {
      const result = fn()
      this.#undo = undefined
      for (const finish of this.#finish) finish()
      return result
    } catch (error) {
      this.#undo = undefined
      while (undo.length > 0) undo.pop()!()
      throw error
    } finally {
      this.#finish.length = 0
      this.#copied.clear()
    }
  }
}

export const journal = new Journal()
