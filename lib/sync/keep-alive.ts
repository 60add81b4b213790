/** Counts the pending waits that were asked to keep the process alive; the others do not. */
import { native } from '../native.ts'

let count = 0

export function keepAlive(): void {
  if (count++ === 0) native.keepAlive(true)
}

export function letGo(): void {
  if (--count === 0) native.keepAlive(false)
}
