/** SharedMemory: a raw segment, without type or lock. Also has the functions for all segments. */
import { inspect } from 'node:util'
import { fromNative, nameOf, segmentError } from '../errors/segment-messages.ts'
import { inspected } from '../inspection.ts'
import { sweep } from '../lifecycle.ts'
import { native } from '../native.ts'
import { assertInteger } from '../validate.ts'
import type { Handle } from './handle.ts'
import { defineKind, type KindSpec } from './kind.ts'
import type { Placement } from './placement.ts'
import {
  type Attachment,
  type AttachOptions,
  type SegmentOptions,
  takeAttachOptions,
  takeSegmentOptions,
} from './segment.ts'
import { assertSegmentName } from './segment-name.ts'
import { registerShareable } from './shareable.ts'

function memorySpec(byteLength: number, given?: SegmentOptions): KindSpec<undefined> {
  assertInteger('byteLength', byteLength, 1, Number.MAX_SAFE_INTEGER)
  return {
    description: { kind: 'SharedMemory' },
    cellsBytes: 0,
    payloadBytes: byteLength,
    hasWords: true,
    initialise: () => {},
    options: takeSegmentOptions(given),
  }
}

export class SharedMemoryObject {
  readonly #attachment: Attachment

  constructor({ attachment }: Placement) {
    this.#attachment = attachment
    registerShareable(this)
  }

  /** The name of the segment; for an anonymous one a random one. */
  get name(): string {
    return this.#attachment.name
  }

  /** The number of bytes. */
  get byteLength(): number {
    this.#attachment.assertOpen()
    return this.#attachment.segment.payloadBytes
  }

  /**
   * The bytes: a `SharedArrayBuffer` where the runtime can make one over shared memory (Node 22.23, 24.21, 26, Bun), an
   * `ArrayBuffer` elsewhere. Always the same object.
   *
   * @remarks A view of it keeps the memory mapped, also after `close()`.
   * @throws {@link ShareError} `ERR_CLOSED`; `ERR_EXTERNAL_BUFFERS` in a runtime that refuses memory from outside.
   */
  get buffer(): ArrayBuffer | SharedArrayBuffer {
    this.#attachment.assertOpen()
    return this.#attachment.segment.buffer
  }

  /**
   * How many main threads and workers, of all processes, have the segment open at this moment, this one included.
   *
   * @remarks Each counts once, even if it has several objects in the segment. A killed process does not count, nor does a thread
   * whose last object was closed or collected. The number may change at any time.
   * @throws {@link ShareError} `ERR_CLOSED`.
   */
  get memberCount(): number {
    return this.#attachment.memberCount
  }

  /** A plain description with which other processes attach. */
  get handle(): Handle {
    const { handle } = this.#attachment
    this.#attachment.keep(this)
    return handle
  }

  /** The same as `handle`, for `JSON.stringify` and `process.send`. */
  toJSON(): Handle {
    return this.handle
  }

  /** Ends this object's use. The last close removes the name, unless the segment is persistent. Idempotent. */
  close(): void {
    this.#attachment.close()
  }

  /**
   * Removes the name now. Attached objects stay usable; no further one can attach by that name.
   * @throws {@link ShareError} `ENOENT` when the name is already gone; `ERR_CLOSED`.
   */
  unlink(): void {
    this.#attachment.unlink()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  [inspect.custom](): string {
    const { subject, closed } = this.#attachment
    return inspected(nameOf(subject), closed, () => ({ byteLength: this.byteLength }))
  }
}

/** The constructor of {@link SharedMemory}. */
export interface SharedMemoryConstructor {
  /**
   * Makes an anonymous segment of `byteLength` bytes; other processes attach to it through its `handle`.
   *
   * @throws `RangeError` for a length below 1; {@link ShareError} `ENOSPC`, `ENOMEM`, `EMFILE` when the system has no room.
   */
  new (byteLength: number, options?: SegmentOptions): SharedMemory
  /**
   * Makes a segment of that name.
   * @throws {@link ShareError} `EEXIST` when the name exists; otherwise as the constructor.
   */
  create(name: string, byteLength: number, options?: SegmentOptions): SharedMemory
  /**
   * Attaches to an existing segment by name or handle, or to shared memory that another program made.
   *
   * @remarks May block while another process is creating the segment (while its bytes are being backed).
   * @throws {@link ShareError} `ENOENT` when the name does not exist; `ERR_KIND` when it is another kind of object;
   * `ERR_OTHER_USER`, `EACCES` when it is not this user's; `ERR_CORRUPT`, `ERR_LAYOUT`, `ERR_ABI` when its bytes cannot
   * be trusted; `ERR_STALE_HANDLE` when the handle's segment is gone.
   */
  attach(target: string | Handle, options?: AttachOptions): SharedMemory
  /**
   * Attaches to the segment of that name, or creates it. Of several processes that do so at once, exactly one creates it.
   *
   * @remarks An existing segment keeps its length, which may differ from `byteLength`.
   * @throws {@link ShareError} `ERR_TYPE` when it exists and differs from a given `persist` or `pidNamespaces`; otherwise as
   * `create` (except `EEXIST`) and `attach` (except `ENOENT`).
   */
  open(name: string, byteLength: number, options?: SegmentOptions): SharedMemory
  readonly prototype: SharedMemory
}

