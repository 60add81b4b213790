/** RLock: a recursive lock. */
import type { Handle } from '../memory/handle.ts'
import type { AttachOptions, SegmentOptions } from '../memory/segment.ts'
import { assertedName } from '../memory/segment-name.ts'
import { registerKind } from '../memory/shareable.ts'
import { attachSite, Site } from '../memory/site.ts'
import { createLock, LockBase, openLock } from './lock-base.ts'

/**
 * A recursive lock: its owner can take it again, and it is free when every guard has been released.
 *
 * @remarks The owner of a synchronous acquisition is the thread; that of `run(fn)` is everything that runs inside `fn`. A guard of
 * `await acquire()` has no owner that could be recognised, so the lock cannot be taken again under it.
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
