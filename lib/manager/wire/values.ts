/**
 * Values in messages, as MessagePack. An object that cannot be copied is sent as a reference, whose content depends on the direction.
 *
 *   TREE    plain values in which no object occurs twice
 *   GRAPH   everything else: maps, sets, cycles, errors, references
 */
import { pack, unpack } from '../../codec/message-pack.ts'
import { shapeOf } from '../../codec/survey.ts'
import { managerError } from '../../errors/manager-messages.ts'
import { ShareError } from '../../errors/share-error.ts'

const TREE = 0
const GRAPH = 1

/** The replacement of an object that is not copied: plain values. */
export type Reference = readonly unknown[]

/** How one side writes and reads references. */
export interface References {
  /** The reference to an object for which `registerShareable` was called. */
  write(object: object): Reference
  /** The object of a reference. @throws what the reader of the message receives. */
  read(reference: Reference): unknown
}

/**
 * Encodes a value after `headerBytes` bytes for a header.
 * @throws `DataCloneError` for a value that cannot be encoded.
 */
export function encodeValue(
  value: unknown,
  headerBytes: number,
  references: References,
): { bytes: Buffer; format: number } {
  const shape = shapeOf(value)
  return { bytes: pack(value, shape, references, headerBytes).buffer, format: shape === 'tree' ? TREE : GRAPH }
}

/** Decodes the value that begins at `start`. @throws {@link ShareError} `ERR_PROTOCOL` for bytes that are not a value. */
export function decodeValue(format: number, bytes: Buffer, references: References, start = 0): unknown {
  if (format !== TREE && format !== GRAPH) {
    throw managerError('ERR_PROTOCOL', { why: 'format', value: format })
  }
  try {
    return unpack(bytes, format === TREE, references, start)
  } catch (cause) {
    if (cause instanceof ShareError) throw cause
    throw managerError('ERR_PROTOCOL', { why: 'value' }, { cause })
  }
}
