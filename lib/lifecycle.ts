/**
 * What a process does about segments by itself: it closes them when it ends, and it removes the names that killed processes have left.
 *
 * Native code (addon_state.cc) handles the end of an environment and of a worker. `process.exit()` on the main thread runs no native
 * hooks, so there is one here. The kernel ends the memberships of a killed process, and the next process that creates a segment removes
 * the names.
 */
import { isMainThread } from 'node:worker_threads'
import { native } from './native.ts'

/** What else is swept: the module that knows of it registers it. */
export interface Sweep {
  /** At the first use of shared memory in this process, and when `removeStaleSegments()` is called. */
  onSweep(): void
  /** At the end of this process. */
  onExit(): void
}

const sweeps: Sweep[] = []

export function addSweep(sweep: Sweep): void {
  sweeps.push(sweep)
}

// Only names and places in line end: objects stay usable for the exit handlers that run after this one.
if (isMainThread) {
  process.once('exit', () => {
    native.detachAll()
    for (const { onExit } of sweeps) onExit()
  })
}

/** Removes what killed processes have left; how many segments without users that were. */
export function sweep(): number {
  const removed = native.removeStaleSegments()
  for (const { onSweep } of sweeps) onSweep()
  return removed
}

let swept = !isMainThread

/** The same, once in the life of a process. */
export function sweepOnce(): void {
  if (swept) return
  swept = true
  try {
    sweep()
  } catch {
    // Without a directory to read there is nothing to sweep, and the creation that comes next reports why.
  }
}
