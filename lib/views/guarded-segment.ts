/**
 * GuardedSegment: elements of one type in a segment, and the lock that guards them. Value and SharedArray are views of it.
 */
import type { InspectOptions } from 'node:util'
import { type Mismatch, nameOf, segmentError } from '../errors/segment-messages.ts'
import type { ShareError } from '../errors/share-error.ts'
import { inspected } from '../inspection.ts'
import type { Handle } from '../memory/handle.ts'
import type { AttachSpec, KindSpec } from '../memory/kind.ts'
import type { Placement } from '../memory/placement.ts'
import {
  type AttachOptions,
  assertBufferSize,
  type Description,
  type Segment,
  type SegmentOptions,
  takeAttachOptions,
  takeSegmentOptions,
} from '../memory/segment.ts'
import { initialiseLock, LockBase, lockCellBytes } from '../sync/lock-base.ts'
import type { LockState } from '../sync/lock-state.ts'
import {
  chooseLock,
  type LockChoice,
  LockUse,
  lockEntry,
  lockMismatch,
  type MemberLock,
  takeMemberLock,
} from '../sync/lock-use.ts'
import type { AnyLock } from '../sync/rlock.ts'
import { rangeError } from '../validate.ts'
import { describe, type ElementType, isStruct, reviveType, typeMismatch } from './element-type.ts'

/** How a {@link Value} or {@link SharedArray} is made. */
export interface ValueOptions extends SegmentOptions {
  /**
   * The lock that guards the object: its own lock, no lock, or the given lock, which several objects may share.
   * @defaultValue `true`: a recursive lock of its own
   */
  readonly lock?: boolean | AnyLock
}

/** How a {@link Value} or {@link SharedArray} is made as a member of a {@link SharedState}. */
export interface ValueMemberOptions {
  /**
   * The lock that guards the object: its own lock, no lock, or that of another member, which several members may share.
   * @defaultValue `true`: a recursive lock of its own
   */
  readonly lock?: boolean | MemberLock
}

/** The elements of a new object. */
export interface Elements {
  readonly kind: 'Value' | 'SharedArray'
  readonly type: ElementType
  readonly length: number
  /** Writes the initial elements, which have been checked before. */
  readonly fill: (buffer: ArrayBuffer | SharedArrayBuffer, byteOffset: number) => void
}

/** The part of a guarded object that exists only in this process. */
export interface GuardedLocal {
  /** The type that the caller has passed, after comparison with the description. If undefined, the description has the type. */
  readonly type: ElementType | undefined
  /** The lock that the program has given. */
  readonly lock: AnyLock | undefined
  readonly attachOptions: AttachOptions | undefined
}

export class GuardedSegment {
  readonly type: ElementType
  readonly length: number
  /** Where the elements begin in the buffer. */
  readonly byteOffset: number
  /** The state of the lock; undefined when there is none. */
  readonly state: LockState | undefined
  readonly #placement: Placement
  readonly #lock: LockUse

  constructor(placement: Placement, local: GuardedLocal | undefined) {
    const { description, byteOffset, byteEnd, attachment } = placement
    const { segment } = attachment
    this.#placement = placement
    this.type = local?.type ?? elementsOf(description, segment, undefined)
    this.length = lengthOf(description)
    this.byteOffset = byteOffset
    if (byteOffset + this.type.byteLength * this.length > byteEnd) {
      throw segmentError('ERR_CORRUPT', { segment: segment.name })
    }
    this.#lock = new LockUse(placement, local?.lock, local?.attachOptions)
    this.state = this.#lock.state
  }

  get name(): string {
    return this.#placement.attachment.name
  }

  get memberCount(): number {
    return this.#placement.attachment.memberCount
  }

  get buffer(): ArrayBuffer | SharedArrayBuffer {
    return this.#placement.attachment.segment.buffer
  }

  /** The buffer for views that no user gets. */
  get innerBuffer(): ArrayBuffer | SharedArrayBuffer {
    return this.#placement.attachment.segment.innerBuffer
  }

  /** The text that `util.inspect` shows for the view of this. */
  inspected(state: () => unknown, options?: InspectOptions): string {
    const { subject, closed } = this.#placement.attachment
    return inspected(nameOf(subject), closed, state, options)
  }

  handleOf(object: object): Handle {
    return this.#placement.handleOf(object)
  }

  get lock(): AnyLock {
    return this.#lock.lock
  }

  /** Whether pending waits for the lock keep the process alive. */
  setKeepsAlive(yes: boolean): void {
    this.#lock.setKeepsAlive(yes)
  }

  assertOpen(): void {
    this.#placement.attachment.assertOpen()
  }

  closedError(): ShareError {
    return this.#placement.attachment.closedError()
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
    const { attachment } = this.#placement
    if (attachment.closed) return
    this.#lock.close()
    attachment.close()
  }

