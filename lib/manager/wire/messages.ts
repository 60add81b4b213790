/**
 * The messages between a client and the server of a manager, after both have proved that they have the key.
 * docs/internals/manager-protocol.md is the specification. The bytes are written and read only here.
 *
 * Every message starts with its length and its kind. The fixed fields are followed by a value as MessagePack. All numbers are
 * little-endian.
 *
 *    offset   0        4      5        6               8        12       16     20
 *    REQUEST  length | kind | format | method length | id     | target | task | method | arguments: an array
 *    CANCEL   length | kind | 0      | 0             | id     |
 *    UNREF    length | kind | 0      | 0             | target | count  |
 *    REF      length | kind | 0      | 0             | target |
 *    SWITCH   length | kind | 0      | 0             | 0      |
 *    RESULT   length | kind | format | 0             | id     | value
 *    ERROR    length | kind | format | 0             | id     | error
 *    GOODBYE  length | kind | format | 0             | 0      | error
 */
import { managerError, type ProtocolFields } from '../../errors/manager-messages.ts'
import type { ShareError } from '../../errors/share-error.ts'
import { decodeValue, encodeValue, type References } from './values.ts'

export const REQUEST = 1
export const CANCEL = 2
export const UNREF = 3
export const REF = 4
export const SWITCH = 5
export const RESULT = 16
export const ERROR = 17
export const GOODBYE = 18

/** The object that represents the server itself. */
export const ROOT = 0

const KIND = 4
const FORMAT = 5
const METHOD_LENGTH = 6
const FIRST = 8
const SECOND = 12
const TASK = 16
const REQUEST_HEADER = 20
const REPLY_HEADER = 12
/** The length of the longest method name. */
const MAX_METHOD_BYTES = 200

/** Whether a request can name the method: Latin-1, and not too long. */
export function isMethodName(name: string): boolean {
  return name.length > 0 && name.length <= MAX_METHOD_BYTES && /^[\0-\xff]*$/.test(name)
}

export type RequestMessage = {
  readonly kind: typeof REQUEST
  readonly requestId: number
  readonly target: number
  readonly task: number
  readonly method: string
  readonly format: number
  readonly frame: Buffer
  readonly start: number
}

export type ClientMessage =
  | RequestMessage
  | { readonly kind: typeof CANCEL; readonly requestId: number }
  | { readonly kind: typeof UNREF; readonly target: number; readonly count: number }
  | { readonly kind: typeof REF; readonly target: number }
  | { readonly kind: typeof SWITCH }

export type ServerMessage = {
  readonly kind: typeof RESULT | typeof ERROR | typeof GOODBYE
  readonly requestId: number
  readonly format: number
  readonly frame: Buffer
  readonly start: number
}

/** @throws `DataCloneError` for arguments that cannot be encoded. */
export function writeRequest(
  requestId: number,
  target: number,
  task: number,
  method: string,
  args: readonly unknown[],
  references: References,
): Buffer {
  const headerBytes = REQUEST_HEADER + method.length
  const { bytes, format } = encodeValue(args, headerBytes, references)
  writeHeader(bytes, REQUEST, format, requestId)
  bytes[METHOD_LENGTH] = method.length
  bytes.writeUInt32LE(target, SECOND)
  bytes.writeUInt32LE(task, TASK)
  // Names are short: a loop is faster than Buffer.write.
  for (let i = 0; i < method.length; i++) bytes[REQUEST_HEADER + i] = method.charCodeAt(i)
  return bytes
}

/** @throws `DataCloneError` for a value that cannot be encoded. */
export function writeReply(
  kind: ServerMessage['kind'],
  requestId: number,
  value: unknown,
  references: References,
): Buffer {
  const { bytes, format } = encodeValue(value, REPLY_HEADER, references)
  writeHeader(bytes, kind, format, requestId)
  return bytes
}

export function writeCancel(requestId: number): Buffer {
  const bytes = Buffer.alloc(SECOND)
  writeHeader(bytes, CANCEL, 0, requestId)
  return bytes
}

export function writeUnref(target: number, count: number): Buffer {
  const bytes = Buffer.alloc(TASK)
  writeHeader(bytes, UNREF, 0, target)
  bytes.writeUInt32LE(count, SECOND)
  return bytes
}

export function writeRef(target: number): Buffer {
  const bytes = Buffer.alloc(SECOND)
  writeHeader(bytes, REF, 0, target)
  return bytes
}

export function writeSwitch(): Buffer {
  const bytes = Buffer.alloc(SECOND)
  writeHeader(bytes, SWITCH, 0, 0)
  return bytes
}

function writeHeader(bytes: Buffer, kind: number, format: number, first: number): void {
  bytes.writeUInt32LE(bytes.byteLength - KIND, 0)
  bytes[KIND] = kind
  bytes[FORMAT] = format
  bytes[METHOD_LENGTH] = 0
  bytes[METHOD_LENGTH + 1] = 0
  bytes.writeUInt32LE(first, FIRST)
}

/** Fields of a frame that was read without its length. */
const at = (offset: number) => offset - KIND

/** @throws {@link ShareError} `ERR_PROTOCOL` for a malformed message. */
export function readClientMessage(frame: Buffer): ClientMessage {
  if (frame.byteLength < at(SECOND)) throw malformed({ why: 'message too short' })
  const first = frame.readUInt32LE(at(FIRST))
  switch (frame[at(KIND)]) {
    case REQUEST: {
      const length = frame[at(METHOD_LENGTH)]!
      const start = at(REQUEST_HEADER)
      if (length === 0 || length > MAX_METHOD_BYTES || frame.byteLength < start + length) {
        throw malformed({ why: 'request without method' })
      }
      return {
        kind: REQUEST,
        requestId: first,
        target: frame.readUInt32LE(at(SECOND)),
        task: frame.readUInt32LE(at(TASK)),
        method: frame.toString('latin1', start, start + length),
        format: frame[at(FORMAT)]!,
        frame,
        start: start + length,
      }
    }
    case CANCEL:
      return { kind: CANCEL, requestId: first }
    case UNREF:
      if (frame.byteLength < at(TASK)) throw malformed({ why: 'unref too short' })
      return { kind: UNREF, target: first, count: frame.readUInt32LE(at(SECOND)) }
    case REF:
      return { kind: REF, target: first }
    case SWITCH:
      return { kind: SWITCH }
    default:
      throw malformed({ why: 'kind', value: frame[at(KIND)] })
  }
}

/** @throws {@link ShareError} `ERR_PROTOCOL` for a malformed message. */
export function readServerMessage(frame: Buffer): ServerMessage {
  const kind = frame[at(KIND)]
  if (frame.byteLength < at(REPLY_HEADER) || (kind !== RESULT && kind !== ERROR && kind !== GOODBYE)) {
    throw malformed({ why: 'kind', value: kind })
  }
  return {
    kind,
    requestId: frame.readUInt32LE(at(FIRST)),
    format: frame[at(FORMAT)]!,
    frame,
    start: at(REPLY_HEADER),
  }
}

/** Reads the value of a message. @throws {@link ShareError} `ERR_PROTOCOL` for malformed bytes. */
export function readValue({ format, frame, start }: RequestMessage | ServerMessage, references: References): unknown {
  return decodeValue(format, frame, references, start)
}

function malformed(fields: ProtocolFields): ShareError {
  return managerError('ERR_PROTOCOL', fields)
}
