/** One way to wait for ever with each thing that can be waited for: asynchronously and blocking. */
import {
  Barrier,
  Condition,
  Event,
  JoinableQueue,
  Lock,
  Pipe,
  Queue,
  Semaphore,
  SharedArray,
  wait,
  waitAsync,
} from 'procshare'

export const ENDLESS_WAITS = {
  lock: {
    async make() {
      const lock = new Lock()
      await lock.acquire()
      return lock
    },
    wait: (lock) => lock.acquire(),
  },
  semaphore: {
    make: () => new Semaphore(0),
    wait: (semaphore) => semaphore.acquire(),
    waitSync: (semaphore) => semaphore.acquireSync(),
  },
  recoverable: {
    make: () => new Semaphore(0, { recoverable: true }),
    wait: (semaphore) => semaphore.acquire(),
    waitSync: (semaphore) => semaphore.acquireSync(),
  },
  event: { make: () => new Event(), wait: (event) => event.wait(), waitSync: (event) => event.waitSync() },
  condition: {
    make: () => new Condition(),
    wait: (condition) => condition.run(() => condition.wait()),
    waitSync: (condition) => condition.runSync(() => condition.waitSync()),
  },
  'lock of a condition': {
    async make() {
      const condition = new Condition()
      await condition.acquire()
      return condition
    },
    wait: (condition) => condition.run(() => {}),
  },
  barrier: {
    make: () => new Barrier(2),
    wait: (barrier) => barrier.wait(),
    waitSync: (barrier) => barrier.waitSync(),
  },
  get: { make: () => new Queue(), wait: (queue) => queue.get(), waitSync: (queue) => queue.getSync() },
  put: {
    make() {
      const queue = new Queue({ maxSize: 1 })
      queue.putSync(1)
      return queue
    },
    wait: (queue) => queue.put(2),
    waitSync: (queue) => queue.putSync(2),
  },
  join: {
    make() {
      const queue = new JoinableQueue()
      queue.putSync(1)
      return queue
    },
    wait: (queue) => queue.join(),
    waitSync: (queue) => queue.joinSync(),
  },
  pipe: {
    make() {
      const [first, second] = new Pipe()
      keep.push(second)
      return first
    },
    wait: (connection) => connection.recv(),
    waitSync: (connection) => connection.recvSync(),
  },
  word: {
    make: () => new SharedArray('i', 1),
    wait: (words) => waitAsync(words, 0, 0).value,
    waitSync: (words) => wait(words, 0, 0),
  },
}

/** What would be collected, and would end the wait of something else. */
const keep = []
