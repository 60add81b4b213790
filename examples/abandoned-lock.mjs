// A process is killed while it holds a lock, halfway through its work. The next owner learns of it and repairs the data.
//
//   node examples/abandoned-lock.mjs

import { setTimeout as sleep } from 'node:timers/promises'
import { isMainProcess, Process, SharedArray } from 'procshare'

/** Moves money in two steps, and is killed between them. */
export function transferAndHang(accounts) {
  accounts.lock.acquireSync()
  accounts[0] -= 30
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}

if (isMainProcess) {
  const accounts = new SharedArray('i', [100, 100])
  const clerk = new Process(import.meta.url, { export: 'transferAndHang', args: [accounts] }).start()
  while (accounts[0] === 100 && clerk.isAlive) await sleep(10)

  console.log(`process ${accounts.lock.owner.pid} holds the lock; accounts [${accounts.join(', ')}]`)
  console.log(`the lock is ${accounts.lock.tryAcquire() === undefined ? 'not to be had' : 'free'}`)

  clerk.kill()
  // Resolves within 100 ms of the death, without blocking the event loop.
  await accounts.lock.run(
    ({ abandoned }) => {
      console.log(`got the lock, abandoned: ${abandoned}`)
      if (abandoned) accounts[1] = 200 - accounts[0] // only the program knows how to repair its data
      process.exitCode = abandoned ? 0 : 1
    },
    { timeoutMs: 5_000 },
  )
  console.log(`accounts [${accounts.join(', ')}]; exit code of the clerk ${await clerk.join()}`)
}
