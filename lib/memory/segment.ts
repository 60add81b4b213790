/**
 * Segments as this environment (the main thread or a worker) knows them: one Segment object per segment, however many
 * shared objects live on it or are attached to it.
 *
 *   Segment     the mapping, its buffer, its locks; open as long as one Attachment is
 *   Attachment  one user of a segment: what an object holds and its close() ends
 *
 * Nothing here has to be closed for safety: a Segment that nobody can reach any more is collected, and with it goes the
 * hold on the name. A view of the buffer keeps the Segment reachable, so memory in use never loses its name.
 */
import { constants } from 'node:buffer'
import { fromNative, type Subject, segmentError } from '../errors/segment-messages.ts'
import { hasCode, ShareError } from '../errors/share-error.ts'
import { sweepOnce } from '../lifecycle.ts'
import { ANY_NAMESPACE, ANY_OWNER, FOREIGN, type NativeSegment, native, PERSIST } from '../native.ts'
import { assertBoolean, assertInteger, takeOptions, typeError } from '../validate.ts'
import { type Handle, isHandle } from './handle.ts'
import { withRoom } from './room.ts'
import { anonymousName, assertSegmentName } from './segment-name.ts'

/** How a segment is made. */
export interface SegmentOptions {
  /**
   * Keeps the segment until `unlink()`, also while nobody is attached.
   * @defaultValue `false`: it goes with its last user.
   */
  readonly persist?: boolean
  /**
   * Permission bits, as of a file; the process's umask does not apply. On Windows any bit for others than the owner opens the
   * segment to everyone in the session.
   * @defaultValue `0o600`: this user only.
   */
  readonly mode?: number
  /**
   * `'any'`: processes in several pid namespaces, such as containers that share `/dev/shm`, can use the object's locks and
   * waits. The death of an owner is then noticed at the next attempt or within a tenth of a second, not at once, and an
   * uncontended lock costs a little more. `'own'`: only processes in the creator's namespace can; others get `ERR_NAMESPACE`.
   * Objects without a lock and without waits can be used from everywhere. Only Linux has pid namespaces.
   * @defaultValue `'own'`; `'any'` where the process cannot know its namespace, because `/proc` is not mounted
   */
  readonly pidNamespaces?: 'own' | 'any'
}

/** How a segment is attached to. */
export interface AttachOptions {
  /**
   * Attaches also to a segment that another user owns. Its owner can change the bytes at any time.
   * @defaultValue `false`
   */
  readonly anyOwner?: boolean
}

/** What is written into a segment to say what it is: JSON, compared and completed by the kinds of objects. */
export interface Description {
  readonly kind: string
  readonly [key: string]: unknown
}

export interface SegmentSpec {
  readonly payloadBytes: number
  readonly cellsBytes: number
  readonly description: Description
  readonly options: SegmentOptions
}

export const SEGMENT_OPTIONS = ['persist', 'mode', 'pidNamespaces'] as const

/**
 * The options of a new object, copied; those of its segment are checked.
 * @param own - the other options of such an object
 */
export function takeSegmentOptions<Options extends SegmentOptions>(
  given: Options | undefined,
  own: readonly (keyof Options & string)[] = [],
): Options {
  const options = takeOptions('options', given, [...own, ...SEGMENT_OPTIONS])
  if (options.persist !== undefined) assertBoolean('options.persist', options.persist)
  if (options.mode !== undefined) assertInteger('options.mode', options.mode, 0, 0o777)
  const pidNamespaces: unknown = options.pidNamespaces
  if (pidNamespaces !== undefined && pidNamespaces !== 'own' && pidNamespaces !== 'any') {
    throw typeError('options.pidNamespaces', "'own' or 'any'", pidNamespaces)
  }
  return options
}

/** Options with which a name is looked up, copied and checked. */
export function takeAttachOptions(given: AttachOptions | undefined): AttachOptions {
  const options = takeOptions('options', given, ['anyOwner'])
  if (options.anyOwner !== undefined) assertBoolean('options.anyOwner', options.anyOwner)
  return options
}

