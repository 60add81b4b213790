/**
 * SessionValues: what one client sends and is sent, as bytes and as values, with the references in it: to the server's objects, which are
 * counted for the client as they are written, and to shared objects in memory.
 */
import { inBrief } from '../../codec/errors.ts'
import { managerError } from '../../errors/manager-messages.ts'
import { type Handle, isHandle } from '../../memory/handle.ts'
import { withoutPatience } from '../../memory/segment.ts'
import { attach, isShareable } from '../../memory/shareable.ts'
import { type RequestMessage, readValue, type ServerMessage, writeReply } from '../wire/messages.ts'
import type { Reference, References } from '../wire/values.ts'
import { KeptHandle, Referent } from './referent.ts'

/** The account of the references that a client has. */
export interface ReferenceAccount {
  /** The object with that number. @throws {@link ShareError} `ERR_NO_OBJECT`. */
  find(id: number): Referent
  ref(referent: Referent): void
  unref(id: number, count: number): void
}

export class SessionValues {
  readonly #account: ReferenceAccount
  readonly #frameBytes: number
  readonly #kept: References
  readonly #attached: References
  /** The objects in the reply that is being written. */
  #written: Referent[] = []

  /** @param frameBytes - how long a reply may be */
  constructor(account: ReferenceAccount, frameBytes: number) {
    this.#account = account
    this.#frameBytes = frameBytes
    const write = (object: object) => this.#write(object)
    this.#kept = { write, read: (reference) => this.#read(reference, (handle) => new KeptHandle(handle)) }
    this.#attached = { write, read: (reference) => this.#read(reference, attachAtOnce) }
  }

  /**
   * The arguments of a call.
   * @param attaches - whether handles in them are attached to, instead of kept
   * @throws {@link ShareError} `ERR_PROTOCOL`, `ERR_NO_OBJECT`.
   */
  argumentsOf(message: RequestMessage, attaches: boolean | undefined): unknown[] {
    const args = readValue(message, attaches ? this.#attached : this.#kept)
    if (Array.isArray(args)) return args
    throw managerError('ERR_PROTOCOL', { why: 'arguments' })
  }

  /**
   * A reply. If it cannot be sent, the client is not taken for a holder of the objects in it.
   * @throws `DataCloneError`; {@link ShareError} `ERR_LIMIT`.
   */
  encode(kind: ServerMessage['kind'], requestId: number, value: unknown): Buffer {
    const frameBytes = this.#frameBytes
    this.#written = []
    try {
      const bytes = writeReply(kind, requestId, value, this.#kept)
      if (bytes.byteLength <= frameBytes) return bytes
      const size = { count: bytes.byteLength, isAtLeast: false, max: frameBytes }
      throw managerError('ERR_LIMIT', { limit: 'reply bytes', ...size })
    } catch (error) {
      for (const { id } of this.#written) this.#account.unref(id, 1)
      throw error
    }
  }

  /** An error as a reply; in brief, if it cannot be sent as it is. */
  encodeError(kind: ServerMessage['kind'], requestId: number, error: unknown): Buffer {
    try {
      return this.encode(kind, requestId, error)
    } catch {
      return writeReply(kind, requestId, inBrief(error), this.#kept)
    }
  }

  #write(object: object): Reference {
    if (object instanceof Referent) {
      this.#account.ref(object)
      this.#written.push(object)
      const { id, type, name } = object
      if (type.exposes !== undefined) return [id, type.name, name, type.exposes]
      return name === undefined ? [id, type.name] : [id, type.name, name]
    }
    if (object instanceof KeptHandle) return [object.handle]
    if (isShareable(object)) return [object.handle]
    throw new DOMException(`${object} could not be encoded`, 'DataCloneError')
  }

  #read([first]: Reference, attachTo: (handle: Handle) => unknown): unknown {
    if (typeof first === 'number') return this.#account.find(first)
    if (isHandle(first)) return attachTo(first)
    throw managerError('ERR_PROTOCOL', { why: 'reference' })
  }
}

/** @throws {@link ShareError} `ERR_NOT_READY` for a segment that a client leaves half-made: the server waits for none. */
function attachAtOnce(handle: Handle): unknown {
  return withoutPatience(() => attach(handle))
}
