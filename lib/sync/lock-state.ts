/**
 * LockState: one lock in one environment. There is one per environment and lock, regardless of the number of the program's objects for that
 * lock. The robust mutex in the segment decides between environments. This class decides between the tasks of one environment.
 *
 *   S1  depth > 0 exactly while the thread of this environment owns the mutex.
 *   S2  task is the asynchronous owner, and undefined while the thread itself owns the lock.
 *   S3  A synchronous attempt never waits for a task of its own thread, because that task cannot run while the thread is blocked. The
 *       attempt fails at once.
 *   S4  Asynchronous requests are granted in the order of the wait queue (wait-queue.ts). While this environment owns the lock, the
 *       release that ends its ownership pumps the queue.
 *   S5  Each ownership has a number, which leave() takes. The wait of a condition suspends an ownership, but its code may call leave()
 *       before the wait has ended (a forgotten `await`, a race). Then leave() must end neither the ownership of another task nor the next
 *       one of the thread.
 *
 * enter() and leave() are the fast path: each makes one native call without arguments. All locks use the same two native functions, and a
 * word in memory selects the lock. V8 calls a constant function directly; a call of one of many functions takes twice as long. For the same
 * reason the mutex has no class of its own: a further object would make `value.update()` a quarter slower.
 */
import { type Subject, segmentError } from '../errors/segment-messages.ts'
import type { ShareError } from '../errors/share-error.ts'
import { type CellState, cellStateAt, type Segment } from '../memory/segment.ts'
import { ABANDONED, BROKEN, BUSY, DEADLOCK, LOCK_HELD, type LockAnswer, type NativeLock, native } from '../native.ts'
import { type Grant, nextOwnership, type SuspendedOwnership, SuspendedOwnerships } from './ownership.ts'
import { isInside, Task } from './task.ts'
import type { WaitOptions } from './wait-options.ts'
import { LATER, NOT_NOW, timeoutError, type Waiter, WaitQueue } from './wait-queue.ts'

const selection = new Uint32Array(native.selection)
const { tryAcquireSelected, acquireSelected, releaseSelected } = native

/** How long a task waits before it reserves the lock. Until then, running threads may take the lock first, which makes a busy lock fast. */
const RESERVE_AFTER_MS = 5

function pump(waitQueue: WaitQueue): void {
  waitQueue.pump()
}

/** The depth of a lock whose last object is closed: neither free nor owned. */
const ENDED = -1

export class LockState implements CellState {
  readonly #lock: NativeLock
  readonly #index: number
  readonly #recursive: boolean
  readonly segment: Segment
  readonly #waitQueue: WaitQueue
  #depth = 0
  #task: Task | undefined
  #ownership = 0
  readonly #suspended = new SuspendedOwnerships()
  #ended = false

  /** The state of the lock at `cell` of the segment; created at its first use. */
  static of(segment: Segment, cell: number, recursive: boolean): LockState {
    return cellStateAt(segment, cell, LockState, () => new LockState(segment, cell, recursive))
  }

  /** Called only by of(), because there is one state per environment and lock. */
  constructor(segment: Segment, cell: number, recursive: boolean) {
    this.#lock = native.bindLock(segment.native, cell)
    this.#index = native.lockIndex(this.#lock)
    this.#waitQueue = new WaitQueue(native.lockWait(this.#lock))
    this.#recursive = recursive
    this.segment = segment
  }

