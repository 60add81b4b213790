// N at a time on the machine: however many processes ask, two encode at the same time.
//
//   node slots.mjs        in several terminals

import { setTimeout as sleep } from 'node:timers/promises'
import { BoundedSemaphore } from 'procshare'

const [workMs = 5_000] = process.argv.slice(2)
const slots = BoundedSemaphore.open('video-encoders', 2)

console.log('waiting for a slot')
await slots.acquire()
try {
  console.log('encoding')
  await sleep(Number(workMs))
} finally {
  slots.release()
}
console.log('done')
