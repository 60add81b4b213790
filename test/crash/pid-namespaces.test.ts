/** Processes in several pid namespaces, such as containers that share /dev/shm: thread ids mean other threads there. */
import { spawnSync } from 'node:child_process'
import {
  attach,
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  JoinableQueue,
  Lock,
  listSegments,
  notify,
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
} from 'procshare'
import { describe, expect, it } from 'vitest'
import { shareError } from '../helpers/error-matchers.ts'
import { eventually } from '../helpers/eventually.ts'
import { type FixtureProcess, spawnFixture } from '../helpers/fixture.ts'
import { uniqueName } from '../helpers/segment-names.ts'

const UNSHARE = ['--pid', '--fork', '--kill-child=KILL']
const canUnshare = spawnSync('unshare', [...UNSHARE, 'true']).status === 0

/** Only root may make pid namespaces, and only Linux has them. */
const inNamespaces = describe.skipIf(!canUnshare)

/** A process that is the first one of a new pid namespace; killed, it takes the namespace along. */
const elsewhere = (): Promise<FixtureProcess> =>
  spawnFixture('namespace-user', {}, { execPath: 'unshare', execArgv: [...UNSHARE, process.execPath] })

const Point = Struct({ x: 'd', y: 'd' })
const any = { pidNamespaces: 'any' } as const

interface Kind {
  readonly title: string
  readonly make: (options: object) => Disposable & { readonly handle: { readonly name: string } }
  /** What a process elsewhere does to it, and what it is like then. */
  readonly use: readonly [method: string, ...params: unknown[]]
  readonly look: (object: never) => unknown
  readonly becomes: unknown
}

function kind<T extends Disposable & { readonly handle: { readonly name: string } }>(
  title: string,
  make: (options: object) => T,
  use: Kind['use'],
  look: (object: T) => unknown,
  becomes: unknown,
): Kind {
  return { title, make, use, look: look as (object: never) => unknown, becomes }
}

const WITH_MUTEX: readonly Kind[] = [
  kind(
    'Value',
    (options) => new Value('i', 1, options),
    ['add', 2],
    (value) => value.value,
    3,
  ),
  kind(
    'Value of a struct',
    (options) => new Value(Point, { x: 1 }, options),
    ['snapshot'],
    (value) => value.snapshot().x,
    1,
  ),
  kind(
    'SharedArray',
    (options) => new SharedArray('i', 2, options),
    ['assign', [4, 5]],
    (array) => array[1],
    5,
  ),
  kind(
    'Lock',
    (options) => new Lock(options),
    ['acquireSync'],
    (lock) => lock.locked,
    true,
  ),
  kind(
    'RLock',
    (options) => new RLock(options),
    ['acquireSync'],
    (lock) => lock.locked,
    true,
  ),
  kind(
    'Semaphore',
    (options) => new Semaphore(3, options),
    ['acquireSync'],
    (semaphore) => semaphore.value,
    2,
  ),
  kind(
    'BoundedSemaphore',
    (options) => new BoundedSemaphore(3, options),
    ['acquireSync'],
    (semaphore) => semaphore.value,
    2,
  ),
  kind(
    'Condition',
    (options) => new Condition(options),
    ['acquireSync'],
    (condition) => condition.lock.locked,
    true,
  ),
  kind(
    'Barrier',
    (options) => new Barrier(2, options),
    ['abort'],
    (barrier) => barrier.broken,
    true,
  ),
  kind(
    'Queue',
    (options) => new Queue(options),
    ['putSync', 'item'],
    (queue) => queue.getSync({ timeoutMs: 1000 }),
    'item',
  ),
  kind(
    'JoinableQueue',
    (options) => new JoinableQueue(options),
    ['putSync', 1],
    (queue) => queue.size,
    1,
  ),
  kind(
    'SimpleQueue',
    (options) => new SimpleQueue(options),
    ['putSync', 1],
    (queue) => queue.getSync({ timeoutMs: 1000 }),
    1,
  ),
]

