import { readdirSync, readlinkSync } from 'node:fs'
import { listSegments, unlinkSegment } from 'procshare'
import { afterEach, expect } from 'vitest'

/**
 * The names of the segments that this process, or a worker of it, has made and that still exist; anonymous ones too. Stale
 * ones are not its own: a process that was killed had the same pid.
 */
export function segmentsOfThisProcess(): string[] {
  return listSegments()
    .filter(({ creatorPid, attached, persistent }) => creatorPid === process.pid && (attached || persistent))
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

/** What this process has open, by the names of the files; nothing on systems that do not tell. */
export function openFiles(): string[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      return [readlinkSync(`/proc/self/fd/${descriptor}`)]
    } catch {
      return [] // that of the folder itself
    }
  })
}
