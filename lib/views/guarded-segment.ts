/**
 * GuardedSegment: elements of one type in a segment, and the lock that guards them. What Value and SharedArray are views of.
 *
 * The lock is the segment's own (an RLock in its first cell), one that the creator gave (shared by several objects, in a
 * segment elsewhere), or none. Which one it is stands in the segment's description, so that all who attach use the same.
 */
import { ShareError } from '../errors.ts'
import { attach, type Handle, isHandle, type Shareable } from '../memory/handle.ts'
import {
  Attachment,
  type AttachOptions,
  assertBufferSize,
  assertSegmentOptions,
  attachSegment,
  createSegment,
  type Description,
  openSegment,
  SEGMENT_OPTIONS,
  type Segment,
  type SegmentOptions,
  type SegmentSpec,
  take,
} from '../memory/segment.ts'
import { assertSegmentName } from '../memory/segment-name.ts'
import { OWN_CELL, Site } from '../memory/site.ts'
import { initialiseLock, LockBase, lockCellBytes } from '../sync/lock-base.ts'
import { LockState } from '../sync/lock-state.ts'
import { type AnyLock, RLock } from '../sync/rlock.ts'
import { assertOptions, rangeError, typeError, valueError } from '../validate.ts'
import { describe, type ElementType, matchType } from './element-type.ts'

/** How a {@link Value} or {@link SharedArray} is made. */
export interface ValueOptions extends SegmentOptions {
  /**
   * The lock that guards the object: one of its own, none, or the given one, which several objects may share.
   * @defaultValue `true`: a recursive lock of its own
   */
  readonly lock?: boolean | AnyLock
}

/** What is to be made, in full. */
export interface GuardedSpec {
  readonly kind: string
  readonly type: ElementType
  readonly length: number
  readonly options: ValueOptions | undefined
  /** Whether the description records the length: an array of one element is not a value. */
  readonly isArray: boolean
  /** Writes the initial elements. Anything that can be wrong with them has been found before. */
  readonly fill: (buffer: ArrayBuffer | SharedArrayBuffer) => void
}

/** The segment's own lock, none, or one that lives elsewhere. */
type LockChoice = 'own' | 'none' | AnyLock

export class GuardedSegment {
  readonly type: ElementType
  readonly length: number
  /** The state of the lock; undefined when there is none. */
  readonly state: LockState | undefined
  readonly #attachment: Attachment
  /** Keeps the segment of a lock that lives elsewhere. */
  readonly #lockAttachment: Attachment | undefined
  /** Whether `#lock` is ours to close, and not what the creator gave. */
  readonly #ownsLock: boolean
  /** Whether the lock is in the first cell of the segment. */
  readonly #isOwn: boolean
  #lock: AnyLock | undefined

  private constructor(attachment: Attachment, type: ElementType, length: number, lock: LockChoice, ownsLock: boolean) {
    this.#attachment = attachment
    this.type = type
    this.length = length
    this.#ownsLock = ownsLock
    this.#isOwn = lock === 'own'
    if (lock === 'own') {
      this.state = LockState.of(attachment.segment, OWN_CELL, true)
    } else if (lock !== 'none') {
      const site = LockBase.siteOf(lock)
      this.#lock = lock
      this.#lockAttachment = new Attachment(site.attachment.segment, site.attachment.kind)
      this.state = LockState.of(site.attachment.segment, site.cell, lock instanceof RLock)
    }
  }

  /** Makes one; `name` is undefined for an anonymous one. */
  static create(name: string | undefined, spec: GuardedSpec): GuardedSegment {
    const lock = lockOf(spec.options)
    const segment = createSegment(name, segmentSpec(spec, lock), (fresh) => initialise(fresh, spec, lock))
    return new GuardedSegment(new Attachment(segment, spec.kind), spec.type, spec.length, lock, lock === 'own')
  }

  /** Attaches to the one of that name if it has the same type and length, and the lock that was asked for; or makes it. */
  static open(name: string, spec: GuardedSpec): GuardedSegment {
    assertSegmentName(name)
    const lock = lockOf(spec.options)
    const segment = openSegment(name, segmentSpec(spec, lock), (fresh) => initialise(fresh, spec, lock))
    const expectedLock = spec.options?.lock === undefined ? undefined : lock
    const opened = GuardedSegment.#adopt(segment, spec.kind, spec.type, spec.isArray, expectedLock)
    if (opened.length === spec.length) return opened
    opened.close()
    const detail = `it has ${opened.length} elements, not ${spec.length}`
    throw new ShareError('ERR_TYPE', { segment: name, detail })
  }

  /** @param expected - the type that it must have, if the caller said so */
  static attach(
    kind: string,
    target: string | Handle,
    options: AttachOptions | undefined,
    expected: ElementType | undefined,
    isArray: boolean,
    unlocked: boolean,
  ): GuardedSegment {
    const segment = attachSegment(target, options)
    return GuardedSegment.#adopt(segment, kind, expected, isArray, unlocked ? 'none' : undefined, options)
  }

