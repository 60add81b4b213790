import { readFileSync } from 'node:fs'

/** Whether the process exists and has not ended. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // The process that adopts an orphan may reap it late.
    return process.platform !== 'linux' || !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** A failing test leaves no process behind, least of all one that computes for ever. */
export function killLeftover(pid: number): void {
  if (pid !== 0 && isRunning(pid)) process.kill(pid, 'SIGKILL')
}
