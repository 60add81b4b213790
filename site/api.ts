// The entry point of the API reference: the public names, with each class as its own folder defines it. The package exports the same
// classes in a form that can also be called without `new`, which has no documentation of its own.

/**
 * All public names of the package. The classes of objects that a `SharedState` can contain may also be called without `new`: such a call
 * describes a member.
 *
 * @module procshare
 * @group API reference
 */
export * from '../lib/index.ts'
export { JoinableQueue } from '../lib/queue/joinable-queue.ts'
export { Queue } from '../lib/queue/queue.ts'
export { SimpleQueue } from '../lib/queue/simple-queue.ts'
export { Barrier } from '../lib/sync/barrier.ts'
export { Condition } from '../lib/sync/condition.ts'
export { Event } from '../lib/sync/event.ts'
export { Lock } from '../lib/sync/lock.ts'
export { RLock } from '../lib/sync/rlock.ts'
export { BoundedSemaphore, Semaphore } from '../lib/sync/semaphore.ts'
export { RawArray, SharedArray, SharedArray as Array } from '../lib/views/shared-array.ts'
export { RawValue, Value } from '../lib/views/value.ts'
