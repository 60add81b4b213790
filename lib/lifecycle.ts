/**
 * The automatic cleanup of segments: a process closes its segments when it ends, and removes the names that killed processes have
 * left.
 *
 * Native code (addon_state.cc) handles the end of an environment and of a worker. `process.exit()` on the main thread runs no
 * native hooks, so this module handles `exit`. The kernel ends the memberships of a killed process, and the next process that
 * creates a segment removes the names.
 */
import { isMainThread } from 'node:worker_threads'
import { native } from './native.ts'

/** A further part of the sweep. The module that makes the objects to be swept registers it. */
export interface Sweep {
  /** Called at the first use of shared memory in this process, and by `removeStaleSegments()`. */
  onSweep(): void
  /** Called at the end of this process. */
  onExit(): void
}

const sweeps: Sweep[] = []

export function addSweep(sweep: Sweep): void {
  sweeps.push(sweep)
}

// Ends only names and places in wait queues: objects stay usable for the exit handlers that run after this one.
if (isMainThread) {
  process.once('exit', () => {
    native.detachAll()
    for (const { onExit } of sweeps) onExit()
  })
}

/** Removes what killed processes have left. Returns the number of stale segments that were removed. */
export function sweep(): number {
  const removed = native.removeStaleSegments()
  for (const { onSweep } of sweeps) onSweep()
  return removed
}

let swept = !isMainThread

/** Sweeps at the first call in the life of a process. */
export function sweepOnce(): void {
  if (swept) return
  swept = true
  try {
    sweep()
  } catch {
    // If the directory cannot be read, there is nothing to sweep. The creation that follows reports the reason.
  }
}
