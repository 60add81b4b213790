/**
 * What this process does about segments without being told: it lets go of them when it ends, and it removes what killed
 * processes have left behind.
 *
 * The normal end of an environment and the end of a worker, by whatever means, are dealt with in native code
 * (addon_state.cc). `process.exit()` on the main thread runs no native hooks, so there is one here. A killed process can do
 * nothing; its holds end with it, and whoever creates a segment next sweeps the names away.
 */
import { isMainThread } from 'node:worker_threads'
import { native } from './native.ts'

/** What else is to be swept, by those who know of it. */
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
