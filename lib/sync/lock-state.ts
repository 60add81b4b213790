/**
 * LockState: one lock as one environment sees it. There is exactly one per environment and lock, however many handles;
 * the robust mutex in the segment decides between environments, this decides between the tasks of one.
 *
 *   S1  depth > 0 exactly while this environment's thread holds the mutex.
 *   S2  task is the asynchronous owner while one holds it, and undefined while the thread itself does.
 *   S3  A synchronous attempt never waits for a task of its own thread: that task could not run on. It fails at once.
 *   S4  pending is granted in order. While it is not empty, somebody is bound to call pump(): the release that ends our own
 *       hold, or the wake-up that tryAcquireOrAwait() has asked for.
 *
 * enter() and leave() are the fast path: one native call without arguments each, and nothing else that costs. The two
 * functions are the same for all locks, and a word in memory says which lock is meant: a function that V8 knows as a
 * constant is called directly, one of many costs twice as much.
 */
import { ShareError } from '../errors.ts'
import type { Resident, Segment } from '../memory/segment.ts'
import { ABANDONED, BROKEN, BUSY, LOCK_HELD, type LockAnswer, type NativeLock, native } from '../native.ts'
import { keepAlive, letGo } from './keep-alive.ts'
import { isInside, type Task } from './task.ts'
import type { WaitOptions } from './wait-options.ts'

const selection = new Uint32Array(native.selection)
const { tryAcquireSelected, acquireSelected, releaseSelected } = native

/**
 * Those for which somebody waits, by the index of their lock. It keeps them: a pending promise alone keeps nothing.
 * An index may mean another lock by the time a wake-up for it arrives; looking once too often does no harm.
 */
const awaited = new Map<number, LockState>()
native.onWake((index) => pump(awaited.get(index)))

function pump(state: LockState | undefined): void {
  state?.pump()
}

/** Who a pending acquisition belongs to: a lock handle. */
export interface Waiter {
  readonly subject: string
  readonly keepsAlive: boolean
}

interface Pending {
  readonly waiter: Waiter
  readonly task: Task
  keepsAlive: boolean
  grant(abandoned: boolean): void
  fail(error: unknown): void
}

export class LockState implements Resident {
  readonly #lock: NativeLock
  readonly #index: number
  readonly #recursive: boolean
  readonly #segment: Segment
  readonly #pending: Pending[] = []
  #depth = 0
  #task: Task | undefined
  #ended = false

  /** The state of the lock at `cell` of the segment; made at its first use. */
  static of(segment: Segment, cell: number, recursive: boolean): LockState {
    const known = segment.residents.get(cell)
    if (known instanceof LockState) return known
    const state = new LockState(segment, cell, recursive)
    segment.residents.set(cell, state)
    return state
  }

  private constructor(segment: Segment, cell: number, recursive: boolean) {
    try {
      this.#lock = native.bindLock(segment.native, cell)
    } catch (cause) {
      throw new ShareError('ERR_CORRUPT', { segment: segment.name, cause })
    }
    this.#index = native.lockIndex(this.#lock)
    this.#recursive = recursive
    this.#segment = segment
  }

