/** What this process is: started by hand, or a child of a Process. */

import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads'

/** How the parent says so. Taken out of the environment at once: what this process starts is not such a child. */
export const NAME_VARIABLE = 'PROCSHARE_PROCESS_NAME'

/** Shared by all copies of the library in this thread. */
const KEY = Symbol.for('procshare.process')

/** Under which workers find the name of their process. */
const NAME_DATA = 'procshare.process.name'

interface Current {
  /** Undefined in a main process. */
  readonly name: string | undefined
  /** Whether the child is still loading the module that holds its function. */
  importing: boolean
}

const current: Current = find()

function find(): Current {
  const shared = globalThis as { [KEY]?: Current }
  if (shared[KEY] === undefined) {
    const name = isMainThread ? takeName() : (getEnvironmentData(NAME_DATA) as string | undefined)
    shared[KEY] = { name, importing: isMainThread && name !== undefined }
  }
  return shared[KEY]
}

function takeName(): string | undefined {
  const name = process.env[NAME_VARIABLE]
  delete process.env[NAME_VARIABLE]
  if (name !== undefined) setEnvironmentData(NAME_DATA, name)
  return name
}

export function isImporting(): boolean {
  return current.importing
}

/** The module that holds the child's function has been imported. */
export function finishImport(): void {
  current.importing = false
}

/**
 * Whether this process was started by something else than a {@link Process}: what `if __name__ == '__main__'` is in Python.
 *
 * @remarks A module that both starts processes and holds their functions is imported again in each child; only the code
 * under `if (isMainProcess)` is not run there. In a worker thread, ask `isMainThread` of `node:worker_threads` as well.
 * @example
 * ```ts
 * import { isMainProcess } from 'procshare'
 * if (isMainProcess) console.log('not a child')
 * ```
 */
export const isMainProcess: boolean = current.name === undefined

/**
 * The name of this process: what its {@link Process} is called, or `"MainProcess"`.
 *
 * @example
 * ```ts
 * import { processName } from 'procshare'
 * console.assert(processName === 'MainProcess')
 * ```
 */
export const processName: string = current.name ?? 'MainProcess'
