/**
 * The native addon: finds it, loads it, and says in types what it offers. The only module that imports it.
 *
 * Arguments are not checked here or below: a wrong one is a bug of ours and ends the process with a message.
 */
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { threadId } from 'node:worker_threads'
import { ShareError } from './errors.ts'

/** A segment as this environment holds it. Opaque; collected, it is closed. */
export type NativeSegment = object & { readonly __segment: never }

/** What an attempt on a lock answers. `undefined` means acquired: the most frequent answer is the cheapest. */
export type LockAnswer = undefined | typeof ABANDONED | typeof BUSY | typeof BROKEN
/** Acquired, and the last owner died holding the lock. */
export const ABANDONED = 1
/** Somebody holds it. */
export const BUSY = 2
/** The bytes are not those of a lock. */
export const BROKEN = 3

/** What a look at a lock says. */
export const LOCK_HELD = 1

/** A lock of a segment as this environment uses it. Opaque. */
export type NativeLock = object & { readonly __lock: never }

export interface NativeEntry {
  readonly name: string
  readonly byteLength: number
  readonly attached: boolean
  readonly persistent: boolean
  readonly creatorPid: number
  readonly createdAtMs: number
  readonly description: string
}

export interface Native {
  readonly layout: {
    readonly version: number
    readonly abi: number
    readonly lockCellBytes: number
    readonly controlBlockBytes: number
    readonly maxDescriptionBytes: number
    readonly maxNameBytes: number
    readonly longBytes: number
    readonly wideCharBytes: number
  }
  /** Whether buffers over segments are SharedArrayBuffers here. */
  readonly hasSharedBuffers: boolean
  createSegment(
    name: string,
    payloadBytes: number,
    cellsBytes: number,
    description: string,
    flags: number,
  ): NativeSegment
  attachSegment(name: string, flags: number): NativeSegment
  publishSegment(segment: NativeSegment): void
  closeSegment(segment: NativeSegment): void
  unlinkSegment(segment: NativeSegment): void
  segmentPayloadBytes(segment: NativeSegment): number
  segmentDescription(segment: NativeSegment): string
  segmentId(segment: NativeSegment): string
  segmentPersistent(segment: NativeSegment): boolean
  segmentBuffer(segment: NativeSegment): ArrayBuffer | SharedArrayBuffer
  unlinkName(name: string, anyOwner: boolean): void
  listSegments(): NativeEntry[]
  removeStaleSegments(): number
  initLock(segment: NativeSegment, offset: number): void
  /** Empties the ArrayBuffer of a closed segment, of which no view may be in use; does nothing to a SharedArrayBuffer. */
  dropBuffer(segment: NativeSegment): void
  /** One Uint32: the index of the lock that the next three functions mean. */
  readonly selection: ArrayBuffer
  tryAcquireSelected(): LockAnswer
  /** Blocks the thread for at most a tenth of a second. */
  acquireSelected(): LockAnswer
  releaseSelected(): void
  bindLock(segment: NativeSegment, offset: number): NativeLock
  /** What to select. */
  lockIndex(lock: NativeLock): number
  /** Blocks the thread, for at most a tenth of a second, however long the timeout. */
  acquireLock(lock: NativeLock, timeoutMs: number): LockAnswer
  /** After BUSY, the handler of `onWake` is called once when another attempt is worth while. */
  tryAcquireOrAwait(lock: NativeLock): LockAnswer
  stopAwaiting(lock: NativeLock): void
  /** Releases, if this thread holds it, in such a way that the next owner is told that it was abandoned. */
  abandonLock(lock: NativeLock): void
  /** Abandons, and lets go of the memory: no other function, of the fast path either, may be called for it afterwards. */
  endLock(lock: NativeLock): void
  lockState(lock: NativeLock): number
  lockOwner(lock: NativeLock): [pid: number, threadId: number]
  /** Sets what is told of locks that are worth another attempt, by index. It may be told of others too. */
  onWake(handler: (index: number) => void): void
  keepAlive(yes: boolean): void
  dropHolds(): void
  identify(threadId: number): void
  endWithParent(parentPid: number, graceMs: number): boolean
}

/** Flags of createSegment, beside the permission bits. */
export const PERSIST = 1 << 16
/** Flags of attachSegment. */
export const ANY_OWNER = 1
export const FOREIGN = 2

function load(): Native {
  const require = createRequire(import.meta.url)
  const root = fileURLToPath(new URL('..', import.meta.url))
  try {
    return require('node-gyp-build')(root) as Native
  } catch (cause) {
    const runtime = `${process.platform}-${process.arch}, Node ${process.versions.node}`
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ShareError('ERR_NATIVE', {
      detail: `no binary for ${runtime} in ${root} (prebuilds/ and build/ were searched). To build it, run \`npm rebuild procshare\` with a C++17 compiler and Python 3 at hand. The loader says: ${reason}`,
      cause,
    })
  }
}

export const native: Native = load()
native.identify(threadId)
