/** Encodes thrown errors and other thrown values as bytes for another process. */
import { inBrief } from './errors.ts'
import { pack, type References, unpack } from './message-pack.ts'
import { notCloneable } from './not-cloneable.ts'
import { shapeOf } from './survey.ts'

/**
 * Encodes a thrown value. Never throws: for a value that cannot be encoded, the bytes contain a short description.
 * @param write - returns the value to write for a shared object. By default this is the text of the object, because the object of
 * a process that fails may be gone before the other process attaches
 */
export function encodeThrown(thrown: unknown, write?: (object: object) => unknown): Uint8Array {
  try {
    return encode(thrown, write)
  } catch {
    return encode(inBrief(thrown))
  }
}

function encode(value: unknown, write?: (object: object) => unknown): Uint8Array {
  // Always as a graph, so that the bytes need not contain the shape.
  const shape = shapeOf(value, write !== undefined)
  const references: References = { write: write ?? refuse, read: refuse }
  const { buffer, end } = pack(value, shape === 'tree' ? 'graph' : shape, references, 0)
  return Uint8Array.prototype.slice.call(buffer, 0, end)
}

/** Decodes a thrown value. @throws for bytes that encodeThrown() has not written; the errors of `read`. */
export function decodeThrown(bytes: Uint8Array, read: (reference: unknown) => unknown = refuse): unknown {
  return unpack(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), false, { write: refuse, read })
}

function refuse(): never {
  throw notCloneable('a shared object')
}
