/** Options are the own properties of a plain object, copied once at the call: for everything in memory that takes options. */
import {
  attach,
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  JoinableQueue,
  Lock,
  Pipe,
  Queue,
  RawArray,
  RawValue,
  RLock,
  Semaphore,
  SharedArray,
  SharedMemory,
  SharedState,
  SimpleQueue,
  Struct,
  unlinkSegment,
  Value,
  waitAsync,
} from 'procshare'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { shareError, typeError } from '../helpers/error-matchers.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

/** A call with options, the good ones that it knows, and how to undo it. */
interface Call {
  readonly call: (options: never) => unknown
  readonly good: Readonly<Record<string, unknown>>
}

const segment = { persist: false, mode: 0o600, pidNamespaces: 'own' }
const makeObjects = () => ({
  lock: new Lock(),
  condition: new Condition(),
  event: new Event(),
  semaphore: new Semaphore(1000),
  barrier: new Barrier(1),
  value: Value.create(uniqueName(), 'i'),
  words: new SharedArray('i', 1),
  state: new SharedState({ a: Value('i') }),
})
/** New ones for each test. */
let the: ReturnType<typeof makeObjects>
beforeEach(() => {
  the = makeObjects()
  the.event.set()
})
afterEach(() => {
  for (const object of Object.values(the)) object.close()
})

const close = (object: unknown) => {
  for (const each of [object].flat()) (each as Disposable)[Symbol.dispose]()
}
const opening = (call: (options: never) => unknown, good: object): Call => ({
  call: (options) => close(call(options)),
  good: { ...segment, ...good },
})

const CALLS: Record<string, Call> = {
  'new Value': opening((o) => new Value('i', 0, o), { lock: false }),
  'Value.create': opening((o) => Value.create(uniqueName(), 'i', 0, o), { lock: true }),
  'Value.open': opening((o) => Value.open(uniqueName(), 'i', 0, o), { lock: true }),
  'new RawValue': opening((o) => new RawValue('i', 0, o), {}),
  'new SharedArray': opening((o) => new SharedArray('i', 3, o), { lock: true }),
  'new RawArray': opening((o) => new RawArray('i', 3, o), {}),
  'new SharedMemory': opening((o) => new SharedMemory(64, o), {}),
  'new Lock': opening((o) => new Lock(o), {}),
  'RLock.open': opening((o) => RLock.open(uniqueName(), o), {}),
  'new Event': opening((o) => new Event(o), {}),
  'new Semaphore': opening((o) => new Semaphore(1, o), { recoverable: true }),
  'new BoundedSemaphore': opening((o) => new BoundedSemaphore(1, o), { recoverable: false }),
  'new Barrier': opening((o) => new Barrier(1, o), { action: () => {}, timeoutMs: 5 }),
  'new Condition': {
    call: (o) => close(new Condition(o)),
    get good() {
      return { ...segment, lock: the.lock }
    },
  },
  'new Condition of a lock': opening((o) => new Condition(the.lock, o), {}),
  'new Queue': opening((o) => new Queue(o), { maxSize: 3, byteLength: 256, spill: true }),
  'new JoinableQueue': opening((o) => new JoinableQueue(o), { maxSize: 3, byteLength: 256, spill: false }),
  'new SimpleQueue': opening((o) => new SimpleQueue(o), { byteLength: 256, spill: false }),
  'new Pipe': opening((o) => new Pipe(o), { duplex: false, byteLength: 256 }),
  'new SharedState': opening((o) => new SharedState({ a: Value('i') }, o), {}),
  'a member': { call: (o) => Value('i', 0, o), good: { lock: true } },
  'a member queue': { call: (o) => Queue(o), good: { maxSize: 3, byteLength: 256, spill: true } },
  'Value.attach': { call: (o) => close(Value.attach(the.value.name, 'i', o)), good: { anyOwner: true } },
  'Barrier.attach': {
    call: (o) => close(Barrier.attach(the.barrier.handle, o)),
    good: { anyOwner: true, action: () => {} },
  },
  'SharedState.attach': {
    call: (o) => close(SharedState.attach(the.state.handle, { a: Value('i') }, o)),
    good: { anyOwner: true },
  },
  'attach of a handle': { call: (o) => close(attach(the.value.handle, o)), good: { anyOwner: true } },
  unlinkSegment: {
    call: (o) => {
      using event = new Event()
      unlinkSegment(event.name, o)
    },
    good: { anyOwner: true },
  },
  'lock.acquireSync': { call: (o) => the.lock.acquireSync(o).release(), good: { timeoutMs: 5 } },
  'lock.runSync': { call: (o) => the.lock.runSync(() => {}, o), good: { timeoutMs: 5 } },
  'lock.acquire': {
    call: async (o) => (await the.lock.acquire(o)).release(),
    good: { timeoutMs: 5, signal: new AbortController().signal },
  },
  'lock.run': { call: (o) => the.lock.run(() => {}, o), good: { timeoutMs: 5, signal: new AbortController().signal } },
  'semaphore.acquireSync': { call: (o) => the.semaphore.acquireSync(o), good: { timeoutMs: 5 } },
  'semaphore.acquire': {
    call: (o) => the.semaphore.acquire(o),
    good: { timeoutMs: 5, signal: new AbortController().signal },
  },
  'event.waitSync': { call: (o) => the.event.waitSync(o), good: { timeoutMs: 5 } },
  'event.wait': { call: (o) => the.event.wait(o), good: { timeoutMs: 5, signal: new AbortController().signal } },
  'barrier.waitSync': { call: (o) => the.barrier.waitSync(o), good: { timeoutMs: 5 } },
  'barrier.wait': { call: (o) => the.barrier.wait(o), good: { timeoutMs: 5, signal: new AbortController().signal } },
  'condition.waitForSync': {
    call: (o) => the.condition.runSync(() => the.condition.waitForSync(() => true, o)),
    good: { timeoutMs: 5, guard: undefined },
  },
  'condition.waitFor': {
    call: (o) => the.condition.run(() => the.condition.waitFor(() => true, o)),
    good: { timeoutMs: 5, signal: new AbortController().signal, guard: undefined },
  },
  'condition.notify': {
    call: (o) => the.condition.runSync(() => the.condition.notify(1, o)),
    good: { guard: undefined },
  },
  waitAsync: { call: (o) => waitAsync(the.words, 0, 1, o), good: { timeoutMs: 0, ref: true } },
}

