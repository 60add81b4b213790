/** The origin of this process: a main process, a child of a Process, or a manager's server. */

import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads'

/**
 * An {@link Origin} as JSON, from the parent. It is removed from the environment at once, because the processes that this one
 * starts are not such children.
 */
const ORIGIN_VARIABLE = 'PROCSHARE_PROCESS'

/** Shared by all copies of the library in this thread. */
const KEY = Symbol.for('procshare.process')

/** The key under which workers find the origin of their process. */
const ORIGIN_DATA = 'procshare.process.origin'

/** The process that started this one: {@link parentProcess}. */
export interface ParentProcess {
  /** Its {@link processName}. */
  readonly name: string
  readonly pid: number
}

interface Origin {
  readonly name: string
  readonly parent: ParentProcess
}

interface Current {
  /** Undefined in a main process. */
  readonly origin: Origin | undefined
  /** Whether this process is importing the module that it was started for: of a child's function, or of a server's types. */
  importing: boolean
}

const MAIN: Current = { origin: undefined, importing: false }

const current: Current = find()

function find(): Current {
  const shared = globalThis as { [KEY]?: Current }
  if (shared[KEY] === undefined) {
    shared[KEY] = isMainThread
      ? takeOrigin()
      : { ...MAIN, origin: getEnvironmentData(ORIGIN_DATA) as unknown as Origin | undefined }
  }
  return shared[KEY]
}

function takeOrigin(): Current {
  const text = process.env[ORIGIN_VARIABLE]
  delete process.env[ORIGIN_VARIABLE]
  if (text === undefined) return { ...MAIN }
  const origin = JSON.parse(text) as Origin
  setEnvironmentData(ORIGIN_DATA, origin as never)
  return { origin, importing: true }
}

/** The environment variable with the origin of a child. */
export function originOf(name: string): NodeJS.ProcessEnv {
  const origin: Origin = { name, parent: { name: processName, pid: process.pid } }
  return { [ORIGIN_VARIABLE]: JSON.stringify(origin) }
}

/** The pid of the process that started this one. If that process has ended, `process.ppid` is a different pid. */
export function parentPid(): number {
  return current.origin?.parent.pid ?? process.ppid
}

export function isImporting(): boolean {
  return current.importing
}

/** A child imports one module when it starts; a server imports the modules of its types one after the other. */
export function setImporting(importing: boolean): void {
  current.importing = importing
}

/**
 * Whether this process was not started by a {@link Process} or `Manager.start`. Corresponds to Python's
 * `if __name__ == '__main__'`.
 *
 * @remarks Each child imports the module of its function again, and a manager's server imports the modules of its types. Code
 * under `if (isMainProcess)` does not run there. In a worker thread, check `isMainThread` of `node:worker_threads` as well.
 * @example
 * ```ts
 * import { isMainProcess } from 'procshare'
 * if (isMainProcess) console.log('not a child')
 * ```
 */
export const isMainProcess: boolean = current.origin === undefined

/**
 * The name of this process: that of its {@link Process}, `"Manager-N"` in the server of a manager, or `"MainProcess"`.
 *
 * @example
 * ```ts
 * import { processName } from 'procshare'
 * console.assert(processName === 'MainProcess')
 * ```
 */
export const processName: string = current.origin?.name ?? 'MainProcess'

/**
 * The name and process id of the process that started this one by a {@link Process} or `Manager.start`; undefined in a main
 * process. Corresponds to Python's `multiprocessing.parent_process()`.
 *
 * @remarks It does not change when the parent ends, as the parent of a `detached` child may. In a worker thread it is the parent
 * of the process.
 * @example
 * ```ts
 * import { isMainProcess, parentProcess, Process, processName } from 'procshare'
 *
 * export function introduce() {
 *   console.log(`${processName}, a child of ${parentProcess?.name}`) // Process-1, a child of MainProcess
 * }
 *
 * if (isMainProcess) await new Process(import.meta.url, { export: 'introduce' }).start().join()
 * ```
 */
export const parentProcess: ParentProcess | undefined = current.origin?.parent
