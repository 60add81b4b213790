/**
 * GuardedSegment: elements of one type in a segment, and the lock that guards them. What Value and SharedArray are views of.
 */
import type { InspectOptions } from 'node:util'
import { type Mismatch, nameOf, segmentError } from '../errors/segment-messages.ts'
import type { ShareError } from '../errors/share-error.ts'
import { inspected } from '../inspection.ts'
import type { Handle } from '../memory/handle.ts'
import {
  type AttachOptions,
  assertBufferSize,
  assertSegmentOptions,
  type Description,
  SEGMENT_OPTIONS,
  type Segment,
  type SegmentOptions,
} from '../memory/segment.ts'
import { attachSite, createSite, openSite, type Site, type SiteSpec } from '../memory/site.ts'
import { initialiseLock, LockBase, lockCellBytes } from '../sync/lock-base.ts'
import type { LockState } from '../sync/lock-state.ts'
import { chooseLock, type LockChoice, LockUse, lockEntry, lockMismatch } from '../sync/lock-use.ts'
import type { AnyLock } from '../sync/rlock.ts'
import { assertOptions, rangeError } from '../validate.ts'
import { describe, type ElementType, isStruct, reviveType, typeMismatch } from './element-type.ts'

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
  readonly fill: (buffer: ArrayBuffer | SharedArrayBuffer, byteOffset: number) => void
}

export class GuardedSegment {
  readonly type: ElementType
  readonly length: number
  /** Where the elements begin in the buffer. */
  readonly byteOffset: number
  /** The state of the lock; undefined when there is none. */
  readonly state: LockState | undefined
  readonly #site: Site
  readonly #lock: LockUse

  private constructor(site: Site, type: ElementType, given: AnyLock | undefined, options?: AttachOptions) {
    this.#site = site
    this.type = type
    this.length = lengthOf(site.description)
    this.byteOffset = site.byteOffset
    const { segment } = site.attachment
    if (site.byteOffset + type.byteLength * this.length > site.byteEnd) {
      throw segmentError('ERR_CORRUPT', { segment: segment.name })
    }
    this.#lock = new LockUse(site, given, options)
    this.state = this.#lock.state
  }

  /** Makes one; `name` is undefined for an anonymous one. */
  static create(name: string | undefined, spec: GuardedSpec): GuardedSegment {
    const site = createSite(name, siteSpec(spec), spec.options ?? {})
    return GuardedSegment.adopt(site, spec)
  }

  /** Attaches to the one of that name if it has the same type and length, and the lock that was asked for; or makes it. */
  static open(name: string, spec: GuardedSpec): GuardedSegment {
    return GuardedSegment.adopt(openSite(name, siteSpec(spec), spec.options ?? {}), spec)
  }

  /** What is at a site that was made from, or checked against, the spec. */
  static adopt(site: Site, spec: GuardedSpec): GuardedSegment {
    const { lock } = spec.options ?? {}
    return build(site, () => new GuardedSegment(site, spec.type, lock instanceof LockBase ? lock : undefined))
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
    let type: ElementType | undefined
    const site = attachSite(kind, target, options, (found, segment) => {
      const mismatch = typeMismatch(found.type, expected)
      if (mismatch !== undefined) return mismatch
      type = elementsOf(found, segment, expected, isArray)
      return unlocked ? lockMismatch(found.lock, 'none') : undefined
    })
    return build(site, () => new GuardedSegment(site, type!, undefined, options))
  }

  get name(): string {
    return this.#site.attachment.name
  }

  get buffer(): ArrayBuffer | SharedArrayBuffer {
    return this.#site.attachment.segment.buffer
  }

  /** For views that no user gets. */
  get innerBuffer(): ArrayBuffer | SharedArrayBuffer {
    return this.#site.attachment.segment.innerBuffer
  }

  /** What `util.inspect` shows of the object behind which this is. */
  inspected(state: () => unknown, options?: InspectOptions): string {
    const { subject, closed } = this.#site.attachment
    return inspected(nameOf(subject), closed, state, options)
  }

  handleOf(object: object): Handle {
    return this.#site.handleOf(object)
  }

