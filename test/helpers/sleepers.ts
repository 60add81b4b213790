/**
 * Counts the sleepers in the kernel on words of a segment, so that a test can be sure that a thread waits.
 */
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { eventually } from './eventually.ts'

const FUTEX = { x64: 202, arm64: 98 }[process.arch as string]
const FUTEX_WAITV = 449
/** Of struct futex_waitv: the expected value, the address of the word, flags. */
const WAITV_BYTES = 24

/** Whether sleepers can be seen on this system: not where waiting is polling (scripts/fallback-tests.mjs). */
export const canSeeSleepers =
  process.platform === 'linux' && FUTEX !== undefined && process.env.TEST_FALLBACKS === undefined

/** The number of sleeps of a process on words of the segment of that name; a thread may sleep on several. Linux only. */
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
  const isInside = (address: bigint) => ranges.some(([start, end]) => address >= start! && address < end!)
  return readdirSync(`/proc/${pid}/task`)
    .flatMap((thread) => wordsSleptOn(pid, thread))
    .filter(isInside).length
}

/** The addresses of the words that a thread sleeps on in the kernel. */
function wordsSleptOn(pid: number, thread: string): bigint[] {
  const [call, first, second] = readFileSync(`/proc/${pid}/task/${thread}/syscall`, 'utf8').split(' ')
  if (Number(call) === FUTEX) return [BigInt(first!)]
  if (Number(call) !== FUTEX_WAITV) return []
  const targets = Buffer.alloc(Number(second) * WAITV_BYTES)
  const memory = openSync(`/proc/${pid}/mem`, 'r')
  try {
    readSync(memory, targets, 0, targets.length, BigInt(first!))
  } finally {
    closeSync(memory)
  }
  return Array.from({ length: Number(second) }, (_, i) => targets.readBigUInt64LE(i * WAITV_BYTES + 8))
}

/** The time in which a blocking call in another process should have begun, where that cannot be seen. */
const UNSEEN_MS = 250

/** Waits until a process sleeps on `count` words of the segment; where that cannot be seen, until it has had time to. */
export async function untilAsleep(pid: number, name: string, count = 1): Promise<void> {
  if (canSeeSleepers) await eventually(() => sleepersOn(pid, name) >= count)
  else await delay(UNSEEN_MS)
}
