/** What a test file may know about the segments of its own process; other processes have theirs beside them. */
import { listSegments } from 'procshare'
import { afterEach, expect } from 'vitest'

let counter = 0

/** A name that no other test and no other process uses. */
export function uniqueName(label = 'test'): string {
  return `${label}-${process.pid}-${counter++}`
}

/** The names of the segments that this process has made and that still exist. */
export function ownSegments(): string[] {
  return listSegments()
    .filter((segment) => segment.creatorPid === process.pid)
    .map((segment) => segment.name)
}

/** Makes each test of the file fail that leaves a segment behind. */
export function expectNoLeftovers(): void {
  afterEach(() => expect(ownSegments()).toEqual([]))
}
