/**
 * The text that `util.inspect` shows for an object: one line with its subject and its state. It never blocks and never throws.
 */
import { type InspectOptions, inspect } from 'node:util'

/** The most elements and characters of a value that are shown. */
const MAX_ELEMENTS = 10
const MAX_CHARACTERS = 100

/**
 * Such as `Semaphore "pool" { value: 3 }`, or `Semaphore "pool" (closed)`.
 * @param state - returns what to show after the subject; if it throws, the code of the error is shown
 */
export function inspected(subject: string, isClosed: boolean, state: () => unknown, options?: InspectOptions): string {
  if (isClosed) return `${subject} (closed)`
  try {
    const shown = state()
    if (shown === undefined) return subject
    return `${subject} ${inspect(shown, {
      ...options,
      breakLength: Infinity,
      compact: true,
      maxArrayLength: MAX_ELEMENTS,
      maxStringLength: MAX_CHARACTERS,
    })}`
  } catch (error) {
    return `${subject} (${(error as { code?: unknown } | undefined)?.code ?? 'cannot be read'})`
  }
}
