// Presence by a held lock: whether the daemon runs, and as which process, without a pid file.
//
//   node presence.mjs serve        the daemon; a second one refuses to start
//   node presence.mjs              tells whether it runs

import { Lock } from 'procshare'

const running = Lock.open('backup-daemon')

function serve() {
  const guard = running.tryAcquire()
  if (guard === undefined) {
    console.error(`The daemon runs already, as process ${running.owner?.pid}`)
    process.exitCode = 1
    return
  }
  const work = setInterval(() => {}, 1_000)
  process.once('SIGTERM', () => {
    clearInterval(work)
    guard.release() // uses the guard, and so keeps the lock until then
  })
  console.log('serving')
}

function status() {
  const { owner } = running
  console.log(owner === undefined ? 'not running' : `running as process ${owner.pid}`)
}

if (process.argv[2] === 'serve') serve()
else status()
