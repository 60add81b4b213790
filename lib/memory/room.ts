/**
 * Room: what to do when descriptors, memory or threads run out. Objects that the garbage collector could take, or has taken without
 * their finalizers having run, still hold some of these: they are let go of, and what failed is tried once more.
 */
import { native } from '../native.ts'

const SHORTAGES: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'ENOSPC', 'ENOLCK', 'EAGAIN'])

/** Whether an error says that something ran out. */
export function isShortage(error: unknown): boolean {
  return SHORTAGES.has((error as { code?: string } | undefined)?.code ?? '')
}

/** Calls `make`; when something has run out, makes room and calls it again: once for what was collected, once for what can be. */
export function withRoom<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (!isShortage(error)) throw error
  }
  if (native.reclaimCollected(false)) {
    try {
      return make()
    } catch (error) {
      if (!isShortage(error)) throw error
    }
  }
  makeRoom()
  return make()
}

/** Collects garbage, within the call, and lets go of it. */
export function makeRoom(): void {
  const { Bun } = globalThis as { Bun?: { gc(force: boolean): void } }
  Bun?.gc(true)
  native.reclaimCollected(Bun === undefined)
}
