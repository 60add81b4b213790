/**
 * Orphans: segments of large queue items that no consumer will ever read.
 *
 * Such a segment outlives the process that has put the item, so no file lock keeps its name. Its description names the anchor of
 * its queue: a temporary segment to which every user of the queue is attached. A producer is attached to the segment until it has
 * put the item, and a consumer while it takes it. So a segment without attached processes is an orphan
 *
 *   - when its queue is gone: neither a segment with that anchor in its description nor the anchor is left;
 *   - when no ring of a queue with that anchor contains its name: its producer or consumer was killed.
 *
 * The order matters: the list of segments without users is made before the ring is read. A producer puts the name into the ring
 * before it closes the segment, and a consumer attaches before it takes the name out: docs/internals/waiting-protocol.md.
 */
import { addSweep } from '../lifecycle.ts'
import { Attachment, attachSegment } from '../memory/segment.ts'
import { type NativeEntry, type NativeObject, native } from '../native.ts'

/** The kind of segments that hold one item. */
export const SPILL_KIND = 'Spill'
export const ANCHOR_KIND = 'SpillAnchor'

let hasSpilled = false

/** Makes the process look for orphans when it ends. */
export function noteSpill(): void {
  hasSpilled = true
}

addSweep({
  onSweep: removeOrphans,
  onExit() {
    if (hasSpilled) removeOrphans()
  },
})

/** The place of a queue with large items. */
interface QueuePlace {
  readonly segment: string
  readonly cell: unknown
}

/** Removes the orphans of all queues of this user. */
export function removeOrphans(): void {
  const spills = unusedSpills()
  if (spills.length === 0) return
  const queues = livingQueues()
  for (const anchor of new Set(spills.map((spill) => spill.anchor))) {
    const own = spills.filter((spill) => spill.anchor === anchor)
    const places = queues.get(anchor)
    if (places === undefined) remove(own)
    else if (places.length > 0) removeUnlessIn(own, places.map(namesAt))
  }
}

/** Removes the orphans of one queue, which this environment has open. */
export function removeOrphansOf(anchor: string, queue: NativeObject<'Queue'>): void {
  const spills = unusedSpills().filter((spill) => spill.anchor === anchor)
  if (spills.length === 0) return
  const places = livingQueues().get(anchor) ?? []
  removeUnlessIn(spills, [native.queueSpilled(queue), ...places.map(namesAt)])
}

interface Spill {
  readonly name: string
  readonly anchor: string
}

function unusedSpills(): Spill[] {
  const spills: Spill[] = []
  for (const entry of native.listSegments()) {
    if (entry.attached) continue
    const { name } = entry
    const { kind, anchor } = descriptionOf(entry)
    if (kind === SPILL_KIND && typeof anchor === 'string' && name.startsWith(`${anchor}-`))
      spills.push({ name, anchor })
  }
  return spills
}

/**
 * The anchors that exist, and the places of the queues with each. An anchor has no place when the name of the queue was removed.
 * It has several when a description is damaged or forged; then no item of any of these queues is an orphan.
 *
 * Called after unusedSpills(), because a process has an anchor before it makes such a segment.
 */
function livingQueues(): Map<unknown, QueuePlace[]> {
  const queues = new Map<unknown, QueuePlace[]>()
  const placesOf = (anchor: unknown) => {
    const places = queues.get(anchor) ?? []
    queues.set(anchor, places)
    return places
  }
  for (const entry of native.listSegments()) {
    if (!entry.attached && !entry.persistent) continue
    const { kind, anchor, members } = descriptionOf(entry)
    if (kind === SPILL_KIND) continue
    if (kind === ANCHOR_KIND) placesOf(entry.name)
    if (anchor !== undefined) placesOf(anchor).push({ segment: entry.name, cell: 0 })
    for (const member of Array.isArray(members) ? (members as (Member | null)[]) : []) {
      const inner = member?.description?.anchor
      if (inner !== undefined) placesOf(inner).push({ segment: entry.name, cell: member?.cell })
    }
  }
  return queues
}

/** The names in the ring of a queue; undefined when they cannot be read, now or in this process. */
function namesAt({ segment, cell }: QueuePlace): string[] | undefined {
  if (!isOffset(cell)) return undefined
  let attachment: Attachment | undefined
  try {
    attachment = new Attachment(attachSegment(segment, undefined), 'Queue')
    attachment.segment.divideCells()
    const queue = native.bindQueue(attachment.segment.native, cell)
    try {
      return native.queueSpilled(queue)
    } finally {
      native.unbindObject(queue)
    }
  } catch {
    return undefined // removed, of another pid namespace, or damaged
  } finally {
    attachment?.close()
  }
}

function isOffset(cell: unknown): cell is number {
  return Number.isSafeInteger(cell) && (cell as number) >= 0
}

/** Removes the segments that are in none of the rings. Removes none while one of the rings cannot be read. */
function removeUnlessIn(spills: readonly Spill[], rings: readonly (readonly string[] | undefined)[]): void {
  const waiting = new Set<string>()
  for (const names of rings) {
    if (names === undefined) return
    for (const name of names) waiting.add(name)
  }
  remove(spills.filter(({ name }) => !waiting.has(name)))
}

function remove(spills: readonly Spill[]): void {
  for (const { name } of spills) {
    try {
      native.unlinkName(name, false)
    } catch {
      // Another process has removed it.
    }
  }
}

/** The possible fields of the description of a segment. Any process may have written it. */
interface Described {
  readonly kind?: unknown
  readonly anchor?: unknown
  readonly members?: unknown
}

interface Member {
  readonly cell?: unknown
  readonly description?: { readonly anchor?: unknown } | null
}

function descriptionOf({ description }: NativeEntry): Described {
  try {
    return JSON.parse(description) ?? {}
  } catch {
    return {}
  }
}
