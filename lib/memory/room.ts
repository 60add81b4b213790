/**
 * Room: frees resources when descriptors, memory or threads run out. Unreachable objects hold them until they are collected and
 * their finalizers have run. So this module frees the resources of such objects, and the failed call is made again.
 */
import { native } from '../native.ts'

const SHORTAGES: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'ENOSPC', 'ENOLCK', 'EAGAIN'])

/** Whether an error reports that a resource has run out. */
export function isShortage(error: unknown): boolean {
  return SHORTAGES.has((error as { code?: string } | undefined)?.code ?? '')
}

/**
 * Calls `make`. If a resource has run out, frees that of collected objects and tries again, then collects garbage and tries
 * again.
 */
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

/** Collects garbage and frees its resources before it returns. */
export function makeRoom(): void {
  const { Bun } = globalThis as { Bun?: { gc(force: boolean): void } }
  Bun?.gc(true)
  native.reclaimCollected(Bun === undefined)
}
