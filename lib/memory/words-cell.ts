/** The place in a segment for those who wait for a word of its payload (lib/sync/words.ts). */
import { native } from '../native.ts'
import type { Segment } from './segment.ts'

/** How many pairs of a process or worker and a word there can be in a segment for which somebody waits. */
const MAX_RECORDS = 128

/** What it takes of the cells. */
export const wordsCellBytes: number = native.parkingBytes(MAX_RECORDS)

/** Makes the place in a new segment. Where it is stands in the segment's description, as `words`. */
export function initialiseWords(segment: Segment, cell: number): void {
  native.initParking(segment.native, cell, MAX_RECORDS)
}
