/** ServerProcess: the server process of a manager, in the process that started it. */
import { type ChildProcess, fork } from 'node:child_process'
import { decodeThrown } from '../codec/thrown.ts'
import { SERVER_MAIN } from '../entries.ts'
import { managerError } from '../errors/manager-messages.ts'
import { processError, spawnError } from '../errors/process-messages.ts'
import type { ShareError } from '../errors/share-error.ts'
import { makeRoom } from '../memory/room.ts'
import { originOf } from '../process/current.ts'
import { inheritedOptions } from '../process/node-options.ts'
import { isOurs } from '../process/protocol.ts'
import type { ManagerAddress } from './address.ts'
import { removePrivateDirectory } from './private-directory.ts'
import type { FromServerProcess, ToServer } from './server/messages.ts'
import type { RegisterOptions } from './server/registered-type.ts'
import type { ManagerServeOptions } from './server/server.ts'

const START_MS = 30_000
const KILL_AFTER_MS = 5_000
const MAX_STARTS = 10
/** Signals that go to a whole process group, and that a server ignores once it has loaded (server-main.ts). */
const GROUP_SIGNALS: readonly (NodeJS.Signals | null)[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

let count = 0

export class ServerProcess {
  readonly address: ManagerAddress
  readonly #child: ChildProcess
  readonly #ended: Promise<void>
  readonly #requests = new Map<number, { resolve(): void; reject(reason: unknown): void }>()
  #lastRequest = 0

  private constructor(child: ChildProcess, address: ManagerAddress, isPrivate: boolean) {
    this.#child = child
    this.address = address
    this.#ended = new Promise((resolve) => child.once('exit', () => resolve()))
    child.on('message', (message) => this.#onMessage(message))
    child.once('exit', () => {
      // A killed server leaves its directory.
      if (isPrivate) removePrivateDirectory(address as string)
      for (const { reject } of this.#requests.values()) reject(endedError())
      this.#requests.clear()
    })
    // An idle manager does not keep the process alive. Its server ends with the process.
    child.unref()
    setChannelRef(child, false)
  }

  /** Starts a server and waits until it listens. @throws the error that the server reports, as `ManagerServer.listen`. */
  static async start(options: ManagerServeOptions, execArgv: readonly string[] | undefined): Promise<ServerProcess> {
    const name = `Manager-${++count}`
    for (let attempt = 1; ; attempt++) {
      try {
        return await ServerProcess.#startOnce(name, options, execArgv)
      } catch (error) {
        if (!(error instanceof EndedTooEarly)) throw error
        if (attempt === MAX_STARTS) throw error.reason
      }
    }
  }

  static #startOnce(
    name: string,
    options: ManagerServeOptions,
    execArgv: readonly string[] | undefined,
  ): Promise<ServerProcess> {
    const launch = () =>
      fork(SERVER_MAIN, [], {
        serialization: 'advanced',
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        env: { ...process.env, ...originOf(name) },
        execArgv: [...(execArgv ?? inheritedOptions(process.execArgv))],
      })
    let child: ChildProcess
    try {
      child = launch()
      if (child.pid === undefined) {
        child.on('error', () => {}) // the second attempt reports the reason
        makeRoom()
        child = launch()
      }
    } catch (error) {
      return Promise.reject(spawnError(error as Error, undefined))
    }
    return new Promise((resolve, reject) => {
      const fail = (reason: unknown) => {
        clearTimeout(timer)
        child.removeAllListeners()
        child.on('error', () => {})
        if (child.pid !== undefined) child.kill('SIGKILL')
        reject(reason)
      }
      const isLate = () => fail(processError('ERR_PROCESS_FAILED', { why: 'not listening', timeoutMs: START_MS }))
      const timer = setTimeout(isLate, START_MS)
      child.once('error', (error) => fail(spawnError(error, undefined)))
      child.once('exit', (code, signal) => {
        const reason = processError('ERR_PROCESS_FAILED', { why: 'ended early', exit: signal ?? code })
        fail(GROUP_SIGNALS.includes(signal) ? new EndedTooEarly(reason) : reason)
      })
      child.on('message', (message) => {
        if (!isOurs<FromServerProcess>(message, 'listening', 'failed')) return
        if (message.procshare === 'failed') return fail(decodeThrown(message.thrown))
        clearTimeout(timer)
        child.removeAllListeners()
        child.on('error', () => {})
        const { address } = message as { address: ManagerAddress }
        resolve(new ServerProcess(child, address, options.address === undefined))
      })
      // A child that was not started has no send(), and emits the error.
      if (child.pid === undefined) return
      try {
        child.send({ procshare: 'serve', options } satisfies ToServer, () => {}) // the exit of the child is reported instead
      } catch (error) {
        fail(error) // the options cannot be cloned
      }
    })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Registers a type. @throws the error that the server reports. */
  register(name: string, module: string, options: RegisterOptions | undefined): Promise<void> {
    if (!this.isAlive) return Promise.reject(endedError())
    const request = ++this.#lastRequest
    return new Promise((resolve, reject) => {
      this.#requests.set(request, { resolve, reject })
      setChannelRef(this.#child, true)
      this.#send({ procshare: 'register', request, name, module, options })
    })
  }

  /** Ends the server in order, or after five seconds by SIGKILL, because the server ignores SIGTERM. */
  async shutdown(): Promise<void> {
    if (!this.isAlive) return
    this.#child.ref()
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), KILL_AFTER_MS)
    this.#send({ procshare: 'shutdown' })
    await this.#ended
    clearTimeout(timer)
  }

  #send(message: ToServer): void {
    this.#child.send(message, () => {}) // the exit of the child is reported instead
  }

  #onMessage(message: unknown): void {
    if (!isOurs<FromServerProcess & { procshare: 'registered' }>(message, 'registered')) return
    const request = this.#requests.get(message.request)
    this.#requests.delete(message.request)
    if (this.#requests.size === 0) setChannelRef(this.#child, false)
    if (message.thrown === undefined) request?.resolve()
    else request?.reject(decodeThrown(message.thrown))
  }
}

function endedError(): ShareError {
  return managerError('ERR_DISCONNECTED', { why: 'server process ended' })
}

/** Sets whether the channel to a child keeps the process alive. Bun has no such setting. */
function setChannelRef({ channel }: ChildProcess, keeps: boolean): void {
  if (keeps) channel?.ref?.()
  else channel?.unref?.()
}

/**
 * Thrown when one of GROUP_SIGNALS ended the server while it was loading. This process has survived the signal, so it may need the server.
 */
class EndedTooEarly extends Error {
  readonly reason: ShareError

  constructor(reason: ShareError) {
    super(reason.message)
    this.reason = reason
  }
}
