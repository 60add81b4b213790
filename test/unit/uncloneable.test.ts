/** Structured clone and spreading make no copy of a shared object; what they do with arrays of scalars. */
import { fork } from 'node:child_process'
import { inspect, isDeepStrictEqual } from 'node:util'
import { deserialize, serialize } from 'node:v8'
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads'
import {
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  JoinableQueue,
  Lock,
  Pipe,
  Queue,
  RawValue,
  RLock,
  Semaphore,
  SharedArray,
  SharedMemory,
  SharedState,
  SimpleQueue,
  Struct,
  Value,
} from 'procshare'
import { describe, expect, it, onTestFinished } from 'vitest'
import { expectNoLeftovers } from '../helpers/leftovers.ts'

expectNoLeftovers()

const Point = Struct({ x: 'd', y: 'd' })

const KINDS: readonly (readonly [string, () => Disposable & { readonly handle: object }])[] = [
  ['Value', () => new Value('i')],
  ['Value of a struct', () => new Value(Point)],
  ['RawValue', () => new RawValue('d')],
  ['SharedArray of structs', () => new SharedArray(Point, 2)],
  ['SharedMemory', () => new SharedMemory(8)],
  ['Lock', () => new Lock()],
  ['RLock', () => new RLock()],
  ['Semaphore', () => new Semaphore(1)],
  ['BoundedSemaphore', () => new BoundedSemaphore(1)],
  ['Event', () => new Event()],
  ['Condition', () => new Condition()],
  ['Barrier', () => new Barrier(2)],
  ['Queue', () => new Queue()],
  ['JoinableQueue', () => new JoinableQueue()],
  ['SimpleQueue', () => new SimpleQueue()],
  [
    'Connection',
    () => {
      const [first, second] = new Pipe()
      second.close()
      return first
    },
  ],
  ['SharedState', () => new SharedState({ hits: Value('i') })],
]

const DATA_CLONE_ERROR = expect.objectContaining({ name: 'DataCloneError' })

function post(message: unknown): unknown {
  const { port1, port2 } = new MessageChannel()
  try {
    port1.postMessage(message)
    return (receiveMessageOnPort(port2) as { message: unknown }).message
  } finally {
    port1.close()
  }
}

const WAYS: readonly (readonly [string, (value: unknown) => unknown])[] = [
  ['structuredClone', (value) => structuredClone(value)],
  ['postMessage', post],
  ['workerData', (value) => new Worker('', { eval: true, workerData: value })],
  ['node:v8', (value) => deserialize(serialize(value))],
]

describe.each(KINDS)('a %s', (kind, make) => {
  it.each(WAYS)('cannot be copied by %s, alone or inside of other things', (_way, copy) => {
    using object = make()
    for (const value of [object, { object }, [[object]], new Map([['key', object]])]) {
      expect(() => copy(value)).toThrow(DATA_CLONE_ERROR)
    }
    expect(structuredClone(object.handle)).toEqual(object.handle)
  })

  it.skipIf(kind === 'SharedState')('cannot be spread or copied by Object.assign', () => {
    using object = make()
    expect(() => ({ ...object })).toThrow(DATA_CLONE_ERROR)
    expect(() => Object.assign({}, object)).toThrow(/cannot be copied: send its handle instead/)
  })

  it('is shown, turned into JSON and compared as before', () => {
    using object = make()
    expect(inspect(object)).toMatch(/^[A-Z]\w+ "procshare-/)
    expect(inspect({ list: [object] })).not.toContain('uncloneable')
    expect(JSON.parse(JSON.stringify({ object })).object).toEqual(object.handle)
    expect(isDeepStrictEqual([object], [object])).toBe(true)
    expect([object]).toContain(object)
  })
})

it('child.send with advanced serialization refuses a shared object, and sends its handle', async () => {
  const child = fork(new URL('../fixtures/echo.mjs', import.meta.url), { serialization: 'advanced' })
  onTestFinished(() => void child.kill())
  using value = new Value('i')
  expect(() => child.send({ value })).toThrow(DATA_CLONE_ERROR)
})

describe('a shared array of scalars', () => {
  const isShared = (buffer: ArrayBufferLike) => buffer instanceof SharedArrayBuffer

  it('sent to another thread is a view of the same memory, or a copy where its buffer is an ArrayBuffer', () => {
    using array = new SharedArray('i', [1, 2])
    const sent = post(array) as Int32Array
    expect(Object.getPrototypeOf(sent)).toBe(Int32Array.prototype)
    sent[0] = 9
    expect(array[0]).toBe(isShared(array.buffer) ? 9 : 1)
  })

  it('serialized by node:v8 is a private copy', () => {
    using array = new SharedArray('i', [1, 2])
    const copy = deserialize(serialize(array)) as Int32Array
    copy[0] = 9
    expect([...array]).toEqual([1, 2])
  })
})
