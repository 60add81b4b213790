// A leader with hand-over: one process leads, the others stand by, and one takes over when the leader ends.
//
//   node leader.mjs        in several terminals; then end the one that leads, by Ctrl+C or kill -9

import { setInterval as every } from 'node:timers/promises'
import { Lock } from 'procshare'

const leadership = Lock.open('cache-leader')
const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM']) process.once(name, () => stop.abort())

async function lead({ abandoned }) {
  console.log(abandoned ? 'leading: the last leader died' : 'leading')
  for await (const _ of every(1_000, undefined, { signal: stop.signal })) refreshCache()
}

function refreshCache() {
  console.log('refreshing the cache')
}

console.log('standing by')
try {
  await leadership.run(lead, { signal: stop.signal })
} catch (error) {
  if (!stop.signal.aborted) throw error
}
console.log('stopped')
