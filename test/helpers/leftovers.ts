import { listSegments, unlinkSegment } from 'procshare'
import { afterEach, expect } from 'vitest'

/** The names of the segments that this process, or a worker of it, has made and that still exist; anonymous ones too. */
export function segmentsOfThisProcess(): string[] {
  return listSegments()
    .filter((segment) => segment.creatorPid === process.pid)
    .map((segment) => segment.name)
}

/** Makes each test of the file fail that leaves a segment behind. */
export function expectNoLeftovers(): void {
  afterEach(() => {
    const left = segmentsOfThisProcess()
    for (const name of left) unlinkSegment(name) // not to be blamed on the tests that follow
    expect(left).toEqual([])
  })
}
