// Once per tick: every worker wakes up at each tick, and one of them does the work.
//
//   node once-per-tick.mjs        in several terminals

import { setTimeout as sleep } from 'node:timers/promises'
import { Value } from 'procshare'

const [periodMs = 60_000, workMs = 1_000] = process.argv.slice(2).map(Number)
const lastTick = Value.open('send-invoices', 'd', 0, { persist: true })

async function onTick(tick) {
  await lastTick.lock.run(async () => {
    if (lastTick.value >= tick) return // another process has done it
    console.log(`tick ${tick}: sending invoices`)
    await sleep(workMs)
    lastTick.value = tick // last: a process that dies before this line leaves the tick to the next one
  })
}

for (;;) {
  const tick = Math.floor(Date.now() / periodMs) + 1
  console.log(`waiting for tick ${tick}`)
  await sleep(tick * periodMs - Date.now())
  await onTick(tick)
}
