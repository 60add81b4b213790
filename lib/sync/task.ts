/**
 * Tasks: who holds a lock that was taken asynchronously.
 *
 * A thread runs many asynchronous tasks, so "the thread" cannot own what one of them has taken. Inside `run(fn)` the task
 * is whatever runs as part of `fn`, which AsyncLocalStorage knows; a guard of `acquire()` belongs to a task that nobody
 * can be recognised as, so it is released by the guard alone.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

export class Task {
  /** The task around this one: `run` inside `run`. */
  readonly outer: Task | undefined
  /** Whether nothing will be held for it any more. */
  ended = false

  constructor(outer?: Task) {
    // Whoever goes on from inside a task that has ended, and begins another one there, and so on, must not make a chain of them.
    let living = outer
    while (living?.ended) living = living.outer
    this.outer = living
  }
}

const current = new AsyncLocalStorage<Task>()

export function currentTask(): Task | undefined {
  return current.getStore()
}

/** Whether the code that asks runs as part of `task`. */
export function isInside(task: Task): boolean {
  for (let inner = currentTask(); inner !== undefined; inner = inner.outer) {
    if (inner === task) return true
  }
  return false
}

export function runInside<T>(task: Task, fn: () => T): T {
  return current.run(task, fn)
}
