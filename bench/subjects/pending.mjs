/** Waits that are served while WAITS others are pending: `pending.mjs WAITS`. */
import { Event, Queue, Semaphore, SharedState } from 'procshare'
import { serve } from './serve.mjs'

const OBJECTS = 100 // so that several waiting threads are used
const count = Number(process.argv[2])
const schema = Object.fromEntries(
  Array.from({ length: OBJECTS }, (_, i) => [`object${i}`, i % 2 === 0 ? Event() : Queue({ byteLength: 64 })]),
)
const state = new SharedState(schema)
const waiting = Object.values(schema).map((_, i) => state[`object${i}`])
for (let i = 0; i < count; i++) {
  const object = waiting[i % OBJECTS]
  const wait = object instanceof Event ? object.wait() : object.get()
  wait.catch(() => {}) // they end with the process
}
const semaphore = new Semaphore(0)

await serve(async (operations) => {
  for (let i = 0; i < operations; i++) {
    const acquired = semaphore.acquire()
    semaphore.release()
    await acquired
  }
})
process.exit()
