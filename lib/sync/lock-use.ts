/**
 * LockUse: the lock that protects another object. It is the object's own lock (an RLock in its cell) or the lock of another member of the
 * same SharedState. It can also be a lock that the creator passed in (shared by several objects, in another segment), or none. The object's
 * description names the lock, so that all processes use the same one.
 */
import { type Mismatch, segmentError } from '../errors/segment-messages.ts'
import { ShareError } from '../errors/share-error.ts'
import { isHandle } from '../memory/handle.ts'
import { type MemberEntry, membersOf, Placement } from '../memory/placement.ts'
import { Attachment, type AttachOptions, type Description, type Segment } from '../memory/segment.ts'
import { assertOwnCopy, attach, type Shareable } from '../memory/shareable.ts'
import { assertString, takeOptions, typeError, valueError } from '../validate.ts'
import { LockObject } from './lock.ts'
import { LockBase } from './lock-base.ts'
import { LockState } from './lock-state.ts'
import { type AnyLock, RLockObject } from './rlock.ts'
import { SharedObject } from './shared-object.ts'

/** The lock of another member of the same {@link SharedState}: a Lock, an RLock, or an object with a lock of its own. */
export interface MemberLock {
  /** The name of that member; `'workers[0]'` for an element of an array of members. */
  readonly member: string
}

/** The object's own lock, no lock, the lock of another member, or a lock in another segment. */
export type LockChoice = 'own' | 'none' | MemberLock | AnyLock

/** Reads the option `lock` of a new object. @param persist - whether the object is to be persistent */
export function chooseLock(lock: unknown, persist = false): LockChoice {
  if (typeof lock === 'boolean') return lock ? 'own' : 'none'
  assertOwnCopy('options.lock', lock)
  if (!(lock instanceof LockBase)) throw typeError('options.lock', 'a boolean, a Lock or an RLock', lock)
  const { attachment, handle } = SharedObject.placementOf(lock)
  if (persist && !attachment.segment.persistent) {
    throw valueError('options.lock', 'a persistent lock, because options.persist is true', handle)
  }
  return lock
}

/**
 * The option `lock` of a member, unless it is a boolean. A lock object is refused: another process that declares the schema has another
 * lock object, so the schemas would differ.
 */
export function takeMemberLock(lock: unknown, expected: string): MemberLock {
  const isOther = typeof lock !== 'object' || lock === null || lock instanceof LockBase
  const { member } = isOther ? {} : takeOptions<Partial<MemberLock>>('options.lock', lock, ['member'])
  if (member === undefined) {
    const advice = lock instanceof LockBase ? 'make the lock a member of the schema, too, and name it' : undefined
    throw typeError('options.lock', expected, lock, advice)
  }
  assertString('options.lock.member', member)
  return { member }
}

/** The form of a lock choice in a description. */
export function lockEntry(lock: LockChoice): unknown {
  return lock instanceof LockBase ? SharedObject.placementOf(lock).handle : lock
}

/** The name of the member whose lock an object uses, according to its description. */
export function lockMember(lock: unknown): string | undefined {
  const { member } = Object(lock) as Partial<MemberLock>
  return typeof member === 'string' ? member : undefined
}

/** The kind of the lock that other objects may share with an object; undefined when it has none. */
export function lockKind({ kind, lock }: Description): 'Lock' | 'RLock' | undefined {
  if (kind === 'Lock' || kind === 'RLock') return kind
  return lock === 'own' ? 'RLock' : undefined
}

/** Returns how the lock in a description differs from the expected one. @param expected - a choice, or the entry of another description */
export function lockMismatch(found: unknown, expected: unknown): Mismatch | undefined {
  if (JSON.stringify(found) === JSON.stringify(expected)) return undefined
  const wanted = expected === 'none' || expected === 'own' ? expected : 'given'
  return { what: 'lock', found: found === 'none' ? 'none' : 'some', expected: wanted }
}

/** The place of that member's lock in the segment. @throws {@link ShareError} `ERR_CORRUPT` when it has none. */
function memberLockIn(segment: Segment, name: string): { readonly cell: number; readonly kind: 'Lock' | 'RLock' } {
  const found: MemberEntry | undefined = membersOf(segment).find((entry) => entry.name === name)
  const kind = found && lockKind(found.description)
  if (kind === undefined) throw segmentError('ERR_CORRUPT', { segment: segment.name })
  return { cell: found!.cell, kind }
}

/** Attaches to the lock that a description names. */
function reviveLock(name: string, lock: unknown, options: AttachOptions | undefined): AnyLock {
  // Only a lock may be attached to here: a description that names its own segment would cause an endless recursion.
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
  readonly #placement: Placement
  /** The place of the lock in the segment of the object; undefined when the lock is in another segment, or when there is none. */
  readonly #inside: { readonly cell: number; readonly kind: 'Lock' | 'RLock' } | undefined
  /** Whether this object closes `#lock`, because the creator did not pass it in. */
  readonly #isOurs: boolean
  /** The attachment to the segment of a lock in another segment. */
  readonly #elsewhere: Attachment | undefined
  #lock: AnyLock | undefined
  #keepsAlive = true

  /**
   * @param placement - of the object; a lock of its own is at the beginning of its cell
   * @param given - the lock that the caller has passed in; otherwise the one of the description is used
   */
  constructor(placement: Placement, given: AnyLock | undefined, options: AttachOptions | undefined) {
    const { segment } = placement.attachment
    const { lock } = placement.description
    this.#placement = placement
    this.#isOurs = given === undefined
    if (given === undefined && lock === 'none') return
    const member = lockMember(lock)
    if (given === undefined && (lock === 'own' || member !== undefined)) {
      const inside =
        member === undefined ? { cell: placement.cell, kind: 'RLock' as const } : memberLockIn(segment, member)
      this.#inside = inside
      this.state = LockState.of(segment, inside.cell, inside.kind === 'RLock')
    } else {
      this.#lock = given ?? reviveLock(segment.name, lock, options)
      const { attachment, cell } = SharedObject.placementOf(this.#lock)
      this.#elsewhere = new Attachment(attachment.segment, attachment.kind)
      this.state = LockState.of(attachment.segment, cell, this.#lock instanceof RLockObject)
    }
  }

  /** @throws {@link ShareError} `ERR_NO_LOCK`. */
  get lock(): AnyLock {
    const { attachment } = this.#placement
    attachment.assertOpen()
    if (this.state === undefined) throw segmentError('ERR_NO_LOCK', attachment.subject)
    // A caller that has closed the lock object from here, perhaps by `using`, gets another one.
    if (this.#inside !== undefined && (this.#lock === undefined || SharedObject.isClosed(this.#lock))) {
      const { cell, kind } = this.#inside
      const Class = kind === 'Lock' ? LockObject : RLockObject
      this.#lock = new Class(new Placement(new Attachment(attachment.segment, kind), cell, { kind }))
      if (!this.#keepsAlive) this.#lock.unref()
    }
    return this.#lock!
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
