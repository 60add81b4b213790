import { readFileSync } from 'node:fs'

/** Whether there is such a process, which has not ended. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // Whoever has taken an orphan in may be in no hurry to bury it.
    return process.platform !== 'linux' || !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** A test that fails leaves nobody behind, and least of all somebody who computes for ever. */
export function killLeftover(pid: number): void {
  if (pid !== 0 && isRunning(pid)) process.kill(pid, 'SIGKILL')
}
