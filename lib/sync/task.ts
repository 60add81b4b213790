/**
 * Tasks: the owners of locks that were taken asynchronously.
 *
 * A thread runs many asynchronous tasks, so the thread cannot own a lock that one of them has taken. Inside `run(fn)` the task is
 * everything that runs as part of `fn`; AsyncLocalStorage identifies it. An acquisition by `acquire()` belongs to a task of its own, in
 * which no code runs, so only its guard releases the lock.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

export class Task {
  /** The task around this one: `run` inside `run`. */
  readonly outer: Task | undefined
  /** Whether it owns no lock any more. */
  ended = false

  constructor(outer?: Task) {
    // Code inside an ended task may begin another task, and so on again and again. This must not build a chain of tasks.
    let living = outer
    while (living?.ended) living = living.outer
    this.outer = living
  }
}

const current = new AsyncLocalStorage<Task>()

export function currentTask(): Task | undefined {
  return current.getStore()
}

/** Whether the caller runs as part of `task`. */
export function isInside(task: Task): boolean {
  for (let inner = currentTask(); inner !== undefined; inner = inner.outer) {
    if (inner === task) return true
  }
  return false
}

export function runInside<T>(task: Task, fn: () => T): T {
  return current.run(task, fn)
}
