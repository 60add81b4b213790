/**
 * What this process does about segments without being told: it lets go of them when it ends, and it removes what killed
 * processes have left behind.
 *
 * The normal end of an environment and the end of a worker, by whatever means, are dealt with in native code
 * (addon_state.cc). `process.exit()` on the main thread runs no native hooks, so there is one here. A killed process can do
 * nothing; its holds end with it, and whoever creates a segment next sweeps the names away.
 */
import { isMainThread } from 'node:worker_threads'
import { removeOrphans, removeOwnOrphans } from './memory/orphans.ts'
import { native } from './native.ts'

// Only names and places in line end: objects stay usable for the exit handlers that run after this one.
if (isMainThread) {
  process.once('exit', () => {
    native.leaveNames()
    removeOwnOrphans()
  })
}

let swept = !isMainThread

/** Removes the names that killed processes have left, once in the life of a process. */
export function sweepOnce(): void {
  if (swept) return
  swept = true
  try {
    native.removeStaleSegments()
    removeOrphans()
  } catch {
    // Without a directory to read there is nothing to sweep, and the creation that comes next reports why.
  }
}