const WITHOUT_MUTEX: readonly Kind[] = [
  kind(
    'RawValue',
    (options) => new RawValue('i', 1, options),
    ['add', 2],
    (value) => value.value,
    3,
  ),
  kind(
    'RawArray',
    (options) => new RawArray('d', 2, options),
    ['fill', 7],
    (array) => array[1],
    7,
  ),
  kind(
    'Event',
    (options) => new Event(options),
    ['set'],
    (event) => event.isSet,
    true,
  ),
  kind(
    'SharedMemory',
    (options) => new SharedMemory(64, options),
    ['unlink'],
    (memory) => memory.byteLength,
    64,
  ),
]

inNamespaces('an object with a mutex', () => {
  it.each(WITH_MUTEX)('refuses processes of other namespaces: $title', async ({ make, use }) => {
    using object = make({})
    await using other = await elsewhere()
    expect(await other.call('pid')).toBe(1)
    await expect(other.call('do', object.handle, ...use)).rejects.toMatchObject({ code: 'ERR_NAMESPACE' })
  })

  it.each(WITH_MUTEX)(
    "can be used from all of them with pidNamespaces: 'any': $title",
    async ({ make, use, look, becomes }) => {
      using object = make(any)
      await using other = await elsewhere()
      // What a method gives need not survive the way back to us.
      await other
        .call('do', object.handle, ...use)
        .catch((error: { code?: string }) => expect(error.code).not.toMatch(/^ERR_/))
      expect(look(object as never)).toBe(becomes)
    },
  )

  it('is a member of a state, all of whose members are alike', async () => {
    const name = uniqueName()
    using state = SharedState.create(name, { hits: Value('i'), lock: Lock() }, any)
    await using other = await elsewhere()
    await other.call('do', state.hits.handle, 'add', 5)
    expect(await other.call('hold', state.lock.handle)).toBe(false)
    expect(state.lock.locked).toBe(true)
    expect(state.hits.value).toBe(5)
  })

  it('is a pipe as well', async () => {
    const [reader, writer] = new Pipe({ duplex: false, ...any })
    using _reader = reader
    using _writer = writer
    await using other = await elsewhere()
    await other.call('do', writer.handle, 'sendSync', 'from elsewhere')
    expect(await reader.recv({ timeoutMs: 5000 })).toBe('from elsewhere')
  })
})

inNamespaces('an object without a mutex', () => {
  it.each(WITHOUT_MUTEX)('can be used from all namespaces: $title', async ({ make, use, look, becomes }) => {
    using object = make({})
    await using other = await elsewhere()
    await other
      .call('do', object.handle, ...use)
      .catch((error: { code?: string }) => expect(error.code).not.toMatch(/^ERR_/))
    expect(look(object as never)).toBe(becomes)
  })

  it('refuses waits for its words', async () => {
    using array = new RawArray('i', 2)
    using shared = new RawArray('i', 2, any)
    await using other = await elsewhere()
    await other.call('element', array.handle, 0, 9)
    expect(array[0]).toBe(9)
    await expect(other.call('notify', array.handle)).rejects.toMatchObject({ code: 'ERR_NAMESPACE' })
    expect(await other.call('notify', shared.handle)).toBe(0)
    expect(notify(shared, 0)).toBe(0)
  })
})

inNamespaces("an object with pidNamespaces: 'any'", () => {
  it.each([
    ['blocking', (lock: Lock) => Promise.resolve(lock.acquireSync({ timeoutMs: 5000 }))],
    ['asynchronous', (lock: Lock) => lock.acquire({ timeoutMs: 5000 })],
  ])('passes a lock on when its owner is killed elsewhere: %s', async (_form, acquire) => {
    using lock = new Lock(any)
    for (let round = 0; round < 5; round++) {
      await using owner = await elsewhere()
      expect(await owner.call('hold', lock.handle)).toBe(false)
      expect(lock.tryAcquire()).toBeUndefined()
      owner.child.kill('SIGKILL')
      const guard = await acquire(lock)
      expect(guard.abandoned).toBe(true)
      guard.release()
      expect(lock.tryAcquire()?.release()).toBeUndefined()
    }
  })

  it('gives back the units of a semaphore when their process is killed in another namespace', async () => {
    using semaphore = new Semaphore(1, { recoverable: true, ...any })
    await using holder = await elsewhere()
    await holder.call('do', semaphore.handle, 'acquireSync').catch(() => {})
    expect(semaphore.value).toBe(0)
    await holder.kill('SIGKILL')
    await semaphore.acquire({ timeoutMs: 5000 })
  })

  it('never gives a lock to two processes when processes with the same thread ids are killed', async () => {
    const name = uniqueName()
    using words = SharedArray.create(name, 'i', 4096, any)
    const living = await Promise.all([elsewhere(), elsewhere()])
    try {
      for (const [i, process] of living.entries()) await process.call('takeTurns', name, 1 + i, 100)
      for (let me = 100; me < 130; me++) {
        await using victim = await elsewhere()
        await victim.call('takeTurns', name, me, 100)
        await eventually(() => words[2 + me]! > 0)
        await victim.kill('SIGKILL')
      }
      expect(words[1]).toBe(0)
      const before = [words[3], words[4]]
      await eventually(() => words[3]! > before[0]! && words[4]! > before[1]!) // none of the living has crashed or hangs
    } finally {
      await Promise.all(living.map((process) => process.kill('SIGKILL')))
    }
  })
})