/** Where buffers are not shared ones, the runtime's limit is that of its own Buffer: 4 GiB in Node 20. */
const maxBufferBytes = native.hasSharedBuffers ? Number.MAX_SAFE_INTEGER : constants.MAX_LENGTH

/** Whether the memory of a buffer can pass to another one. */
const isTransferable = !native.hasSharedBuffers && 'transfer' in ArrayBuffer.prototype

/** @throws {@link ShareError} `EFBIG` when this runtime can make no buffer of that size. */
export function assertBufferSize(byteLength: number, segment: string | undefined): void {
  if (byteLength > maxBufferBytes) throw segmentError('EFBIG', { segment, byteLength, maxBytes: maxBufferBytes })
}

/** What one environment keeps of an object: one for each cell, however many objects are attached to it. */
export interface CellState {
  /** The last attachment of this environment is being closed. */
  end(): void
}

/**
 * The state of a cell; made at its first use. An error without a code is a mistake of this library, and passed on as it is.
 * @throws {@link ShareError} `ERR_CORRUPT` when the bytes there are not what `make` expects; `ERR_NAMESPACE` when its mutexes
 * belong to another pid namespace.
 */
export function cellStateAt<T extends CellState>(
  segment: Segment,
  cell: number,
  type: abstract new (...args: never[]) => T,
  make: () => T,
): T {
  const state = segment.states.get(cell)
  if (state instanceof type) return state
  // A description that gives two objects one cell.
  if (state !== undefined) throw segmentError('ERR_CORRUPT', { segment: segment.name })
  try {
    segment.divideCells()
    const made = make()
    segment.states.set(cell, made)
    return made
  } catch (cause) {
    const error = fromNative(cause, segment.name)
    if (error instanceof ShareError || (cause as NodeJS.ErrnoException).code === undefined) throw error
    throw segmentError('ERR_CORRUPT', { segment: segment.name }, cause)
  }
}

const known = new WeakMap<NativeSegment, Segment>()
const segmentOfBuffer = new WeakMap<object, Segment>()

/** Segments in which something is held that other processes wait for: they are not collected, even if the program forgets them. */
const pinned = new Set<Segment>()

/** The segment that a buffer is the payload of. */
export function segmentOf(buffer: ArrayBufferLike): Segment | undefined {
  return segmentOfBuffer.get(buffer)
}

export class Segment {
  readonly name: string
  /** The argument of native functions. */
  readonly native: NativeSegment
  /** The states of the objects, by where their cells begin. */
  readonly states = new Map<number, CellState>()
  /** Whether only the call that makes it can know of it yet. */
  isNew = false
  /** Whether other processes may know its name: not that of an anonymous one whose handle was never read. */
  readonly #isKnown: boolean
  #pins = 0
  #users = 0
  #buffer: ArrayBuffer | SharedArrayBuffer | undefined
  #exposed = false
  #isDivided = false
  #description: Description | undefined

  constructor(name: string, segment: NativeSegment, isKnown: boolean) {
    this.name = name
    this.native = segment
    this.#isKnown = isKnown
    known.set(segment, this)
  }

