/**
 * Every public member of every class in every state: it returns, or it throws a ShareError with the code that stands here.
 * A member that is missing here fails the first test of its class.
 */
import { inspect } from 'node:util'
import {
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
  ShareError,
  type ShareErrorCode,
  SimpleQueue,
  Struct,
  Value,
} from 'procshare'
import { afterEach, describe, expect, it } from 'vitest'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

type Outcome = 'returns' | ShareErrorCode
type State = 'open' | 'closed' | 'unlinked' | 'held'

interface Member {
  // biome-ignore lint/suspicious/noExplicitAny: the table says what the object is
  readonly act: (object: any) => unknown
  readonly open: Outcome
  readonly closed: Outcome
  /** Its lock belongs to an asynchronous task, and the caller is another one. */
  readonly held: Outcome
  readonly unlinked: Outcome
}

type Act = Member['act']

/** Works in all states. */
const always = (act: Act): Member => ({
  act,
  open: 'returns',
  closed: 'returns',
  held: 'returns',
  unlinked: 'returns',
})
/** Works until close. */
const untilClose = (act: Act): Member => ({ ...always(act), closed: 'ERR_CLOSED' })
/** Works until close, and takes the lock. */
const locking = (act: Act): Member => ({ ...untilClose(act), held: 'ERR_DEADLOCK' })
/** Works once. */
const unlinking = (act: Act): Member => ({ ...untilClose(act), unlinked: 'ENOENT' })

const handleMembers: Record<string, Member> = {
  handle: untilClose((object) => object.handle),
  toJSON: untilClose((object) => object.toJSON()),
  name: always((object) => object.name),
  close: always((object) => object.close()),
  unlink: unlinking((object) => object.unlink()),
  [String(Symbol.dispose)]: always((object) => object[Symbol.dispose]()),
}

const guardedMembers: Record<string, Member> = {
  ...handleMembers,
  type: always((object) => object.type),
  lock: untilClose((object) => object.lock),
}

const inspected: Record<string, Member> = {
  [String(inspect.custom)]: always((object) => inspect(object)),
  peek: always((object) => object.peek()),
}

function scalarMembers(a: unknown, b: unknown): Record<string, Member> {
  return {
    ...guardedMembers,
    ...inspected,
    value: locking((value) => value.value),
    'value=': locking((value) => {
      value.value = a
    }),
    update: locking((value) => value.update((old: unknown) => old)),
    snapshot: locking((value) => value.snapshot()),
    load: locking((value) => value.load()),
    store: locking((value) => value.store(a)),
    exchange: locking((value) => value.exchange(a)),
    compareExchange: locking((value) => value.compareExchange(a, b)),
    add: locking((value) => value.add(b)),
    sub: locking((value) => value.sub(b)),
    and: locking((value) => value.and(b)),
    or: locking((value) => value.or(b)),
    xor: locking((value) => value.xor(b)),
  }
}

/** The same without a lock: nothing can be held. */
function unlocked(members: Record<string, Member>): Record<string, Member> {
  const table: Record<string, Member> = {}
  for (const [name, member] of Object.entries(members)) table[name] = { ...member, held: 'returns' }
  const lock = untilClose((object) => object.lock)
  return { ...table, lock: { ...lock, open: 'ERR_NO_LOCK', unlinked: 'ERR_NO_LOCK' } }
}

const arrayMembers: Record<string, Member> = {
  ...guardedMembers,
  snapshot: locking((array) => array.snapshot()),
  assign: locking((array) => array.assign([])),
}

/** What everything has that can be waited for. */
const waitableMembers: Record<string, Member> = {
  ...handleMembers,
  ref: always((object) => object.ref()),
  unref: always((object) => object.unref()),
  subject: always((object) => object.subject),
  [String(inspect.custom)]: always((object) => inspect(object)),
  keepsAlive: always((object) => object.keepsAlive),
  state: untilClose((object) => object.state),
  assertOpen: untilClose((object) => object.assertOpen()),
}

const lockMembers: Record<string, Member> = {
  ...waitableMembers,
  locked: untilClose((lock) => lock.locked),
  owner: untilClose((lock) => lock.owner),
  acquire: { ...untilClose((lock) => lock.acquire({ timeoutMs: 0 })), held: 'ERR_TIMEOUT' },
  run: { ...untilClose((lock) => lock.run(() => {}, { timeoutMs: 0 })), held: 'ERR_TIMEOUT' },
  acquireSync: locking((lock) => lock.acquireSync()),
  runSync: locking((lock) => lock.runSync(() => {})),
  tryAcquire: untilClose((lock) => lock.tryAcquire()),
}

