/**
 * Finds and loads the native addon, and declares its interface. This is the only module that imports the addon.
 *
 * Callers have validated all arguments. A value that is not an object of the addon ends the process with a message. A wrong
 * number, text or boolean, which a getter of the program may have returned after the validation, is a `TypeError`.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { threadId } from 'node:worker_threads'
import { segmentError } from './errors/segment-messages.ts'
import { isError } from './kinds-of-value.ts'
import { NATIVE_INTERFACE } from './native-interface.ts'

/** A segment as this environment uses it. Opaque; it is closed when it is collected. */
export type NativeSegment = object & { readonly __segment: never }

/**
 * The result of an attempt to acquire a lock. `undefined` means acquired, because `undefined` is the fastest result to return.
 */
export type LockAnswer = undefined | typeof ABANDONED | typeof BUSY | typeof BROKEN | typeof DEADLOCK
/** Acquired; the last owner died while it held the lock. */
export const ABANDONED = 1
/** The lock is held. */
export const BUSY = 2
/** The bytes are not those of a lock. */
export const BROKEN = 3
/** Returned only by blocking functions: this thread owns the lock through another copy of the package. */
export const DEADLOCK = 4

/** A result of lockState. */
export const LOCK_HELD = 1

/** A lock of a segment as this environment uses it. Opaque. */
export type NativeLock = object & { readonly __lock: never }

/** A semaphore, event, barrier, queue or parking of a segment, as this environment uses it. Opaque. */
export type NativeObject<Kind extends string> = object & { readonly __object: Kind }

