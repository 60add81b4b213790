import { setTimeout as delay } from 'node:timers/promises'

/** Waits until `condition` gives something true, and gives that; an error of it counts as false until the deadline. */
export async function eventually<T>(condition: () => T | Promise<T>, deadlineMs = 10_000): Promise<T> {
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
