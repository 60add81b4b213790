// One job in one worker only: the process that gets the lock does the job, the others skip it.
//
//   node one-job.mjs        in several terminals

import { setTimeout as sleep } from 'node:timers/promises'
import { Lock } from 'procshare'

const [workMs = 5_000] = process.argv.slice(2)
const lock = Lock.open('nightly-report', { persist: true })

async function nightlyReport() {
  const guard = lock.tryAcquire()
  if (guard === undefined) {
    console.log('skipped: another process is writing the report')
    return
  }
  try {
    if (guard.abandoned) console.log('the last process died during the job: removing what it left')
    console.log('writing the report')
    await sleep(Number(workMs))
    console.log('the report is written')
  } finally {
    guard.release()
  }
}

await nightlyReport()