/** Waits for what never comes, for no time. */
const waiting = (act: Act): Member => ({
  ...untilClose(act),
  open: 'ERR_TIMEOUT',
  held: 'ERR_TIMEOUT',
  unlinked: 'ERR_TIMEOUT',
})
/** Needs a lock that the caller does not hold. */
const owning = (act: Act): Member => ({
  ...untilClose(act),
  open: 'ERR_NOT_OWNER',
  held: 'ERR_NOT_OWNER',
  unlinked: 'ERR_NOT_OWNER',
})
const NOW = { timeoutMs: 0 }

const semaphoreMembers: Record<string, Member> = {
  ...waitableMembers,
  value: untilClose((semaphore) => semaphore.value),
  acquire: untilClose((semaphore) => semaphore.acquire(NOW)),
  acquireSync: untilClose((semaphore) => semaphore.acquireSync(NOW)),
  tryAcquire: untilClose((semaphore) => semaphore.tryAcquire()),
  release: untilClose((semaphore) => [semaphore.tryAcquire(), semaphore.release()]),
}

const conditionMembers: Record<string, Member> = {
  ...waitableMembers,
  lock: untilClose((condition) => condition.lock),
  acquire: { ...untilClose((condition) => condition.acquire(NOW)), held: 'ERR_TIMEOUT' },
  run: { ...untilClose((condition) => condition.run(() => {}, NOW)), held: 'ERR_TIMEOUT' },
  acquireSync: locking((condition) => condition.acquireSync()),
  runSync: locking((condition) => condition.runSync(() => {})),
  tryAcquire: untilClose((condition) => condition.tryAcquire()),
  wait: owning((condition) => condition.wait(NOW)),
  waitSync: owning((condition) => condition.waitSync(NOW)),
  waitFor: owning((condition) => condition.waitFor(() => true, NOW)),
  waitForSync: owning((condition) => condition.waitForSync(() => true, NOW)),
  notify: owning((condition) => condition.notify()),
  notifyAll: owning((condition) => condition.notifyAll()),
}

const eventMembers: Record<string, Member> = {
  ...waitableMembers,
  isSet: untilClose((event) => event.isSet),
  set: untilClose((event) => event.set()),
  clear: untilClose((event) => event.clear()),
  wait: waiting((event) => event.wait(NOW)),
  waitSync: waiting((event) => event.waitSync(NOW)),
}

const barrierMembers: Record<string, Member> = {
  ...waitableMembers,
  parties: untilClose((barrier) => barrier.parties),
  waiting: untilClose((barrier) => barrier.waiting),
  broken: untilClose((barrier) => barrier.broken),
  wait: waiting((barrier) => barrier.wait(NOW)),
  waitSync: waiting((barrier) => barrier.waitSync(NOW)),
  abort: untilClose((barrier) => barrier.abort()),
  reset: untilClose((barrier) => barrier.reset()),
}

const simpleQueueMembers: Record<string, Member> = {
  ...waitableMembers,
  isEmpty: untilClose((queue) => queue.isEmpty),
  ended: untilClose((queue) => queue.ended),
  put: untilClose((queue) => queue.put(1, NOW)),
  putSync: untilClose((queue) => queue.putSync(1, NOW)),
  tryPut: untilClose((queue) => queue.tryPut(1)),
  get: waiting((queue) => queue.get(NOW)),
  getSync: waiting((queue) => queue.getSync(NOW)),
  tryGet: untilClose((queue) => queue.tryGet()),
  end: untilClose((queue) => queue.end()),
  drained: always((queue) => queue.drained(1)),
  [String(Symbol.asyncIterator)]: untilClose((queue) => {
    queue.end()
    return queue[Symbol.asyncIterator]().next()
  }),
}

const queueMembers: Record<string, Member> = {
  ...simpleQueueMembers,
  maxSize: untilClose((queue) => queue.maxSize),
  byteLength: untilClose((queue) => queue.byteLength),
  size: untilClose((queue) => queue.size),
  isFull: untilClose((queue) => queue.isFull),
  putMany: untilClose((queue) => queue.putMany([1, 2], NOW)),
  putManySync: untilClose((queue) => queue.putManySync([1, 2], NOW)),
  getMany: waiting((queue) => queue.getMany(2, NOW)),
  getManySync: waiting((queue) => queue.getManySync(2, NOW)),
}

