/** Lock: mutual exclusion between processes, workers and tasks. */
import type { Handle } from '../memory/handle.ts'
import type { AttachOptions, SegmentOptions } from '../memory/segment.ts'
import { assertedName } from '../memory/segment-name.ts'
import { registerKind } from '../memory/shareable.ts'
import { attachSite, Site } from '../memory/site.ts'
import { createLock, LockBase, openLock } from './lock-base.ts'

/**
 * A lock with one owner at a time: a process, a worker, or an asynchronous task within one of them.
 *
 * @remarks Not recursive: an owner that requests it again gets `ERR_DEADLOCK`. Corresponds to Python's `multiprocessing.Lock`; unlike
 * that one, only its guard releases it, and it survives the death of its owner.
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
export class Lock extends LockBase {
  /**
   * Makes an anonymous lock; others attach to it through its `handle`.
   * @throws {@link ShareError} `ENOSPC`, `ENOMEM`, `EMFILE` when the system has no room.
   */
  constructor(options?: SegmentOptions) {
    super(options instanceof Site ? options : createLock('Lock', undefined, options), false)
  }

  /** Makes a lock of that name. @throws {@link ShareError} `EEXIST` when there is one; as the constructor. */
  static create(name: string, options?: SegmentOptions): Lock {
    return new Lock(createLock('Lock', assertedName(name), options) as SegmentOptions)
  }

  /** Attaches to a lock by name or handle. @throws {@link ShareError} as {@link SharedMemory.attach}. */
  static attach(target: string | Handle, options?: AttachOptions): Lock {
    return new Lock(attachSite('Lock', target, options) as SegmentOptions)
  }

  /** Attaches to the lock of that name, or creates it: of many who do so at once exactly one creates. */
  static open(name: string, options?: SegmentOptions): Lock {
    return new Lock(openLock('Lock', name, options) as SegmentOptions)
  }
}

registerKind('Lock', (handle, options) => Lock.attach(handle, options))
