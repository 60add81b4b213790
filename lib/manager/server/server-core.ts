/**
 * ServerCore: the objects and the clients of one server, for all transports. Listening is done in listener.ts.
 */
import { randomBytes } from 'node:crypto'
import { managerError } from '../../errors/manager-messages.ts'
import type { Handle } from '../../memory/handle.ts'
import { valueError } from '../../validate.ts'
import { type AboutServer, MAX_HANDSHAKE_BYTES, REFUSED, writeRefusal } from '../wire/handshake.ts'
import type { Transport } from '../wire/transport.ts'
import type { Limits } from './limits.ts'
import type { ManagedType } from './managed-type.ts'
import { Referent, ReferentTable } from './referent.ts'
import { type RegisterOptions, registeredType } from './registered-type.ts'
import { rootType, type ServerState } from './root.ts'
import { FAREWELL_MS, Session, type SessionHost } from './session.ts'
import { Statistics } from './statistics.ts'

const CHECK_MS = 250
/** The largest number of clients that receive a refusal (too many clients) at the same time. */
export const MAX_REFUSED = 64

export class ServerCore implements SessionHost, ServerState {
  readonly id = randomBytes(12).toString('base64url')
  readonly key: Uint8Array
  readonly limits: Limits
  readonly types: Map<string, ManagedType>
  readonly referents = new ReferentTable()
  readonly statistics = new Statistics()
  /** The object that represents the server. */
  readonly root = new Referent(0, rootType, this)
  /** The queue in which clients of the same machine request a connection. */
  rings: Handle | undefined
  readonly #sessions = new Set<Session>()
  #untrusted = 0
  /** Clients that are receiving a refusal. */
  #refused = 0
  #checks: NodeJS.Timeout | undefined

  /** @param types - the types of objects that the server has from the start */
  constructor(key: Uint8Array, limits: Limits, types: readonly ManagedType[]) {
    this.types = new Map(types.map((type) => [type.name, type]))
    this.key = key
    this.limits = limits
  }

  get clients(): number {
    return this.#sessions.size - this.#untrusted
  }

  /** Registers a user's type. Only the process that runs the server can do so, since it runs code. */
  async register(name: string, module: string, options: RegisterOptions | undefined): Promise<void> {
    const assertNew = () => {
      if (this.types.has(name)) throw valueError('name', 'a name that no type has yet', name)
    }
    assertNew()
    const type = await registeredType(this, name, module, options)
    assertNew()
    this.types.set(name, type)
  }

  /** Accepts a client, or refuses it when there are too many. */
  accept(transport: Transport): void {
    if (this.#sessions.size >= this.limits.clients || this.#untrusted >= this.limits.unauthenticated) {
      this.#refuse(transport)
      return
    }
    this.#checks ??= setInterval(() => this.#check(), CHECK_MS).unref()
    const session = new Session(this, transport)
    this.#sessions.add(session)
    this.#untrusted++
    session.start()
  }

  /** Refuses a client because there are too many. Beyond MAX_REFUSED at a time, the connection is closed without a reason. */
  #refuse(transport: Transport): void {
    this.statistics.refused++
    if (this.#refused >= MAX_REFUSED) {
      transport.destroy()
      return
    }
    this.#refused++
    const timer = setTimeout(() => transport.destroy(), FAREWELL_MS).unref()
    const onClose = () => {
      this.#refused--
      clearTimeout(timer)
    }
    transport.start({ onFrame: () => {}, onClose }, MAX_HANDSHAKE_BYTES)
    transport.send(writeRefusal(REFUSED.FULL))
    transport.close()
  }

  /** The JSON of the welcome. */
  about(): Uint8Array {
    const about: AboutServer = {
      id: this.id,
      pid: process.pid,
      frameBytes: this.limits.frameBytes,
      ...(this.rings !== undefined && { rings: this.rings }),
    }
    return Buffer.from(JSON.stringify(about))
  }

  noteTrusted(): void {
    this.#untrusted--
    this.statistics.accepted++
  }

  noteEnd(session: Session): void {
    if (!this.#sessions.delete(session)) return
    if (!session.isTrusted) this.#untrusted--
    if (this.#sessions.size > 0) return
    clearInterval(this.#checks)
    this.#checks = undefined
  }

  /** Sends the clients the reason, and ends all sessions. */
  dismissAll(): void {
    const reason = managerError('ERR_DISCONNECTED', { why: 'shut down' })
    for (const session of [...this.#sessions]) session.dismiss(reason)
  }

  #check(): void {
    const now = performance.now()
    for (const session of [...this.#sessions]) session.checkTrust(now)
  }
}
