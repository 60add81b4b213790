/** All cases by object. Nothing here or in the files of the cases knows a test runner. */
import { barrierCases } from './barrier.ts'
import { conditionCases } from './condition.ts'
import type { Case } from './driver.ts'
import { eventCases } from './event.ts'
import { lockCases } from './lock.ts'
import { pipeCases } from './pipe.ts'
import { queueCases } from './queue.ts'
import { semaphoreCases } from './semaphore.ts'
import { wordCases } from './words.ts'

export const catalogue: readonly (readonly [subject: string, cases: readonly Case[]])[] = [
  ['Lock', lockCases('Lock')],
  ['RLock', lockCases('RLock')],
  ['Semaphore', semaphoreCases('Semaphore')],
  ['BoundedSemaphore', semaphoreCases('BoundedSemaphore')],
  ['Condition', conditionCases],
  ['Event', eventCases],
  ['Barrier', barrierCases],
  ['wait, waitAsync, notify', wordCases],
  ['Queue', queueCases('Queue')],
  ['JoinableQueue', queueCases('JoinableQueue')],
  ['SimpleQueue', queueCases('SimpleQueue')],
  ['Pipe', pipeCases],
]
