// Containers that share /dev/shm: an object made with pidNamespaces: 'any' works from each of them.
//
//   node containers.mjs

import { setTimeout as sleep } from 'node:timers/promises'
import { Lock, SharedState, Value } from 'procshare'

const [workMs = 5_000] = process.argv.slice(2)
const shop = SharedState.open('shop', { visits: Value('d'), lock: Lock() }, { pidNamespaces: 'any' })

console.log(`visit ${shop.visits.add(1) + 1}`)
await shop.lock.run(async ({ abandoned }) => {
  console.log(abandoned ? 'working: the last owner died' : 'working')
  await sleep(Number(workMs))
})
console.log('done')
