/** What the garbage collector may take, what it must not, and what happens to what it takes. */
import {
  attach,
  BoundedSemaphore,
  Condition,
  Lock,
  listSegments,
  RLock,
  Semaphore,
  SharedArray,
  SharedMemory,
  SharedState,
  Struct,
  unlinkSegment,
  Value,
} from 'procshare'
import { describe, expect, it } from 'vitest'
import { eventually } from '../helpers/eventually.ts'
import { spawnFixture, startWorker } from '../helpers/fixture.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

const Point = Struct({ x: 'i', inner: Struct({ y: 'i' }), list: ['i', 4] })

/** Whether buffers here are SharedArrayBuffers, which other threads can keep. */
const hasSharedBuffers = (() => {
  using memory = new SharedMemory(1)
  return memory.buffer instanceof SharedArrayBuffer
})()

const exists = (name: string): boolean => listSegments().some((segment) => segment.name === name)

async function collect(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc!()
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Waits until the garbage collector has brought about what is expected. */
async function collected(expected: () => boolean): Promise<void> {
  await eventually(async () => {
    await collect()
    return expected()
  })
}

/** Holds one thing, or nothing: a local variable would keep it to the end of the function. */
class Box<T> {
  #content: T | undefined

  constructor(content: T) {
    this.#content = content
  }

  get content(): T {
    return this.#content!
  }

  empty(): void {
    this.#content = undefined
  }
}

interface Made {
  /** What was made, and nobody keeps. */
  readonly object: WeakRef<object>
  /** What is kept: it reaches the first int32 of the segment. */
  readonly kept: { read(): number; write(value: number): void }
}

function overView(view: { [index: number]: unknown }): Made['kept'] {
  return {
    read: () => view[0] as number,
    write: (value) => {
      view[0] = value
    },
  }
}

function overRecord(record: { x: number }): Made['kept'] {
  return {
    read: () => record.x,
    write: (value) => {
      record.x = value
    },
  }
}

const VIEWS: [string, (name: string) => Made][] = [
  [
    'a typed array on the buffer of a SharedMemory',
    (name) => {
      const memory = SharedMemory.create(name, 64)
      return { object: new WeakRef(memory), kept: overView(new Int32Array(memory.buffer)) }
    },
  ],
  [
    'the buffer of a SharedMemory',
    (name) => {
      const memory = SharedMemory.create(name, 64)
      const { buffer } = memory
      const view = () => new Int32Array(buffer)
      return { object: new WeakRef(memory), kept: { read: () => view()[0]!, write: (n) => view().fill(n) } }
    },
  ],
  [
    'a DataView on the buffer of a SharedArray',
    (name) => {
      const array = SharedArray.create(name, 'i', 16)
      const view = new DataView(array.buffer)
      const kept = { read: () => view.getInt32(0, true), write: (n: number) => view.setInt32(0, n, true) }
      return { object: new WeakRef(array), kept }
    },
  ],
  [
    'a subarray of a SharedArray',
    (name) => {
      const array = SharedArray.create(name, 'i', 16)
      return { object: new WeakRef(array), kept: overView(array.subarray(0, 1)) }
    },
  ],
  [
    'the record of a struct Value',
    (name) => {
      const value = Value.create(name, Point)
      return { object: new WeakRef(value), kept: overRecord(value.value) }
    },
  ],
  [
    'a field inside the record of a struct Value',
    (name) => {
      const value = Value.create(name, Struct({ list: ['i', 4], other: 'd' }))
      return { object: new WeakRef(value), kept: overView(value.value.list) }
    },
  ],
  [
    'an element of an array of structs',
    (name) => {
      const array = SharedArray.create(name, Point, 3)
      return { object: new WeakRef(array), kept: overRecord(array[0]!) }
    },
  ],
]

describe.each(VIEWS)('%s, when the garbage collector runs', (_title, make) => {
  it('keeps memory and name until it is collected itself', async () => {
    const name = uniqueName()
    const box = new Box(make(name))
    await collected(() => box.content.object.deref() === undefined)
    await collect()
    expect(exists(name)).toBe(true)
    await using other = await startWorker('lifetime-actor')
    const { kind } = listSegments().find((segment) => segment.name === name)!
    box.content.kept.write(4711)
    expect(await other.call('run', 'attach', [1, kind, name])).toEqual({ value: expect.any(String) })
    expect(box.content.kept.read()).toBe(4711)
    await other.call('run', 'close', [1])
    expect(exists(name)).toBe(true)
    box.empty()
    await collected(() => !exists(name))
  })
})

it('an object that is dropped without close() loses its name, unless it is persistent', async () => {
  const [name, lasting] = [uniqueName(), uniqueName('lasting')]
  const make = () => {
    Value.create(name, 'i', 1)
    Value.create(lasting, 'i', 1, { persist: true })
  }
  make()
  expect(exists(name)).toBe(true)
  await collected(() => !exists(name))
  expect(exists(lasting)).toBe(true)
  unlinkSegment(lasting)
})

it('an object that is in use is not collected', async () => {
  const name = uniqueName()
  using value = Value.create(name, 'i', 1)
  using array = new SharedArray('i', [1, 2])
  await collect()
  expect(exists(name)).toBe(true)
  value.update((n) => n + 1)
  expect(value.value).toBe(2)
  array.assign([3, 4])
  expect(array.snapshot()).toEqual(new Int32Array([3, 4]))
})

it('the collection of one object of a segment does not affect another', async () => {
  const name = uniqueName()
  const box = new Box(Value.create(name, 'i', 1))
  const attachAndDrop = () => new WeakRef<object>(Value.attach(name, 'i'))
  const dropped = attachAndDrop()
  await collected(() => dropped.deref() === undefined)
  box.content.add(1)
  expect(box.content.value).toBe(2)
  expect(exists(name)).toBe(true)
  // The name may wait for the collector, because one of two was not closed.
  box.content.close()
  box.empty()
  await collected(() => !exists(name))
})

it('objects of one segment in one environment share one buffer until the last close()', () => {
  const memory = SharedMemory.create(uniqueName(), 64)
  const same = attach(memory.handle) as SharedMemory
  expect(same.buffer).toBe(memory.buffer)
  memory.close()
  memory.close() // counts once
  expect(exists(same.name)).toBe(true)
  new Int32Array(same.buffer)[3] = 5
  same.close()
  expect(exists(same.name)).toBe(false)
})

it('views that were taken before close() stay readable and writable', () => {
  const memory = new SharedMemory(64)
  const bytes = new Uint8Array(memory.buffer)
  const array = new SharedArray('i', [1, 2, 3])
  const value = new Value(Point, { x: 1 })
  const record = value.value
  for (const object of [memory, array, value]) object.close()
  bytes[63] = 9
  array[2] = 9
  record.x = 9
  record.inner.y = 9
  expect([bytes[63], array[2], array.subarray(2)[0], record.x, record.inner.y]).toEqual([9, 9, 9, 9, 9])
})

describe('locks', () => {
  it('the lock of a Value keeps working when the Value is collected', async () => {
    const name = uniqueName()
    const takeLock = () => {
      const value = Value.create(name, 'i', 1)
      return { lock: value.lock, value: new WeakRef<object>(value) }
    }
    const box = new Box(takeLock())
    await collected(() => box.content.value.deref() === undefined)
    expect(exists(name)).toBe(true)
    expect(box.content.lock.runSync(() => box.content.lock.locked)).toBe(true)
    box.empty()
    await collected(() => !exists(name))
  })

  it('a guard keeps its lock held when the lock object is collected', async () => {
    const name = uniqueName()
    const acquire = () => {
      const lock = Lock.create(name)
      return { guard: lock.acquireSync(), lock: new WeakRef(lock) }
    }
    const box = new Box(acquire())
    await collected(() => box.content.lock.deref() === undefined)
    await using other = await spawnFixture('lifetime-actor')
    await other.call('run', 'attach', [1, 'Lock', name])
    expect(await other.call('run', 'isLocked', [1])).toEqual({ value: true })
    box.content.guard.release()
    expect(await other.call('run', 'isLocked', [1])).toEqual({ value: false })
    box.empty()
    await other.call('run', 'close', [1])
    await collected(() => !exists(name))
  })

  it('a pending acquisition is granted although no variable refers to the lock', async () => {
    await using other = await spawnFixture('lifetime-actor')
    const name = uniqueName()
    await other.call('run', 'create', [1, 'Lock', name, false])
    await other.call('run', 'acquire', [1])
    const granted = Lock.attach(name).acquire()
    await collect()
    await other.call('run', 'release', [1])
    await collect()
    const guard = await granted
    expect(guard.abandoned).toBe(false)
    expect(await other.call('run', 'isLocked', [1])).toEqual({ value: true })
    guard.release()
  })

  it('a Value keeps the lock that was passed to it', async () => {
    const make = () => {
      const lock = new Lock()
      return { value: new Value('i', 1, { lock }), name: lock.name }
    }
    const box = new Box(make())
    const { name } = box.content
    await collect()
    expect(box.content.value.update((n) => n + 1)).toBe(2)
    expect(exists(name)).toBe(true)
    box.empty()
    await collected(() => !exists(name))
  })
})

describe.runIf(hasSharedBuffers)('a SharedArrayBuffer over a segment', () => {
  it('stays readable in the thread that received it when its creator has ended', async () => {
    const name = uniqueName()
    await using donor = await startWorker('lifetime-donor', { name })
    const bytes = new Uint8Array(await donor.event<SharedArrayBuffer>('buffer'))
    void donor.call('end').catch(() => {})
    await donor.ended()
    await collect()
    expect(exists(name)).toBe(false)
    expect(bytes.every((byte) => byte === 42)).toBe(true)
    bytes.fill(1)
    expect(bytes[99_999]).toBe(1)
  })

  it('stays readable when its creator was terminated, also after many later buffers', async () => {
    const buffers = []
    for (let i = 0; i < 10; i++) {
      await using donor = await startWorker('lifetime-donor', { name: uniqueName() })
      buffers.push(await donor.event<SharedArrayBuffer>('buffer'))
      await collect()
    }
    for (const buffer of buffers) expect(new Uint8Array(buffer).every((byte) => byte === 42)).toBe(true)
  })
})

describe('an unreachable object that holds something', () => {
  /** Takes something through an object of that name, and keeps neither the object nor what it gave. */
  const takings: [title: string, take: (name: string) => unknown, isHeld: (name: string) => boolean][] = [
    ['a lock, by tryAcquire', (name) => void Lock.open(name).tryAcquire(), (name) => Lock.attach(name).locked],
    ['a lock, by acquireSync', (name) => void RLock.open(name).acquireSync(), (name) => RLock.attach(name).locked],
    [
      'a lock, by acquire',
      (name) =>
        Lock.open(name)
          .acquire()
          .then(() => {}),
      (name) => Lock.attach(name).locked,
    ],
    [
      'a lock, by run',
      (name) => void Lock.open(name).run(() => new Promise(() => {})),
      (name) => Lock.attach(name).locked,
    ],
    [
      'the lock of a value',
      (name) => void Value.open(name, 'i').lock.acquireSync(),
      (name) => Value.attach(name).lock.locked,
    ],
    [
      'the lock of a condition',
      (name) => void Condition.open(name).acquireSync(),
      (name) => Condition.attach(name).lock.locked,
    ],
    [
      'the lock of a state',
      (name) => void SharedState.open(name, { lock: Lock() }).lock.acquireSync(),
      (name) => SharedState.attach(name, { lock: Lock() }).lock.locked,
    ],
    [
      'a unit of a bounded semaphore',
      (name) => void BoundedSemaphore.open(name, 1).acquireSync(),
      (name) => BoundedSemaphore.attach(name).value === 0,
    ],
    [
      'a unit of a recoverable semaphore',
      (name) => void Semaphore.open(name, 1, { recoverable: true }).tryAcquire(),
      (name) => Semaphore.attach(name).value === 0,
    ],
  ]

  it.each(takings)('keeps holding it: %s', async (_title, take, isHeld) => {
    const name = uniqueName()
    await take(name)
    for (let i = 0; i < 5; i++) await collect()
    expect(exists(name)).toBe(true)
    expect(isHeld(name)).toBe(true)
    unlinkSegment(name)
  })

  it('is collected after the release', async () => {
    const name = uniqueName()
    ;(() => {
      const lock = Lock.open(name)
      lock.acquireSync().release()
      const guard = lock.tryAcquire()!
      lock.tryAcquire()
      guard[Symbol.dispose]()
      const slots = BoundedSemaphore.open(`${name}-slots`, 3)
      slots.acquireSync()
      slots.acquireSync()
      slots.release(2)
    })()
    await Lock.open(name).run(async () => {})
    await collected(() => !exists(name) && !exists(`${name}-slots`))
  })
})
