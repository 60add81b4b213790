/**
 * The classes that can be members of a {@link SharedState}, as users get them: with `new` they make an object, called like a
 * function they describe one. Their documentation is with the classes.
 */
import type { SegmentOptions } from '../memory/segment.ts'
import type { Site } from '../memory/site.ts'
import { JoinableQueue as JoinableQueueClass } from '../queue/joinable-queue.ts'
import { Queue as QueueClass } from '../queue/queue.ts'
import { type QueueOptions, queueSpec, type SimpleQueueOptions } from '../queue/queue-state.ts'
import { SimpleQueue as SimpleQueueClass } from '../queue/simple-queue.ts'
import type { ElementsOf, InputOf, TypeName } from '../scalars/types.ts'
import { Barrier as BarrierClass, type BarrierOptions, barrierAt, barrierSpec } from '../sync/barrier.ts'
import { Condition as ConditionClass, conditionAt } from '../sync/condition.ts'
import { type ConditionOptions, conditionSpec } from '../sync/condition-site.ts'
import { Event as EventClass, eventSpec } from '../sync/event.ts'
import { Lock as LockClass } from '../sync/lock.ts'
import { lockSpec } from '../sync/lock-base.ts'
import { RLock as RLockClass } from '../sync/rlock.ts'
import {
  BoundedSemaphore as BoundedSemaphoreClass,
  Semaphore as SemaphoreClass,
  type SemaphoreOptions,
  semaphoreSpec,
} from '../sync/semaphore.ts'
import { elementTypeOf } from '../views/element-type.ts'
import { GuardedSegment, type GuardedSpec, siteSpec, type ValueOptions } from '../views/guarded-segment.ts'
import {
  arraySpec,
  arrayViewOf,
  RawArray as RawArrayClass,
  SharedArray as SharedArrayClass,
  type SharedArrayConstructor,
  type StructArrayOf,
  type SharedArray as TypedSharedArray,
} from '../views/shared-array.ts'
import type { StructFields, StructInit, StructType } from '../views/struct-types.ts'
import {
  RawValue as RawValueClass,
  type Value as ScalarOrStruct,
  type StructValueOf,
  Value as ValueClass,
  type ValueConstructor,
  valueSpec,
  valueViewOf,
} from '../views/value.ts'
import { assertMemberOptions, assertNoOptions, callable, Member, type MemberOptions } from './member.ts'

/** What makes an object of a class whose constructor takes a site. */
function at<T>(Class: abstract new (...args: never[]) => T): (site: Site) => T {
  return (site) => new (Class as unknown as new (site: Site) => T)(site)
}

/** The value at a site, or the array, of that kind. */
function guardedMember<T>(spec: GuardedSpec, viewOf: (guarded: GuardedSegment) => unknown): Member<T> {
  return new Member(siteSpec(spec), (site) => viewOf(GuardedSegment.adopt(site, spec)) as T)
}

export const Lock: typeof LockClass & (() => Member<LockClass>) = callable(LockClass, (...options: unknown[]) => {
  assertNoOptions(options)
  return new Member(lockSpec('Lock'), at(LockClass))
})
export type Lock = LockClass

export const RLock: typeof RLockClass & (() => Member<RLockClass>) = callable(RLockClass, (...options: unknown[]) => {
  assertNoOptions(options)
  return new Member(lockSpec('RLock'), at(RLockClass))
})
export type RLock = RLockClass

export const Event: typeof EventClass & (() => Member<EventClass>) = callable(EventClass, (...options: unknown[]) => {
  assertNoOptions(options)
  return new Member(eventSpec(), at(EventClass))
})
export type Event = EventClass

type SemaphoreMember<T> = (value?: number, options?: MemberOptions<SemaphoreOptions>) => Member<T>

export const Semaphore: typeof SemaphoreClass & SemaphoreMember<SemaphoreClass> = callable(
  SemaphoreClass,
  (value = 1, options?: MemberOptions<SemaphoreOptions>) => {
    assertMemberOptions(options)
    return new Member(semaphoreSpec('Semaphore', value, options), at(SemaphoreClass))
  },
)
export type Semaphore = SemaphoreClass

export const BoundedSemaphore: typeof BoundedSemaphoreClass & SemaphoreMember<BoundedSemaphoreClass> = callable(
  BoundedSemaphoreClass,
  (value = 1, options?: MemberOptions<SemaphoreOptions>) => {
    assertMemberOptions(options)
    return new Member(semaphoreSpec('BoundedSemaphore', value, options), at(BoundedSemaphoreClass))
  },
)
export type BoundedSemaphore = BoundedSemaphoreClass

