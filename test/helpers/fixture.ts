/**
 * Processes and workers for tests. They are started from test/fixtures/NAME.mjs and report when they are ready. Every wait for
 * them has a deadline. They end at the end of the test.
 */
import { type ChildProcess, type ForkOptions, fork } from 'node:child_process'
import { Worker, type WorkerOptions } from 'node:worker_threads'

/** Generous: this limit only ends hanging tests, and measures nothing. An emulated machine needs more time. */
export const DEADLINE_MS = Number(process.env.TEST_PATIENCE_MS ?? 30_000)
const OUTPUT_GRACE_MS = 1_000

const FIXTURES = new URL('../fixtures/', import.meta.url)

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

interface Answer {
  readonly fixture: 'ready' | 'answer' | 'event'
  readonly id?: number
  readonly event?: string
  readonly value?: unknown
  readonly error?: { name: string; message: string; stack: string; code?: string }
}

interface Pending {
  resolve(value: unknown): void
  reject(error: Error): void
}

/** The common base of a process and a worker. */
export abstract class Peer implements AsyncDisposable {
  readonly #label: string
  readonly #calls = new Map<number, Pending>()
  readonly #events = new Map<string, unknown[]>()
  readonly #listeners = new Map<string, Pending[]>()
  readonly #ready: Promise<unknown>
  #onReady!: Pending
  #gone: Error | undefined
  #lastId = 0

  constructor(label: string) {
    this.#label = label
    this.#ready = new Promise((resolve, reject) => {
      this.#onReady = { resolve, reject }
    })
    this.#ready.catch(() => {})
  }

  /** Calls a function that the fixture serves. */
  call<T = unknown>(command: string, ...params: unknown[]): Promise<T> {
    const id = ++this.#lastId
    const answer = new Promise((resolve, reject) => {
      if (this.#gone !== undefined) reject(this.#gone)
      else {
        this.#calls.set(id, { resolve, reject })
        this.post({ fixture: 'call', id, command, params })
      }
    })
    return this.#within(answer, `answer to ${command}()`) as Promise<T>
  }

  /** The next report of an event; each report is given once. */
  event<T = unknown>(event: string): Promise<T> {
    const queue = this.#events.get(event)
    if (queue !== undefined && queue.length > 0) return Promise.resolve(queue.shift() as T)
    const report = new Promise((resolve, reject) => {
      if (this.#gone !== undefined) return reject(this.#gone)
      const listeners = this.#listeners.get(event) ?? []
      this.#listeners.set(event, listeners)
      listeners.push({ resolve, reject })
    })
    return this.#within(report, `event ${event}`) as Promise<T>
  }

  /** @internal */
  async ready(): Promise<this> {
    await this.#within(this.#ready, 'readiness')
    return this
  }

  abstract [Symbol.asyncDispose](): Promise<void>
  protected abstract post(message: unknown): void
  protected abstract errors(): string

  protected onMessage({ fixture, id, event, value, error }: Answer): void {
    if (fixture === 'ready') this.#onReady.resolve(undefined)
    else if (fixture === 'event') this.#onEvent(event!, value)
    else if (fixture === 'answer') {
      const call = this.#calls.get(id!)
      this.#calls.delete(id!)
      if (error === undefined) call?.resolve(value)
      else call?.reject(Object.assign(new Error(error.message), error))
    }
  }

  protected onGone(how: string): void {
    this.#gone = new Error(`${this.#label} has ended (${how})\n${this.errors()}`)
    const listeners = [...this.#listeners.values()].flat()
    for (const { reject } of [...this.#calls.values(), ...listeners, this.#onReady]) reject(this.#gone)
  }

  #onEvent(event: string, value: unknown): void {
    const listener = this.#listeners.get(event)?.shift()
    if (listener !== undefined) {
      listener.resolve(value)
      return
    }
    const queue = this.#events.get(event) ?? []
    this.#events.set(event, queue)
    queue.push(value)
  }

  #within<T>(promise: Promise<T>, what: string): Promise<T> {
    return within(promise, DEADLINE_MS, () => `no ${what} of ${this.#label}\n${this.errors()}`)
  }
}

export interface FixtureOptions extends ForkOptions {
  /** Arguments of the command line. */
  readonly argv?: readonly string[]
}

const alive = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL')
})

/** A fixture as a child process. */
export class FixtureProcess extends Peer {
  readonly child: ChildProcess
  /** The way in which it ended; without a deadline. */
  readonly exit: Promise<Exit>
  readonly #closed: Promise<void>
  #stdout = ''
  #stderr = ''

