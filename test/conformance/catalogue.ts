/** All cases by object. Nothing here or in the files of the cases knows a test runner. */
import { conditionCases } from './condition.ts'
import type { Case } from './driver.ts'
import { eventCases } from './event.ts'
import { lockCases } from './lock.ts'
import { semaphoreCases } from './semaphore.ts'

export const catalogue: readonly (readonly [subject: string, cases: readonly Case[]])[] = [
  ['Lock', lockCases('Lock')],
  ['RLock', lockCases('RLock')],
  ['Semaphore', semaphoreCases('Semaphore')],
  ['BoundedSemaphore', semaphoreCases('BoundedSemaphore')],
  ['Condition', conditionCases],
  ['Event', eventCases],
]
