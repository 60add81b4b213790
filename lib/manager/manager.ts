/** Manager: a client of a server of objects. The manager may have started the server itself. */
import type { ConnectionOptions } from 'node:tls'
import { inspect } from 'node:util'
import { managerError } from '../errors/manager-messages.ts'
import { processError } from '../errors/process-messages.ts'
import type { ShareError } from '../errors/share-error.ts'
import { isUrl } from '../kinds-of-value.ts'
import { registerKind } from '../memory/shareable.ts'
import { isImporting } from '../process/current.ts'
import {
  assertBoolean,
  assertFunction,
  assertSignal,
  assertString,
  assertTimeout,
  takeOptions,
  typeError,
} from '../validate.ts'
import { assertAddress, formatAddress, type ManagerAddress } from './address.ts'
import { attachToManaged } from './client/attach.ts'
import { BlockingChannel } from './client/blocking-channel.ts'
import { BlockingManager } from './client/blocking-manager.ts'
import { connect } from './client/connect.ts'
import { Connection, type Reconnection } from './client/connection.ts'
import { keyFor, noteConnection } from './client/known-servers.ts'
import { type BlockingObjects, ManagedObjects } from './client/objects.ts'
import { environmentKey, keyBytes, newKey } from './keys.ts'
import { REGISTER_OPTIONS, type RegisterOptions } from './server/registered-type.ts'
import { checkedServeOptions, type ManagerServeOptions, ManagerServer, SERVE_OPTIONS } from './server/server.ts'
import { ServerProcess } from './server-process.ts'

/** How the server of a manager is started. */
export interface ManagerStartOptions extends ManagerServeOptions {
  /** How this process connects to the server, if `tls` is given. @defaultValue `tls` itself */
  readonly clientTls?: ConnectionOptions
  /**
   * Options of the `node` program that runs the server. They replace the options of this process; `NODE_OPTIONS` is inherited with the rest
   * of the environment.
   * @defaultValue the options of this process (`process.execArgv`), except those that name the program or its debugger: `--eval`,
   * `--print`, `--check`, `--interactive`, `--input-type`, `--run`, `--entry-url`, and all that begin with `--inspect`, `--watch` or
   * `--test`
   * @example
   * ```ts
   * import { Manager } from 'procshare'
   * await using manager = await Manager.start({ execArgv: ['--max-old-space-size=4096'] })
   * ```
   */
  readonly execArgv?: readonly string[]
  /** {@link ManagerConnectOptions.syncTimeoutMs}. */
  readonly syncTimeoutMs?: number
  /** {@link ManagerConnectOptions.reconnect}. */
  readonly reconnect?: boolean
  /** {@link ManagerConnectOptions.onReconnect}. */
  readonly onReconnect?: (found: Reconnection) => void
}

/** How to connect to a server that runs. */
export interface ManagerConnectOptions {
  readonly address: ManagerAddress
  /**
   * The key of the server.
   * @defaultValue the key in the directory of the socket, for a server of the same user that was started without an address; otherwise the
   * variable `PROCSHARE_AUTHKEY`
   */
  readonly authkey?: string | Uint8Array
  /** Options of `tls.connect`, to connect securely. */
  readonly tls?: ConnectionOptions
  /**
   * How long to wait for a server that does not listen yet, and for the authentication.
   * @defaultValue no wait for a server that does not listen, 10,000 for the authentication
   */
  readonly timeoutMs?: number | undefined
  /** Rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /**
   * Milliseconds that a call of the blocking form without a timeout of its own may take. After that it throws `ERR_TIMEOUT`, even when the
   * server is stopped. Waits for a lock or an item are not affected: they last until their own `timeoutMs`.
   * @defaultValue 60,000
   */
  readonly syncTimeoutMs?: number
  /**
   * Whether to connect again automatically whenever the connection is lost, until `close()`. A new server at the same address with the same
   * key is accepted, too. Calls before the reconnection are rejected with `ERR_DISCONNECTED`.
   * @defaultValue false
   */
  readonly reconnect?: boolean
  /** Called each time the connection was established again, with the proxies that were lost. */
  readonly onReconnect?: (found: Reconnection) => void
}

const CLIENT_OPTIONS = ['syncTimeoutMs', 'reconnect', 'onReconnect'] as const
const CONNECT_OPTIONS = ['address', 'authkey', 'tls', 'timeoutMs', 'signal', ...CLIENT_OPTIONS] as const
const SYNC_TIMEOUT_MS = 60_000

type ClientOptions = Pick<ManagerConnectOptions, (typeof CLIENT_OPTIONS)[number]>

function assertClientOptions({ syncTimeoutMs, reconnect, onReconnect }: ClientOptions): void {
  assertTimeout('options.syncTimeoutMs', syncTimeoutMs)
  if (reconnect !== undefined) assertBoolean('options.reconnect', reconnect)
  if (onReconnect !== undefined) assertFunction('options.onReconnect', onReconnect)
}