  /**
   * Something in the segment is held from now on, until {@link unpin}: a lock by a guard, units of a semaphore. As long as it is, the
   * segment is not garbage. One that nobody else can know of may be: nobody waits for it.
   */
  pin(): void {
    if (this.#isKnown && ++this.#pins === 1) pinned.add(this)
  }

  unpin(times = 1): void {
    if (!this.#isKnown) return
    this.#pins = Math.max(this.#pins - times, 0)
    if (this.#pins === 0) pinned.delete(this)
  }

  get payloadBytes(): number {
    return native.segmentPayloadBytes(this.native)
  }

  get id(): string {
    return native.segmentId(this.native)
  }

  get persistent(): boolean {
    return native.segmentPersistent(this.native)
  }

  /** The payload. The same buffer each time, alive as long as a view of it. */
  get buffer(): ArrayBuffer | SharedArrayBuffer {
    const buffer = this.innerBuffer
    if (!this.#exposed && isTransferable) native.exposeBuffer(this.native)
    this.#exposed = true
    return buffer
  }

  /** The payload, for views that no user gets: when the segment is closed the buffer is emptied, if the runtime can. */
  get innerBuffer(): ArrayBuffer | SharedArrayBuffer {
    if (this.#buffer === undefined) {
      assertBufferSize(this.payloadBytes, this.name)
      try {
        this.#buffer = this.payloadBytes === 0 ? new ArrayBuffer(0) : withRoom(() => native.segmentBuffer(this.native))
      } catch (error) {
        throw fromNative(error, this.name)
      }
      segmentOfBuffer.set(this.#buffer, this)
    }
    return this.#buffer
  }

  /** What the creator wrote; `kind` is "SharedMemory" for memory that procshare did not make. */
  get description(): Description {
    this.#description ??= parseDescription(this.name, native.segmentDescription(this.native))
    return this.#description
  }

  /**
   * From now on no object in the cells reaches into the next one, whatever its bytes say.
   * @param starts - where they begin; otherwise the description says so
   */
  divideCells(starts?: readonly number[]): void {
    if (this.#isDivided && starts === undefined) return
    this.#isDivided = true
    native.divideCells(this.native, Float64Array.from(starts ?? startsIn(this.description)))
  }

  get closed(): boolean {
    return this.#users === 0
  }

  retain(): void {
    this.#users++
  }

  release(): void {
    if (--this.#users > 0) return
    pinned.delete(this)
    this.#pins = 0
    for (const state of this.states.values()) state.end()
    this.states.clear()
    native.closeSegment(this.native)
    if (!this.#exposed && this.#buffer !== undefined) native.detachBuffer(this.native)
  }

  unlink(): void {
    try {
      native.unlinkSegment(this.native)
    } catch (error) {
      throw fromNative(error, this.name)
    }
  }
}

/** What stays until it is closed, because others have been told how to attach to it. */
const kept = new Map<Attachment, object>()
/** The holds that are being taken instead. */
let holds: Attachment[] | undefined

/** A handle, and a reference to its object that lasts until it is released, even when the program closes the object. */
export interface HeldHandle {
  readonly handle: Handle
  /** Whether the other side says that it has attached before it can be relied on: then only its end tells. */
  readonly untilEnd: boolean
  release(): void
}

/** Reads a handle, with a hold on the segment of its object. */
export function heldHandle(read: () => Handle): HeldHandle {
  const taken: Attachment[] = []
  const release = () => {
    for (const hold of taken) hold.close()
  }
  holds = taken
  try {
    return { handle: read(), untilEnd: false, release }
  } catch (error) {
    release()
    throw error
  } finally {
    holds = undefined
  }
}

/** One user of a segment. */
export class Attachment {
  readonly segment: Segment
  readonly kind: string
  #closed = false

  constructor(segment: Segment, kind: string) {
    this.segment = segment
    this.kind = kind
    segment.retain()
  }

  get closed(): boolean {
    return this.#closed
  }

  get name(): string {
    return this.segment.name
  }

  get handle(): Handle {
    this.assertOpen()
    return { procshare: 1, kind: this.kind, name: this.name, id: this.segment.id }
  }

  /** Keeps an object from the garbage collector until it is closed; one that is persistent needs no keeping. */
  keep(object: object): void {
    if (holds !== undefined) holds.push(new Attachment(this.segment, this.kind))
    else if (!this.segment.persistent) kept.set(this, object)
  }

  /** How many environments have the segment open, this one included. */
  get memberCount(): number {
    this.assertOpen()
    return native.segmentMembers(this.segment.native)
  }

  /** What error messages call the object. */
  get subject(): Subject {
    return { segment: this.name, kind: this.kind }
  }

  /** The error of any use after close(). */
  closedError(): ShareError {
    return segmentError('ERR_CLOSED', this.subject)
  }

  assertOpen(): void {
    if (this.#closed) throw this.closedError()
  }

  /** True the first time. */
  close(): boolean {
    if (this.#closed) return false
    this.#closed = true
    kept.delete(this)
    this.segment.release()
    return true
  }

  /** Closes what could not be finished: of a segment that was made for it nothing is left, even if it is persistent. */
  abandon(): void {
    try {
      if (this.segment.isNew && !this.#closed && this.segment.persistent) this.segment.unlink()
    } catch {
      // Another process has removed the name.
    }
    this.close()
  }

  unlink(): void {
    this.assertOpen()
    this.segment.unlink()
  }
}

function parseDescription(name: string, text: string): Description {
  if (text === '') return { kind: 'SharedMemory' }
  let description: unknown
  try {
    description = JSON.parse(text)
  } catch {
    // The checksum is right, so this text was written on purpose.
  }
  if (!isDescription(description)) throw segmentError('ERR_CORRUPT', { segment: name })
  if (needsMore(description)) throw segmentError('ERR_LAYOUT', { segment: name })
  return description
}

/** Where objects begin in the cells, going by a description; whether it says something sound is looked at where it is used. */
function startsIn({ members, words }: Description): number[] {
  const cells = Array.isArray(members) ? members.map((member) => member?.cell) : []
  return [...cells, words].filter((start) => typeof start === 'number')
}

function isDescription(value: unknown): value is Description {
  return typeof value === 'object' && value !== null && typeof (value as Partial<Description>).kind === 'string'
}

/** Whether a later minor version has written what this one must not ignore, into the object or a member of it. */
function needsMore({ needs, members }: Description): boolean {
  if (needs !== undefined) return true // this version knows of nothing that could be needed
  return (
    Array.isArray(members) &&
    members.some((member) => isDescription(member?.description) && needsMore(member.description))
  )
}

/**
 * Makes a segment, lets `initialise` fill it while nobody else can see it, and publishes it.
 * When `initialise` throws, nothing is left.
 */
export function createSegment(
  name: string | undefined,
  spec: SegmentSpec,
  initialise: (segment: Segment) => void,
): Segment {
  if (name !== undefined) assertSegmentName(name)
  sweepOnce()
  const text = JSON.stringify(spec.description)
  const { maxDescriptionBytes } = native.layout
  if (Buffer.byteLength(text) > maxDescriptionBytes) {
    const argument = spec.description.members === undefined ? 'type' : 'schema'
    const expected = `small enough to be described in ${maxDescriptionBytes} bytes of JSON`
    throw typeError(argument, expected, spec.description[argument === 'type' ? 'type' : 'members'])
  }
  const { persist = false, mode = 0o600, pidNamespaces } = spec.options
  const flags = (mode & 0o777) | (persist === true ? PERSIST : 0) | (pidNamespaces === 'any' ? ANY_NAMESPACE : 0)
  const chosen = name ?? anonymousName()
  try {
    const handle = withRoom(() => native.createSegment(chosen, spec.payloadBytes, spec.cellsBytes, text, flags))
    try {
      const segment = new Segment(chosen, handle, name !== undefined)
      segment.isNew = true
      initialise(segment)
      native.publishSegment(handle)
      return segment
    } catch (error) {
      native.closeSegment(handle)
      throw error
    }
  } catch (error) {
    throw shortageError(error, chosen, bytesOf(spec, text))
  }
}

/** How long attaching blocks the thread while another process is creating the segment. */
const BUILDER_TIMEOUT_MS = 10_000
let builderTimeoutMs = BUILDER_TIMEOUT_MS

/** Calls `fn`, in which nothing blocks while another process is creating a segment: that is `ERR_NOT_READY` at once. */
export function withoutPatience<T>(fn: () => T): T {
  const before = builderTimeoutMs
  builderTimeoutMs = 0
  try {
    return fn()
  } finally {
    builderTimeoutMs = before
  }
}

/** How many bytes a segment takes of the system. */
function bytesOf({ payloadBytes, cellsBytes }: SegmentSpec, description: string): number {
  const { controlBlockBytes, pageBytes } = native.layout
  const bytes = Math.ceil(payloadBytes / 64) * 64 + cellsBytes + Buffer.byteLength(description) + controlBlockBytes
  return Math.ceil(bytes / pageBytes) * pageBytes
}

/** An error that native code threw, with the numbers when there was no room. */
function shortageError(error: unknown, segment: string, wantedBytes: number): unknown {
  const { code, syscall } = error as { code?: string; syscall?: string }
  if (error instanceof ShareError) return error
  if (syscall === 'shm_open' && (code === 'ENOENT' || code === 'ENOSYS')) {
    return segmentError('ERR_NO_SHARED_MEMORY', { segment }, error)
  }
  if (code !== 'ENOSPC' && code !== 'ENOMEM') return fromNative(error, segment)
  const freeBytes = native.freeBytes()
  return fromNative(error, segment, { wantedBytes, freeBytes })
}

/**
 * Attaches to the segment of that name, or to that of the handle.
 * @param options - a copy: {@link takeAttachOptions}
 * @param foreign - allows memory that procshare did not make
 */
export function attachSegment(target: string | Handle, options: AttachOptions | undefined, foreign = false): Segment {
  const handle = typeof target === 'string' ? undefined : target
  if (handle !== undefined && !isHandle(handle)) {
    throw typeError('target', 'the name or the handle of a shared object', target)
  }
  const name = handle === undefined ? target : handle.name
  assertSegmentName(name)
  const flags = (options?.anyOwner === true ? ANY_OWNER : 0) | (foreign ? FOREIGN : 0)
  let attached: NativeSegment
  try {
    attached = withRoom(() => native.attachSegment(name, flags, builderTimeoutMs))
  } catch (error) {
    // A handle is made from something that was there.
    if (handle !== undefined && (error as { code?: string }).code === 'ENOENT') {
      throw segmentError('ERR_STALE_HANDLE', { segment: name })
    }
    throw fromNative(error, name)
  }
  const segment = known.get(attached) ?? new Segment(name, attached, true)
  segment.isNew = false
  if (handle !== undefined && handle.id !== segment.id) {
    abandonUnused(segment)
    throw segmentError('ERR_STALE_HANDLE', { segment: name, isReplaced: true })
  }
  return segment
}

/** Closes a segment that was attached and found wrong, unless an object of this environment uses it. */
function abandonUnused(segment: Segment): void {
  segment.retain()
  segment.release()
}

/** @throws {@link ShareError} `ERR_TYPE` when the segment was created with another `pidNamespaces` or `persist` than was asked for. */
function assertOptionsOf(segment: Segment, { pidNamespaces, persist }: SegmentOptions): Segment {
  const found = {
    pidNamespaces: native.segmentAnyNamespace(segment.native) ? 'any' : 'own',
    persist: segment.persistent,
  }
  const expected = { pidNamespaces: pidNamespaces ?? found.pidNamespaces, persist: persist ?? found.persist }
  if (expected.pidNamespaces === found.pidNamespaces && expected.persist === found.persist) return segment
  abandonUnused(segment)
  throw segmentError('ERR_TYPE', { segment: segment.name, mismatch: { what: 'options', found, expected } })
}

/** Attaches to the segment if it exists, creates it otherwise; of many callers at the same time exactly one creates. */
export function openSegment(name: string, spec: SegmentSpec, initialise: (segment: Segment) => void): Segment {
  // Each round that fails means that another process has created or removed the name in between.
  for (;;) {
    try {
      return assertOptionsOf(attachSegment(name, undefined), spec.options)
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error
    }
    try {
      return createSegment(name, spec, initialise)
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error
    }
  }
}
