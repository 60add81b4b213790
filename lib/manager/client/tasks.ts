/**
 * Numbers of tasks, which identify the caller within this client. A task is everything that runs inside `run` of a managed lock. The tasks
 * are the same as those of locks in shared memory.
 */
import { currentTask, type Task } from '../../sync/task.ts'

/** 0 is the thread, for blocking calls. */
const MAX_NUMBER = 2 ** 32 - 1

const numbers = new WeakMap<Task, number>()
let last = 0

/** The number of a new task, inside of which no later code runs. */
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

/** The tasks inside of which the caller runs. The caller also owns everything that these tasks own. */
export function surroundingTasks(): number[] {
  const within: number[] = []
  for (let task = currentTask(); task !== undefined; task = task.outer) {
    const number = numbers.get(task)
    if (number !== undefined) within.push(number)
  }
  return within
}
