/** RLock: a recursive lock. */
import { defineKind, type SharedClass } from '../memory/kind.ts'
import type { Placement } from '../memory/placement.ts'
import type { SegmentOptions } from '../memory/segment.ts'
import { LockBase, lockSpec } from './lock-base.ts'

export class RLockObject extends LockBase {
  constructor(placement: Placement) {
    super(placement, true)
  }
}

/**
 * A recursive lock: its owner can take it again, and it is free when every guard has been released.
 *
 * @remarks The owner of a synchronous acquisition is the thread. The owner of `run(fn)` is everything that runs inside `fn`. An acquisition
 * by `await acquire()` has no recognisable owner, so the lock cannot be taken again under its guard.
 * @example
 * ```ts
 * import { RLock } from 'procshare'
 * using lock = new RLock()
 * lock.runSync(() => lock.runSync(() => console.assert(lock.locked)))
 * console.assert(!lock.locked)
 * ```
 */
export const RLock: SharedClass<RLockObject, [options?: SegmentOptions], []> = defineKind({
  name: 'RLock',
  Class: RLockObject,
  spec: (options?: SegmentOptions) => lockSpec('RLock', options),
})
/** A recursive lock. */
export type RLock = RLockObject

/** Either kind of lock. */
export type AnyLock = LockBase