/** What calls are given that is no plain object; the first three have good options, which are not their own. */
const NOT_PLAIN = (good: object) => [
  Object.create(good),
  new (class Options {
    constructor() {
      Object.assign(this, good)
    }
  })(),
  Object.setPrototypeOf({ ...good }, new Map()),
  new Date(),
  the.lock,
]

const settled = async (call: () => unknown) => await call()

it.each(['value', 'get', 'set', 'writable', 'enumerable', 'configurable'])(
  'objects are created and used although property descriptors inherit %s from Object.prototype',
  (key) => {
    const use = () => {
      close(Object.values(makeObjects()))
      close(new Pipe())
      using point = new Value(Struct({ x: 'd', y: 'i' }), [1, 2])
      using points = new SharedArray(Struct({ x: 'd' }), 2)
      using queue = new Queue<unknown>()
      points[0]!.x = 3
      queue.putSync(new TypeError('an error'))
      queue.putSync({ ...points[0] })
      return [point.snapshot(), queue.getSync(), queue.getSync()]
    }
    const expected = use()
    const inherited = Object.assign(Object.create(null), { value: () => {}, configurable: true })
    Object.defineProperty(Object.prototype, key, inherited)
    let result: unknown
    try {
      result = use()
    } catch (error) {
      result = error
    } finally {
      Reflect.deleteProperty(Object.prototype, key)
    }
    expect(result).toEqual(expected)
  },
)

describe.each(Object.entries(CALLS))('%s', (title, each) => {
  const { call } = each
  it('takes a plain object, one without a prototype, and undefined', async () => {
    const { good } = each
    await settled(() => call({ ...good } as never))
    await settled(() => call(Object.assign(Object.create(null), good) as never))
    await settled(() => call(undefined as never))
  })

  it('refuses an object that has a class or inherits its options', async () => {
    for (const options of NOT_PLAIN(each.good)) {
      if (options === the.lock && title === 'new Condition') continue // is the lock
      await expect(settled(() => call(options as never))).rejects.toThrow(typeError(/must be a plain object, got /))
    }
  })

  it('reads each option once', async () => {
    const { good } = each
    for (const [key, option] of Object.entries(good)) {
      let reads = 0
      const options = { ...good }
      const get = () => {
        reads++
        return option
      }
      Object.defineProperty(options, key, { get, enumerable: true })
      await settled(() => call(options as never))
      expect([key, reads]).toEqual([key, 1])
    }
  })

  it('does not look at Object.prototype', async () => {
    const prototype = Object.prototype as unknown as Record<string, unknown>
    const calls: Promise<unknown>[] = []
    for (const key of Object.keys(each.good)) {
      const polluted = { get: () => 'polluted', configurable: true, enumerable: true }
      Object.defineProperty(prototype, key, polluted)
      try {
        // What begins synchronously has read its options when it returns.
        const one = settled(() => call({} as never))
        const other = settled(() => call(undefined as never))
        calls.push(one, other)
      } finally {
        delete prototype[key]
      }
    }
    await Promise.all(calls)
  })
})

it('a persistent segment is not opened as a temporary one, nor the other way round', () => {
  using persistent = Value.create(uniqueName(), 'i', 0, { persist: true })
  using temporary = SharedState.create(uniqueName(), { a: Value('i') })
  expect(() => Value.open(persistent.name, 'i', 0, { persist: false })).toThrow(
    shareError('ERR_TYPE', /created with persist: true, not with persist: false/),
  )
  expect(() => SharedState.open(temporary.name, { a: Value('i') }, { persist: true })).toThrow(
    shareError('ERR_TYPE', /created with persist: false, not with persist: true/),
  )
  Value.open(persistent.name, 'i', 0, { persist: true }).close()
  Value.open(persistent.name, 'i').close()
  SharedState.open(temporary.name, { a: Value('i') }, { persist: false }).close()
  persistent.unlink()
})
