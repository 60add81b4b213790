import { readdirSync, readlinkSync } from 'node:fs'
import { listSegments, unlinkSegment } from 'procshare'
import { afterEach, expect } from 'vitest'

/**
 * The names of the segments that this process, or a worker of it, has made and that still exist; anonymous ones too. Stale
 * segments are not its own: they are of a killed process that had the same pid.
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
    for (const name of left) unlinkSegment(name) // or the tests that follow would fail
    expect(left).toEqual([])
  })
}

/** The open files of this process, by name; empty on systems that do not list them. */
export function openFiles(): string[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      return [readlinkSync(`/proc/self/fd/${descriptor}`)]
    } catch {
      return [] // the descriptor of the folder itself
    }
  })
}
