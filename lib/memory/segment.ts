/**
 * Segments of this environment (the main thread or a worker). There is one Segment object per segment, even if several shared
 * objects are in the segment.
 *
 *   Segment     the mapping, its buffer and its locks; open as long as one of its Attachments is open
 *   Attachment  one use of a segment by an object, which ends with the close() of the object
 *
 * Nothing here has to be closed for safety. The garbage collector takes a Segment that is no longer reachable, and this ends the
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
   * Keeps the segment until `unlink()`, also while no process is attached.
   * @defaultValue `false`: the segment is removed with its last user.
   */
  readonly persist?: boolean
  /**
   * Permission bits, as of a file; the umask of the process does not apply. On Windows, any bit for users other than the owner
   * opens the segment to all users in the session.
   * @defaultValue `0o600`: this user only.
   */
  readonly mode?: number
  /**
   * `'any'`: processes in several pid namespaces, such as containers that share `/dev/shm`, can use the object's locks and
   * waits. The death of an owner is then noticed at the next attempt or within a tenth of a second, not at once. An
   * uncontended lock costs a little more. `'own'`: only processes in the creator's namespace can use them; others get
   * `ERR_NAMESPACE`. Objects without a lock and without waits can be used from everywhere. Only Linux has pid namespaces.
   * @defaultValue `'own'`; `'any'` where the process cannot find out its namespace, because `/proc` is not mounted
   */
  readonly pidNamespaces?: 'own' | 'any'
}

/** How a segment is attached to. */
export interface AttachOptions {
  /**
   * Also attaches to a segment that another user owns. That user can change the bytes at any time.
   * @defaultValue `false`
   */
  readonly anyOwner?: boolean
}

/**
 * The description of a segment: JSON that tells which object is in it. The kinds of objects add their fields and compare them.
 */
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
 * Copies the options of a new object, and checks those of its segment.
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

/** Copies and checks the options with which a name is looked up. */
export function takeAttachOptions(given: AttachOptions | undefined): AttachOptions {
  const options = takeOptions('options', given, ['anyOwner'])
  if (options.anyOwner !== undefined) assertBoolean('options.anyOwner', options.anyOwner)
  return options
}

/** Where buffers are not SharedArrayBuffers, the limit is that of the runtime's Buffer: 4 GiB in Node 20. */
const maxBufferBytes = native.hasSharedBuffers ? Number.MAX_SAFE_INTEGER : constants.MAX_LENGTH

/** Whether the memory of a buffer can pass to another one. */
const isTransferable = !native.hasSharedBuffers && 'transfer' in ArrayBuffer.prototype

/** @throws {@link ShareError} `EFBIG` when this runtime can make no buffer of that size. */
export function assertBufferSize(byteLength: number, segment: string | undefined): void {
  if (byteLength > maxBufferBytes) throw segmentError('EFBIG', { segment, byteLength, maxBytes: maxBufferBytes })
}

/**
 * The state that one environment keeps of a shared object: one for each cell, even if several objects are attached to the cell.
 */
export interface CellState {
  /** Called when the last attachment of this environment is being closed. */
  end(): void
}

/**
 * The state of a cell, which is made at its first use. An error without a code is a mistake of this library and is thrown
 * unchanged.
 * @throws {@link ShareError} `ERR_CORRUPT` when the bytes of the cell are not those that `make` expects; `ERR_NAMESPACE` when its
 * mutexes belong to another pid namespace.
 */
