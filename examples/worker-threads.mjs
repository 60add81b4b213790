// The same objects between threads: a worker attaches by handle, as a process does, and its end counts as the death of an
// owner.
//
//   node examples/worker-threads.mjs

import { once } from 'node:events'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { Lock, SharedArray, Value } from 'procshare'

const THREADS = 4
const ADDITIONS = 50_000
const startWorker = (data) => new Worker(new URL(import.meta.url), { workerData: data })

if (isMainThread) {
  const total = new Value('q', 0n)
  const perThread = new SharedArray('i', THREADS)
  const lock = new Lock()

  // `.handle`, because a structured clone of the object itself would not be the shared object.
  const handles = { total: total.handle, perThread: perThread.handle }
  const workers = Array.from({ length: THREADS }, (_, index) => startWorker({ index, ...handles }))
  await Promise.all(workers.map((worker) => once(worker, 'exit')))
  console.log(`total ${total.value}, per thread [${perThread.join(', ')}]`)

  // The lock of the terminated worker becomes available, and reports the death.
  const careless = startWorker({ lock: lock.handle })
  await once(careless, 'message')
  await careless.terminate()
  const guard = lock.acquireSync({ timeoutMs: 5_000 })
  console.log(`abandoned by the terminated worker: ${guard.abandoned}`)
  const isRight = total.value === BigInt(THREADS * ADDITIONS) && guard.abandoned
  guard.release()
  process.exitCode = isRight ? 0 : 1
} else if (workerData.total === undefined) {
  Lock.attach(workerData.lock).acquireSync()
  parentPort.on('message', () => {}) // stay
  parentPort.postMessage('I have the lock')
} else {
  const total = Value.attach(workerData.total, 'q')
  const perThread = SharedArray.attach(workerData.perThread, 'i')
  for (let i = 0; i < ADDITIONS; i++) {
    total.add(1)
    perThread[workerData.index]++
  }
}
