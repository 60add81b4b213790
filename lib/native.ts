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

export interface NativeLock {
  /** Keeps the functions valid; they must not outlive it. */
  readonly self: object
  /** What to select for the functions of the fast path. */
  readonly index: number
  /** Blocks the thread. */
  acquire(timeoutMs: number): LockAnswer
  /** After BUSY, the lock's `onWake` is called once when another attempt is worth while. */
  tryAcquireOrAwait(): LockAnswer
  stopAwaiting(): void
  /** Releases, if this thread holds it, in such a way that the next owner is told that it was abandoned. */
  abandon(): void
  /** Abandons, and lets go of the memory: no other function, of the fast path either, may be called for it afterwards. */
  end(): void
  state(): number
  owner(): [pid: number, threadId: number]
}

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
  /** One Uint32: the index of the lock that the two functions below mean. */
  readonly selection: ArrayBuffer
  tryAcquireSelected(): LockAnswer
  releaseSelected(): void
  bindLock(segment: NativeSegment, offset: number, onWake: () => void): NativeLock
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
