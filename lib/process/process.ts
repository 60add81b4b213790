/** Process: a Node child process that runs one exported function, with shared objects among its arguments. */
import { type ChildProcess, fork } from 'node:child_process'
import { constants } from 'node:os'
import { isAbsolute, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { offAbort, onAbort } from '../abort-registry.ts'
import { textOf } from '../codec/errors.ts'
import { decodeThrown } from '../codec/thrown.ts'
import { CHILD_MAIN } from '../entries.ts'
import { processError, spawnError } from '../errors/process-messages.ts'
import type { ShareError } from '../errors/share-error.ts'
import { isError, isUrl } from '../kinds-of-value.ts'
import { isShortage, makeRoom } from '../memory/room.ts'
import type { HeldHandle } from '../memory/segment.ts'
import { takeWaitOptions, type WaitOptions } from '../sync/wait-options.ts'
import { assertBoolean, assertString, takeOptions, typeError, valueError } from '../validate.ts'
import { encodeArguments } from './arguments.ts'
import { isImporting, originOf } from './current.ts'
import { inheritedOptions } from './node-options.ts'
import { type ChildMessage, isOurs, type StartMessage } from './protocol.ts'

const KILL_AFTER_MS = 5_000

/** How a {@link Process} is run. */
export interface ProcessOptions {
  /**
   * Arguments of the function. Shared objects arrive attached, also inside arrays, objects, maps and sets. All other values are
   * copied by structured clone.
   * @defaultValue `[]`
   */
  readonly args?: readonly unknown[]
  /**
   * Which export of the module to call.
   * @defaultValue `'default'`
   */
  readonly export?: string
  /**
   * The name of the process in messages.
   * @defaultValue `'Process-N'`
   */
  readonly name?: string
  /**
   * Whether the child continues when this process ends. Then a running child does not keep this process alive.
   * @defaultValue `false`
   */
  readonly detached?: boolean
  /** Environment variables. @defaultValue those of this process */
  readonly env?: NodeJS.ProcessEnv
  /**
   * Options of the `node` program.
   * @defaultValue those of this process, except those that name the program or its debugger: `--eval`, `--print`, `--check`,
   * `--interactive`, `--input-type`, `--run`, `--entry-url`, and all that begin with `--inspect`, `--watch` or `--test`
   */
  readonly execArgv?: readonly string[]
  /**
   * The program that runs the module: the path of a `node`, or its name on the `PATH`.
   * @defaultValue the one that runs this process, `process.execPath`
   */
  readonly execPath?: string
  /** Working directory. @defaultValue that of this process */
  readonly cwd?: string
  /**
   * Where the child's output goes; `'pipe'` makes {@link Process.stdout} and {@link Process.stderr}.
   * @defaultValue `'inherit'`
   */
  readonly stdio?: 'inherit' | 'pipe' | 'ignore'
}

type AnyFunction = (...args: never[]) => unknown

/** `args` are needed unless all parameters of the function are optional. */
type ArgumentsOf<F extends AnyFunction> =
  [] extends Parameters<F> ? { readonly args?: Readonly<Parameters<F>> } : { readonly args: Readonly<Parameters<F>> }

/** A type of options for each function that a module exports. */
type OptionsOfExports<M> = {
  [Name in keyof M]: M[Name] extends AnyFunction
    ? ArgumentsOf<M[Name]> & (Name extends 'default' ? { readonly export?: Name } : { readonly export: Name })
    : never
}[keyof M]

/**
 * {@link ProcessOptions} with the types of `export` and `args` that `T` requires. `T` is the type of a module
 * (`typeof import('./jobs.js')`), or of the function (`typeof work`).
 */
export type ProcessOptionsFor<T> = unknown extends T
  ? ProcessOptions
  : Omit<ProcessOptions, 'args' | 'export'> &
      (T extends AnyFunction ? ArgumentsOf<T> & { readonly export?: string } : OptionsOfExports<T>)

/** The parameters after the module: options, which may be omitted if no option is required. */
type Rest<T> = object extends ProcessOptionsFor<T> ? [options?: ProcessOptionsFor<T>] : [options: ProcessOptionsFor<T>]

const OPTIONS = ['args', 'export', 'name', 'detached', 'env', 'execArgv', 'execPath', 'cwd', 'stdio'] as const

let count = 0

/**
 * A Node child process that runs an exported function of a module. Corresponds to Python's `multiprocessing.Process`.
 *
 * @remarks The child ends when the function has settled. If the function throws, its stack is written to the child's standard
 * error, and {@link join} rejects with the reason. A child that is not `detached` ends with the process that started it, even if
 * that process is killed. You may close arguments as soon as {@link start} has returned: they are kept until the child has
 * attached.
 *
 * TypeScript checks the options if it knows the module:
 * `new Process<typeof import('./jobs.js')>(url, { export: 'work', args: [1] })` compiles when the module exports a function
 * `work` that takes a number; `new Process<typeof work>(url, …)` checks `args` alone.
 * @example
 * ```ts
 * import { isMainProcess, Process, Value } from 'procshare'
 *
 * export function work(counter: Value<'i'>) {
 *   counter.add(1)
 * }
 *
 * if (isMainProcess) {
 *   using counter = new Value('i')
 *   const child = new Process<typeof work>(import.meta.url, { export: 'work', args: [counter] }).start()
 *   console.assert((await child.join()) === 0)
 *   console.assert(counter.value === 1)
 * }
 * ```
 */
export class Process<T = unknown> implements AsyncDisposable {
  /** The name of the process. */
  readonly name: string
  readonly #module: string
  readonly #options: Omit<ProcessOptions, 'args'>
  readonly #ended: Promise<number>
  #settle!: { resolve(exitCode: number): void; reject(reason: Error): void }
  #child: ChildProcess | undefined
  #args: readonly unknown[] | undefined
  /** The holds that keep the arguments until the child has attached, even if they are closed. */
  #held: HeldHandle[] = []
  /** The number of pending joins. */
  #joins = 0
  #hasAttached = false
  #exitCode: number | null = null
  /** The thrown value that the child has reported. */
  #failure: { readonly thrown: unknown } | undefined

  /**
   * Describes a process; {@link start} starts it.
   *
   * @param module - a file URL (`import.meta.url`, `new URL('./job.js', import.meta.url)`), or a path that is absolute or
   * starts with `./` or `../` (from the working directory)
   * @throws `TypeError` for options or a module that cannot be right.
   */
  constructor(module: string | URL, ...rest: Rest<[T][T extends unknown ? 0 : never]>) // T is not inferred from options
  constructor(module: string | URL, options?: ProcessOptions) {
    const { args = [], ...others } = takeOptions('options', options, OPTIONS)
    const { export: exportName = 'default', name, detached = false, stdio = 'inherit', execPath } = others
    if (!Array.isArray(args)) throw typeError('options.args', 'an array', args)
    assertString('options.export', exportName)
    assertBoolean('options.detached', detached)
    if (name !== undefined) assertString('options.name', name)
    if (execPath !== undefined) assertString('options.execPath', execPath)
    if (!['inherit', 'pipe', 'ignore'].includes(stdio)) {
      throw valueError('options.stdio', "'inherit', 'pipe' or 'ignore'", stdio)
    }
    this.#module = moduleUrl(module)
    this.#options = others
    this.#args = args
    this.name = name ?? `Process-${++count}`
    this.#ended = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    // Without a join, the failure was reported on the child's standard error.
    this.#ended.catch(() => {})
  }

  /**
   * Starts the child.
   *
   * @throws {@link ShareError} `ERR_PROCESS_STATE` the second time; `ERR_PROCESS_IMPORT` in a child that is still importing
   * the module of its function (guard the start with {@link isMainProcess}); `ERR_CLOSED` for a closed argument; `ENOMEM`.
   * `DataCloneError` for an argument that can be neither shared nor cloned. In all these cases no process is started.
   */
  start(): this {
    if (this.#child !== undefined)
      throw processError('ERR_PROCESS_STATE', { process: this.name, why: 'already started' })
    if (isImporting()) throw processError('ERR_PROCESS_IMPORT', { process: this.name })
    try {
      this.#child = this.#launch()
    } catch (error) {
      this.#release(true)
      throw error
    }
    return this
  }

  #launch(): ChildProcess {
    const {
      export: exportName = 'default',
      detached = false,
      stdio = 'inherit',
      env,
      execArgv,
      execPath,
      cwd,
    } = this.#options
    const message: StartMessage = {
      procshare: 'start',
      name: this.name,
      module: this.#module,
      export: exportName,
      args: encodeArguments(this.#args ?? [], this.#held),
      detached,
    }
    const launch = () =>
      fork(CHILD_MAIN, [], {
        serialization: 'advanced',
        stdio: ['ignore', stdio, stdio, 'ipc'],
        detached,
        env: { ...(env ?? process.env), ...originOf(this.name) },
        execArgv: [...(execArgv ?? inheritedOptions(process.execArgv))],
        ...(execPath !== undefined && { execPath }),
        ...(cwd !== undefined && { cwd }),
      })
    let child: ChildProcess
    try {
      child = launch()
      if (child.pid === undefined) {
        // The reason is reported later. If descriptors are missing, makeRoom may free some.
        child.on('error', () => {})
        makeRoom()
        child = launch()
      }
    } catch (error) {
      throw isShortage(error) ? spawnError(error as Error, this.name) : error
    }
    child.on('message', (received) => this.#onMessage(received))
    child.on('error', (error) => {
      if (child.pid === undefined) this.#fail(error) // the child was not started; its exit reports other errors
    })
    child.once('exit', (code, signal) => {
      this.#exitCode = code ?? -(constants.signals[signal!] ?? 0)
      if (!child.connected) this.#onEnd()
      else child.once('disconnect', () => this.#onEnd()) // the last messages are still on their way
    })
    // If the child dies before it has read its message, its exit reports more than the error of send().
    // In Bun and Deno, a child that was not started has no send().
    child.send?.(message, () => {})
    return child
  }

  /**
   * Waits until the child has ended, and returns its exit code. As in Python, the code is negative for a signal (`-9` is
   * SIGKILL). The wait keeps this process alive, also for a detached child.
   *
   * @throws {@link ShareError} `ERR_PROCESS_FAILED` when the function threw. Its `cause` is the thrown value. A thrown error has
   * its class, `message`, `stack`, `cause`, `errors` and own enumerable properties. In these, shared objects and values that
   * cannot be copied are replaced by their text. Any other thrown value is copied, or is an error with its text. `ERR_TIMEOUT`
   * after `timeoutMs`; the child continues. `ERR_PROCESS_STATE` before {@link start}. `EMFILE`, `ENFILE`, `EAGAIN` when the
   * system had no descriptors or processes for the child. The signal's reason when it aborts.
   */
  async join(options: WaitOptions = {}): Promise<number> {
    options = takeWaitOptions(options)
    const child = this.#child
    if (child === undefined) throw this.#notStarted()
    const { timeoutMs = Infinity, signal } = options
    signal?.throwIfAborted()
    this.#joins++
    if (this.#options.detached === true) child.ref()
    let timer: NodeJS.Timeout | undefined
    let fail: (() => void) | undefined
    try {
      return await Promise.race([
        this.#ended,
        new Promise<never>((_resolve, reject) => {
          const late = () => reject(processError('ERR_TIMEOUT', { process: this.name, timeoutMs }))
          if (timeoutMs < Infinity) timer = setTimeout(late, Math.min(timeoutMs, 2 ** 31 - 1))
          if (signal === undefined) return
          fail = () => reject(signal.reason)
          onAbort(signal, fail)
        }),
      ])
    } finally {
      clearTimeout(timer)
      if (fail !== undefined) offAbort(signal!, fail)
      this.#joins--
      this.#letParentEnd()
    }
  }

  /** A detached child that has attached to its arguments keeps its parent alive only during joins. */
  #letParentEnd(): void {
    if (this.#options.detached === true && this.#hasAttached && this.#joins === 0) this.#child?.unref()
  }

  /**
   * Asks the child to end (SIGTERM). A child that has ended is not affected. On Windows, which has no such request, the child
   * ends at once, as with {@link kill}.
   *
   * @throws {@link ShareError} `ERR_PROCESS_STATE` before {@link start}.
   */
  terminate(): void {
    this.#kill('SIGTERM')
  }

  /** Ends the child at once (SIGKILL). A child that has ended is not affected. @throws {@link ShareError} `ERR_PROCESS_STATE` */
  kill(): void {
    this.#kill('SIGKILL')
  }

  /** Whether the child was started and is still running. */
  get isAlive(): boolean {
    return this.#child?.pid !== undefined && this.#exitCode === null
  }

  /** The exit code, negative for a signal; `null` until the child has ended. */
  get exitCode(): number | null {
    return this.#exitCode
  }

  /** The process id; `undefined` before {@link start}. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** The child's output, with `stdio: 'pipe'`. */
  get stdout(): Readable | null {
    return this.#child?.stdout ?? null
  }

  /** The child's standard error, with `stdio: 'pipe'`. */
  get stderr(): Readable | null {
    return this.#child?.stderr ?? null
  }

  /** Ends the child if it is alive, by SIGTERM and five seconds later by SIGKILL, and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child === undefined) return
    this.terminate()
    const timer = setTimeout(() => this.kill(), KILL_AFTER_MS)
    await this.join().catch(() => {})
    clearTimeout(timer)
  }

  [inspect.custom](): string {
    const state =
      this.#child === undefined ? 'initial' : this.isAlive ? 'started' : `stopped exitCode=${this.#exitCode}`
    return `Process { ${this.name} pid=${this.pid ?? '-'} ${state} }`
  }

  #onMessage(message: unknown): void {
    if (!isOurs<ChildMessage>(message, 'attached', 'failed')) return
    if (message.procshare === 'failed') {
      this.#failure = { thrown: decodeThrown(message.thrown) }
    } else {
      this.#release(false)
      this.#hasAttached = true
      this.#letParentEnd()
    }
  }

  /** Releases the arguments to which the child has attached, or all arguments when the child has ended. */
  #release(hasEnded: boolean): void {
    const held = this.#held
    this.#held = hasEnded ? [] : held.filter(({ untilEnd }) => untilEnd)
    for (const handle of held) {
      if (!this.#held.includes(handle)) handle.release()
    }
  }

  #onEnd(): void {
    this.#args = undefined
    this.#release(true)
    if (this.#failure === undefined) this.#settle.resolve(this.#exitCode!)
    else this.#fail(this.#failure.thrown)
  }

  #fail(cause: unknown): void {
    this.#args = undefined
    this.#release(true)
    if (this.#child?.pid === undefined && isShortage(cause)) {
      this.#settle.reject(spawnError(cause as Error, this.name))
      return
    }
    const why = this.#child?.pid === undefined ? 'not started' : 'threw'
    const text = isError(cause) ? cause.message : textOf(cause)
    const error = why === 'threw' && isError(cause) ? `${cause.name}: ${text}` : text
    this.#settle.reject(processError('ERR_PROCESS_FAILED', { process: this.name, why, error }, { cause }))
  }

  #kill(signal: NodeJS.Signals): void {
    if (this.#child === undefined) throw this.#notStarted()
    if (this.isAlive) this.#child.kill(signal)
  }

  #notStarted(): ShareError {
    return processError('ERR_PROCESS_STATE', { process: this.name, why: 'not started' })
  }
}

function moduleUrl(module: unknown): string {
  const expected = 'a file URL, or a path that is absolute or starts with ./ or ../'
  if (isUrl(module) || (typeof module === 'string' && module.startsWith('file:'))) {
    if (new URL(module).protocol !== 'file:') throw valueError('module', expected, module)
    return String(module)
  }
  if (typeof module !== 'string') throw typeError('module', expected, module)
  if (!isAbsolute(module) && !/^\.\.?[\\/]/.test(module)) throw valueError('module', expected, module)
  return pathToFileURL(resolve(module)).href
}
