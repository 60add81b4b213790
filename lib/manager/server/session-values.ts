/**
 * SessionValues: the messages of one client, as bytes and as values. References to the server's objects are counted for the client as they
 * are written; handles of shared objects in memory are kept or attached.
 */
import { inBrief } from '../../codec/errors.ts'
import { managerError } from '../../errors/manager-messages.ts'
import { type Handle, isHandle } from '../../memory/handle.ts'
import { withoutPatience } from '../../memory/segment.ts'
import { attach, isShareable } from '../../memory/shareable.ts'
import { type RequestMessage, readValue, type ServerMessage, writeReply } from '../wire/messages.ts'
import type { Reference, References } from '../wire/values.ts'
import type { ClientAccount } from './client-account.ts'
import { KeptHandle, Referent } from './referent.ts'

export class SessionValues {
  readonly #account: ClientAccount
  readonly #frameBytes: number
  readonly #kept: References
  readonly #attached: References
  /** The objects in the reply that is being written. */
  #written: Referent[] = []

  /** @param frameBytes - the largest length of a reply */
  constructor(account: ClientAccount, frameBytes: number) {
    this.#account = account
    this.#frameBytes = frameBytes
    const write = (object: object) => this.#write(object)
    this.#kept = { write, read: (reference) => this.#read(reference, (handle) => new KeptHandle(handle)) }
    this.#attached = { write, read: (reference) => this.#read(reference, attachAtOnce) }
  }

  /**
   * Reads the arguments of a request.
   * @param attaches - whether shared objects arrive attached, instead of as handles
   * @throws {@link ShareError} `ERR_PROTOCOL`, `ERR_NO_OBJECT`.
   */
  argumentsOf(message: RequestMessage, attaches: boolean | undefined): unknown[] {
    const args = readValue(message, attaches ? this.#attached : this.#kept)
    if (Array.isArray(args)) return args
    throw managerError('ERR_PROTOCOL', { why: 'arguments' })
  }

  /**
   * Encodes a reply. If it cannot be sent, the references in it do not count.
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

  /** Encodes an error as a reply. It is shortened if it cannot be sent in full. */
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

/** @throws {@link ShareError} `ERR_NOT_READY` for a segment that a client leaves unfinished: the server does not wait for it. */
function attachAtOnce(handle: Handle): unknown {
  return withoutPatience(() => attach(handle))
}
