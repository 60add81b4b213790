/** The handle: the JSON form in which a shared object travels. */

/**
 * A plain description of a shared object: it survives `JSON.stringify`, structured clone, `process.send`, an environment
 * variable or an argument of a command line, and `attach(handle)` turns it back into the object.
 *
 * @remarks An object whose handle was read (by `handle`, `JSON.stringify`, or sending it) is not garbage-collected until it is
 * closed, because the handle does not tell when the other side attaches: close what is no longer needed. One that was closed,
 * or whose process has ended, before the other side attached is `ERR_STALE_HANDLE` there. What a {@link Process} is started with
 * stays until that has attached, also when it is closed.
 */
export interface Handle {
  /** The version of the handle format. */
  readonly procshare: 1
  /** What it is, by the name of its class: `"Value"`, `"Lock"`, `"Queue"`, … */
  readonly kind: string
  /** The name of the segment. */
  readonly name: string
  /** Tells the segment from a later one of the same name; empty for memory that procshare did not make. */
  readonly id: string
  /** Where in the cells of the segment it is, for an object that shares its segment with others; of a connection: which end. */
  readonly cell?: number
}

/** Whether `value` has the form of a handle. */
export function isHandle(value: unknown): value is Handle {
  if (typeof value !== 'object' || value === null) return false
  const { procshare, kind, name, id, cell } = value as Partial<Handle>
  return (
    procshare === 1 &&
    typeof kind === 'string' &&
    typeof name === 'string' &&
    typeof id === 'string' &&
    (cell === undefined || (Number.isSafeInteger(cell) && cell >= 0))
  )
}
