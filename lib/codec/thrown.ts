/** Errors, and whatever else was thrown, as bytes for another process. */
import { inBrief } from './errors.ts'
import { pack, type References, unpack } from './message-pack.ts'
import { notCloneable } from './not-cloneable.ts'
import { shapeOf } from './survey.ts'

/**
 * Never throws: of what cannot be encoded the bytes say in brief what it was.
 * @param write - what to write for a shared object in it. By default its text, because the object of a process that fails may be gone before
 * the other process attaches
 */
export function encodeThrown(thrown: unknown, write?: (object: object) => unknown): Uint8Array {
  try {
    return encode(thrown, write)
  } catch {
    return encode(inBrief(thrown))
  }
}

function encode(value: unknown, write?: (object: object) => unknown): Uint8Array {
  // Always as a graph, so that the bytes need not say which it is.
  const shape = shapeOf(value, write !== undefined)
  const references: References = { write: write ?? refuse, read: refuse }
  const { buffer, end } = pack(value, shape === 'tree' ? 'graph' : shape, references, 0)
  return Uint8Array.prototype.slice.call(buffer, 0, end)
}

/** What was thrown. @throws for bytes that encodeThrown() has not written; what `read` throws. */
export function decodeThrown(bytes: Uint8Array, read: (reference: unknown) => unknown = refuse): unknown {
  return unpack(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), false, { write: refuse, read })
}

function refuse(): never {
  throw notCloneable('a shared object')
}
