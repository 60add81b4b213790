// Two programs that know nothing of each other but a name. Run this in two terminals (or more), in any order, and end it
// with Ctrl-C in any order:
//
//   node examples/two-terminals.mjs [--seconds N] [--name NAME]

import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { SharedArray, Struct } from 'procshare'

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: 'Infinity' },
    name: { type: 'string', default: 'procshare-two-terminals' },
  },
})

const Seat = Struct({ pid: 'i', ticks: 'i' })

// Whoever comes first creates the table, the others attach to it. It goes with the last one that leaves.
const table = SharedArray.open(options.name, Seat, 8)

// The lock makes "find a free seat and take it" one step, and its owner may be killed at any point of it.
const mine = table.lock.runSync(() => {
  const free = [...table].findIndex((seat) => seat.pid === 0 || !isAlive(seat.pid))
  if (free >= 0) table[free] = { pid: process.pid, ticks: 0 }
  return free
})

if (mine < 0) {
  console.log('All seats are taken')
} else {
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  process.once('SIGTERM', () => stop.abort())

  console.log(`I am process ${process.pid} at seat ${mine}; Ctrl-C ends me`)
  const end = Date.now() + Number(options.seconds) * 1000
  while (Date.now() < end && !stop.signal.aborted) {
    table[mine].ticks++ // nobody else writes to my seat, so this needs no lock
    console.log([...table].map(describe).filter(Boolean).join('   '))
    await sleep(1000, undefined, { signal: stop.signal }).catch(() => {})
  }

  table[mine].pid = 0
  console.log('Bye')
}
table.close()

function describe(seat) {
  if (seat.pid === 0) return ''
  if (seat.pid === process.pid) return `me: ${seat.ticks}`
  return `${seat.pid}: ${seat.ticks}${isAlive(seat.pid) ? '' : ' (killed)'}`
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}
