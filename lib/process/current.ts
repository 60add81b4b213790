/** What this process is: started by hand, or a child of a Process, or a manager's server. */

import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads'

/** How the parent says so: an {@link Origin} as JSON. Taken out of the environment at once: what this process starts is not such a child. */
const ORIGIN_VARIABLE = 'PROCSHARE_PROCESS'

/** Shared by all copies of the library in this thread. */
const KEY = Symbol.for('procshare.process')

/** Under which workers find the origin of their process. */
const ORIGIN_DATA = 'procshare.process.origin'

/** The process that has started this one: {@link parentProcess}. */
export interface ParentProcess {
  /** What {@link processName} is there. */
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
  /** Whether this process is loading a module for which it was started: that of a child's function, of a server's types. */
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

/** The environment variable that tells a child what it is. */
export function originOf(name: string): NodeJS.ProcessEnv {
  const origin: Origin = { name, parent: { name: processName, pid: process.pid } }
  return { [ORIGIN_VARIABLE]: JSON.stringify(origin) }
}

/** The process that has started this one, which may have ended since: then `process.ppid` is another one. */
export function parentPid(): number {
  return current.origin?.parent.pid ?? process.ppid
}

export function isImporting(): boolean {
  return current.importing
}

/** A child imports one module, and is importing from its beginning; a server imports those of its types, one after the other. */
export function setImporting(importing: boolean): void {
  current.importing = importing
}

/**
 * Whether this process was started by something else than a {@link Process} or `Manager.start`: what `if __name__ == '__main__'` is in
 * Python.
 *
 * @remarks A module that both starts processes and holds their functions is imported again in each child, and one that holds types of
 * a manager in its server; only the code under `if (isMainProcess)` is not run there. In a worker thread, ask `isMainThread` of `node:worker_threads` as well.
 * @example
 * ```ts
 * import { isMainProcess } from 'procshare'
 * if (isMainProcess) console.log('not a child')
 * ```
 */
export const isMainProcess: boolean = current.origin === undefined

/**
 * The name of this process: what its {@link Process} is called, `"Manager-N"` in the server of a manager, or `"MainProcess"`.
 *
 * @example
 * ```ts
 * import { processName } from 'procshare'
 * console.assert(processName === 'MainProcess')
 * ```
 */
export const processName: string = current.origin?.name ?? 'MainProcess'

/**
 * The process that has started this one by a {@link Process} or `Manager.start`, by its name and process id; undefined in a main process. For
 * Python's `multiprocessing.parent_process()`.
 *
 * @remarks It stays what it was when the parent has ended, as that of a `detached` child may have. In a worker thread it is the parent of the
 * process.
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
