// Two programs that have only a name in common. Run this in two or more terminals, in any order, and end it with Ctrl-C in
// any order:
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

// The first process creates the table, and the others attach to it. It disappears with the last one.
const table = SharedArray.open(options.name, Seat, 8)

// The lock makes "find a free seat and take it" one step. Its owner may be killed at any point of it.
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
    table[mine].ticks++ // only this process writes to its seat, so this needs no lock
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