  /** See {@link Attachment}. */
  abandon(): void {
    this.#lock.close()
    this.#placement.attachment.abandon()
  }

  unlink(): void {
    this.#placement.attachment.unlink()
  }
}

/**
 * How a new object is made, opened and checked.
 * @param isUnlocked - whether it has no lock, and no option for one
 */
export function guardedSpec(
  elements: Elements,
  given: ValueOptions | undefined,
  isUnlocked: boolean,
): KindSpec<GuardedLocal> {
  const options = takeSegmentOptions(given, isUnlocked ? [] : ['lock'])
  const { lock = true, persist } = options
  const choice = isUnlocked ? 'none' : chooseLock(lock, persist)
  const isGiven = isUnlocked || options.lock !== undefined
  const local = {
    type: elements.type,
    lock: choice instanceof LockBase ? choice : undefined,
    attachOptions: undefined,
  }
  return kindSpec(elements, choice, isGiven, options, local)
}

/** How a new member is made and checked. */
export function guardedMemberSpec(
  elements: Elements,
  given: ValueMemberOptions | undefined,
  isUnlocked: boolean,
): KindSpec<GuardedLocal> {
  const options = takeSegmentOptions<SegmentOptions & ValueMemberOptions>(given, isUnlocked ? [] : ['lock'])
  const { lock = true } = options
  const choice = isUnlocked ? 'none' : memberLockOf(lock)
  const isGiven = isUnlocked || options.lock !== undefined
  const local = { type: elements.type, lock: undefined, attachOptions: undefined }
  return kindSpec(elements, choice, isGiven, options, local)
}

function memberLockOf(lock: unknown): LockChoice {
  if (typeof lock === 'boolean') return lock ? 'own' : 'none'
  return takeMemberLock(lock, "a boolean, or { member: 'the name of another member' }")
}

/** @param isGiven - whether the caller has chosen the lock, by the `lock` option or by an unlocked class */
function kindSpec(
  { kind, type, length, fill }: Elements,
  lock: LockChoice,
  isGiven: boolean,
  options: SegmentOptions,
  local: GuardedLocal,
): KindSpec<GuardedLocal> {
  const isArray = kind === 'SharedArray'
  const payloadBytes = type.byteLength * length
  if (!Number.isSafeInteger(payloadBytes))
    throw rangeError('length', 'small enough for a byte length below 2 ** 53', length)
  assertBufferSize(payloadBytes, undefined) // before the system backs all of the bytes
  return {
    options,
    local,
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
      elementsOf(found, segment, type)
      const ofLock = isGiven ? lockMismatch(found.lock, lockEntry(lock)) : undefined
      return ofLock ?? lengthMismatch(lengthOf(found), length)
    },
  }
}

/** @param type - the type that the object must have, if the caller has passed one */
export function guardedAttachSpec(
  type: ElementType | undefined,
  options: AttachOptions | undefined,
  isUnlocked: boolean,
): AttachSpec<GuardedLocal> {
  const attachOptions = takeAttachOptions(options)
  return {
    options: attachOptions,
    check: (found, segment) => {
      const mismatch = typeMismatch(found.type, type)
      if (mismatch !== undefined) return mismatch
      if (type !== undefined) elementsOf(found, segment, type)
      return isUnlocked ? lockMismatch(found.lock, 'none') : undefined
    },
    local: { type, lock: undefined, attachOptions },
  }
}

function lengthOf(description: Description): number {
  return (description.length as number | undefined) ?? 1
}

function lengthMismatch(found: number, expected: number): Mismatch | undefined {
  return found === expected ? undefined : { what: 'length', found, expected }
}

/** The expected type, or that of the description. It must fit the segment. @throws {@link ShareError} `ERR_CORRUPT`. */
function elementsOf(found: Description, segment: Segment, expected: ElementType | undefined): ElementType {
  const type = expected ?? reviveType(segment.name, found.type)
  const isArray = found.kind === 'SharedArray'
  const length = isArray ? (found.length as number) : found.length === undefined ? 1 : Number.NaN // a value has no length
  // Checked before it is used as a number, because it may be any value of JSON.
  if (!Number.isSafeInteger(length) || length < 0) throw segmentError('ERR_CORRUPT', { segment: segment.name })
  const byteLength = type.byteLength * length
  const isAlone = segment.description === found
  const fits = isAlone ? byteLength === segment.payloadBytes : byteLength <= segment.payloadBytes
  if (!fits) throw segmentError('ERR_CORRUPT', { segment: segment.name })
  return type
}

/**
 * Makes the view of `guarded` that a user gets. Closes `guarded` if that fails: V8 may refuse a buffer of that size, or any
 * buffer.
 */
export function viewOf<T>(guarded: GuardedSegment, make: () => T): T {
  try {
    return make()
  } catch (cause) {
    guarded.abandon()
    throw cause instanceof RangeError ? segmentError('ENOMEM', { segment: guarded.name }, cause) : cause
  }
}