/**
 * A server process that holds objects, and the connection of this process to it. The objects are lists, dicts, sets, namespaces, locks,
 * queues and instances of your own classes. Any number of processes, also on other machines, use them through proxies.
 *
 * @remarks Corresponds to Python's `multiprocessing.Manager`. Data that fits into flat memory is much faster in {@link Value},
 * {@link SharedArray} and the other shared objects; a manager is for everything else. The server ends with the process that has started it,
 * even if that process is killed. A pending call keeps the process alive; an idle manager does not.
 * @example
 * ```ts
 * import { Manager } from 'procshare'
 * await using manager = await Manager.start()
 * const scores = await manager.dict<string, number>({ ann: 1 })
 * await scores.set('bob', 2)
 * console.assert((await scores.get('bob')) === 2)
 * ```
 */
export class Manager extends ManagedObjects implements AsyncDisposable {
  /** The address of the server. */
  readonly address: ManagerAddress
  /** The key that other clients need. */
  readonly authkey: Uint8Array
  readonly #connection: Connection
  readonly #server: ServerProcess | undefined
  readonly #syncTimeoutMs: number
  #sync: { readonly channel: BlockingChannel; readonly objects: BlockingObjects } | undefined

  private constructor(connection: Connection, options: ClientOptions, server?: ServerProcess) {
    super(connection)
    this.address = connection.at
    this.authkey = connection.credentials.key
    this.#connection = connection
    this.#server = server
    this.#syncTimeoutMs = options.syncTimeoutMs ?? SYNC_TIMEOUT_MS
    const { onReconnect = () => {} } = options
    connection.listenForReconnections(onReconnect, options.reconnect === true)
    noteConnection(connection)
  }

  /**
   * Starts a server process and connects to it.
   *
   * @remarks The server ignores SIGINT, SIGTERM and SIGHUP, which a terminal or a service manager sends to all processes of a program. It
   * ends after this process, so signal handlers can still use it.
   * @throws {@link ShareError} `EADDRINUSE`, `EACCES`, `ENOENT`, `EADDRNOTAVAIL`, `ENAMETOOLONG` for an address where the server cannot
   * listen; `ERR_TLS`; `ERR_PROCESS_FAILED` when the server process ends at once; `ERR_PROCESS_IMPORT` in a child that is still importing
   * the module of its function. `TypeError`, `RangeError` for options that cannot be right.
   */
  static async start(given?: ManagerStartOptions): Promise<Manager> {
    const keys = [...SERVE_OPTIONS, ...CLIENT_OPTIONS, 'clientTls', 'execArgv'] as const
    const options = checkedServeOptions(takeOptions('options', given, keys))
    assertClientOptions(options)
    if (isImporting()) throw processError('ERR_PROCESS_IMPORT', {})
    const { clientTls, execArgv, authkey, syncTimeoutMs, reconnect, onReconnect, ...serve } = options
    const key = authkey === undefined ? (environmentKey() ?? newKey()) : keyBytes('options.authkey', authkey)
    const server = await ServerProcess.start({ ...serve, authkey: key }, execArgv)
    const tls = clientTls ?? (serve.tls as ConnectionOptions | undefined)
    const connection = new Connection(server.address, { key, tls })
    try {
      await connection.open()
    } catch (error) {
      await server.shutdown()
      throw error
    }
    return new Manager(connection, options, server)
  }

  /**
   * Connects to a running server on this machine or another one; with a `timeoutMs`, also to a server that is not yet started.
   *
   * @remarks While no server listens at the address, it tries again after pauses of up to 50 ms. Any other error is reported at once.
   * @throws {@link ShareError} `ENOENT` or `ECONNREFUSED` when no server listens there, `EACCES`; `ERR_NO_KEY` when no key is given or
   * found; `ERR_AUTHENTICATION` when the keys differ; `ERR_PROTOCOL` when something else answers, or another version; `ERR_TLS`;
   * `ERR_LIMIT` when the server has reached its limit of clients; `ERR_TIMEOUT` after `timeoutMs`, with the last error as its cause;
   * `ERR_DISCONNECTED`. The signal's reason when it aborts.
   */
  static async connect(options: ManagerConnectOptions): Promise<Manager> {
    if (typeof options !== 'object' || options === null) throw typeError('options', 'an object', options)
    const taken = takeOptions('options', options, CONNECT_OPTIONS)
    const { address, authkey, tls, timeoutMs, signal } = taken
    assertAddress('options.address', address)
    assertTimeout('options.timeoutMs', timeoutMs)
    assertClientOptions(taken)
    assertSignal('options.signal', signal)
    const given = authkey === undefined ? undefined : keyBytes('options.authkey', authkey)
    const credentials = () => ({ key: given ?? keyFor(formatAddress(address)), tls })
    return new Manager(await connect(address, credentials, { timeoutMs, signal }), taken)
  }

  /**
   * Runs a server in this process, for a daemon, until the server is closed. Other processes and this process itself can connect to it.
   *
   * @throws as {@link start}.
   * @example
   * ```ts
   * import { Manager } from 'procshare'
   * await using server = await Manager.serve({ authkey: 'not a good secret' })
   * const manager = await Manager.connect({ address: server.address, authkey: 'not a good secret' })
   * const hits = await manager.Value('i', 0, { name: 'hits' })
   * await hits.add(1)
   * manager.close()
   * ```
   */
  static serve(options?: ManagerServeOptions): Promise<ManagerServer> {
    return ManagerServer.listen(options)
  }

