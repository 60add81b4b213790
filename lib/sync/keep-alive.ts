/**
 * Keeps the process alive while waits are pending that are not unref'd.
 *
 * The native part has one reference to the event loop for all of them. So all copies of this module in one environment share one count; a
 * test runner may load several. The first pending wait takes the reference. It is dropped in the next turn of the event loop after the last
 * wait has ended, because another wait usually follows in the same turn. Two native calls for each wait would cost a quarter of a `get`
 * that is served at once (bench/compare.mjs, "served").
 */
import { native } from '../native.ts'

const WAITS: unique symbol = Symbol.for('procshare.keepAlive@2') as never

interface Waits {
  count: number
  /** Whether the native part has its reference to the event loop. */
  isReferenced: boolean
  isDropping: boolean
}

const waits = waitsOf(native as object)
// Kept here, because a test framework may replace `setImmediate` by a function that never calls back.
const inNextTurn = setImmediate

function waitsOf(addon: object & { [WAITS]?: Waits }): Waits {
  addon[WAITS] ??= { count: 0, isReferenced: false, isDropping: false }
  return addon[WAITS]
}

export function refEventLoop(): void {
  waits.count++
  if (waits.isReferenced) return
  waits.isReferenced = true
  native.keepAlive(true)
}

export function unrefEventLoop(): void {
  if (--waits.count > 0 || waits.isDropping) return
  waits.isDropping = true
  inNextTurn(dropIfUnused)
}

function dropIfUnused(): void {
  waits.isDropping = false
  if (waits.count > 0) return
  waits.isReferenced = false
  native.keepAlive(false)
}
