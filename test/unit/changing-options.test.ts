/** Options whose getters give one thing when they are looked at first and another one later: never more than an error. */
import { Barrier, Event, Lock, Queue, Semaphore, SharedArray, SharedMemory, SharedState, Value } from 'procshare'
import { expect, it } from 'vitest'
import { expectNoLeftovers } from '../helpers/leftovers.ts'

expectNoLeftovers()

const BAD = [-1, Number.NaN, -1e300, 1e300, 'x', null, 1.5, {}]

/** Gives what is good so many times, and what is bad afterwards. */
function changing(key: string, good: unknown, bad: unknown, times: number): object {
  let reads = 0
  return Object.defineProperty({}, key, { enumerable: true, get: () => (reads++ < times ? good : bad) })
}

const MAKERS: Record<string, (options: never) => Disposable> = {
  Lock: (options) => new Lock(options),
  Value: (options) => new Value('i', 0, options),
  SharedArray: (options) => new SharedArray('i', 2, options),
  SharedMemory: (options) => new SharedMemory(64, options),
  Queue: (options) => new Queue(options),
  Semaphore: (options) => new Semaphore(1, options),
  Barrier: (options) => new Barrier(2, options),
  SharedState: (options) => new SharedState({ b: Barrier(2, options) }),
}
const OPTIONS = { mode: 0o600, persist: false, byteLength: 256, maxSize: 3, timeoutMs: 5 }

it.each(Object.entries(MAKERS))('a %s whose options change while they are read is created or refused', (_, make) => {
  for (const [key, good] of Object.entries(OPTIONS)) {
    for (const bad of BAD) {
      for (let times = 1; times <= 4; times++) {
        try {
          make(changing(key, good, bad, times) as never)[Symbol.dispose]()
        } catch (error) {
          expect(error).toHaveProperty('code')
        }
      }
    }
  }
})

it('a timeout that is no longer a number when the wait begins is refused', () => {
  using event = new Event()
  using queue = new Queue()
  using semaphore = new Semaphore(0)
  const waits = [event, semaphore].map((object) => (options: object) => {
    if (object instanceof Event) object.waitSync(options)
    else object.acquireSync(options)
  })
  for (const wait of [...waits, (options: object) => queue.getSync(options)]) {
    for (const bad of [Number.NaN, 'x', -1e300]) {
      for (let times = 1; times <= 3; times++) {
        try {
          wait(changing('timeoutMs', 1, bad, times))
        } catch (error) {
          expect(error).toHaveProperty('code')
        }
      }
    }
  }
})