/**
 * A raw segment of shared memory: bytes that other processes attach to by name.
 *
 * @remarks The bytes start at offset 0 of the system's shared-memory object of the same name, so that programs in other
 * languages find them there. New memory is zero, and every byte is backed when it is created, so that access never fails.
 * Access to the memory takes no lock and is not atomic: use `Atomics` on a view, or a separate {@link Lock}. When a process
 * dies, the bytes that it wrote stay as they are.
 * @example
 * ```ts
 * import { SharedMemory } from 'procshare'
 * using memory = SharedMemory.create('frame', 640 * 480)
 * const pixels = new Uint8Array(memory.buffer)
 * pixels[0] = 255
 * using same = SharedMemory.attach('frame') // in any process of this user
 * console.assert(new Uint8Array(same.buffer)[0] === 255)
 * ```
 */
export const SharedMemory: SharedMemoryConstructor = defineKind({
  name: 'SharedMemory',
  Class: SharedMemoryObject,
  spec: memorySpec,
  isMember: false,
  isForeign: true,
})
/** A raw segment of shared memory. */
export type SharedMemory = SharedMemoryObject

/** A segment of this user, as {@link listSegments} reports it. */
export interface SegmentInfo {
  readonly name: string
  /** `"Value"`, `"SharedArray"` and so on; `undefined` when its creator died while creating it, or its bytes are damaged. */
  readonly kind: string | undefined
  /** The size of the whole segment in bytes. */
  readonly byteLength: number
  /** Whether a process is attached. A segment that is neither attached nor persistent is stale. */
  readonly attached: boolean
  /** Whether the segment stays until `unlink()`. */
  readonly persistent: boolean
  readonly creatorPid: number
  readonly createdAt: Date
}

/**
 * Lists the segments of this user that procshare has made, attached or not. Does not attach to them or change them.
 *
 * @throws {@link ShareError} `EACCES`, `ENOENT` when the system's directory of shared memory cannot be read.
 * @example
 * ```ts
 * import { listSegments, Value } from 'procshare'
 * using hits = Value.create('hits', 'i')
 * const found = listSegments().find((segment) => segment.name === hits.name)
 * console.assert(found?.kind === 'Value' && found.attached)
 * ```
 */
export function listSegments(): SegmentInfo[] {
  try {
    return native.listSegments().map(({ description, createdAtMs, ...entry }) => ({
      ...entry,
      kind: kindOf(description),
      createdAt: new Date(createdAtMs),
    }))
  } catch (error) {
    throw directoryError(error)
  }
}

function directoryError(error: unknown): unknown {
  if ((error as { code?: string }).code === 'ENOENT') return segmentError('ERR_NO_SHARED_MEMORY', {}, error)
  return fromNative(error, undefined)
}

function kindOf(description: string): string | undefined {
  try {
    return String(JSON.parse(description).kind)
  } catch {
    return undefined
  }
}

/**
 * Removes the names of segments whose users were all killed, and returns the number of these segments.
 *
 * @remarks You seldom need to call this, because each process does so when it creates its first segment.
 * @throws {@link ShareError} as {@link listSegments}.
 * @example
 * ```ts
 * import { removeStaleSegments } from 'procshare'
 * console.log(`${removeStaleSegments()} leftovers removed`)
 * ```
 */
export function removeStaleSegments(): number {
  try {
    return sweep()
  } catch (error) {
    throw directoryError(error)
  }
}

/**
 * Removes the name of a segment without attaching to it. Use it for a segment that is persistent, damaged or of unknown kind.
 *
 * @throws {@link ShareError} `ENOENT` when the name does not exist; `ERR_OTHER_USER` when it is another user's.
 * @example
 * ```ts
 * import { unlinkSegment, Value } from 'procshare'
 * Value.create('settings', 'i', 1, { persist: true }).close()
 * unlinkSegment('settings')
 * ```
 */
export function unlinkSegment(name: string, options?: AttachOptions): void {
  assertSegmentName(name)
  const { anyOwner } = takeAttachOptions(options)
  try {
    native.unlinkName(name, anyOwner === true)
  } catch (error) {
    throw fromNative(error, name)
  }
}