inNamespaces('a persistent segment', () => {
  it('moves to the namespace of the process that attaches when no other has it open', async () => {
    const name = uniqueName()
    {
      await using first = await elsewhere()
      await first.call('create', name, 'i', 7, { persist: true })
      expect(() => Value.attach(name)).toThrow(shareError('ERR_NAMESPACE', new RegExp(name)))
      await first.kill('SIGKILL')
    }
    try {
      // What has ended is the process that made the namespace; the kernel kills the first one in it a little later.
      using value = await eventually(() => Value.attach(name, 'i'))
      expect(value.add(1)).toBe(7)
      await using second = await elsewhere()
      await expect(second.call('do', value.handle, 'add', 1)).rejects.toMatchObject({ code: 'ERR_NAMESPACE' })
      const { handle } = value
      value.close()
      expect(await second.call('do', handle, 'add', 1)).toBe(8)
    } finally {
      unlinkSegment(name)
    }
  })

  it('moves once when many processes attach at the same time', async () => {
    const name = uniqueName()
    const { handle } = await createdElsewhere(name)
    const processes = await Promise.all(Array.from({ length: 6 }, () => spawnFixture('namespace-user')))
    try {
      expect((await Promise.all(processes.map((one) => one.call<number>('do', handle, 'add', 1)))).sort()).toEqual([
        0, 1, 2, 3, 4, 5,
      ])
    } finally {
      await Promise.all(processes.map((one) => one.kill('SIGKILL')))
      unlinkSegment(name)
    }
  })
})

inNamespaces('a process without /proc', () => {
  it('gets its namespace from the kernel, or creates objects for all namespaces', async () => {
    const script = 'umount -l /proc && exec "$0" "$@"'
    await using blind = await spawnFixture(
      'namespace-user',
      {},
      { execPath: 'unshare', execArgv: ['--mount', 'sh', '-c', script, process.execPath] },
    )
    using ours = new Value('i', 1)
    const used = await blind.call('do', ours.handle, 'add', 1).catch((error: { code: string }) => error.code)
    expect([1, 'ERR_NAMESPACE']).toContain(used)
    const handle = await blind.call<{ name: string; procshare: 1; kind: string; id: string }>(
      'create',
      uniqueName(),
      'i',
      5,
    )
    using theirs = attach(handle) as Value<'i'>
    expect(theirs.add(1)).toBe(5)
  })
})

it('open() refuses another choice of namespaces than the object was created with', () => {
  const name = uniqueName()
  using _lock = Lock.create(name, any)
  Lock.open(name).close()
  Lock.open(name, any).close()
  expect(() => Lock.open(name, { pidNamespaces: 'own' })).toThrow(shareError('ERR_TYPE', /pidNamespaces: 'any'/))
})

it('pidNamespaces must be one of two words', () => {
  expect(() => new Lock({ pidNamespaces: 'all' as 'any' })).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE', message: expect.stringContaining("'own' or 'any'") }),
  )
})

async function createdElsewhere(name: string): Promise<{ handle: unknown }> {
  await using creator = await elsewhere()
  const handle = await creator.call('create', name, 'i', 0, { persist: true })
  await creator.kill('SIGKILL')
  await eventually(() => listSegments().some((entry) => entry.name === name && !entry.attached))
  return { handle }
}
