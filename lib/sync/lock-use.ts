/**
 * LockUse: the lock of another object. It is the object's own (an RLock in its cell), one that the creator passed (in another segment,
 * and perhaps shared by several objects), or none. The description of the object says which, so that every process uses the same.
 */
import { type Mismatch, segmentError } from '../errors/segment-messages.ts'
import { ShareError } from '../errors/share-error.ts'
import { isHandle } from '../memory/handle.ts'
import { Attachment, type AttachOptions, type Description, type SegmentOptions } from '../memory/segment.ts'
import { assertOwnCopy, attach, type Shareable } from '../memory/shareable.ts'
import { Site } from '../memory/site.ts'
import { typeError, valueError } from '../validate.ts'
import { LockBase } from './lock-base.ts'
import { LockState } from './lock-state.ts'
import { type AnyLock, RLock } from './rlock.ts'
import { SharedObject } from './shared-object.ts'

/** The object's own lock, none, or one that lives elsewhere. */
export type LockChoice = 'own' | 'none' | AnyLock

/** What the option `lock` of a new object means. @param persist - whether the object is to be persistent */
export function chooseLock(lock: unknown, persist: boolean): LockChoice {
  if (typeof lock === 'boolean') return lock ? 'own' : 'none'
  assertOwnCopy('options.lock', lock)
  if (!(lock instanceof LockBase)) throw typeError('options.lock', 'a boolean, a Lock or an RLock', lock)
  if (persist && !SharedObject.siteOf(lock).attachment.segment.persistent) {
    throw valueError(
      'options.lock',
      'a persistent lock, because options.persist is true',
      SharedObject.siteOf(lock).handle,
    )
  }
  return lock
}

/** The entry of a description for a lock. */
export function lockEntry(lock: LockChoice): unknown {
  return typeof lock === 'string' ? lock : SharedObject.siteOf(lock).handle
}

/** How the lock in a description differs from the expected one. @param expected - a choice, or what another description has */
export function lockMismatch(found: unknown, expected: unknown): Mismatch | undefined {
  if (JSON.stringify(found) === JSON.stringify(expected)) return undefined
  const wanted = expected === 'none' || expected === 'own' ? expected : 'given'
  return { what: 'lock', found: found === 'none' ? 'none' : 'some', expected: wanted }
}

/** The lock that a description speaks of, attached to. */
function reviveLock(name: string, { lock }: Description, options: AttachOptions | undefined): LockChoice {
  if (lock === 'own' || lock === 'none') return lock
  // Only a lock may be attached to here: a description that names its own segment would recurse for ever.
  const isLock = isHandle(lock) && (lock.kind === 'Lock' || lock.kind === 'RLock')
  if (!isLock) throw segmentError('ERR_CORRUPT', { segment: name })
  let revived: Shareable
  try {
    revived = attach(lock, options)
  } catch (error) {
    // The name may be invalid.
    throw error instanceof ShareError ? error : segmentError('ERR_CORRUPT', { segment: name }, error)
  }
  if (!(revived instanceof LockBase)) throw segmentError('ERR_CORRUPT', { segment: name })
  return revived
}

export class LockUse {
  /** The state of the lock; undefined when there is none. */
  readonly state: LockState | undefined
  readonly #site: Site
  readonly #isOwn: boolean
  /** Whether close() closes `#lock`: not when the caller passed it. */
  readonly #isOurs: boolean
  /** The attachment to the segment of a lock in another segment. */
  readonly #elsewhere: Attachment | undefined
  #lock: AnyLock | undefined
  #keepsAlive = true

  /**
   * @param site - of the object; a lock of its own is at the beginning of its cell
   * @param given - the lock that the caller has passed in; otherwise the one of the description is used
   */
  constructor(site: Site, given: AnyLock | undefined, options: AttachOptions | undefined) {
    const { segment } = site.attachment
    const lock = given ?? reviveLock(segment.name, site.description, options)
    this.#site = site
    this.#isOwn = lock === 'own'
    this.#isOurs = given === undefined
    if (lock === 'own') {
      this.state = LockState.of(segment, site.cell, true)
    } else if (lock !== 'none') {
      const { attachment, cell } = SharedObject.siteOf(lock)
      this.#lock = lock
      this.#elsewhere = new Attachment(attachment.segment, attachment.kind)
      this.state = LockState.of(attachment.segment, cell, lock instanceof RLock)
    }
  }

  /** @throws {@link ShareError} `ERR_NO_LOCK`. */
  get lock(): AnyLock {
    const { attachment, cell } = this.#site
    attachment.assertOpen()
    if (this.state === undefined) {
      throw segmentError('ERR_NO_LOCK', attachment.subject)
    }
    // The program may have closed the lock that it got from here, with `using` for example: then it gets another object.
    if (this.#lock === undefined || (this.#isOwn && SharedObject.isClosed(this.#lock))) {
      const site = new Site(new Attachment(attachment.segment, 'RLock'), cell, { kind: 'RLock' })
      this.#lock = new RLock(site as SegmentOptions)
      if (!this.#keepsAlive) this.#lock.unref()
    }
    return this.#lock
  }

  /** Whether pending waits for the lock keep the process alive, including those of a lock object that is created later. */
  setKeepsAlive(yes: boolean): void {
    this.#keepsAlive = yes
    if (yes) this.#lock?.ref()
    else this.#lock?.unref()
  }

  close(): void {
    if (this.#isOurs) this.#lock?.close()
    this.#elsewhere?.close()
  }
}