export const Condition: typeof ConditionClass &
  ((options?: MemberOptions<ConditionOptions>) => Member<ConditionClass>) = callable(
  ConditionClass,
  (options?: MemberOptions<ConditionOptions>) => {
    assertMemberOptions(options)
    return new Member(conditionSpec(options), (site) => conditionAt(site, options?.lock))
  },
)
export type Condition = ConditionClass

export const Barrier: typeof BarrierClass &
  ((parties: number, options?: MemberOptions<BarrierOptions>) => Member<BarrierClass>) = callable(
  BarrierClass,
  (parties: number, options: MemberOptions<BarrierOptions> = {}) => {
    assertMemberOptions(options)
    return new Member(barrierSpec(parties, options), (site) => barrierAt(site, options))
  },
)
export type Barrier = BarrierClass

export const Queue: typeof QueueClass &
  (<T = unknown>(options?: MemberOptions<QueueOptions>) => Member<QueueClass<T>>) = callable(
  QueueClass,
  <T>(options?: MemberOptions<QueueOptions>) => {
    assertMemberOptions(options)
    return new Member(queueSpec('Queue', options), at(QueueClass<T>))
  },
)
export type Queue<T = unknown> = QueueClass<T>

export const JoinableQueue: typeof JoinableQueueClass &
  (<T = unknown>(options?: MemberOptions<QueueOptions>) => Member<JoinableQueueClass<T>>) = callable(
  JoinableQueueClass,
  <T>(options?: MemberOptions<QueueOptions>) => {
    assertMemberOptions(options)
    return new Member(queueSpec('JoinableQueue', options), at(JoinableQueueClass<T>))
  },
)
export type JoinableQueue<T = unknown> = JoinableQueueClass<T>

export const SimpleQueue: typeof SimpleQueueClass &
  (<T = unknown>(options?: MemberOptions<SimpleQueueOptions>) => Member<SimpleQueueClass<T>>) = callable(
  SimpleQueueClass,
  <T>(options?: MemberOptions<SimpleQueueOptions>) => {
    assertMemberOptions(options)
    return new Member(queueSpec('SimpleQueue', options), at(SimpleQueueClass<T>))
  },
)
export type SimpleQueue<T = unknown> = SimpleQueueClass<T>

/** {@link Value} without `new`. */
export interface ValueMember<Options extends SegmentOptions> {
  <T extends TypeName>(type: T, initial?: InputOf<T>, options?: MemberOptions<Options>): Member<ScalarOrStruct<T>>
  <F extends StructFields>(
    type: StructType<F>,
    initial?: StructInit<F>,
    options?: MemberOptions<Options>,
  ): Member<StructValueOf<F>>
}

/** {@link SharedArray} without `new`. */
export interface ArrayMember<Options extends SegmentOptions> {
  <T extends TypeName>(
    type: T,
    lengthOrValues: number | ElementsOf<T>,
    options?: MemberOptions<Options>,
  ): Member<TypedSharedArray<T>>
  <F extends StructFields>(
    type: StructType<F>,
    lengthOrValues: number | Iterable<StructInit<F>>,
    options?: MemberOptions<Options>,
  ): Member<StructArrayOf<F>>
}

function valueMember(unlocked: boolean) {
  return (type: unknown, initial?: unknown, options: ValueOptions = {}): Member<unknown> => {
    assertMemberOptions(options)
    const all = unlocked ? { ...options, lock: false } : options
    return guardedMember(valueSpec(elementTypeOf(type), initial, all), valueViewOf)
  }
}

function arrayMember(unlocked: boolean) {
  return (type: unknown, given: unknown, options: ValueOptions = {}): Member<unknown> => {
    assertMemberOptions(options)
    const all = unlocked ? { ...options, lock: false } : options
    return guardedMember(arraySpec(elementTypeOf(type), given, all), arrayViewOf)
  }
}

export const Value: ValueConstructor<ValueOptions> & ValueMember<ValueOptions> = callable(
  ValueClass,
  valueMember(false) as ValueMember<ValueOptions>,
)
export type Value<T extends TypeName | StructType<StructFields> = TypeName> = ScalarOrStruct<T>

export const RawValue: ValueConstructor<SegmentOptions> & ValueMember<SegmentOptions> = callable(
  RawValueClass,
  valueMember(true) as ValueMember<SegmentOptions>,
)
export type RawValue<T extends TypeName | StructType<StructFields> = TypeName> = ScalarOrStruct<T>

export const SharedArray: SharedArrayConstructor<ValueOptions> & ArrayMember<ValueOptions> = callable(
  SharedArrayClass,
  arrayMember(false) as ArrayMember<ValueOptions>,
)
export type SharedArray<T extends TypeName | StructType<StructFields> = TypeName> = TypedSharedArray<T>

export const RawArray: SharedArrayConstructor<SegmentOptions> & ArrayMember<SegmentOptions> = callable(
  RawArrayClass,
  arrayMember(true) as ArrayMember<SegmentOptions>,
)