export function cellStateAt<T extends CellState>(
  segment: Segment,
  cell: number,
  type: abstract new (...args: never[]) => T,
  make: () => T,
): T {
  const state = segment.states.get(cell)
  if (state instanceof type) return state
  // The description gives two objects the same cell.
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

/** Segments with a lock or units that are held here and that other processes may wait for. They are not garbage-collected. */
const pinned = new Set<Segment>()

/** The segment whose payload is the buffer. */
export function segmentOf(buffer: ArrayBufferLike): Segment | undefined {
  return segmentOfBuffer.get(buffer)
}

export class Segment {
  readonly name: string
  /** The argument of native functions. */
  readonly native: NativeSegment
  /** The states of the objects, by where their cells begin. */
  readonly states = new Map<number, CellState>()
  /** Whether only the call that makes the segment can use it so far. */
  isNew = false
  /** Whether other processes may have the name. They cannot have that of an anonymous segment whose handle was never read. */
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
   * Keeps the segment from the garbage collector until {@link unpin}, because a lock or units of a semaphore in it are held. A
   * segment whose name no other process can have is not kept, because no other process waits for it.
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

  /** The payload, for views that no user gets. When the segment is closed, the buffer is emptied if the runtime can do that. */
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

  /** The description that the creator wrote; `kind` is "SharedMemory" for memory that procshare did not make. */
  get description(): Description {
    this.#description ??= parseDescription(this.name, native.segmentDescription(this.native))
    return this.#description
  }

  /**
   * From now on no object in the cells reaches into the next one, whatever its bytes contain.
   * @param starts - where the objects begin; by default, the description has these offsets
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

/** Objects that stay until they are closed, because their handles were read and other processes may attach. */
const kept = new Map<Attachment, object>()
/** The attachments of the heldHandle() call that is running. They are added here instead of to `kept`. */
let holds: Attachment[] | undefined

/** A handle, and a reference to its object that lasts until it is released, even when the program closes the object. */
export interface HeldHandle {
  readonly handle: Handle
  /** Whether the handle is needed until the other process ends, because that process reports its attachment too early. */
  readonly untilEnd: boolean
  release(): void
}

/** Reads a handle, and attaches to the segment of its object until the handle is released. */
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

/** One use of a segment by an object. */
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

  /** Keeps an object from the garbage collector until it is closed. Persistent objects need not be kept. */
  keep(object: object): void {
    if (holds !== undefined) holds.push(new Attachment(this.segment, this.kind))
    else if (!this.segment.persistent) kept.set(this, object)
  }

  /** How many environments have the segment open, this one included. */
  get memberCount(): number {
    this.assertOpen()
    return native.segmentMembers(this.segment.native)
  }

  /** The name of the object in error messages. */
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

  /** Ends the use. Returns true the first time. */
  close(): boolean {
    if (this.#closed) return false
    this.#closed = true
    kept.delete(this)
    this.segment.release()
    return true
  }

  /**
   * Closes the attachment of an object that could not be made. Also removes a segment that was made for it, even a persistent
   * one.
   */
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
    // The checksum is right, so a process has written this invalid text deliberately.
  }
  if (!isDescription(description)) throw segmentError('ERR_CORRUPT', { segment: name })
  if (needsMore(description)) throw segmentError('ERR_LAYOUT', { segment: name })
  return description
}

/**
 * The offsets in the cells where objects begin, according to a description. The code that uses the objects checks the
 * description.
 */
function startsIn({ members, words }: Description): number[] {
  const cells = Array.isArray(members) ? members.map((member) => member?.cell) : []
  return [...cells, words].filter((start) => typeof start === 'number')
}

function isDescription(value: unknown): value is Description {
  return typeof value === 'object' && value !== null && typeof (value as Partial<Description>).kind === 'string'
}

/** Whether the object or a member of it has data of a later minor version that this version must not ignore. */
function needsMore({ needs, members }: Description): boolean {
  if (needs !== undefined) return true // this version supports no such data
  return (
    Array.isArray(members) &&
    members.some((member) => isDescription(member?.description) && needsMore(member.description))
  )
}

/**
 * Makes a segment, calls `initialise` to fill it while no other process can attach, and publishes it.
 * When `initialise` throws, the segment is removed.
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

/**
 * Calls `fn`. If it attaches to a segment that another process is creating, it throws `ERR_NOT_READY` at once instead of
 * blocking.
 */
export function withoutPatience<T>(fn: () => T): T {
  const before = builderTimeoutMs
  builderTimeoutMs = 0
  try {
    return fn()
  } finally {
    builderTimeoutMs = before
  }
}

/** The number of bytes of shared memory that a segment needs. */
function bytesOf({ payloadBytes, cellsBytes }: SegmentSpec, description: string): number {
  const { controlBlockBytes, pageBytes } = native.layout
  const bytes = Math.ceil(payloadBytes / 64) * 64 + cellsBytes + Buffer.byteLength(description) + controlBlockBytes
  return Math.ceil(bytes / pageBytes) * pageBytes
}

/** The error for one that native code threw. If there was no room, it has the numbers of wanted and free bytes. */
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
 * Attaches to the segment with the given name or handle.
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
    // A handle is made from an object that existed, so the object is gone.
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

/** Closes a segment that was attached and then refused, unless an object of this environment uses it. */
function abandonUnused(segment: Segment): void {
  segment.retain()
  segment.release()
}

/** @throws {@link ShareError} `ERR_TYPE` when `pidNamespaces` or `persist` of the segment differs from the requested one. */
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

/** Attaches to the segment if it exists, or creates it. Of several callers at the same time, exactly one creates it. */
export function openSegment(name: string, spec: SegmentSpec, initialise: (segment: Segment) => void): Segment {
  // If a round fails, another process has created or removed the name in between.
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
