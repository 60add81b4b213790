/** Lock: mutual exclusion between processes, workers and tasks. */
import { defineKind, type SharedClass } from '../memory/kind.ts'
import type { Placement } from '../memory/placement.ts'
import type { SegmentOptions } from '../memory/segment.ts'
import { LockBase, lockSpec } from './lock-base.ts'

export class LockObject extends LockBase {
  constructor(placement: Placement) {
    super(placement, false)
  }
}

/**
 * A lock with one owner at a time: a process, a worker, or an asynchronous task within one of them.
 *
 * @remarks Not recursive: an owner that requests it again gets `ERR_DEADLOCK`. Corresponds to Python's `multiprocessing.Lock`. Unlike
 * Python's lock, it is released only by its guard, and it survives the death of its owner.
 * @example
 * ```ts
 * import { Lock } from 'procshare'
 * using lock = Lock.open('nightly-report')
 * await lock.run(async () => {
 *   // only one process on this machine is here
 * }, { timeoutMs: 1_000 })
 * console.assert(lock.tryAcquire()?.abandoned === false)
 * ```
 */
export const Lock: SharedClass<LockObject, [options?: SegmentOptions], []> = defineKind({
  name: 'Lock',
  Class: LockObject,
  spec: (options?: SegmentOptions) => lockSpec('Lock', options),
})
/** A lock. */
export type Lock = LockObject
