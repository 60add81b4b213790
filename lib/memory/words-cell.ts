/** The cell for waits on words of the payload of a segment (lib/sync/words.ts). */
import { native } from '../native.ts'
import type { Segment } from './segment.ts'

/** The largest number of pairs of a process or worker and a word that it waits for, in one segment. */
const MAX_RECORDS = 128

/** What it takes of the cells. */
export const wordsCellBytes: number = native.parkingBytes(MAX_RECORDS)

/** Creates the cell in a new segment. The description of the segment has its offset, as `words`. */
export function initialiseWords(segment: Segment, cell: number): void {
  native.initParking(segment.native, cell, MAX_RECORDS)
}
