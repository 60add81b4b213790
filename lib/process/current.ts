/** What this process is: started by hand, or a child of a Process, or a manager's server. */

import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads'

/** How the parent says so: its pid, and the name after a colon. Taken out of the environment at once: what this process starts is not such a child. */
const ORIGIN_VARIABLE = 'PROCSHARE_PROCESS'

/** Shared by all copies of the library in this thread. */
const KEY = Symbol.for('procshare.process')

/** Under which workers find the name of their process. */
const NAME_DATA = 'procshare.process.name'

interface Current {
  /** Undefined in a main process. */
  readonly name: string | undefined
  /** Which process has started this one; undefined in a main process and in workers. */
  readonly parentPid: number | undefined
  /** Whether this process is loading a module for which it was started: that of a child's function, of a server's types. */
  importing: boolean
}

const MAIN: Current = { name: undefined, parentPid: undefined, importing: false }

const current: Current = find()

function find(): Current {
  const shared = globalThis as { [KEY]?: Current }
  if (shared[KEY] === undefined) {
    shared[KEY] = isMainThread ? takeOrigin() : { ...MAIN, name: getEnvironmentData(NAME_DATA) as string | undefined }
  }
  return shared[KEY]
}

function takeOrigin(): Current {
  const origin = process.env[ORIGIN_VARIABLE]
  delete process.env[ORIGIN_VARIABLE]
  if (origin === undefined) return { ...MAIN }
  const colon = origin.indexOf(':')
  const name = origin.slice(colon + 1)
  setEnvironmentData(NAME_DATA, name)
  return { name, parentPid: Number(origin.slice(0, colon)), importing: true }
}

/** The environment variable that tells a child what it is. */
export function originOf(name: string): NodeJS.ProcessEnv {
  return { [ORIGIN_VARIABLE]: `${process.pid}:${name}` }
}

/** The process that has started this one, which may have ended since: then `process.ppid` is another one. */
export function parentPid(): number {
  return current.parentPid ?? process.ppid
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
export const isMainProcess: boolean = current.name === undefined

/**
 * The name of this process: what its {@link Process} is called, `"Manager-N"` in the server of a manager, or `"MainProcess"`.
 *
 * @example
 * ```ts
 * import { processName } from 'procshare'
 * console.assert(processName === 'MainProcess')
 * ```
 */
export const processName: string = current.name ?? 'MainProcess'
