/**
 * The journal: the changes of a transaction, which are undone when it fails. Methods run one at a time, and a transaction runs to its end
 * without a pause. So there is only one journal. Outside transactions it is closed and costs one comparison.
 */

class Journal {
  /** The functions that undo the changes, in the order of the changes. */
  #undo: (() => void)[] | undefined
  /** The functions to call when the transaction has succeeded. */
  readonly #finish: (() => void)[] = []
  /** The objects that were copied. */
  readonly #copied = new Set<object>()

  /** Whether a transaction runs. Changes are noted only then. */
  get isOpen(): boolean {
    return this.#undo !== undefined
  }

  /** Notes a change. `undo` is called after all later changes have been undone. */
  note(undo: () => void): void {
    this.#undo?.push(undo)
  }

  /** Calls `fn` when the transaction has succeeded. */
  onSuccess(fn: () => void): void {
    this.#finish.push(fn)
  }

  /** Notes changes of an object that are undone by restoring a copy, which is made once. */
  noteCopy(object: object, copy: () => () => void): void {
    if (this.#undo === undefined || this.#copied.has(object)) return
    this.#copied.add(object)
    this.#undo.push(copy())
  }

  /** Runs `fn`; when it throws, undoes the changes that it noted. */
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