  constructor(name: string, args: unknown, options: FixtureOptions) {
    super(`process ${name}`)
    const { env = process.env, argv = [], ...rest } = options
    this.child = fork(new URL(`${name}.mjs`, FIXTURES), argv, {
      execArgv: [],
      silent: true,
      ...rest,
      env: { ...env, FIXTURE_ARGS: JSON.stringify(args) },
    })
    alive.add(this.child)
    this.child.on('message', (message) => this.onMessage(message as Answer))
    this.child.stdout?.on('data', (text) => {
      this.#stdout += text
    })
    this.child.stderr?.on('data', (text) => {
      this.#stderr += text
    })
    this.exit = new Promise((resolve) => {
      this.child.once('exit', (code, signal) => {
        alive.delete(this.child)
        resolve({ code, signal })
      })
    })
    this.#closed = new Promise((resolve) => {
      this.child.once('close', () => resolve())
    })
    // Its last output makes a better message; but a process that has inherited the output may keep it open.
    void this.exit.then(async ({ code, signal }) => {
      await within(this.#closed, OUTPUT_GRACE_MS, () => '').catch(() => {})
      this.onGone(`${code ?? signal}`)
    })
  }

  get pid(): number {
    return this.child.pid!
  }

  get stdout(): string {
    return this.#stdout
  }

  get stderr(): string {
    return this.#stderr
  }

  /** The way in which it ended, within the deadline. */
  ended(deadlineMs = DEADLINE_MS): Promise<Exit> {
    return within(this.exit, deadlineMs, () => `process ${this.pid} does not end\n${this.#stderr}`)
  }

  /** The standard output of it and of all processes that have inherited it, when they have ended. */
  async output(): Promise<string> {
    await within(this.#closed, DEADLINE_MS, () => `the output of ${this.pid} does not end`)
    return this.#stdout
  }

  /** Sends the signal and waits until the process is gone. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<Exit> {
    this.child.kill(signal)
    return await this.ended()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (alive.has(this.child)) await this.kill()
  }

  protected post(message: unknown): void {
    this.child.send(message as object, () => {}) // the end of the process reports the failure
  }

  protected errors(): string {
    return this.#stderr
  }
}

/** A fixture as a worker thread of this process. */
export class FixtureWorker extends Peer {
  readonly worker: Worker
  /** Its exit code; without a deadline. */
  readonly exit: Promise<number>
  #failure: Error | undefined

  constructor(name: string, args: unknown, options: WorkerOptions) {
    super(`worker ${name}`)
    this.worker = new Worker(new URL(`${name}.mjs`, FIXTURES), {
      execArgv: [],
      ...options,
      workerData: { ...options.workerData, fixtureArgs: args },
    })
    this.worker.on('message', (message) => this.onMessage(message))
    this.worker.on('error', (error) => {
      this.#failure = error as Error
    })
    this.exit = new Promise((resolve) => {
      this.worker.once('exit', (code) => {
        this.onGone(`${code}`)
        resolve(code)
      })
    })
  }

  /** The error that ended it, if one did. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** Its exit code, within the deadline. */
  ended(deadlineMs = DEADLINE_MS): Promise<number> {
    return within(this.exit, deadlineMs, () => 'the worker does not end')
  }

  /** Ends it at any point, and waits until it is gone. */
  async terminate(): Promise<number> {
    await within(this.worker.terminate(), DEADLINE_MS, () => 'the worker does not let itself be terminated')
    return await this.ended()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.terminate()
  }

  protected post(message: unknown): void {
    this.worker.postMessage(message)
  }

  protected errors(): string {
    return this.#failure?.stack ?? ''
  }
}

/** Starts test/fixtures/NAME.mjs as a process; resolves when it is ready. `args` must survive JSON. */
export function spawnFixture(name: string, args: unknown = {}, options: FixtureOptions = {}): Promise<FixtureProcess> {
  return readyOrGone(new FixtureProcess(name, args, options))
}

/** Starts test/fixtures/NAME.mjs as a worker; resolves when it is ready. `args` must survive structured clone. */
export function startWorker(name: string, args: unknown = {}, options: WorkerOptions = {}): Promise<FixtureWorker> {
  return readyOrGone(new FixtureWorker(name, args, options))
}

async function readyOrGone<T extends Peer>(peer: T): Promise<T> {
  try {
    return await peer.ready()
  } catch (error) {
    await peer[Symbol.asyncDispose]()
    throw error
  }
}

/** The promise, or an error when that takes too long. */
export async function within<T>(promise: Promise<T>, deadlineMs: number, what: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`After ${deadlineMs} ms: ${what()}`)), deadlineMs)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Several processes that start at once and end together. If one does not start, none stays. */
export async function together<T extends AsyncDisposable>(
  starting: Iterable<Promise<T>>,
): Promise<T[] & AsyncDisposable> {
  const outcomes = await Promise.allSettled(starting)
  const started = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  const dispose = async () => {
    await Promise.all(started.map((one) => one[Symbol.asyncDispose]()))
  }
  const failure = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failure !== undefined) {
    await dispose()
    throw failure.reason
  }
  return Object.assign(started, { [Symbol.asyncDispose]: dispose })
}

/** Runs test/fixtures/NAME.mjs as a program whose only result is its output. */
export function runProgram(name: string, options: FixtureOptions = {}): FixtureProcess {
  return new FixtureProcess(name, {}, options)
}
