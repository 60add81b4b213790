/** The common part of proxies whose methods wait, or use something that belongs to a task. */
import { takeSyncWaitOptions, takeWaitOptions, type WaitOptions } from '../../sync/wait-options.ts'
import type { ArgumentsOf, Managed, ResultOf } from '../contract/contract.ts'
import { ManagedProxy } from './proxy.ts'
import type { RequestOptions } from './remote.ts'
import { surroundingTasks } from './tasks.ts'

/** The arguments of an operation after its timeout. */
type Rest<A> = A extends [_timeoutMs?: infer _T, ...rest: infer R] ? R : never

/** `request` without the types of a contract. */
interface Requester {
  request(method: string, args: readonly unknown[], options: RequestOptions): Promise<unknown>
}

export abstract class WaitingProxy extends ManagedProxy {
  /** Returns the result of `fn`; in the asynchronous form, an exception of `fn` becomes a rejection. @internal */
  protected attempt<R>(fn: () => Promise<R>): Promise<R> {
    if (this.isBlocking) return fn()
    try {
      return fn()
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Requests an operation that may wait. Its first argument is the timeout. @internal */
  protected requestWait<O, M extends keyof O & string>(
    this: Managed<O>,
    method: M,
    options: WaitOptions | undefined,
    args: Rest<ArgumentsOf<O, M>>,
    more?: RequestOptions,
  ): Promise<ResultOf<O, M>>
  protected requestWait(
    method: string,
    options: WaitOptions | undefined,
    args: readonly unknown[],
    more: RequestOptions = {},
  ): Promise<unknown> {
    return this.attempt(() => {
      const { serverMs, requestOptions } = this.waitRequest(options, more)
      return (this as unknown as Requester).request(method, [serverMs, ...args], requestOptions)
    })
  }

  /** The options of a request that waits, and the timeout for the server. @internal */
  protected waitRequest(options: WaitOptions | undefined, more: RequestOptions = {}) {
    const taken = options === undefined ? undefined : this.takeWaitOptions(options)
    const timeoutMs = taken?.timeoutMs ?? this.timeoutMs
    const requestOptions: RequestOptions = { waits: true, ...more, timeoutMs, signal: taken?.signal }
    return { serverMs: timeoutMs === Infinity ? undefined : timeoutMs, requestOptions }
  }

  /** Refuses a signal in the blocking form, because a blocked thread cannot react to one. @internal */
  protected takeWaitOptions(options: WaitOptions): WaitOptions {
    return this.isBlocking ? takeSyncWaitOptions(options) : takeWaitOptions(options)
  }

  /** The tasks inside of which the caller runs, which may own something; undefined for the thread. @internal */
  protected get within(): number[] | undefined {
    return this.isBlocking ? undefined : surroundingTasks()
  }
}
