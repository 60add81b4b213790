/**
 * Numbers of tasks, which identify the caller within this client. A task is what runs inside `run` of a managed lock; the tasks are those
 * of the locks in shared memory.
 */
import { currentTask, type Task } from '../../sync/task.ts'

/** 0 is the thread, of blocking calls. */
const MAX_NUMBER = 2 ** 32 - 1

const numbers = new WeakMap<Task, number>()
let last = 0

/** The number of a new task, which no later code runs inside of. */
export function newTaskNumber(): number {
  last = (last % MAX_NUMBER) + 1
  return last
}

/** The number of a task for which something is acquired. */
export function numberOf(task: Task): number {
  let number = numbers.get(task)
  if (number === undefined) {
    number = newTaskNumber()
    numbers.set(task, number)
  }
  return number
}

/** The tasks that the caller runs inside of: what they own is the caller's as well. */
export function surroundingTasks(): number[] {
  const within: number[] = []
  for (let task = currentTask(); task !== undefined; task = task.outer) {
    const number = numbers.get(task)
    if (number !== undefined) within.push(number)
  }
  return within
}
