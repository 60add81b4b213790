/**
 * Numbers of tasks: who of this client calls. Inside `run` of a managed lock it is whatever runs as part of that; the tasks are
 * those of the locks in shared memory.
 */
import { currentTask, type Task } from '../../sync/task.ts'

/** 0 is the thread, of blocking calls. */
const MAX_NUMBER = 2 ** 32 - 1

const numbers = new WeakMap<Task, number>()
let last = 0

/** The number of a task that nobody will be recognised as. */
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

/** The tasks that the code which asks runs as part of: what they hold is its own. */
export function surroundingTasks(): number[] {
  const within: number[] = []
  for (let task = currentTask(); task !== undefined; task = task.outer) {
    const number = numbers.get(task)
    if (number !== undefined) within.push(number)
  }
  return within
}
