/** RLock: a lock that its owner may take again. */
import type { Handle } from '../memory/handle.ts'
import type { AttachOptions, SegmentOptions } from '../memory/segment.ts'
import { assertedName } from '../memory/segment-name.ts'
import { registerKind } from '../memory/shareable.ts'
import { attachSite, Site } from '../memory/site.ts'
import { createLock, LockBase, openLock } from './lock-base.ts'

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
export class RLock extends LockBase {
  /**
   * Makes an anonymous lock; others attach to it through its `handle`.
   * @throws {@link ShareError} `ENOSPC`, `ENOMEM`, `EMFILE` when the system has no room.
   */
  constructor(options?: SegmentOptions) {
    super(options instanceof Site ? options : createLock('RLock', undefined, options), true)
  }

  /** Makes a lock of that name. @throws {@link ShareError} `EEXIST` when there is one; as the constructor. */
  static create(name: string, options?: SegmentOptions): RLock {
    return new RLock(createLock('RLock', assertedName(name), options) as SegmentOptions)
  }

  /** Attaches to a lock by name or handle. @throws {@link ShareError} as {@link SharedMemory.attach}. */
  static attach(target: string | Handle, options?: AttachOptions): RLock {
    return new RLock(attachSite('RLock', target, options) as SegmentOptions)
  }

  /** Attaches to the lock of that name, or creates it: of many who do so at once exactly one creates. */
  static open(name: string, options?: SegmentOptions): RLock {
    return new RLock(openLock('RLock', name, options) as SegmentOptions)
  }
}

registerKind('RLock', (handle, options) => RLock.attach(handle, options))

/** Either kind of lock. */
export type AnyLock = LockBase
