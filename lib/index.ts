/**
 * procshare: shared state for Node.js processes in named shared memory.
 *
 * @packageDocumentation
 */
export { ShareError, type ShareErrorCode } from './errors.ts'
export { attach, type Handle, type Shareable } from './memory/handle.ts'
export type { AttachOptions, SegmentOptions } from './memory/segment.ts'
export {
  listSegments,
  removeStaleSegments,
  type SegmentInfo,
  SharedMemory,
  unlinkSegment,
} from './memory/shared-memory.ts'
export type {
  ArrayTypes,
  ElementTypes,
  InputOf,
  IntegerTypeName,
  NumericTypeName,
  TypeName,
} from './memory/typecode.ts'
export { isMainProcess, processName } from './process/current.ts'
export { Process, type ProcessOptions } from './process/process.ts'
export type { PipeOptions } from './queue/connection-state.ts'
export { JoinableQueue } from './queue/joinable-queue.ts'
export { Connection, Pipe } from './queue/pipe.ts'
export { Queue } from './queue/queue.ts'
export type { QueueOptions, SimpleQueueOptions } from './queue/queue-state.ts'
export { SimpleQueue } from './queue/simple-queue.ts'
export { Event } from './sync/event.ts'
export { Lock } from './sync/lock.ts'
export type { LockGuard } from './sync/lock-guard.ts'
export { type AnyLock, RLock } from './sync/rlock.ts'
export { BoundedSemaphore, Semaphore, type SemaphoreOptions } from './sync/semaphore.ts'
export type { SyncWaitOptions, WaitOptions } from './sync/wait-options.ts'
export type { ArrayMembers } from './views/array-members.ts'
export type { ValueOptions } from './views/guarded-segment.ts'
export {
  type ElementsOf,
  RawArray,
  SharedArray,
  SharedArray as Array,
  type SharedArrayConstructor,
  type StructArrayOf,
  type TextMembers,
  type TypedArrayMembers,
} from './views/shared-array.ts'
export {
  type FieldInput,
  type FieldSnapshot,
  type FieldType,
  type FieldValue,
  Struct,
  type StructFields,
  type StructInit,
  type StructInput,
  type StructSnapshot,
  type StructType,
  type StructView,
} from './views/struct.ts'
export {
  RawValue,
  type ScalarValueOf,
  type StructValueOf,
  Value,
  type ValueConstructor,
  type ValueMembers,
} from './views/value.ts'
