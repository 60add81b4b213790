import { randomBytes } from 'node:crypto'
import { listSegments } from 'procshare'

/** The beginning of all names of this test file. */
export const namePrefix = `test-${process.pid}-${randomBytes(4).toString('hex')}`

let count = 0

/** A name that no other test uses. */
export function uniqueName(label = 'segment'): string {
  return `${namePrefix}-${++count}-${label}`
}

/** Segments that this test file has named and that still exist. */
export function ownSegments(): string[] {
  return listSegments()
    .map(({ name }) => name)
    .filter((name) => name.startsWith(namePrefix))
}
