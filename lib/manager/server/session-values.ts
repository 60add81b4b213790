/**
 * SessionValues: what one client sends and is sent, as bytes and as values, with the references in it: to the server's objects, which are
 * counted for the client as they are written, and to shared objects in memory.
 */
import { inBrief } from '../../codec/errors.ts'
import { managerError } from '../../errors/manager-messages.ts'
import { type Handle, isHandle } from '../../memory/handle.ts'
import { withoutPatience } from '../../memory/segment.ts'
import { attach, isShareable } from '../../memory/shareable.ts'
import { type Call, type FromServer, readValue, writeReply } from '../wire/messages.ts'
import type { Reference, References } from '../wire/values.ts'
import { KeptHandle, Referent } from './referent.ts'
import type { Session } from './session.ts'

export class SessionValues {
  readonly #session: Session
  readonly #frameBytes: number
  readonly #kept: References
  readonly #attached: References
  /** The objects that the reply which is being written tells the client of. */
  #told: Referent[] = []

  /** @param frameBytes - how long a reply may be */
  constructor(session: Session, frameBytes: number) {
    this.#session = session
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
  argumentsOf(message: Call, attaches: boolean | undefined): unknown[] {
    const args = readValue(message, attaches ? this.#attached : this.#kept)
    if (Array.isArray(args)) return args
    throw managerError('ERR_PROTOCOL', { why: 'arguments' })
  }

  /**
   * A reply. If it cannot be sent, the client is not taken for a holder of the objects in it.
   * @throws `DataCloneError`; {@link ShareError} `ERR_LIMIT`.
   */
  encode(kind: FromServer['kind'], number: number, value: unknown): Buffer {
    const frameBytes = this.#frameBytes
    this.#told = []
    try {
      const bytes = writeReply(kind, number, value, this.#kept)
      if (bytes.byteLength <= frameBytes) return bytes
      const size = { count: bytes.byteLength, isAtLeast: false, max: frameBytes }
      throw managerError('ERR_LIMIT', { limit: 'reply bytes', ...size })
    } catch (error) {
      for (const { id } of this.#told) this.#session.letGo(id, 1)
      throw error
    }
  }

  /** An error as a reply; in brief, if it cannot be sent as it is. */
  encodeError(kind: FromServer['kind'], number: number, error: unknown): Buffer {
    try {
      return this.encode(kind, number, error)
    } catch {
      return writeReply(kind, number, inBrief(error), this.#kept)
    }
  }

  #write(object: object): Reference {
    if (object instanceof Referent) {
      this.#session.hold(object)
      this.#told.push(object)
      const { id, type, name } = object
      if (type.exposes !== undefined) return [id, type.name, name, type.exposes]
      return name === undefined ? [id, type.name] : [id, type.name, name]
    }
    if (object instanceof KeptHandle) return [object.handle]
    if (isShareable(object)) return [object.handle]
    throw new DOMException(`${object} could not be encoded`, 'DataCloneError')
  }

  #read([first]: Reference, attachTo: (handle: Handle) => unknown): unknown {
    if (typeof first === 'number') return this.#session.find(first)
    if (isHandle(first)) return attachTo(first)
    throw managerError('ERR_PROTOCOL', { why: 'reference' })
  }
}

/** @throws {@link ShareError} `ERR_NOT_READY` for a segment that a client leaves half-made: the server waits for none. */
function attachAtOnce(handle: Handle): unknown {
  return withoutPatience(() => attach(handle))
}
