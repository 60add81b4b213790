/**
 * One way to wait for ever with each thing that can be waited for, in each form that the library has: asynchronously, with
 * options, and blocking. Waits without a timeout are marked.
 */
import {
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  JoinableQueue,
  Lock,
  Pipe,
  Queue,
  RLock,
  Semaphore,
  SharedArray,
  SharedState,
  SimpleQueue,
  Value,
  wait,
  waitAsync,
} from 'procshare'

async function held(lock) {
  await lock.acquire()
  return lock
}

/** An object whose lock is held. */
async function guarded(object) {
  await object.lock.acquire()
  return object
}

function full(queue) {
  queue.putSync(1)
  return queue
}

/** One end of a pipe. */
function endOf(pipe, end = 0) {
  keep.push(pipe)
  return pipe[end]
}

/** Objects whose collection would end the wait of another object. */
const keep = []

async function drain(iterable) {
  for await (const _item of iterable);
}

export const ENDLESS_WAITS = {
  lock: { make: () => held(new Lock()), wait: (lock, options) => lock.acquire(options) },
  'run of a lock': { make: () => held(new RLock()), wait: (lock, options) => lock.run(() => {}, options) },
  'lock of a value': {
    make: () => guarded(new Value('i')),
    wait: (value, options) => value.lock.acquire(options),
  },
  'lock of a value that was not asked for it before': {
    make: async () => {
      const value = new Value('i')
      keep.push(await guarded(Value.attach(value.handle)))
      return value
    },
    wait: (value, options) => value.lock.acquire(options),
  },
  'lock of an array': {
    make: () => guarded(new SharedArray('d', 2)),
    wait: (array, options) => array.lock.run(() => {}, options),
  },
  semaphore: {
    make: () => new Semaphore(0),
    wait: (semaphore, options) => semaphore.acquire(options),
    waitSync: (semaphore) => semaphore.acquireSync(),
  },
  recoverable: {
    make: () => new BoundedSemaphore(0),
    wait: (semaphore, options) => semaphore.acquire(options),
    waitSync: (semaphore) => semaphore.acquireSync(),
  },
  event: {
    make: () => new Event(),
    wait: (event, options) => event.wait(options),
    waitSync: (event) => event.waitSync(),
  },
  condition: {
    make: () => new Condition(),
    wait: (condition, options) => condition.run(() => condition.wait(options)),
    waitSync: (condition) => condition.runSync(() => condition.waitSync()),
  },
  'waitFor of a condition': {
    make: () => new Condition(),
    wait: (condition, options) => condition.run(() => condition.waitFor(() => false, options)),
  },
  'lock of a condition': {
    make: () => held(new Condition()),
    wait: (condition, options) => condition.run(() => {}, options),
  },
  'end of a wait of a condition': {
    // Its timeout has passed, and it needs the lock to end, which another holder has by then.
    async make() {
      const condition = new Condition()
      const task = condition.run(() => condition.wait({ timeoutMs: 1 }))
      task.catch(() => {})
      await held(condition)
      return Object.assign(condition, { task })
    },
    wait: (condition) => condition.task,
    hasTimeout: false,
  },
  barrier: {
    make: () => new Barrier(2),
    wait: (barrier, options) => barrier.wait(options),
    waitSync: (barrier) => barrier.waitSync(),
  },
  'entry of a barrier': {
    make() {
      const barrier = new Barrier(1, { action: () => new Promise(() => {}) })
      void barrier.wait()
      return barrier
    },
    wait: (barrier, options) => barrier.wait(options),
  },
  get: {
    make: () => new Queue(),
    wait: (queue, options) => queue.get(options),
    waitSync: (queue) => queue.getSync(),
  },
  getMany: { make: () => new Queue(), wait: (queue, options) => queue.getMany(2, options) },
  'for await': { make: () => new SimpleQueue(), wait: drain, hasTimeout: false },
  put: {
    make: () => full(new Queue({ maxSize: 1 })),
    wait: (queue, options) => queue.put(2, options),
    waitSync: (queue) => queue.putSync(2),
  },
  putMany: { make: () => full(new Queue({ maxSize: 2 })), wait: (queue, options) => queue.putMany([2, 3], options) },
  join: {
    make: () => full(new JoinableQueue()),
    wait: (queue, options) => queue.join(options),
    waitSync: (queue) => queue.joinSync(),
  },
  pipe: {
    make: () => endOf(new Pipe()),
    wait: (connection, options) => connection.recv(options),
    waitSync: (connection) => connection.recvSync(),
  },
  'for await of a pipe': { make: () => endOf(new Pipe()), wait: drain, hasTimeout: false },
  'poll of a pipe': {
    make: () => endOf(new Pipe()),
    async wait(connection, options = { timeoutMs: Infinity }) {
      if (!(await connection.poll(options))) throw { code: 'ERR_TIMEOUT' }
    },
  },
  'send of a pipe': {
    make() {
      const connection = endOf(new Pipe({ byteLength: 64, duplex: false }), 1)
      while (connection.trySend(1));
      return connection
    },
    wait: (connection, options) => connection.send(1, options),
  },
  'member of a state': {
    make: () => new SharedState({ event: Event(), count: Value('i'), temps: SharedArray('d', 1) }),
    wait: (state, options) => state.event.wait(options),
  },
  'lock of a member of a state': {
    async make() {
      const state = new SharedState({ count: Value('i'), raw: Value('i', 0, { lock: false }) })
      await state.count.lock.acquire()
      return state
    },
    wait: (state, options) => state.count.lock.acquire(options),
  },
  word: {
    make: () => new SharedArray('i', 1),
    wait: (words) => waitAsync(words, 0, 0).value,
    waitSync: (words) => wait(words, 0, 0),
  },
}
