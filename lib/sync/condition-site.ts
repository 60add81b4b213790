/** The parts of a condition in a segment: its own lock, or a reference to a given one, and the parking of its waits. */

import { assertSegmentOptions, SEGMENT_OPTIONS, type SegmentOptions } from '../memory/segment.ts'
import { assertOwnCopy } from '../memory/shareable.ts'
import { Site, type SiteSpec } from '../memory/site.ts'
import { native } from '../native.ts'
import { assertOptions, typeError } from '../validate.ts'
import { initialiseLock, LockBase, lockCellBytes } from './lock-base.ts'
import { chooseLock, lockEntry, lockMismatch } from './lock-use.ts'
import { MAX_RECORDS } from './parking.ts'
import type { AnyLock } from './rlock.ts'

export const KIND = 'Condition'

/** How a {@link Condition} is created. */
export interface ConditionOptions extends SegmentOptions {
  /**
   * The lock that the condition belongs to; several conditions may share one.
   * @defaultValue a recursive lock of its own
   */
  readonly lock?: AnyLock
}

/** How a condition is created, opened and checked. */
export function conditionSpec(options: ConditionOptions = {}): SiteSpec {
  assertOptions('options', options, ['lock', ...SEGMENT_OPTIONS])
  assertSegmentOptions(options)
  const { lock: given, persist = false } = options
  assertOwnCopy('options.lock', given)
  if (given !== undefined && !(given instanceof LockBase)) throw typeError('options.lock', 'a Lock or an RLock', given)
  const lock = given === undefined ? 'own' : chooseLock(given, persist)
  return {
    description: { kind: KIND, lock: lockEntry(lock) },
    cellsBytes: (lock === 'own' ? lockCellBytes : 0) + native.parkingBytes(MAX_RECORDS),
    initialise: (segment, cell) => {
      if (lock === 'own') initialiseLock(segment, cell)
      native.initParking(segment.native, cell + (lock === 'own' ? lockCellBytes : 0), MAX_RECORDS)
    },
    check: (found) => (options.lock === undefined ? undefined : lockMismatch(found.lock, lock)),
  }
}

/** The place where its waits are, behind a lock of its own. */
export function parkingSite(site: Site): Site {
  const { attachment, cell, description } = site
  return new Site(attachment, cell + (description.lock === 'own' ? lockCellBytes : 0), description)
}