  /** The process id of the server, if this manager has started it. */
  get pid(): number | undefined {
    return this.#server?.pid
  }

  /** Whether the server is connected. */
  get isConnected(): boolean {
    return this.#connection.isOpen
  }

  /**
   * Registers a class or function of a module with the server, which imports the module. After that, `create(name, …)` makes objects.
   *
   * @param module - a file URL: `new URL('./account.js', import.meta.url)`
   * @throws {@link ShareError} `ERR_MANAGER_STATE` for a manager that has not started its server: only the process that starts a server can
   * select the code that it runs. `TypeError` for a name that is taken, or a module without such an export; what importing it throws.
   */
  async register(name: string, module: string | URL, options?: RegisterOptions): Promise<void> {
    assertString('name', name)
    if (!isUrl(module)) assertString('module', module)
    const taken = takeOptions('options', options, REGISTER_OPTIONS)
    if (this.#server === undefined) throw managerError('ERR_MANAGER_STATE', { does: 'register' })
    await this.#server.register(name, String(module), taken)
  }

  /**
   * The blocking form: the same objects, through proxies whose methods return results instead of promises.
   *
   * @remarks Blocks the event loop: signal handlers do not run meanwhile. For scripts and workers. The blocking form is a separate client,
   * which connects at the first call, so it does not own the locks of the asynchronous form. On the machine of the server it uses shared
   * memory, which is several times faster than a socket. On other machines it uses a worker thread and a socket.
   * @throws {@link ShareError} `ERR_DISCONNECTED`, `ERR_CLOSED` when the manager is not connected. Calls throw `ERR_DEADLOCK` when the
   * server runs in the same thread.
   * @example
   * ```ts
   * import { Manager } from 'procshare'
   * await using manager = await Manager.start()
   * const scores = manager.sync.dict<string, number>()
   * scores.set('ann', 1)
   * console.assert(scores.get('ann') === 1)
   * ```
   */
  get sync(): BlockingObjects {
    if (this.#sync?.channel.hasEnded !== false) {
      this.#connection.assertOpen()
      const channel = new BlockingChannel(this.#connection, this.#syncTimeoutMs)
      this.#sync = { channel, objects: new BlockingManager(channel) as unknown as BlockingObjects }
    }
    return this.#sync.objects
  }

  /**
   * Connects again after the connection was lost (`ERR_DISCONNECTED`). Everything that this client held, such as locks, was released at the
   * loss. Proxies of named objects continue to work, even with another server at the same address that has objects of these names. Other
   * proxies continue to work if the server is the same and the object still exists.
   * @throws as {@link connect}.
   */
  reconnect(options?: { readonly timeoutMs?: number }): Promise<void> {
    const { timeoutMs } = takeOptions('options', options, ['timeoutMs'])
    assertTimeout('options.timeoutMs', timeoutMs)
    return this.#connection.reconnect(timeoutMs)
  }

  /**
   * Resolves when the connection has finally ended. The value is the reason, such as `ERR_DISCONNECTED`, or undefined after {@link close}.
   * It never rejects. {@link reconnect} makes a new promise.
   * @example
   * ```ts
   * import { Manager } from 'procshare'
   * const manager = await Manager.start()
   * void manager.closed.then((reason) => reason && console.error(reason.message))
   * await manager.shutdown()
   * ```
   */
  get closed(): Promise<ShareError | undefined> {
    return this.#connection.closed
  }

  /** Undoes {@link unref}. */
  ref(): this {
    this.#connection.ref()
    return this
  }

  /**
   * From now on, pending calls of all objects do not keep the process alive. By default they do, including waits; an idle manager never
   * does.
   */
  unref(): this {
    this.#connection.unref()
    return this
  }

  /**
   * Ends the connection, not the server: pending calls are rejected with `ERR_CLOSED`, and everything that this client holds is released.
   * Idempotent.
   */
  close(): void {
    this.#connection.close()
    this.#sync?.channel.close()
  }

  /**
   * Ends the server that this manager has started, and the connection. Idempotent.
   * @throws {@link ShareError} `ERR_MANAGER_STATE` when this manager has not started a server.
   */
  async shutdown(): Promise<void> {
    if (this.#server === undefined) throw managerError('ERR_MANAGER_STATE', { does: 'shutdown' })
    this.close()
    await this.#server.shutdown()
  }

  /** Ends the server, if this manager has started it; otherwise the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server === undefined) this.close()
    else await this.shutdown()
  }

  [inspect.custom](): string {
    const state = this.isConnected ? 'connected' : 'not connected'
    return `Manager { ${formatAddress(this.address)} ${this.#server === undefined ? '' : `pid=${this.pid} `}${state} }`
  }
}

registerKind('Manager', { attach: attachToManaged })