const joinableQueueMembers: Record<string, Member> = {
  ...queueMembers,
  unfinished: untilClose((queue) => queue.unfinished),
  taskDone: { ...untilClose((queue) => queue.taskDone()), open: 'ERR_TASK_DONE', unlinked: 'ERR_TASK_DONE' },
  join: untilClose((queue) => queue.join(NOW)),
  joinSync: untilClose((queue) => queue.joinSync(NOW)),
}

const connectionMembers: Record<string, Member> = {
  ...waitableMembers,
  isReadable: untilClose((connection) => connection.isReadable),
  isWritable: untilClose((connection) => connection.isWritable),
  send: untilClose((connection) => connection.send(1, NOW)),
  sendSync: untilClose((connection) => connection.sendSync(1, NOW)),
  trySend: untilClose((connection) => connection.trySend(1)),
  recv: waiting((connection) => connection.recv(NOW)),
  recvSync: waiting((connection) => connection.recvSync(NOW)),
  tryRecv: untilClose((connection) => connection.tryRecv()),
  poll: untilClose((connection) => connection.poll()),
  pollSync: untilClose((connection) => connection.pollSync()),
  [String(Symbol.asyncIterator)]: {
    ...untilClose((connection) => {
      closeOtherEnd() // otherwise the iteration would wait for ever
      return connection[Symbol.asyncIterator]().next()
    }),
  },
}

/** Of the pipe that was made last. */
let closeOtherEnd = () => {}

function makeConnection(name: string): Shared {
  const [first, second] = Pipe.create(name)
  closeOtherEnd = () => second.close()
  cleanups.push(closeOtherEnd)
  return first
}

const Point = Struct({ x: 'd', y: 'd' })

const cleanups: (() => void)[] = []

interface Shared extends Disposable {
  readonly name: string
  close(): void
  unlink(): void
}

interface Row {
  readonly title: string
  readonly make: (name: string) => Shared
  readonly members: Record<string, Member>
  /** The lock of the object, if it has one. */
  readonly lockOf?: (object: never) => Lock | RLock
}

const lockOfMember = (object: { lock: Lock }) => object.lock
const itself = (lock: Lock) => lock

