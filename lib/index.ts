/**
 * procshare: shared state for Node.js processes in named shared memory.
 *
 * @packageDocumentation
 */
export { ShareError, type ShareErrorCode } from './errors/share-error.ts'
export type { ManagerAddress } from './manager/address.ts'
export type { Blocking } from './manager/client/blocking.ts'
export type { Reconnection } from './manager/client/connection.ts'
export type {
  ManagedBarrierOptions,
  ManagedConditionOptions,
  ManagedQueueOptions,
  ManagedSemaphoreOptions,
} from './manager/client/factories.ts'
export type { NameOptions } from './manager/client/factory-base.ts'
export type { BlockingObjects, ManagedObjectInfo, ManagedObjects, ManagerStats } from './manager/client/objects.ts'
export { ArrayProxy, type BlockingArray } from './manager/client/proxies/array.ts'
export { type BarrierAction, BarrierProxy, type BlockingBarrierProxy } from './manager/client/proxies/barrier.ts'
export type { DictKey, Primitive } from './manager/client/proxies/collections.ts'
export {
  type BlockingConditionProxy,
  type BlockingOwnerOptions,
  ConditionProxy,
  type ManagedOwnerOptions,
} from './manager/client/proxies/condition.ts'
export { type BlockingDict, type DictInit, DictProxy, type KeysOf } from './manager/client/proxies/dict.ts'
export { type BlockingEventProxy, EventProxy } from './manager/client/proxies/event.ts'
export { IteratorProxy } from './manager/client/proxies/iterator.ts'
export { type BlockingList, ListProxy } from './manager/client/proxies/list.ts'
export {
  type Abandonment,
  type AnyLockProxy,
  type BlockingLockProxy,
  LockProxy,
  RLockProxy,
} from './manager/client/proxies/lock.ts'
export type { BlockingLockGuard, ManagedLockGuard } from './manager/client/proxies/lock-guard.ts'
export { type BlockingNamespace, NamespaceProxy } from './manager/client/proxies/namespace.ts'
export {
  type BlockingJoinableQueueProxy,
  type BlockingQueueProxy,
  JoinableQueueProxy,
  QueueProxy,
} from './manager/client/proxies/queue.ts'
export type { RegisteredProxy } from './manager/client/proxies/registered.ts'
export {
  type BlockingSemaphoreProxy,
  BoundedSemaphoreProxy,
  SemaphoreProxy,
} from './manager/client/proxies/semaphore.ts'
export { type BlockingSet, type MembersOf, SetProxy } from './manager/client/proxies/set.ts'
export { type BlockingValue, ValueProxy } from './manager/client/proxies/value.ts'
export { type AnyProxy, ManagedProxy } from './manager/client/proxy.ts'
export type { AnyOperation, Operations, Results } from './manager/client/transaction.ts'
export { Manager, type ManagerConnectOptions, type ManagerStartOptions } from './manager/manager.ts'

import './manager/revive.ts'

export type { ManagerLimits } from './manager/server/limits.ts'
export type { RegisterOptions } from './manager/server/registered-type.ts'
export { type ManagerServeOptions, ManagerServer, type ManagerType } from './manager/server/server.ts'
export type { SortOptions } from './manager/server/types/sorting.ts'
export type { Handle } from './memory/handle.ts'
export type { SharedClass } from './memory/kind.ts'
export { Member, type MemberOptions } from './memory/member.ts'
export type { AttachOptions, SegmentOptions } from './memory/segment.ts'
export { attach, type Shareable } from './memory/shareable.ts'
export {
  listSegments,
  removeStaleSegments,
  type SegmentInfo,
  SharedMemory,
  type SharedMemoryConstructor,
  unlinkSegment,
} from './memory/shared-memory.ts'
export { isMainProcess, type ParentProcess, parentProcess, processName } from './process/current.ts'
export { Process, type ProcessOptions, type ProcessOptionsFor } from './process/process.ts'
export type { PipeOptions } from './queue/connection-state.ts'
export type { ConsumeOptions } from './queue/consume.ts'
export { JoinableQueue, type JoinableQueueConstructor } from './queue/joinable-queue.ts'
export { Connection, type ConnectionConstructor, Pipe, type PipeConstructor, type PipeEnds } from './queue/pipe.ts'
export { Queue, type QueueConstructor } from './queue/queue.ts'
export type { QueueOptions, SimpleQueueOptions } from './queue/queue-state.ts'
export { SimpleQueue, type SimpleQueueConstructor } from './queue/simple-queue.ts'
export type {
  Addend,
  ArrayOf,
  Bits,
  CodeOf,
  ElementOf,
  ElementsOf,
  InputOf,
  TypeCode,
  TypeName,
} from './scalars/types.ts'
export {
  type ObjectsOf,
  SharedState,
  type SharedStateConstructor,
  type StateMembers,
  type StateSchema,
} from './state/shared-state.ts'
export { Barrier, type BarrierHandleOptions, type BarrierOptions } from './sync/barrier.ts'
export {
  Condition,
  type ConditionConstructor,
  type ConditionMemberOptions,
  type ConditionOptions,
  type OwnerOptions,
} from './sync/condition.ts'
export { Event } from './sync/event.ts'
export { Lock } from './sync/lock.ts'
export type { LockGuard } from './sync/lock-guard.ts'
export type { MemberLock } from './sync/lock-use.ts'
export { type AnyLock, RLock } from './sync/rlock.ts'
export { BoundedSemaphore, Semaphore, type SemaphoreOptions } from './sync/semaphore.ts'
export type { SyncWaitOptions, WaitOptions } from './sync/wait-options.ts'
export { notify, type WaitAsyncOptions, type WaitAsyncResult, wait, waitAsync } from './sync/words.ts'
export type { Truthy } from './truthy.ts'
export type { ArrayMembers } from './views/array-members.ts'
export type { ValueMemberOptions, ValueOptions } from './views/guarded-segment.ts'
export {
  type ArrayMember,
  RawArray,
  SharedArray,
  SharedArray as Array,
  type SharedArrayConstructor,
  type StructArrayOf,
  type TextMembers,
  type TypedArrayMembers,
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
export {
  RawValue,
  type ScalarValueOf,
  type StructValueOf,
  Value,
  type ValueConstructor,
  type ValueMember,
  type ValueMembers,
} from './views/value.ts'
export { whenAvailable } from './when-available.ts'
