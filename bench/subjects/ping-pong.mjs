/** Round trips between this process and a child, blocking: `ping-pong.mjs FORM`. */
import { fork } from 'node:child_process'
import { attach, notify, Semaphore, SharedArray, SharedState, wait } from 'procshare'
import { serve } from './serve.mjs'

const PING = 0
const PONG = 16 // on another cache line

/** Waits until the element holds `value`. */
function until(words, index, value) {
  for (let seen = Atomics.load(words, index); seen !== value; seen = Atomics.load(words, index))
    wait(words, index, seen)
}

function say(words, index, value) {
  Atomics.store(words, index, value)
  notify(words, index)
}

const forms = {
  words: {
    schema: () => ({ words: SharedArray('i', 32) }),
    echo({ words }) {
      for (let n = 1; ; n = (n + 1) | 0) {
        until(words, PING, n)
        say(words, PONG, n)
      }
    },
    ping({ words }) {
      let n = 0
      return (operations) => {
        for (let i = 0; i < operations; i++) {
          n = (n + 1) | 0
          say(words, PING, n)
          until(words, PONG, n)
        }
      }
    },
  },
  semaphores: {
    schema: () => ({ ping: Semaphore(0), pong: Semaphore(0) }),
    echo({ ping, pong }) {
      for (;;) {
        ping.acquireSync()
        pong.release()
      }
    },
    ping({ ping, pong }) {
      return (operations) => {
        for (let i = 0; i < operations; i++) {
          ping.release()
          pong.acquireSync()
        }
      }
    },
  },
}

const { schema, echo, ping } = forms[process.argv[2]]
if (process.argv[3] !== undefined) {
  const state = attach(JSON.parse(process.argv[3]))
  await new Promise((resolve) => process.send('ready', resolve))
  echo(state)
} else {
  const state = new SharedState(schema())
  const peer = fork(import.meta.filename, [process.argv[2], JSON.stringify(state)])
  process.once('exit', () => peer.kill('SIGKILL'))
  await new Promise((resolve) => peer.once('message', resolve))
  await serve(ping(state))
  peer.kill('SIGKILL')
}
