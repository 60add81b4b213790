/**
 * Orphans: segments of large queue items that nobody will ever read.
 *
 * Such a segment outlives the process that has put the item, so no file lock keeps its name. Its description names the anchor of its
 * queue: a temporary segment that every user of the queue holds. While a producer has not put the item yet, and while a consumer
 * takes it, they are attached to the segment. So one that nobody is attached to is an orphan
 *
 *   - when its queue is gone: neither a segment with that anchor in its description nor the anchor is left;
 *   - when the ring of its queue does not contain its name: its producer or consumer was killed.
 *
 * The order matters: first the list of segments without users, then the look into the ring. A producer puts the name into the ring
 * before it lets go of the segment, and a consumer attaches before it takes the name out: docs/waiting-protocol.md.
 */
import { addSweep } from '../lifecycle.ts'
import { Attachment, attachSegment } from '../memory/segment.ts'
import { type NativeEntry, type NativeObject, native } from '../native.ts'

/** The kind of segments that hold one item. */
export const SPILL_KIND = 'Spill'
export const ANCHOR_KIND = 'SpillAnchor'

let used = false

/** From now on the end of the process looks for orphans. */
export function noteSpill(): void {
  used = true
}

addSweep({
  onSweep: removeOrphans,
  onExit() {
    if (used) removeOrphans()
  },
})

/** Where a queue is that has large items. */
interface QueuePlace {
  readonly segment: string
  /** What the description says, which need be no number. */
  readonly cell: unknown
}

/** Removes the orphans of all queues of this user. */
export function removeOrphans(): void {
  const spills = unusedSpills()
  if (spills.length === 0) return
  // Listed anew: a process that has made one of these segments had an anchor before.
  const alive = new Map<unknown, QueuePlace | undefined>()
  for (const entry of native.listSegments()) {
    if (!entry.attached && !entry.persistent) continue
    const { kind, anchor, members } = descriptionOf(entry)
    if (kind === SPILL_KIND) continue
    if (kind === ANCHOR_KIND && !alive.has(entry.name)) alive.set(entry.name, undefined)
    if (anchor !== undefined) alive.set(anchor, { segment: entry.name, cell: 0 })
    for (const member of Array.isArray(members) ? members : []) {
      const anchor = member?.description?.anchor
      if (anchor !== undefined) alive.set(anchor, { segment: entry.name, cell: member!.cell })
    }
  }
  for (const anchor of new Set(spills.map((spill) => spill.anchor))) {
    const own = spills.filter((spill) => spill.anchor === anchor)
    if (!alive.has(anchor)) remove(own)
    else removeUnlessIn(own, namesAt(alive.get(anchor)))
  }
}

/** Removes the orphans of one queue, which this environment has open. */
export function removeOrphansOf(anchor: string, queue: NativeObject<'Queue'>): void {
  const spills = unusedSpills().filter((spill) => spill.anchor === anchor)
  if (spills.length > 0) removeUnlessIn(spills, native.queueApart(queue))
}

interface Spill {
  readonly name: string
  readonly anchor: unknown
}

function unusedSpills(): Spill[] {
  const spills: Spill[] = []
  for (const entry of native.listSegments()) {
    if (entry.attached) continue
    const { kind, anchor } = descriptionOf(entry)
    if (kind === SPILL_KIND) spills.push({ name: entry.name, anchor })
  }
  return spills
}

/** The names in the ring of a queue; undefined when they cannot be had, now or here. */
function namesAt(place: QueuePlace | undefined): string[] | undefined {
  if (place === undefined) return undefined
  let attachment: Attachment | undefined
  try {
    attachment = new Attachment(attachSegment(place.segment, undefined), 'Queue')
    const queue = native.bindQueue(attachment.segment.native, place.cell as number)
    try {
      return native.queueApart(queue)
    } finally {
      native.endObject(queue)
    }
  } catch {
    return undefined // gone by now, of another pid namespace, or damaged
  } finally {
    attachment?.close()
  }
}

function removeUnlessIn(spills: readonly Spill[], names: readonly string[] | undefined): void {
  if (names !== undefined) remove(spills.filter(({ name }) => !names.includes(name)))
}

function remove(spills: readonly Spill[]): void {
  for (const { name } of spills) {
    try {
      native.unlinkName(name, false)
    } catch {
      // Somebody else was faster.
    }
  }
}

interface Member {
  readonly cell: unknown
  readonly description?: { readonly anchor?: unknown } | null
}

interface Described {
  readonly kind?: unknown
  readonly anchor?: unknown
  readonly members?: readonly (Member | null)[]
}

function descriptionOf({ description }: NativeEntry): Described {
  try {
    return JSON.parse(description) ?? {}
  } catch {
    return {}
  }
}