/** Results of functions of semaphores. */
export const SEMAPHORE = { DONE: 0, BUSY: 1, TOO_MANY: 2, NOT_HELD: 3, FULL: 4, BROKEN: 5 } as const
/** Results of functions of barriers. */
export const BARRIER = { TRIPPED: 0, BROKEN: 1, WAITS: 2, ACTS: 3, BUSY: 4, FULL: 5, CORRUPT: 6 } as const
/** Results of functions of queues. */
export const QUEUE = {
  DONE: 0,
  BUSY: 1,
  CLOSED: 2,
  TOO_LARGE: 3,
  TOO_SMALL: 4,
  TOO_MANY: 5,
  BROKEN: 6,
  NO_READER: 7,
  SPILLED: 8,
} as const
/** Results of park() and parkIfEqual() other than the id of a wait. */
export const PARK = { FULL: -1, NOT_EQUAL: -2, BROKEN: -3 } as const

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
    readonly exchangeWords: number
    readonly exchangeBytes: number
    readonly longBytes: number
    readonly wideCharBytes: number
    readonly pageBytes: number
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
  /** `builderTimeoutMs`: how long to block the thread while another process is creating the segment. */
  attachSegment(name: string, flags: number, builderTimeoutMs: number): NativeSegment
  publishSegment(segment: NativeSegment): void
  /** Sets where objects begin in the cells. From now on no object reaches into the next one, whatever its bytes contain. */
  divideCells(segment: NativeSegment, starts: Float64Array): void
  closeSegment(segment: NativeSegment): void
  unlinkSegment(segment: NativeSegment): void
  segmentPayloadBytes(segment: NativeSegment): number
  segmentDescription(segment: NativeSegment): string
  segmentId(segment: NativeSegment): string
  segmentPersistent(segment: NativeSegment): boolean
  /** How many environments have the segment open, this one included. */
  segmentMembers(segment: NativeSegment): number
  /** Whether the mutexes of the segment can be used from several pid namespaces. */
  segmentAnyNamespace(segment: NativeSegment): boolean
  segmentBuffer(segment: NativeSegment): ArrayBuffer | SharedArrayBuffer
  /** From now on the memory under the ArrayBuffer may belong to another one. */
  exposeBuffer(segment: NativeSegment): void
  /**
   * Reclaims the memory of objects that were collected and whose finalizers have not run. Returns whether there was any.
   * With `force`, V8 collects all garbage first.
   */
  reclaimCollected(force: boolean): boolean
  /** The number of free bytes of shared memory, if the system reports it. */
  freeBytes(): number | undefined
  unlinkName(name: string, anyOwner: boolean): void
  listSegments(): NativeEntry[]
  removeStaleSegments(): number
  initLock(segment: NativeSegment, offset: number): void
  /** Empties the ArrayBuffer of a closed segment, of which no view may be in use; does nothing to a SharedArrayBuffer. */
  detachBuffer(segment: NativeSegment): void
  /** An array of uint32. The first element is the index of the lock or queue for the functions of the fast path. */
  readonly selection: ArrayBuffer
  tryAcquireSelected(): LockAnswer
  /** Blocks the thread for at most a tenth of a second. */
  acquireSelected(): LockAnswer
  releaseSelected(): void
  bindLock(segment: NativeSegment, offset: number): NativeLock
  /** The index of the lock for `selection`. */
  lockIndex(lock: NativeLock): number
  /** Blocks the thread for at most a tenth of a second, even if the timeout is longer. */
  acquireLock(lock: NativeLock, timeoutMs: number): LockAnswer
  lockWait(lock: NativeLock): number
  /** Releases the lock, if this thread owns it; the next acquisition returns ABANDONED. */
  abandonLock(lock: NativeLock): void
  /** Reserves the lock for this environment: for some milliseconds no other environment gets the lock when it is free. */
  reserveLock(lock: NativeLock): void
  /** Undoes reserveLock. */
  unreserveLock(lock: NativeLock): void
  /** Marks a lock that this thread owns: the next acquisition returns ABANDONED. */
  markAbandoned(lock: NativeLock): void
  /** Abandons and unmaps: no other function, including the fast path, may be called for the lock afterwards. */
  unbindLock(lock: NativeLock): void
  lockState(lock: NativeLock): number
  lockOwner(lock: NativeLock): [pid: number, threadId: number]
  /**
   * Each wait has an id. The meaning of `argument` depends on the object: see there. Returns false when an attempt may succeed
   * now. Otherwise the handler of onWake is called once with the id, when an attempt may succeed.
   */
  armWait(id: number, argument: number): boolean
  disarmWait(id: number): void
  /** Whether an attempt may succeed. */
  isWaitReady(id: number, argument: number): boolean
  /** Spins until an attempt may succeed, for at most `forMs`, which is some microseconds. Returns whether it may. */
  spinWait(id: number, argument: number, forMs: number): boolean
  /** Blocks the thread until an attempt may succeed, for at most a tenth of a second. May return spuriously. */
  sleepWait(id: number, argument: number, timeoutMs: number): void
  /** Sets the handler of armed waits. The handler may be called for other waits, too. */
  onWake(handler: (id: number) => void): void
  keepAlive(yes: boolean): void
  /**
   * Arguments and results of some functions: `layout.exchangeWords` float64 numbers, followed by `layout.exchangeBytes` bytes.
   */
  readonly exchange: ArrayBuffer
  unbindObject(object: NativeObject<string>): void
  /** The id of one of the waits of an object. */
  objectWait(object: NativeObject<string>, which: number): number

  semaphoreBytes(records: number): number
  /** `records`: how many environments can have units of a recoverable semaphore; 0 for a semaphore that is not recoverable. */
  initSemaphore(segment: NativeSegment, offset: number, value: number, limit: number, records: number): void
  bindSemaphore(segment: NativeSegment, offset: number): NativeObject<'Semaphore'>
  semaphoreTryAcquire(semaphore: NativeObject<'Semaphore'>, units: number): number
  semaphoreRelease(semaphore: NativeObject<'Semaphore'>, units: number): number
  semaphoreValue(semaphore: NativeObject<'Semaphore'>): number

  eventBytes(): number
  bindEvent(segment: NativeSegment, offset: number): NativeObject<'Event'>
  /** The ticket with which a wait begins. It is the argument of the wait. */
  eventTicket(event: NativeObject<'Event'>): number
  eventHappened(event: NativeObject<'Event'>, ticket: number): boolean
  eventIsSet(event: NativeObject<'Event'>): boolean
  eventSet(event: NativeObject<'Event'>): void
  eventClear(event: NativeObject<'Event'>): void

  parkingBytes(records: number): number
  initParking(segment: NativeSegment, offset: number, records: number): void
  bindParking(segment: NativeSegment, offset: number): NativeObject<'Parking'>
  /** Begins a wait for a key. Returns the id of the wait to sleep on, PARK.FULL, or PARK.BROKEN. */
  park(parking: NativeObject<'Parking'>, key: number): number
  /** Begins a wait for the key byteOffset if the 32-bit word there is `expected`. Returns PARK.NOT_EQUAL if it is not. */
  parkIfEqual(parking: NativeObject<'Parking'>, byteOffset: number, expected: number): number
  /** Spins on the word at byteOffset for a few microseconds. Returns whether it differs from `expected`. */
  spinWord(parking: NativeObject<'Parking'>, byteOffset: number, expected: number, timeoutMs: number): boolean
  /** Takes a grant of one of this environment's waits for the key. Returns whether there was one. */
  parkTake(parking: NativeObject<'Parking'>, key: number): boolean
  /** Cancels one of this environment's waits. If all of them were granted, takes a grant instead and returns true. */
  parkCancel(parking: NativeObject<'Parking'>, key: number): boolean
  /** Ends up to `count` waits for the key, and returns how many. */
  unpark(parking: NativeObject<'Parking'>, key: number, count: number): number

  barrierBytes(records: number): number
  initBarrier(segment: NativeSegment, offset: number, parties: number, records: number, timeoutNs: number): void
  bindBarrier(segment: NativeSegment, offset: number): NativeObject<'Barrier'>
  /** Exchange words: index, generation, id of the wait. */
  barrierArrive(barrier: NativeObject<'Barrier'>, acts: boolean): number
  barrierTake(barrier: NativeObject<'Barrier'>, generation: number): number
  barrierFinish(barrier: NativeObject<'Barrier'>, generation: number): number
  barrierCancel(barrier: NativeObject<'Barrier'>, generation: number): number
  barrierAbort(barrier: NativeObject<'Barrier'>): void
  barrierReset(barrier: NativeObject<'Barrier'>): void
  /** The timeout of waits that have no timeout of their own; 0 if there is none. */
  barrierTimeoutNs(barrier: NativeObject<'Barrier'>): number
  barrierParties(barrier: NativeObject<'Barrier'>): number
  barrierWaiting(barrier: NativeObject<'Barrier'>): number
  barrierIsBroken(barrier: NativeObject<'Barrier'>): boolean

  queueBytes(capacity: number): number
  initQueue(segment: NativeSegment, offset: number, capacity: number, maxItems: number): void
  /**
   * Waits: 0 for items; 1 for room, with the argument units * 2^21 + items; 2 for no unfinished items, with a ticket as argument.
   */
  bindQueue(segment: NativeSegment, offset: number): NativeObject<'Queue'>
  /** Binds the ring of one direction of a pipe; `writer` is the end that puts. */
  bindPipeRing(segment: NativeSegment, offset: number, ends: number, writer: number): NativeObject<'Queue'>
  /** The index of the queue for `selection`. */
  queueIndex(queue: NativeObject<'Queue'>): number
  /** Puts the selection[2] records in the first selection[1] bytes of the exchange. Returns `undefined` for QUEUE.DONE. */
  putSelected(): number | undefined
  /**
   * Takes up to selection[2] records of up to selection[1] bytes. Sets both to what it took. Returns `undefined` for QUEUE.DONE.
   */
  getSelected(): number | undefined
  queuePutItem(queue: NativeObject<'Queue'>, flags: number, bytes: Uint8Array): number
  queuePutRecords(queue: NativeObject<'Queue'>, records: Uint8Array, count: number): number
  /** Takes one item without its header. Exchange words: its length, its flags. */
  queueGetItem(queue: NativeObject<'Queue'>, bytes: Uint8Array): number
  /** Copies the first item without taking it. Exchange words: its length, its flags, and two with its position. */
  queuePeek(queue: NativeObject<'Queue'>, bytes: Uint8Array): number
  /** Takes the item that queuePeek has copied, by its position; QUEUE.BUSY when another one has become the first. */
  queueTakePeeked(queue: NativeObject<'Queue'>, word2: number, word3: number): number
  /** The bytes, as texts, of all items with the flag 0x80 at one moment; undefined when the bytes are not those of a queue. */
  queueSpilled(queue: NativeObject<'Queue'>): string[] | undefined
  queueClose(queue: NativeObject<'Queue'>): number
  /** Wakes all waiters, so that they try again. */
  queueWakeAll(queue: NativeObject<'Queue'>): void
  queueTaskDone(queue: NativeObject<'Queue'>, count: number): number
  queueDoneTicket(queue: NativeObject<'Queue'>): number
  queueIsDone(queue: NativeObject<'Queue'>, ticket: number): boolean
  /** Exchange words: items, free bytes, capacity, max items, unfinished items, 1 if closed. */
  queueState(queue: NativeObject<'Queue'>): void
  /** Whether no environment has that end of the pipe open. With `reapDead` only living ones count, which takes system calls. */
  queueIsEndClosed(ring: NativeObject<'Queue'>, end: number, reapDead: boolean): boolean

  endsBytes(records: number): number
  initEnds(segment: NativeSegment, offset: number, records: number): void
  bindEnds(segment: NativeSegment, offset: number): NativeObject<'Ends'>
  endsOpen(ends: NativeObject<'Ends'>, end: number): boolean
  endsClose(ends: NativeObject<'Ends'>, end: number): void

  /**
   * Called by a process that is about to end: removes the names of segments that no other process uses. The segments stay usable.
   */
  detachAll(): void
  identify(threadId: number): void
  endWithParent(parentPid: number, graceMs: number): boolean
}

