import { setTimeout as delay } from 'node:timers/promises'

/** A third of the time limit of a process: ./fixture.ts. */
const PATIENCE_MS = Number(process.env.TEST_PATIENCE_MS ?? 30_000) / 3

/** Waits until `condition` returns a true value, and returns that; an error of it counts as false until the deadline. */
export async function eventually<T>(condition: () => T | Promise<T>, deadlineMs = PATIENCE_MS): Promise<T> {
  const deadline = performance.now() + deadlineMs
  for (;;) {
    let reason: unknown
    try {
      const result = await condition()
      if (result) return result
    } catch (error) {
      reason = error
    }
    if (performance.now() > deadline) {
      throw new Error(`Not true within ${deadlineMs} ms: ${condition}`, { cause: reason })
    }
    await delay(5)
  }
}
