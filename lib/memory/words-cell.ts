/** The cell for waits on words of the payload of a segment (lib/sync/words.ts). */
import { native } from '../native.ts'
import type { Segment } from './segment.ts'

/** The most records in one segment. Each is for one word that one process or worker waits for. */
const MAX_RECORDS = 128

/** The number of bytes of the cell. */
export const wordsCellBytes: number = native.parkingBytes(MAX_RECORDS)

/** Creates the cell in a new segment. The description of the segment contains the offset of the cell, as `words`. */
export function initialiseWords(segment: Segment, cell: number): void {
  native.initParking(segment.native, cell, MAX_RECORDS)
}
