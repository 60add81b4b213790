/** RLock: a lock that its owner may take again. */
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
 * A recursive lock: its owner takes it again at no risk, and it is free when every guard has been released.
 *
 * @remarks The owner is the thread for a synchronous acquisition, and whatever runs inside `run(fn)` for an asynchronous one.
 * The guard of `await acquire()` belongs to nobody who could be recognised, so nothing re-enters under it.
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
