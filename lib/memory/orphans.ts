/**
 * Orphans: segments of large queue items whose queue is gone.
 *
 * Such a segment outlives the process that has put it, so nobody's lock keeps its name. It says to which queue it belongs, by
 * the name of an anchor: a temporary segment that all hold who have the queue open. A queue of which neither a segment with
 * that anchor in its description nor the anchor is left will never be read again.
 */
import { type NativeEntry, native } from '../native.ts'

/** The kind of segments that hold one item. */
export const SPILL_KIND = 'Spill'
export const ANCHOR_KIND = 'SpillAnchor'

let used = false

/** From now on the end of the process looks for orphans. */
export function noteSpill(): void {
  used = true
}

export function removeOwnOrphans(): void {
  if (used) removeOrphans()
}

export function removeOrphans(): void {
  const spills = native.listSegments().filter((entry) => descriptionOf(entry).kind === SPILL_KIND)
  if (spills.length === 0) return
  // Listed anew: whoever has made one of these segments had an anchor before.
  const alive = new Set<unknown>()
  for (const entry of native.listSegments()) {
    if (!entry.attached && !entry.persistent) continue
    const { kind, anchor } = descriptionOf(entry)
    alive.add(kind === ANCHOR_KIND ? entry.name : kind === SPILL_KIND ? undefined : anchor)
  }
  for (const spill of spills) {
    if (alive.has(descriptionOf(spill).anchor)) continue
    try {
      native.unlinkName(spill.name, false)
    } catch {
      // Somebody else was faster.
    }
  }
}

function descriptionOf({ description }: NativeEntry): { kind?: unknown; anchor?: unknown } {
  try {
    return JSON.parse(description) ?? {}
  } catch {
    return {}
  }
}