const TABLE: Row[] = [
  {
    title: 'Value of an integer',
    make: (name) => Value.create(name, 'i', 1),
    members: scalarMembers(1, 2),
    lockOf: lockOfMember,
  },
  {
    title: 'Value of a 64-bit integer',
    make: (name) => Value.create(name, 'q', 1),
    members: scalarMembers(1n, 2n),
    lockOf: lockOfMember,
  },
  {
    title: 'Value with a given lock',
    make(name) {
      using lock = new Lock() // the value keeps it
      return Value.create(name, 'i', 1, { lock })
    },
    members: { ...scalarMembers(1, 2) },
  },
  {
    title: 'RawValue',
    make: (name) => RawValue.create(name, 'i', 1),
    members: unlocked(scalarMembers(1, 2)),
  },
  {
    title: 'Value of a struct',
    make: (name) => Value.create(name, Point, { x: 1 }),
    members: {
      ...guardedMembers,
      ...inspected,
      value: untilClose((value) => value.value.x),
      'value=': locking((value) => {
        value.value = { x: 1, y: 2 }
      }),
      update: locking((value) => value.update(() => {})),
      snapshot: locking((value) => value.snapshot()),
    },
    lockOf: lockOfMember,
  },
  {
    title: 'SharedArray of numbers',
    make: (name) => SharedArray.create(name, 'i', [1, 2]),
    members: arrayMembers,
    lockOf: lockOfMember,
  },
  {
    title: 'RawArray',
    make: (name) => RawArray.create(name, 'i', [1, 2]),
    members: unlocked(arrayMembers),
  },
  {
    title: 'SharedArray of characters',
    make: (name) => SharedArray.create(name, 'c', 'text'),
    members: {
      ...arrayMembers,
      value: locking((array) => array.value),
      'value=': locking((array) => {
        array.value = 'new'
      }),
      raw: locking((array) => array.raw),
      'raw=': locking((array) => {
        array.raw = 'new'
      }),
    },
    lockOf: lockOfMember,
  },
  {
    title: 'SharedArray of structs',
    make: (name) => SharedArray.create(name, Point, [{ x: 1 }]),
    members: {
      ...arrayMembers,
      length: always((array) => array.length),
      at: always((array) => array.at(0).x),
      set: locking((array) => array.set(0, { x: 1, y: 2 })),
      [String(Symbol.iterator)]: always((array) => [...array].map(({ x }) => x)),
    },
    lockOf: lockOfMember,
  },
  {
    title: 'SharedMemory',
    make: (name) => SharedMemory.create(name, 10),
    members: {
      ...handleMembers,
      buffer: untilClose((memory) => memory.buffer),
      byteLength: untilClose((memory) => memory.byteLength),
      [String(inspect.custom)]: always((memory) => inspect(memory)),
    },
  },
  { title: 'Lock', make: (name) => Lock.create(name), members: lockMembers, lockOf: itself },
  { title: 'RLock', make: (name) => RLock.create(name), members: lockMembers, lockOf: itself },
  { title: 'Semaphore', make: (name) => Semaphore.create(name), members: semaphoreMembers },
  {
    title: 'BoundedSemaphore that is recoverable',
    make: (name) => BoundedSemaphore.create(name, 2, { recoverable: true }),
    members: semaphoreMembers,
  },
  { title: 'Condition', make: (name) => Condition.create(name), members: conditionMembers, lockOf: lockOfMember },
  { title: 'Event', make: (name) => Event.create(name), members: eventMembers },
  { title: 'Barrier', make: (name) => Barrier.create(name, 2), members: barrierMembers },
  { title: 'Queue', make: (name) => Queue.create(name), members: queueMembers },
  { title: 'JoinableQueue', make: (name) => JoinableQueue.create(name), members: joinableQueueMembers },
  { title: 'SimpleQueue', make: (name) => SimpleQueue.create(name), members: simpleQueueMembers },
  { title: 'Connection', make: makeConnection, members: connectionMembers },
  {
    title: 'SharedState',
    make: (name) => SharedState.create(name, { hits: Value('i'), ready: Event() }),
    members: {
      ...handleMembers,
      [String(inspect.custom)]: always((state) => inspect(state)),
      hits: untilClose((state) => state.hits.value),
      ready: untilClose((state) => state.ready.set()),
    },
  },
]

afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup()
})

async function put(row: Row, object: Shared, state: State): Promise<void> {
  if (state === 'closed') object.close()
  if (state === 'unlinked') object.unlink()
  if (state === 'held') {
    const guard = await row.lockOf?.(object as never).acquire()
    if (guard !== undefined) cleanups.push(() => guard[Symbol.dispose]())
  }
}

async function outcomeOf(act: () => unknown): Promise<string> {
  try {
    const result = await act()
    if (typeof (result as { release?: unknown } | undefined)?.release === 'function')
      (result as Disposable)[Symbol.dispose]()
    return 'returns'
  } catch (error) {
    return error instanceof ShareError ? error.code : String(error)
  }
}

/** All members of an object but those that the language gives. */
function membersOf(object: object): string[] {
  const known = new Set<object>([Object.prototype, Int32Array.prototype, Uint8Array.prototype])
  const names = new Set<string>()
  for (let level = object; !known.has(level); level = Object.getPrototypeOf(level)) {
    if (level.constructor.name === 'Object') break
    for (const key of Reflect.ownKeys(level)) names.add(String(key))
  }
  names.delete('constructor')
  return [...names].filter((name) => !/^\d+$/.test(name)).sort()
}

describe.each(TABLE.map((row) => [row.title, row] as const))('%s', (_title, row) => {
  it('has the members that this table knows', () => {
    using object = row.make(uniqueName())
    const known = Object.keys(row.members).filter((name) => !name.endsWith('=')) // a setter has a line of its own
    expect(membersOf(object)).toEqual(known.sort())
  })

  const states: State[] =
    row.lockOf === undefined ? ['open', 'closed', 'unlinked'] : ['open', 'closed', 'unlinked', 'held']

  it.each(states)('does what the table says when it is %s', async (state) => {
    for (const [name, member] of Object.entries(row.members)) {
      const object = row.make(uniqueName())
      cleanups.push(() => object.close())
      await put(row, object, state)
      const outcome = await outcomeOf(() => member.act(object))
      expect([name, outcome]).toEqual([name, member[state]])
      // Whatever has happened, the object can be closed, and a second time too.
      object.close()
      expect(await outcomeOf(() => object.close())).toBe('returns')
      for (const cleanup of cleanups.splice(0).reverse()) cleanup()
    }
  })
})