  get lock(): AnyLock {
    return this.#lock.lock
  }

  /** Whether pending waits for the lock keep the process alive. */
  setKeepsAlive(yes: boolean): void {
    this.#lock.setKeepsAlive(yes)
  }

  assertOpen(): void {
    this.#site.attachment.assertOpen()
  }

  closedError(): ShareError {
    return this.#site.attachment.closedError()
  }

  /** Runs `fn` under the lock, if there is one. */
  guard<T>(fn: () => T): T {
    this.assertOpen()
    const { state } = this
    if (state === undefined) return fn()
    const abandoned = state.enter()
    const { ownership } = state
    try {
      return fn()
    } finally {
      state.leave(ownership, abandoned)
    }
  }

  close(): void {
    const { attachment } = this.#site
    if (attachment.closed) return
    this.#lock.close()
    attachment.close()
  }

  /** See {@link Attachment}. */
  abandon(): void {
    this.#lock.close()
    this.#site.attachment.abandon()
  }

  unlink(): void {
    this.#site.attachment.unlink()
  }
}

/** Makes something for a site, or closes the site. */
function build<T>(site: Site, make: () => T): T {
  try {
    return make()
  } catch (error) {
    site.attachment.abandon()
    throw error
  }
}

/** How such an object is made, opened and checked. */
export function siteSpec({ kind, type, length, options = {}, isArray, fill }: GuardedSpec): SiteSpec {
  const lock = lockOf(options)
  const payloadBytes = type.byteLength * length
  if (!Number.isSafeInteger(payloadBytes))
    throw rangeError('length', 'small enough for a byte length below 2 ** 53', length)
  assertBufferSize(payloadBytes, undefined) // before the system has backed all of them
  return {
    description: { kind, type: describe(type), ...(isArray && { length }), lock: lockEntry(lock) },
    cellsBytes: lock === 'own' ? lockCellBytes : 0,
    hasWords: isArray && !isStruct(type) && type.hasWords,
    payloadBytes,
    initialise: (segment, cell, byteOffset) => {
      if (lock === 'own') initialiseLock(segment, cell)
      fill(segment.innerBuffer, byteOffset)
    },
    check: (found, segment) => {
      const mismatch = typeMismatch(found.type, type)
      if (mismatch !== undefined) return mismatch
      elementsOf(found, segment, type, isArray)
      const ofLock = options.lock === undefined ? undefined : lockMismatch(found.lock, lock)
      return ofLock ?? lengthMismatch(lengthOf(found), length)
    },
  }
}

function lengthOf(description: Description): number {
  return (description.length as number | undefined) ?? 1
}

function lengthMismatch(found: number, expected: number): Mismatch | undefined {
  return found === expected ? undefined : { what: 'length', found, expected }
}

/** The type in a description that fits the segment; the expected one, if there is one. @throws {@link ShareError} `ERR_CORRUPT`. */
function elementsOf(
  found: Description,
  segment: Segment,
  expected: ElementType | undefined,
  isArray: boolean,
): ElementType {
  const type = expected ?? reviveType(segment.name, found.type)
  const length = isArray ? (found.length as number) : found.length === undefined ? 1 : Number.NaN // of no use to a value
  const byteLength = type.byteLength * length
  const isAlone = segment.description === found
  const fits = isAlone ? byteLength === segment.payloadBytes : byteLength <= segment.payloadBytes
  if (!Number.isSafeInteger(length) || length < 0 || !fits) throw segmentError('ERR_CORRUPT', { segment: segment.name })
  return type
}

function lockOf(options: ValueOptions): LockChoice {
  assertOptions('options', options, ['lock', ...SEGMENT_OPTIONS])
  assertSegmentOptions(options)
  const { lock = true, persist = false } = options
  return chooseLock(lock, persist)
}

/** Makes the view of `guarded` that a user gets, or closes it: V8 may refuse a buffer of that size, or any buffer. */
export function viewOf<T>(guarded: GuardedSegment, make: () => T): T {
  try {
    return make()
  } catch (cause) {
    guarded.abandon()
    throw cause instanceof RangeError ? segmentError('ENOMEM', { segment: guarded.name }, cause) : cause
  }
}
