// The entry point of the API reference: the public names, and the classes behind those of shared objects. The package exports the latter
// only as types: `Event` makes objects of the class `EventObject`.

/**
 * All public names of the package. `Event`, `Lock`, `Queue` and the other shared objects are classes: `new` creates an object, and a call
 * without `new` describes a member of a `SharedState`. The methods of their objects are on the page of the class with the ending `Object`.
 *
 * @module procshare
 * @group API reference
 */
export * from '../lib/index.ts'
export { SharedMemoryObject } from '../lib/memory/shared-memory.ts'
export { JoinableQueueObject } from '../lib/queue/joinable-queue.ts'
export { ConnectionObject } from '../lib/queue/pipe.ts'
export { QueueObject } from '../lib/queue/queue.ts'
export { SimpleQueueObject } from '../lib/queue/simple-queue.ts'
export { BarrierObject } from '../lib/sync/barrier.ts'
export { ConditionObject } from '../lib/sync/condition.ts'
export { EventObject } from '../lib/sync/event.ts'
export { LockObject } from '../lib/sync/lock.ts'
export { RLockObject } from '../lib/sync/rlock.ts'
export { BoundedSemaphoreObject, SemaphoreObject } from '../lib/sync/semaphore.ts'
