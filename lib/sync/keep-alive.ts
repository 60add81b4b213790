/**
 * Counts the pending waits that keep the process alive, as all do that are not unref'd.
 *
 * The native part has one handle of the event loop for all of them, so the copies of this module that one environment may have
 * (a test runner makes them) share one count.
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
