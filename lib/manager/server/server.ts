/** ManagerServer: a server in the process that calls `Manager.serve`. */
import type { TlsOptions } from 'node:tls'
import { isUrl } from '../../kinds-of-value.ts'
import { assertString, takeOptions, typeError } from '../../validate.ts'
import { assertAddress, formatAddress, type ManagerAddress } from '../address.ts'
import { environmentKey, keyBytes, newKey } from '../keys.ts'
import { noteNotServed, noteServed } from '../served-here.ts'
import * as OBJECT_TYPES from '../types/objects.ts'
import { limitsOf, type ManagerLimits } from './limits.ts'
import { type Listener, listen } from './listener.ts'
import { listenPrivately, type PrivateListener, removeAbandonedDirectories } from './private-listener.ts'
import { REGISTER_OPTIONS, type RegisterOptions } from './registered-type.ts'
import { RingListener } from './ring-listener.ts'
import { ServerCore } from './server-core.ts'

/** A type of your own that a server has from the start. */
export interface ManagerType extends RegisterOptions {
  /** The module that makes the objects: a file URL. */
  readonly module: string | URL
}

/** The options of a server. */
export interface ManagerServeOptions {
  /** The address at which to listen; port 0 selects any free port. @defaultValue a socket in a directory that only this user can enter */
  readonly address?: ManagerAddress
  /**
   * The key that both sides must have.
   * @defaultValue the variable `PROCSHARE_AUTHKEY`; without it a random key, which other processes of the same user read from the
   * directory of the socket if no address was given
   */
  readonly authkey?: string | Uint8Array
  /** Makes connections secure. With `ca`, clients must present a certificate of one of these authorities. */
  readonly tls?: TlsOptions
  /** Limits of clients. */
  readonly limits?: ManagerLimits
  /** Types of your own, by name. */
  readonly types?: Readonly<Record<string, ManagerType>>
}

export const SERVE_OPTIONS = ['address', 'authkey', 'tls', 'limits', 'types'] as const

/** Checks options without a server. The options are a copy; types and limits are copied here. @throws `TypeError`, `RangeError`. */
export function checkedServeOptions<Options extends ManagerServeOptions>(options: Options): Options {
  if (options.address !== undefined) assertAddress('options.address', options.address)
  if (options.authkey !== undefined) keyBytes('options.authkey', options.authkey)
  const limits = limitsOf(options.limits)
  const types = Object.entries(options.types ?? {}).map(([name, given]) => {
    const type = takeOptions(`options.types.${name}`, given, ['module', ...REGISTER_OPTIONS])
    if (!isUrl(type.module)) assertString(`options.types.${name}.module`, type.module)
    return [name, { ...type, module: String(type.module) }] as const
  })
  const { tls } = options
  if (tls !== undefined && (typeof tls !== 'object' || tls === null)) throw typeError('options.tls', 'an object', tls)
  return { ...options, limits, types: Object.fromEntries(types) }
}

/**
 * A server of managed objects in this process; made by {@link Manager.serve}.
 *
 * @remarks It keeps the process alive until it is closed.
 */
export class ManagerServer implements AsyncDisposable {
  /** The address at which it listens. */
  readonly address: ManagerAddress
  /** The key that clients need. */
  readonly authkey: Uint8Array
  readonly #core: ServerCore
  readonly #listener: Listener
  readonly #rings: RingListener | undefined
  readonly #directory: PrivateListener | undefined
  #closing: Promise<void> | undefined

  /** @internal */
  constructor(
    core: ServerCore,
    listener: Listener,
    rings: RingListener | undefined,
    directory: PrivateListener | undefined,
  ) {
    this.address = directory?.address ?? listener.address
    this.authkey = core.key
    this.#core = core
    this.#listener = listener
    this.#rings = rings
    this.#directory = directory
    noteServed(core.id)
  }

  /** @internal */
  static async listen(given?: ManagerServeOptions): Promise<ManagerServer> {
    const options = checkedServeOptions(takeOptions('options', given, SERVE_OPTIONS))
    const key =
      options.authkey === undefined ? (environmentKey() ?? newKey()) : keyBytes('options.authkey', options.authkey)
    const core = new ServerCore(key, limitsOf(options.limits), Object.values(OBJECT_TYPES))
    for (const [name, { module, ...rest }] of Object.entries(options.types ?? {})) {
      await core.register(name, String(module), rest)
    }
    await removeAbandonedDirectories()
    const rings = RingListener.listen(core)
    try {
      if (options.address !== undefined) {
        return new ManagerServer(core, await listen(core, options.address, options.tls), rings, undefined)
      }
      const directory = await listenPrivately(core, options.tls)
      return new ManagerServer(core, directory.listener, rings, directory)
    } catch (error) {
      rings?.close()
      throw error
    }
  }

  /** Registers a type of your own. @throws as {@link Manager.register}. */
  register(name: string, module: string | URL, options?: RegisterOptions): Promise<void> {
    assertString('name', name)
    return this.#core.register(name, String(module), options)
  }

  /** Ends the server: pending calls of clients are rejected, and the socket is removed. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** The address as text. */
  toString(): string {
    return `ManagerServer at ${formatAddress(this.address)}`
  }

  async #close(): Promise<void> {
    const closed = this.#listener.close()
    this.#rings?.close()
    this.#core.dismissAll()
    await closed
    noteNotServed(this.#core.id)
    this.#directory?.remove()
  }
}
