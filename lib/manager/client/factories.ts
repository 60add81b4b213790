/** The methods of managers that make objects to synchronize with, beside the containers. */
import { assertFunction, assertOptions } from '../../validate.ts'
import { type BlockingContainerFactories, ContainerFactories } from './container-factories.ts'
import type { NameOptions } from './factory-base.ts'
import type { BarrierAction, BarrierProxy, BlockingBarrierProxy } from './proxies/barrier.ts'
import type { BlockingConditionProxy, ConditionProxy } from './proxies/condition.ts'
import type { BlockingEventProxy, EventProxy } from './proxies/event.ts'
import type { AnyBlockingLockProxy, AnyLockProxy, BlockingLockProxy, LockProxy, RLockProxy } from './proxies/lock.ts'
import type { BlockingJoinableQueueProxy, BlockingQueueProxy, JoinableQueueProxy, QueueProxy } from './proxies/queue.ts'
import type { BlockingSemaphoreProxy, BoundedSemaphoreProxy, SemaphoreProxy } from './proxies/semaphore.ts'

/** How a managed semaphore is made. */
export interface ManagedSemaphoreOptions extends NameOptions {
  /** Brings the units back that a client has when it ends without releasing them. @defaultValue `true` */
  readonly recoverable?: boolean
}

/** How a managed condition is made. */
export interface ManagedConditionOptions<Lock = AnyLockProxy> extends NameOptions {
  /** The lock that the condition belongs to, of the same manager; several conditions may share one. @defaultValue a recursive one of its own */
  readonly lock?: Lock
}

/** How a managed barrier is made. */
export interface ManagedBarrierOptions extends NameOptions {
  /** How long those wait who do not say; the same for all clients. @defaultValue `Infinity` */
  readonly timeoutMs?: number
  /** {@link BarrierProxy.action} of the proxy that is returned. */
  readonly action?: BarrierAction
}

/** How a managed queue is made. */
export interface ManagedQueueOptions extends NameOptions {
  /** How many items can be in the queue. @defaultValue no limit */
  readonly maxSize?: number
}

/** What makes objects in the blocking form. */
export interface BlockingFactories extends BlockingContainerFactories {
  /** {@link Manager.Lock}. */
  Lock(options?: NameOptions | string): BlockingLockProxy
  /** {@link Manager.RLock}. */
  RLock(options?: NameOptions | string): BlockingLockProxy
  /** {@link Manager.Semaphore}. */
  Semaphore(value?: number, options?: ManagedSemaphoreOptions | string): BlockingSemaphoreProxy
  /** {@link Manager.BoundedSemaphore}. */
  BoundedSemaphore(value?: number, options?: ManagedSemaphoreOptions | string): BlockingSemaphoreProxy
  /** {@link Manager.Condition}. */
  Condition(options?: ManagedConditionOptions<AnyBlockingLockProxy> | string): BlockingConditionProxy
  /** {@link Manager.Event}. */
  Event(options?: NameOptions | string): BlockingEventProxy
  /** {@link Manager.Barrier}. */
  Barrier(parties: number, options?: ManagedBarrierOptions | string): BlockingBarrierProxy
  /** {@link Manager.Queue}. */
  Queue<T = unknown>(options?: ManagedQueueOptions | string): BlockingQueueProxy<T>
  /** {@link Manager.JoinableQueue}. */
  JoinableQueue<T = unknown>(options?: ManagedQueueOptions | string): BlockingJoinableQueueProxy<T>
}

export class Factories extends ContainerFactories {
  /** Makes a lock, or finds the one of that name. @throws {@link ShareError} `ERR_KIND` for a name of something else; as every call. */
  Lock(options?: NameOptions | string): Promise<LockProxy> {
    return this.make('Lock', [], checked(options, []))
  }

  /** Makes a recursive lock, or finds the one of that name. @throws as {@link Lock}. */
  RLock(options?: NameOptions | string): Promise<RLockProxy> {
    return this.make('RLock', [], checked(options, []))
  }

  /**
   * Makes a semaphore, or finds the one of that name.
   * @param value - how many units there are at first: an integer from 0 to 2^31 − 1
   * @throws as {@link Lock}; `TypeError`, `RangeError` for another value.
   */
  Semaphore(value = 1, options?: ManagedSemaphoreOptions | string): Promise<SemaphoreProxy> {
    const { recoverable, ...rest } = checked(options, ['recoverable'])
    return this.make('Semaphore', [value, recoverable], rest)
  }

  /**
   * Makes a bounded semaphore, or finds the one of that name.
   * @param value - how many units there are: an integer from 0 to 2^31 − 1
   * @throws as {@link Semaphore}.
   */
  BoundedSemaphore(value = 1, options?: ManagedSemaphoreOptions | string): Promise<BoundedSemaphoreProxy> {
    const { recoverable, ...rest } = checked(options, ['recoverable'])
    return this.make('BoundedSemaphore', [value, recoverable], rest)
  }

  /** Makes a condition, or finds the one of that name. @throws as {@link Lock}; `TypeError` for a `lock` that is none of this manager. */
  Condition(options?: ManagedConditionOptions | string): Promise<ConditionProxy> {
    const { lock, ...rest } = checked(options, ['lock'])
    return this.make('Condition', [lock], rest)
  }

  /** Makes an event that is not set, or finds the one of that name. @throws as {@link Lock}. */
  Event(options?: NameOptions | string): Promise<EventProxy> {
    return this.make('Event', [], checked(options, []))
  }

  /**
   * Makes a barrier, or finds the one of that name.
   * @param parties - how many wait for each other: an integer of at least 1
   * @throws as {@link Lock}; `TypeError`, `RangeError` for another number.
   */
  Barrier(parties: number, options?: ManagedBarrierOptions | string): Promise<BarrierProxy> {
    const { timeoutMs, action, ...rest } = checked(options, ['timeoutMs', 'action'])
    if (action !== undefined) assertFunction('options.action', action)
    const made = this.make<BarrierProxy>('Barrier', [parties, timeoutMs], rest)
    if (action === undefined) return made
    const equip = (barrier: BarrierProxy) => Object.assign(barrier, { action })
    return (
      this.channel.isBlocking ? equip(made as unknown as BarrierProxy) : made.then(equip)
    ) as Promise<BarrierProxy>
  }

  /** Makes a queue, or finds the one of that name. @throws as {@link Lock}; `TypeError`, `RangeError` for another `maxSize`. */
  Queue<T = unknown>(options?: ManagedQueueOptions | string): Promise<QueueProxy<T>> {
    const { maxSize, ...rest } = checked(options, ['maxSize'])
    return this.make('Queue', [maxSize], rest)
  }

  /** Makes a joinable queue, or finds the one of that name. @throws as {@link Queue}. */
  JoinableQueue<T = unknown>(options?: ManagedQueueOptions | string): Promise<JoinableQueueProxy<T>> {
    const { maxSize, ...rest } = checked(options, ['maxSize'])
    return this.make('JoinableQueue', [maxSize], rest)
  }
}

/** The options, or the name alone. */
function checked<O extends NameOptions>(options: O | string | undefined, keys: readonly string[]): O {
  if (typeof options === 'string') return { name: options } as O
  assertOptions('options', options, ['name', ...keys])
  return options ?? ({} as O)
}