/** Flags of createSegment, in addition to the permission bits. */
export const PERSIST = 1 << 16
export const ANY_NAMESPACE = 1 << 17
/** Flags of attachSegment. */
export const ANY_OWNER = 1
export const FOREIGN = 2

function load(): Native {
  const require = createRequire(import.meta.url)
  const root = fileURLToPath(new URL('..', import.meta.url))
  let addon: Native & { readonly interface?: string }
  try {
    addon = require('node-gyp-build')(root)
  } catch (cause) {
    const reason = isError(cause) ? cause.message : String(cause)
    if (!isPackage(root)) throw segmentError('ERR_NATIVE', { why: 'bundled', root, reason }, cause)
    const platform = `${process.platform}-${process.arch}, Node ${process.versions.node}`
    throw segmentError('ERR_NATIVE', { why: 'no binary', platform, root, prebuilt: prebuiltIn(root), reason }, cause)
  }
  if (addon.interface === NATIVE_INTERFACE) return addon
  const reason = `the stamp of its interface is ${addon.interface ?? 'missing'}, expected ${NATIVE_INTERFACE}`
  if (!isPackage(root)) throw segmentError('ERR_NATIVE', { why: 'bundled', root, reason })
  throw segmentError('ERR_NATIVE', { why: 'other version', root, reason })
}

/**
 * Whether `root` is the folder of this package. It is another folder when a bundler has moved this code into a file of the
 * program.
 */
function isPackage(root: string): boolean {
  try {
    return JSON.parse(readFileSync(`${root}/package.json`, 'utf8')).name === 'procshare'
  } catch {
    return false
  }
}

/** The platforms for which the package contains binaries. */
function prebuiltIn(root: string): string[] {
  try {
    return readdirSync(`${root}/prebuilds`).sort()
  } catch {
    return []
  }
}

export const native: Native = load()
native.identify(threadId)