describe.each([
  ['Value', Value, ['i', 1]],
  ['RawValue', RawValue, ['i', 1]],
  ['SharedArray', SharedArray, ['i', 3]],
  ['RawArray', RawArray, [Point, 2]],
  ['SharedMemory', SharedMemory, [10]],
  ['Lock', Lock, []],
  ['RLock', RLock, []],
  ['Semaphore', Semaphore, [3]],
  ['BoundedSemaphore', BoundedSemaphore, [3, { recoverable: true }]],
  ['Condition', Condition, []],
  ['Event', Event, []],
  ['Barrier', Barrier, [3]],
  ['Queue', Queue, [{ maxSize: 5 }]],
  ['JoinableQueue', JoinableQueue, [{ spill: true }]],
  ['SimpleQueue', SimpleQueue, []],
  ['SharedState', SharedState, [{ hits: Value('i') }]],
] as const)('the ways to a named %s', (_title, Class, args) => {
  const statics = Class as unknown as Record<
    'create' | 'open' | 'attach',
    (name: unknown, ...rest: unknown[]) => Shared
  >
  const outcomes = async (name: string) => {
    const found: Record<string, string> = {}
    for (const [way, rest] of [
      ['attach', []],
      ['create', args],
      ['open', args],
    ] as const) {
      let made: Shared | undefined
      found[way] = await outcomeOf(() => {
        made = statics[way](name, ...rest)
      })
      made?.close()
    }
    return found
  }

  it('depend on whether it exists', async () => {
    const name = uniqueName()
    expect(await outcomes(name)).toEqual({ attach: 'ENOENT', create: 'returns', open: 'returns' })
    using object = statics.create(name, ...args)
    expect(await outcomes(name)).toEqual({ attach: 'returns', create: 'EEXIST', open: 'returns' })
    object.unlink()
    expect(await outcomes(name)).toEqual({ attach: 'ENOENT', create: 'returns', open: 'returns' })
    object.close()
    expect(await outcomes(name)).toEqual({ attach: 'ENOENT', create: 'returns', open: 'returns' })
  })
})

describe('the guard of a lock', () => {
  it.each([
    ['held', 'returns', false],
    ['released', 'ERR_NOT_OWNER', true],
    ['closed', 'ERR_NOT_OWNER', true],
    ['unlinked', 'returns', false],
  ] as const)('does what it should when the lock is %s', async (state, outcome, isOver) => {
    for (const Class of [Lock, RLock]) {
      const lock = Class.create(uniqueName())
      const guard = await lock.acquire()
      if (state === 'released') guard.release()
      if (state === 'closed') lock.close()
      if (state === 'unlinked') lock.unlink()
      expect(guard.abandoned).toBe(false)
      expect(guard.released).toBe(isOver)
      expect(await outcomeOf(() => guard.release())).toBe(outcome)
      expect(await outcomeOf(() => guard[Symbol.dispose]())).toBe('returns')
      lock.close()
    }
  })
})

describe('every method of typed arrays', () => {
  const TypedArray = Object.getPrototypeOf(Int32Array) as { prototype: object }
  const methods = Reflect.ownKeys(TypedArray.prototype).filter((key) => key !== 'constructor')
  const argumentsFor = [[], [0, 1, 2], [(n: number) => n, 0], [[7, 7], 0], [-1, 1e9], [Number.NaN], ['x'], [{}, {}]]

  it.each(['open', 'closed', 'unlinked'] as const)(
    'leaves the process alive and the array sound when it is %s',
    (state) => {
      for (const { code, given } of [
        { code: 'i', given: [1, 2, 3] },
        { code: 'c', given: 'abc' },
        { code: 'd', given: 0 },
      ] as const) {
        for (const key of methods) {
          for (const args of argumentsFor) {
            const array = SharedArray.create(uniqueName(), code, given as never) as SharedArray<'i'>
            if (state === 'closed') array.close()
            if (state === 'unlinked') array.unlink()
            try {
              const member = (array as unknown as Record<PropertyKey, unknown>)[key]
              if (typeof member === 'function') member.apply(array, args)
            } catch (error) {
              expect(error).toBeInstanceOf(Error)
            }
            expect([...array]).toHaveLength(given === 0 ? 0 : 3)
            array.close()
          }
        }
      }
    },
  )
})
