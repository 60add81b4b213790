/** The types that clients wait for. */
import type { ManagedType } from '../managed-type.ts'
import { barrierType } from './barrier.ts'
import { conditionType } from './condition.ts'
import { eventType } from './event.ts'
import { lockType } from './lock.ts'
import { joinableQueueType, queueType } from './queue.ts'
import { rlockType } from './rlock.ts'
import { boundedSemaphoreType, semaphoreType } from './semaphore.ts'

export const synchronizerTypes: readonly ManagedType[] = [
  lockType,
  rlockType,
  semaphoreType,
  boundedSemaphoreType,
  conditionType,
  eventType,
  barrierType,
  queueType,
  joinableQueueType,
]