  static #adopt(
    segment: Segment,
    kind: string,
    expected: ElementType | undefined,
    isArray: boolean,
    expectedLock: LockChoice | undefined,
    options?: AttachOptions,
  ): GuardedSegment {
    let type: ElementType | undefined
    let length = 1
    const attachment = take(segment, kind, (found) => {
      type = matchType(segment.name, found.type, expected)
      if (isArray) length = found.length as number
      if (!Number.isSafeInteger(length) || type.byteLength * length !== segment.payloadBytes) {
        throw new ShareError('ERR_CORRUPT', { segment: segment.name })
      }
      if (expectedLock !== undefined) matchLock(segment.name, found.lock, expectedLock)
    })
    try {
      const isGiven = expectedLock instanceof LockBase
      const lock = isGiven ? expectedLock : reviveLock(segment.name, segment.description, options)
      return new GuardedSegment(attachment, type!, length, lock, !isGiven)
    } catch (error) {
      attachment.close()
      throw error
    }
  }

  get name(): string {
    return this.#attachment.name
  }

  get buffer(): ArrayBuffer | SharedArrayBuffer {
    return this.#attachment.segment.buffer
  }

  /** For views that no user gets. */
  get innerBuffer(): ArrayBuffer | SharedArrayBuffer {
    return this.#attachment.segment.innerBuffer
  }

  get handle(): Handle {
    return this.#attachment.handle
  }

  get lock(): AnyLock {
    this.#attachment.assertOpen()
    if (this.state === undefined) {
      throw new ShareError('ERR_NO_LOCK', { segment: this.name, subject: this.#attachment.subject })
    }
    // Whoever has closed what they got from here, by `using` perhaps, gets another.
    if (this.#lock === undefined || (this.#isOwn && LockBase.isClosed(this.#lock))) {
      const site = new Site(new Attachment(this.#attachment.segment, 'RLock'), OWN_CELL, { kind: 'RLock' })
      this.#lock = new RLock(site as SegmentOptions)
    }
    return this.#lock
  }

  assertOpen(): void {
    this.#attachment.assertOpen()
  }

  closedError(): ShareError {
    return this.#attachment.closedError()
  }

  /** Runs `fn` under the lock, if there is one. */
  guard<T>(fn: () => T): T {
    this.assertOpen()
    const { state } = this
    if (state === undefined) return fn()
    const abandoned = state.enter()
    try {
      return fn()
    } finally {
      state.leave(abandoned)
    }
  }

  close(): void {
    if (this.#attachment.closed) return
    if (this.#ownsLock) this.#lock?.close()
    this.#lockAttachment?.close()
    this.#attachment.close()
  }

  unlink(): void {
    this.#attachment.unlink()
  }
}

function segmentSpec({ kind, type, length, options = {}, isArray }: GuardedSpec, lock: LockChoice): SegmentSpec {
  const payloadBytes = type.byteLength * length
  if (!Number.isSafeInteger(payloadBytes)) throw rangeError('length', 'such that all elements have addresses', length)
  assertBufferSize(payloadBytes, undefined) // before the system has backed all of them
  const lockEntry = typeof lock === 'string' ? lock : lock.handle
  return {
    payloadBytes,
    cellsBytes: lock === 'own' ? lockCellBytes : 0,
    description: { kind, type: describe(type), ...(isArray && { length }), lock: lockEntry },
    options,
  }
}

function initialise(segment: Segment, spec: GuardedSpec, lock: LockChoice): void {
  if (lock === 'own') initialiseLock(segment, OWN_CELL)
  spec.fill(segment.innerBuffer)
}

function lockOf(options: ValueOptions = {}): LockChoice {
  assertOptions('options', options, ['lock', ...SEGMENT_OPTIONS])
  assertSegmentOptions(options)
  const { lock = true, persist = false } = options
  if (typeof lock === 'boolean') return lock ? 'own' : 'none'
  if (!(lock instanceof LockBase)) throw typeError('options.lock', 'a boolean, a Lock or an RLock', lock)
  if (persist && !LockBase.siteOf(lock).attachment.segment.persistent) {
    throw valueError('options.lock', 'a persistent lock, because the object is to be persistent', lock.handle)
  }
  return lock
}

/** @throws {@link ShareError} `ERR_TYPE` when the lock in the description is not the expected one. */
function matchLock(segment: string, found: unknown, expected: LockChoice): void {
  if (JSON.stringify(found) === JSON.stringify(expected)) return
  const detail = found === 'none' ? 'it has no lock' : expected === 'none' ? 'it has a lock' : 'it has another lock'
  throw new ShareError('ERR_TYPE', { segment, detail })
}

function reviveLock(name: string, { lock }: Description, options: AttachOptions | undefined): LockChoice {
  if (lock === 'own' || lock === 'none') return lock
  // Nothing but a lock may be attached to here: a description that names its own segment would never come to an end.
  const isLock = isHandle(lock) && (lock.kind === 'Lock' || lock.kind === 'RLock')
  if (!isLock) throw new ShareError('ERR_CORRUPT', { segment: name })
  let revived: Shareable
  try {
    revived = attach(lock, options)
  } catch (error) {
    // Its name may be one that no segment can have.
    throw error instanceof ShareError ? error : new ShareError('ERR_CORRUPT', { segment: name, cause: error })
  }
  if (!(revived instanceof LockBase)) throw new ShareError('ERR_CORRUPT', { segment: name })
  return revived
}

/** Makes the view of `guarded` that a user gets, or closes it: V8 may refuse a buffer of that size, or any buffer. */
export function viewOf<T>(guarded: GuardedSegment, make: () => T): T {
  try {
    return make()
  } catch (cause) {
    guarded.close()
    throw cause instanceof RangeError ? new ShareError('ENOMEM', { segment: guarded.name, cause }) : cause
  }
}
