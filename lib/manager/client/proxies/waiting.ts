/** What the proxies share of which methods wait, or take part in what belongs to a task. */
import { assertSyncWaitOptions, assertWaitOptions, type WaitOptions } from '../../../sync/wait-options.ts'
import type { CallOptions } from '../channel.ts'
import { ManagedProxy } from '../proxy.ts'
import { surroundingTasks } from '../tasks.ts'

export abstract class WaitingProxy extends ManagedProxy {
  /** What `fn` gives; in the asynchronous form what it throws rejects. @internal */
  protected attempt<R>(fn: () => Promise<R>): Promise<R> {
    if (this.isBlocking) return fn()
    try {
      return fn()
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Calls a method whose first argument is the timeout, and which may wait. @internal */
  protected callAndWait<R>(
    method: string,
    options: WaitOptions | undefined,
    args: readonly unknown[] = [],
    more: CallOptions = {},
  ): Promise<R> {
    return this.attempt(() => {
      const { serverMs, callOptions } = this.waitCall(options, more)
      return this.call(method, [serverMs, ...args], callOptions)
    })
  }

  /** The options of a call that waits, and the time that the server is told. @internal */
  protected waitCall(options: WaitOptions | undefined, more: CallOptions = {}) {
    if (options !== undefined) this.assertWaitOptions(options)
    const timeoutMs = options?.timeoutMs ?? this.timeoutMs
    const callOptions: CallOptions = { waits: true, ...more, timeoutMs, signal: options?.signal }
    return { serverMs: timeoutMs === Infinity ? undefined : timeoutMs, callOptions }
  }

  /** A thread that is blocked sees no signal. @internal */
  protected assertWaitOptions(options: WaitOptions | undefined): void {
    if (this.isBlocking) assertSyncWaitOptions(options)
    else assertWaitOptions(options)
  }

  /** Who asks, for what is owned by tasks: undefined for the thread. @internal */
  protected get within(): number[] | undefined {
    return this.isBlocking ? undefined : surroundingTasks()
  }
}
