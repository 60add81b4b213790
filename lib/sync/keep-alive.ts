/**
 * Counts the pending waits that keep the process alive: all that are not unref'd.
 *
 * The native part has one reference on the event loop for all of them. A test runner may load several copies of this module in one
 * environment, so they share one count.
 */
import { native } from '../native.ts'

const COUNT: unique symbol = Symbol.for('procshare.keepAlive') as never

const waits = countOf(native as object)

function countOf(addon: object & { [COUNT]?: { count: number } }): { count: number } {
  addon[COUNT] ??= { count: 0 }
  return addon[COUNT]
}

export function refEventLoop(): void {
  if (waits.count++ === 0) native.keepAlive(true)
}

export function unrefEventLoop(): void {
  if (--waits.count === 0) native.keepAlive(false)
}
