/**
 * Who sleeps in the kernel on a word of a segment: so that a test knows that somebody waits, instead of hoping so.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { eventually } from './eventually.ts'

const FUTEX = { x64: 202, arm64: 98 }[process.arch as string]

/** Whether sleepers can be seen on this system. */
export const canSeeSleepers = process.platform === 'linux' && FUTEX !== undefined

/** How many threads of a process sleep on the segment of that name. Linux only. */
export function sleepersOn(pid: number, name: string): number {
  const ranges = readFileSync(`/proc/${pid}/maps`, 'utf8')
    .split('\n')
    .filter((line) => line.endsWith(`/dev/shm/${name}`))
    .map((line) =>
      line
        .split(' ')[0]!
        .split('-')
        .map((address) => BigInt(`0x${address}`)),
    )
  return readdirSync(`/proc/${pid}/task`).filter((thread) => {
    const [call, address] = readFileSync(`/proc/${pid}/task/${thread}/syscall`, 'utf8').split(' ')
    if (Number(call) !== FUTEX) return false
    return ranges.some(([start, end]) => BigInt(address!) >= start! && BigInt(address!) < end!)
  }).length
}

/** Waits until `count` threads of a process sleep on the segment; where that cannot be seen, does nothing. */
export async function untilAsleep(pid: number, name: string, count = 1): Promise<void> {
  if (canSeeSleepers) await eventually(() => sleepersOn(pid, name) >= count)
}