  /** Takes the lock for the thread. Returns true when the lock was abandoned. */
  enter(timeoutMs = Infinity): boolean {
    if (this.#depth === 0) {
      selection[0] = this.#index
      const answer = timeoutMs === Infinity ? acquireSelected() : tryAcquireSelected()
      if (answer === undefined) {
        this.#startOwnership()
        return false
      }
      return this.#enterSlowly(answer, timeoutMs)
    }
    this.#assertNotEnded()
    if (!this.#reenter()) throw this.#error('ERR_DEADLOCK')
    return false
  }

  /** Like enter(), but returns undefined when enter() would wait. */
  tryEnter(): boolean | undefined {
    if (this.#depth === 0) {
      const answer = this.#tryAcquire()
      if (answer === undefined) {
        this.#startOwnership()
        return false
      }
      this.#assertNotEnded()
      return answer === BUSY ? undefined : this.#noteAcquired(answer)
    }
    this.#assertNotEnded()
    return this.#reenter() ? false : undefined
  }

  /** The ownership that the last enter() or grant has begun or deepened, for leave(); 0 is none. */
  get ownership(): number {
    return this.#ownership
  }

  /**
   * Ends one enter() or grant.
   * @param ownership - the value of `ownership` after that enter() or grant
   * @param asAbandoned - marks the lock as abandoned for the next owner, because this one could not report it
   */
  leave(ownership: number, asAbandoned = false): void {
    if (ownership !== this.#ownership) this.#suspended.leave(ownership)
    else if (--this.#depth === 0) this.#release(asAbandoned)
  }

  #release(asAbandoned: boolean): void {
    this.#task = undefined
    this.#ownership = 0
    if (asAbandoned) {
      native.abandonLock(this.#lock)
    } else {
      selection[0] = this.#index
      releaseSelected()
    }
    // Pumps in a later turn of the event loop, so that a long queue of own tasks starves neither I/O nor other processes. A closure that
    // captures `this` would slow down every call of leave(), so there is none.
    if (this.#waitQueue.size > 0) setImmediate(pump, this.#waitQueue)
  }

  /** Takes the lock for `task`, in the order of the calls. */
  acquire(waiter: Waiter, task: Task, options: WaitOptions): Promise<Grant> {
    const { timeoutMs = Infinity, signal } = options
    signal?.throwIfAborted()
    this.#assertNotEnded()
    if (this.#task !== undefined && isInside(this.#task)) {
      if (!this.#recursive) throw this.#error('ERR_DEADLOCK')
      this.#depth++
      return Promise.resolve({ ownership: this.#ownership, abandoned: false })
    }
    let since = 0
    const attempt = () => {
      this.#assertNotEnded()
      if (this.#depth > 0) return LATER
      const answer = this.#tryAcquire()
      if (answer === BUSY) {
        // A process that takes the lock again right after each release would keep this task waiting for seconds.
        if (since === 0) since = performance.now()
        else if (performance.now() - since > RESERVE_AFTER_MS) native.reserveLock(this.#lock)
        return NOT_NOW
      }
      const abandoned = this.#noteAcquired(answer)
      this.#task = task
      return { ownership: this.#ownership, abandoned }
    }
    if (this.#waitQueue.size === 0) {
      const grant = attempt()
      if (typeof grant === 'object') return Promise.resolve(grant)
    }
    if (timeoutMs === 0) throw timeoutError(waiter, 0)
    return this.#waitQueue.wait(waiter, attempt, 0, options, () => {
      native.unreserveLock(this.#lock)
      return undefined
    })
  }

  /** Whether the caller owns the lock: as the thread, inside `run`, or through this guard. */
  isOwnedBy(guard: { isOf(state: LockState): boolean } | undefined): boolean {
    if (this.#depth <= 0) return false
    return guard === undefined ? this.#task === undefined || isInside(this.#task) : guard.isOf(this)
  }

  isHeldFor(task: Task): boolean {
    return this.#task === task
  }

  /** Releases all levels of the current ownership, to be resumed later. */
  suspend(): SuspendedOwnership {
    const ownership = { id: this.#ownership, task: this.#task, depth: this.#depth }
    this.#suspended.add(ownership)
    this.#depth = 0
    this.#release(false)
    return ownership
  }

  /** Resumes an ownership, in the order of the wait queue; see {@link suspend}. */
  async resume(waiter: Waiter, ownership: SuspendedOwnership): Promise<void> {
    // This is a separate waiter, because the ownership must be resumed even when the object is closed.
    const { name, subject } = waiter
    const resumer: Waiter = {
      name,
      subject,
      get keepsAlive() {
        return waiter.keepsAlive // ref() and unref() may change it during the wait
      },
    }
    if (!this.#ended && ownership.depth > 0) {
      const { abandoned } = await this.acquire(resumer, new Task(), {})
      this.#restore(ownership, abandoned)
    }
    this.#suspended.remove(ownership)
  }

  /** {@link resume}, blocking the thread. */
  resumeSync(ownership: SuspendedOwnership): void {
    if (!this.#ended) this.#restore(ownership, this.enter())
    this.#suspended.remove(ownership)
  }

  #restore({ id, depth, task }: SuspendedOwnership, abandoned: boolean): void {
    // The caller cannot report the abandonment, so the next owner does.
    if (abandoned) native.markAbandoned(this.#lock)
    this.#depth = depth
    this.#task = task
    this.#ownership = id
    if (depth === 0) this.#release(false) // all its levels were left during the wait
  }

  get waitQueues(): Iterable<WaitQueue> {
    return [this.#waitQueue]
  }

  get held(): boolean {
    return native.lockState(this.#lock) === LOCK_HELD
  }

  /** The process and thread that own the lock. */
  get owner(): [pid: number, threadId: number] | undefined {
    return this.held ? native.lockOwner(this.#lock) : undefined
  }

  get ended(): boolean {
    return this.#ended
  }

  /** The last object of this environment is closed: abandons the lock if this environment owns it. */
  end(): void {
    this.#ended = true
    // The waits of objects have already failed. The remaining waits are those of suspended ownerships, which have ended.
    this.#waitQueue.failAll(this.#error('ERR_CLOSED'))
    this.#depth = ENDED
    this.#task = undefined
    this.#ownership = 0
    this.#suspended.clear()
    native.unbindLock(this.#lock)
  }

  #tryAcquire(): LockAnswer {
    selection[0] = this.#index
    return tryAcquireSelected()
  }

  #enterSlowly(first: LockAnswer, timeoutMs: number): boolean {
    let answer = first
    if (answer === BUSY) {
      const deadline = performance.now() + timeoutMs
      for (let left = timeoutMs; answer === BUSY && left > 0; left = deadline - performance.now()) {
        answer = native.acquireLock(this.#lock, left)
      }
      if (answer === BUSY) throw timeoutError({ subject: this.#subject }, timeoutMs)
    }
    return this.#noteAcquired(answer)
  }

  /** Notes an acquisition. Returns true when the lock was abandoned. */
  #noteAcquired(answer: LockAnswer): boolean {
    if (answer === DEADLOCK) throw this.#error('ERR_DEADLOCK')
    if (answer === BROKEN) throw segmentError('ERR_CORRUPT', { segment: this.segment.name })
    this.#startOwnership()
    return answer === ABANDONED
  }

  #startOwnership(): void {
    this.#depth = 1
    this.#ownership = nextOwnership()
  }

  /** Takes the lock once more if the caller owns it and the lock is recursive. Returns whether it did. */
  #reenter(): boolean {
    if (!this.#recursive || (this.#task !== undefined && !isInside(this.#task))) return false
    this.#depth++
    return true
  }

  get #subject(): Subject {
    return { segment: this.segment.name, part: 'lock' }
  }

  #assertNotEnded(): void {
    if (this.#ended) throw this.#error('ERR_CLOSED')
  }

  #error(code: 'ERR_DEADLOCK' | 'ERR_CLOSED'): ShareError {
    return segmentError(code, this.#subject)
  }
}