  /** Takes the lock for the thread. True when the last owner died holding it. */
  enter(timeoutMs = Infinity): boolean {
    if (this.#depth === 0) {
      selection[0] = this.#index
      const answer = timeoutMs === Infinity ? acquireSelected() : tryAcquireSelected()
      if (answer === undefined) {
        this.#depth = 1
        return false
      }
      return this.#enterSlowly(answer, timeoutMs)
    }
    if (!this.#reenter()) throw this.#error('ERR_DEADLOCK')
    return false
  }

  /** As enter(), but undefined when that would have to wait. */
  tryEnter(): boolean | undefined {
    if (this.#depth > 0) return this.#reenter() ? false : undefined
    const answer = this.#tryAcquire()
    return answer === BUSY ? undefined : this.#settle(answer)
  }

  /**
   * Ends one enter() or grant.
   * @param handOn - tells the next owner that the lock was abandoned, because nobody has been told yet
   */
  leave(handOn = false): void {
    if (--this.#depth !== 0) return // below zero: end() came in between, and has released
    this.#task = undefined
    if (handOn) {
      native.abandonLock(this.#lock)
    } else {
      selection[0] = this.#index
      releaseSelected()
    }
    // By way of the event loop: a long line of our own tasks must starve neither its I/O nor other processes.
    // Not by a closure: one that captures `this` would cost every call of leave().
    if (this.#pending.length > 0) setImmediate(pump, this)
  }

  /** Takes the lock for `task`, in the order of the calls. Resolves to whether it was abandoned. */
  acquire(waiter: Waiter, task: Task, options: WaitOptions): Promise<boolean> {
    const { timeoutMs = Infinity, signal } = options
    signal?.throwIfAborted()
    if (this.#task !== undefined && isInside(this.#task)) {
      if (!this.#recursive) throw this.#error('ERR_DEADLOCK')
      this.#depth++
      return Promise.resolve(false)
    }
    if (this.#depth === 0 && this.#pending.length === 0) {
      const answer = this.#tryAcquire()
      if (answer !== BUSY) {
        const abandoned = this.#settle(answer)
        this.#task = task
        return Promise.resolve(abandoned)
      }
    }
    if (timeoutMs === 0) throw this.#timeout(waiter, 0)
    return this.#wait(waiter, task, timeoutMs, signal)
  }

  /** Fails what a handle waits for, because the handle is closed. */
  failWaiter(waiter: Waiter, error: unknown): void {
    for (const pending of this.#pending.filter((item) => item.waiter === waiter)) pending.fail(error)
  }

  /** Looks again whether a handle's waits keep the process alive. */
  refreshKeepAlive(waiter: Waiter): void {
    for (const pending of this.#pending) {
      if (pending.waiter !== waiter || pending.keepsAlive === waiter.keepsAlive) continue
      pending.keepsAlive = waiter.keepsAlive
      if (waiter.keepsAlive) keepAlive()
      else letGo()
    }
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
    this.#depth = 0
    this.#task = undefined
    native.endLock(this.#lock)
    this.#segment.residents.clear()
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
      if (answer === BUSY) throw this.#timeout(undefined, timeoutMs)
    }
    return this.#settle(answer)
  }

  /** Notes an acquisition; true when the lock was abandoned. */
  #settle(answer: LockAnswer): boolean {
    if (answer === BROKEN) throw new ShareError('ERR_CORRUPT', { segment: this.#segment.name })
    this.#depth = 1
    return answer === ABANDONED
  }

  /** Whether the code that asks owns the lock and may take it once more; then it has. */
  #reenter(): boolean {
    if (!this.#recursive || (this.#task !== undefined && !isInside(this.#task))) return false
    this.#depth++
    return true
  }

  #wait(waiter: Waiter, task: Task, timeoutMs: number, signal: AbortSignal | undefined): Promise<boolean> {
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined
      const onAbort = () => pending.fail(signal?.reason)
      const settle = () => {
        this.#pending.splice(this.#pending.indexOf(pending), 1)
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        if (pending.keepsAlive) letGo()
        if (this.#pending.length === 0) this.#stopAwaiting()
      }
      const pending: Pending = {
        waiter,
        task,
        keepsAlive: waiter.keepsAlive,
        grant: (abandoned) => {
          settle()
          resolve(abandoned)
        },
        fail: (error) => {
          settle()
          reject(error)
        },
      }
      if (pending.keepsAlive) keepAlive()
      if (timeoutMs < Infinity) {
        // A timer that is further away than 24 days would fire at once; nobody waits that long for the difference.
        // What keeps the process alive, if anything is to, is not the timer: ref() and unref() may change that later.
        timer = setTimeout(
          () => pending.fail(this.#timeout(waiter, timeoutMs)),
          Math.min(timeoutMs, 2 ** 31 - 1),
        ).unref()
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#pending.push(pending)
      if (this.#depth === 0) this.pump()
    })
  }

  /** Grants the lock to the first of the line if it can be had; otherwise somebody will call again (S4). */
  pump(): void {
    const next = this.#pending[0]
    if (next === undefined || this.#depth > 0 || this.#ended) return
    try {
      const answer = native.tryAcquireOrAwait(this.#lock)
      if (answer === BUSY) {
        awaited.set(this.#index, this)
        return
      }
      const abandoned = this.#settle(answer)
      this.#task = next.task
      next.grant(abandoned)
    } catch (error) {
      // The lock is broken or the system has no thread to wait with: none of those in line can be served.
      for (const pending of [...this.#pending]) pending.fail(error)
    }
  }

  #stopAwaiting(): void {
    native.stopAwaiting(this.#lock)
    awaited.delete(this.#index)
  }

  #error(code: 'ERR_DEADLOCK'): ShareError {
    return new ShareError(code, { segment: this.#segment.name, subject: `the lock of segment "${this.#segment.name}"` })
  }

  #timeout(waiter: Waiter | undefined, timeoutMs: number): ShareError {
    const subject = waiter?.subject ?? `the lock of segment "${this.#segment.name}"`
    return new ShareError('ERR_TIMEOUT', { segment: this.#segment.name, subject, detail: `${timeoutMs} ms` })
  }
}
