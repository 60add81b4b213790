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
export { Connection, Pipe, type PipeConstructor, type PipeEnds } from './queue/pipe.ts'
export type { QueueOptions, SimpleQueueOptions } from './queue/queue-state.ts'
export { Member, type MemberOptions } from './state/member.ts'
export {
  type ArrayMember,
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  JoinableQueue,
  Lock,
  Queue,
  RawArray,
  RawValue,
  RLock,
  Semaphore,
  SharedArray,
  SharedArray as Array,
  SimpleQueue,
  Value,
  type ValueMember,
} from './state/members.ts'
export {
  SharedState,
  type SharedStateConstructor,
  type StateMembers,
  type StateSchema,
} from './state/shared-state.ts'
export type { BarrierHandleOptions, BarrierOptions } from './sync/barrier.ts'
export type { OwnerOptions } from './sync/condition.ts'
export type { ConditionOptions } from './sync/condition-site.ts'
export type { LockGuard } from './sync/lock-guard.ts'
export type { AnyLock } from './sync/rlock.ts'
export type { SemaphoreOptions } from './sync/semaphore.ts'
export type { SyncWaitOptions, WaitOptions } from './sync/wait-options.ts'
export { notify, type WaitAsyncResult, wait, waitAsync } from './sync/words.ts'
export type { ArrayMembers } from './views/array-members.ts'
export type { ValueOptions } from './views/guarded-segment.ts'
export type {
  ElementsOf,
  SharedArrayConstructor,
  StructArrayOf,
  TextMembers,
  TypedArrayMembers,
} from './views/shared-array.ts'
export { Struct } from './views/struct.ts'
export type {
  FieldInput,
  FieldSnapshot,
  FieldType,
  FieldValue,
  StructFields,
  StructInit,
  StructInput,
  StructSnapshot,
  StructType,
  StructView,
} from './views/struct-types.ts'
export type { ScalarValueOf, StructValueOf, ValueConstructor, ValueMembers } from './views/value.ts'
