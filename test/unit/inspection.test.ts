/** What `util.inspect` shows: one line with kind, name and state, for all objects, in all states. */
import { closeSync, existsSync, openSync, statSync, writeSync } from 'node:fs'
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
import { describe, expect, it } from 'vitest'
import { BLOCK_BYTES } from '../helpers/control-block.mjs'
import { eventually } from '../helpers/eventually.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { startManager } from '../helpers/managed-server.ts'

expectNoLeftovers()

const Point = Struct({ x: 'i', y: 'd' })

interface Shown extends Disposable {
  readonly name: string
}

describe('util.inspect', () => {
  it.each<[make: () => Shown, shown: string | RegExp]>([
    [() => new Value('i', 7), 'Value NAME 7'],
    [() => new Value('q', 7n), 'Value NAME 7n'],
    [() => new RawValue('d', 0.5), 'Value NAME 0.5'],
    [() => new Value(Point, { x: 1, y: 2 }), 'Value NAME { x: 1, y: 2 }'],
    [() => new SharedArray('i', [1, 2, 3]), 'SharedArray NAME Int32Array(3) [ 1, 2, 3 ]'],
    [() => new SharedArray('d', 1000) as Shown, /^SharedArray NAME Float64Array\(1000\) \[ 0, .* 990 more items \]$/],
    [() => new SharedArray('c', 'hi') as Shown, 'SharedArray NAME Uint8Array(2) [ 104, 105 ]'],
    [() => new SharedArray(Point, [{ x: 1, y: 2 }]), 'SharedArray NAME [ { x: 1, y: 2 } ]'],
    [() => new SharedArray(Point, 1000) as Shown, /^SharedArray NAME \[ \{ x: 0, y: 0 \}, .* 990 more items \]$/],
    [() => new SharedMemory(10), 'SharedMemory NAME { byteLength: 10 }'],
    [() => new Lock(), 'Lock NAME { locked: false }'],
    [() => new RLock(), 'RLock NAME { locked: false }'],
    [() => new Semaphore(3), 'Semaphore NAME { value: 3 }'],
    [() => new BoundedSemaphore(2), 'BoundedSemaphore NAME { value: 2 }'],
    [() => new Event(), 'Event NAME { isSet: false }'],
    [() => new Condition(), 'Condition NAME { locked: false }'],
    [() => new Barrier(2), 'Barrier NAME { parties: 2, waiting: 0, broken: false }'],
    [() => new Queue(), 'Queue NAME { size: 0 }'],
    [() => new JoinableQueue(), 'JoinableQueue NAME { size: 0 }'],
    [() => new SimpleQueue(), 'SimpleQueue NAME { size: 0 }'],
    [() => new SharedState({ hits: Value('i'), lock: Lock() }), 'SharedState NAME { hits, lock }'],
  ])('shows an object with its name and its state, and that it is closed (%#)', (make, shown) => {
    const object = make()
    const { name } = object
    const line = inspect(object).replaceAll(`"${name}"`, 'NAME')
    if (typeof shown === 'string') expect(line).toBe(shown)
    else expect(line).toMatch(shown)
    expect(inspect(object, { breakLength: 20 })).not.toContain('\n')
    object[Symbol.dispose]()
    expect(inspect(object)).toMatch(/^\w+ "[^"]+"( \{ hits, lock \})? \(closed\)$/)
  })

  it('shows the ends of a pipe, the owner of a lock, and the end of a queue', () => {
    const [first, second] = new Pipe<number>({ duplex: false })
    second.sendSync(1)
    expect(inspect(first)).toBe(`Connection "${first.name}" { isReadable: true, isWritable: false, size: 1 }`)
    expect(inspect(second)).toBe(`Connection "${second.name}" { isReadable: false, isWritable: true }`)
    first.close()
    second.close()
    expect(inspect(first)).toMatch(/ \(closed\)$/)

    using lock = new Lock()
    using _guard = lock.acquireSync()
    expect(inspect(lock)).toBe(`Lock "${lock.name}" { locked: true, owner: { pid: ${process.pid}, threadId: 0 } }`)
    using queue = new Queue<number>()
    queue.putSync(1)
    queue.end()
    expect(inspect(queue)).toBe(`Queue "${queue.name}" { size: 1, ended: true }`)
  })

  it('does not wait for a lock', async () => {
    using value = new Value('i', 1)
    using array = new SharedArray(Point, 1)
    using condition = new Condition()
    await value.lock.run(() =>
      array.lock.run(() =>
        condition.run(() => {
          expect(inspect(value)).toMatch(/ 1$/)
          expect(inspect(array)).toMatch(/\{ x: 0, y: 0 \} \]$/)
          expect(inspect(condition)).toMatch(/locked: true/)
        }),
      ),
    )
  })

  it.runIf(existsSync('/dev/shm')).each<[make: () => Shown & { close(): void }]>([
    [() => new Semaphore(3)],
    [() => new BoundedSemaphore(3)],
    [() => new Event()],
    [() => new Barrier(2)],
    [() => new Queue()],
    [() => new JoinableQueue()],
    [() => new SimpleQueue()],
    [
      () => {
        const [end, other] = new Pipe()
        other.close()
        return end
      },
    ],
  ])('throws for no object whose memory is overwritten (%#)', (make) => {
    const object = make()
    const path = `/dev/shm/${object.name}`
    const file = openSync(path, 'r+')
    writeSync(file, Buffer.alloc(statSync(path).size - BLOCK_BYTES, 0xff), 0, undefined, 0)
    closeSync(file)
    expect(inspect(object)).toMatch(/^\w+ "[^"]+" [({].*[)}]$/)
    object.close()
    expect(inspect(object)).toMatch(/ \(closed\)$/)
  })

  it('shows nested objects, with the options of the caller', () => {
    using value = new Value('i', 1)
    expect(inspect({ value })).toBe(`{ value: Value "${value.name}" 1 }`)
    expect(inspect(value, { colors: true })).toContain('\u001b[33m1')
  })

  it('shows a managed object in both forms without asking the server, also when the server has ended', async () => {
    const manager = await startManager()
    const list = await manager.list([1])
    const named = await manager.dict({ a: 1 }, { name: 'config' })
    const space = manager.sync.Namespace({ a: 1, constructor: 2 })
    const sync = manager.sync.of(list)
    expect(inspect(list)).toMatch(/^<ListProxy of list #\d+ at .*>$/)
    expect(inspect(named)).toMatch(/^<DictProxy of dict "config" at .*>$/)
    expect(inspect(sync)).toMatch(/^<ListProxy of list #\d+ at .*>$/)
    expect(inspect(space)).toMatch(/^<NamespaceProxy of Namespace #\d+ at .*>$/)
    const { calls } = await manager.stats()
    for (const proxy of [list, named, sync, space]) inspect(proxy)
    expect((await manager.stats()).calls).toBe(calls + 1)
    named.close()
    expect(inspect(named)).toBe('<DictProxy of dict "config", closed>')
    process.kill(manager.pid!, 'SIGKILL')
    await eventually(() => !manager.isConnected)
    expect(inspect(list)).toMatch(/^<ListProxy of list #\d+ at .*, disconnected>$/)
    expect(() => [inspect(sync), inspect(space)]).not.toThrow()
    await manager.shutdown()
  })
})
