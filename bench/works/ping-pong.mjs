/** Blocking round trips of two processes. */
import { Subject } from '../subject.mjs'

const C = 'C: spin, then futex'

export const pingPong = {
  name: 'ping-pong',
  title: 'Ping-pong of two processes, Sync forms',
  unit: 'µs',
  turnMs: 50,
  rounds: 31,
  rows: async ({ compiler }) => [
    { system: C, process: compiler.start('ping_pong') },
    {
      system: 'procshare: notify, wait',
      process: Subject.script('ping-pong', 'words'),
      against: C,
      goal: 'ping-pong-sync',
    },
    { system: 'procshare: release, acquireSync', process: Subject.script('ping-pong', 'semaphores'), against: C },
  ],
}
