import { setImmediate as turn } from 'node:timers/promises'

/** Lets the event loop turn some times: all work that needs no more turns is done afterwards. */
export async function turns(count = 5): Promise<void> {
  for (let i = 0; i < count; i++) await turn()
}

/** Whether a promise is still pending after some turns of the event loop. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true
  const settled = () => {
    pending = false
  }
  promise.then(settled, settled)
  await turns()
  return pending
}
