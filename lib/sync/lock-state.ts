/**
 * LockState: one lock as one environment sees it. There is exactly one per environment and lock, however many handles;
 * the robust mutex in the segment decides between environments, this decides between the tasks of one.
 *
 *   S1  depth > 0 exactly while this environment's thread holds the mutex.
 *   S2  task is the asynchronous owner while one holds it, and undefined while the thread itself does.
 *   S3  A synchronous attempt never waits for a task of its own thread: that task could not run on. It fails at once.
 *   S4  Asynchronous requests are granted in the order of their line (wait-queue.ts). While this environment holds the lock,
 *       it is the release that ends our own hold that makes the line go on.
 *   S5  Each hold has a number, and whoever leaves says which one he leaves. A condition's wait suspends a hold, and the
 *       code that has it may leave before the wait has ended (a forgotten `await`, a race): what it leaves then must be
 *       neither the hold of another task nor the thread's next one.
 *
 * enter() and leave() are the fast path: one native call without arguments each, and nothing else that costs. The two
 * functions are the same for all locks, and a word in memory says which lock is meant: a function that V8 knows as a
 * constant is called directly, one of many costs twice as much. For the same reason the mutex has no class of its own: one
 * more object in between makes `value.update()` a quarter slower.
 */
import { type Subject, segmentError } from '../errors/segment-messages.ts'
import type { ShareError } from '../errors/share-error.ts'
import { type Resident, residentAt, type Segment } from '../memory/segment.ts'
import { ABANDONED, BROKEN, BUSY, DEADLOCK, LOCK_HELD, type LockAnswer, type NativeLock, native } from '../native.ts'
import type { LockGuard } from './lock-guard.ts'
import { type Grant, nextOwnership, type SuspendedOwnership, SuspendedOwnerships } from './ownership.ts'
import { isInside, Task } from './task.ts'
import type { WaitOptions } from './wait-options.ts'
import { LATER, NOT_NOW, timeoutError, type Waiter, WaitQueue } from './wait-queue.ts'

const selection = new Uint32Array(native.selection)
const { tryAcquireSelected, acquireSelected, releaseSelected } = native

/** How long a task waits before it reserves the lock; until then passers-by may take it, which makes a busy lock fast. */
const RESERVE_AFTER_MS = 5

function pump(waitQueue: WaitQueue): void {
  waitQueue.pump()
}

/** The depth of a lock whose last handle is closed: neither free nor held. */
const ENDED = -1

export class LockState implements Resident {
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

  /** The state of the lock at `cell` of the segment; made at its first use. */
  static of(segment: Segment, cell: number, recursive: boolean): LockState {
    return residentAt(segment, cell, LockState, () => new LockState(segment, cell, recursive))
  }

  /** Through of(): there is one per environment and lock. */
  constructor(segment: Segment, cell: number, recursive: boolean) {
    this.#lock = native.bindLock(segment.native, cell)
    this.#index = native.lockIndex(this.#lock)
    this.#waitQueue = new WaitQueue(native.lockWait(this.#lock))
    this.#recursive = recursive
    this.segment = segment
  }

  /** Takes the lock for the thread. True when the last owner died holding it. */
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

  /** As enter(), but undefined when that would have to wait. */
  tryEnter(): boolean | undefined {
    this.#assertNotEnded()
    if (this.#depth > 0) return this.#reenter() ? false : undefined
    const answer = this.#tryAcquire()
    return answer === BUSY ? undefined : this.#noteAcquired(answer)
  }

  /** The hold that the last enter() or grant has begun or deepened. For leave(); 0 is none. */
  get ownership(): number {
    return this.#ownership
  }

  /**
   * Ends one enter() or grant.
   * @param hold - what `hold` was after it
   * @param handOn - tells the next owner that the lock was abandoned, because nobody has been told yet
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
    // By way of the event loop: a long line of our own tasks must starve neither its I/O nor other processes.
    // Not by a closure: one that captures `this` would cost every call of leave().
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
        // Others, who take it again right after they have released it, would keep us out for seconds.
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

  /** Whether the caller holds the lock: as the thread, inside `run`, or through this guard. */
  isOwnedBy(guard: LockGuard | undefined): boolean {
    if (this.#depth <= 0) return false
    return guard === undefined ? this.#task === undefined || isInside(this.#task) : guard.isOf(this)
  }

  isHeldFor(task: Task): boolean {
    return this.#task === task
  }

  /** Releases all levels of a hold, to be taken up again later. */
  suspend(): SuspendedOwnership {
    const ownership = { id: this.#ownership, task: this.#task, depth: this.#depth }
    this.#suspended.add(ownership)
    this.#depth = 0
    this.#release(false)
    return ownership
  }

  /** Takes up a hold again, in line with the others; see {@link suspend}. */
  async resume(waiter: Waiter, ownership: SuspendedOwnership): Promise<void> {
    // Not the handle's own wait: when the handle is closed, the hold must come back all the same.
    const { name, subject } = waiter
    const resumer: Waiter = {
      name,
      subject,
      get keepsAlive() {
        return waiter.keepsAlive // which ref() and unref() may change meanwhile
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
    // Nobody here can be told: the next owner is.
    if (abandoned) native.markAbandoned(this.#lock)
    this.#depth = depth
    this.#task = task
    this.#ownership = id
    if (depth === 0) this.#release(false) // whoever had it has left by now
  }

  get waitQueues(): Iterable<WaitQueue> {
    return [this.#waitQueue]
  }

  get held(): boolean {
    return native.lockState(this.#lock) === LOCK_HELD
  }

  /** Process and thread that hold the lock. */
  get owner(): [pid: number, threadId: number] | undefined {
    return this.held ? native.lockOwner(this.#lock) : undefined
  }

  get ended(): boolean {
    return this.#ended
  }

  /** The last handle of this environment is closed: what is still held is handed on as abandoned. */
  end(): void {
    this.#ended = true
    // Waits through handles have failed by now; what is left is to take up a hold again that is gone.
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

  /** Notes an acquisition; true when the lock was abandoned. */
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

  /** Whether the code that asks owns the lock and may take it once more; then it has. */
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
