/** The handle: the JSON form in which a shared object travels. */

/**
 * A plain description of a shared object. It can be sent by `JSON.stringify`, structured clone, `process.send`, an environment
 * variable or a command-line argument. `attach(handle)` attaches to the object.
 *
 * @remarks An object whose handle was read (by `handle`, by `JSON.stringify`, or by sending it) is not garbage-collected until it
 * is closed. The reason is that the other side may attach at any time. So close objects that you no longer need. If the object is
 * closed or its process ends before the other side attaches, `attach` throws `ERR_STALE_HANDLE`. The arguments of a
 * {@link Process} stay until the child has attached to them, even if they are closed.
 */
export interface Handle {
  /** The version of the handle format. */
  readonly procshare: 1
  /** The kind of the object, by the name of its class: `"Value"`, `"Lock"`, `"Queue"`, … */
  readonly kind: string
  /** The name of the segment. */
  readonly name: string
  /** Distinguishes the segment from a later one of the same name; empty for memory that procshare did not make. */
  readonly id: string
  /** For an object that shares its segment with others, the offset of its cell; for a connection, the end of the pipe. */
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
