// Graceful shutdown: on SIGTERM the consumer finishes the current item and takes no other.
//
//   node shutdown.mjs put ann bob        puts two items
//   node shutdown.mjs                    works until SIGTERM or Ctrl+C

import { setTimeout as sleep } from 'node:timers/promises'
import { Queue } from 'procshare'

const emails = Queue.open('emails', { persist: true })

async function consume() {
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM']) process.once(name, () => stop.abort())
  for await (const { to, workMs } of emails.consume({ signal: stop.signal })) {
    console.log(`sending to ${to}`)
    await sleep(workMs)
    console.log(`sent to ${to}`)
  }
}

if (process.argv[2] === 'put') {
  for (const to of process.argv.slice(3)) await emails.put({ to, workMs: 2_000 })
} else {
  await consume()
  console.log('stopped')
}
