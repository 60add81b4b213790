import { type Handle, Lock, RLock, SharedArray, SharedMemory, Struct, Value } from 'procshare'
import { expect, it } from 'vitest'
import { spawnFixture, startWorker } from '../helpers/fixture.ts'
import { ownSegments, uniqueName } from '../helpers/segment-names.ts'

const Point = Struct({ x: 'd', label: ['c', 8] })

function makeObjects() {
  const count = new Value('q', 2n ** 60n)
  const rlock = new RLock()
  return {
    count,
    point: new Value(Point, { x: 1.5, label: 'parent' }),
    ints: new SharedArray('i', [1, -2, 3]),
    floats: new SharedArray('f', 2),
    points: new SharedArray(Point, [{ x: 1 }, { x: 2 }]),
    text: new SharedArray('c', 'parent  '),
    memory: new SharedMemory(1),
    lock: new Lock(),
    rlock,
    lockOfCount: count.lock,
    total: new Value('i', 1, { lock: rlock }),
    parts: new SharedArray('i', [41], { lock: rlock }),
  }
}

type Objects = ReturnType<typeof makeObjects>

/** What a child can do with what it got: see handles, use them, let go of the locks. */
interface User {
  readonly pid: number
  readonly threadId: number
  use(): Promise<unknown>
  release(): Promise<unknown>
}

const handlesOf = (objects: Objects) =>
  Object.fromEntries(Object.entries(objects).map(([key, { handle }]) => [key, handle])) as Record<keyof Objects, Handle>

async function asProcess(command: string, params: unknown[], ...start: Parameters<typeof spawnFixture>) {
  const child = await spawnFixture(...start)
  return {
    pid: child.pid,
    threadId: 0,
    use: () => child.call(command, ...params),
    release: () => child.call('release'),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  }
}

async function asWorker(command: string, params: unknown[], ...start: Parameters<typeof startWorker>) {
  const worker = await startWorker(...start)
  return {
    pid: process.pid,
    threadId: worker.worker.threadId,
    use: () => worker.call(command, ...params),
    release: () => worker.call('release'),
    [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose](),
  }
}

const FIXTURE = 'handle-user'

const ways: Record<string, (objects: Objects) => Promise<User & AsyncDisposable>> = {
  'process.send as they are': (objects) => asProcess('use', [objects], FIXTURE),
  "process.send with serialization 'advanced' as handles": (objects) =>
    asProcess('use', [handlesOf(objects)], FIXTURE, {}, { serialization: 'advanced' }),
  'an environment variable': (objects) => asProcess('useArgs', [], FIXTURE, objects),
  'the command line': (objects) => asProcess('useCommandLine', [], FIXTURE, {}, { argv: [JSON.stringify(objects)] }),
  'postMessage to a worker as handles': (objects) => asWorker('use', [handlesOf(objects)], FIXTURE),
  'workerData as handles': (objects) => asWorker('useArgs', [], FIXTURE, handlesOf(objects)),
}

it.each(Object.entries(ways))('all objects travel through %s', async (_way, start) => {
  const objects = makeObjects()
  await using user = await start(objects)

  expect(await user.use()).toEqual({
    kinds: true,
    count: String(2n ** 60n),
    point: 1.5,
    ints: [1, -2, 3],
    floats: [0, 0],
    points: [1, 2],
    text: 'parent  ',
    memory: 0,
  })

  const { count, point, ints, floats, points, text, memory, lock, rlock, lockOfCount, total, parts } = objects
  const owner = { pid: user.pid, threadId: user.threadId }
  expect([lock, rlock, lockOfCount, count.lock, total.lock, parts.lock].map((one) => one.owner)).toEqual(
    new Array(6).fill(owner),
  )
  expect(lock.tryAcquire()).toBeUndefined()
  await user.release()
  expect([lock, rlock, lockOfCount].map(({ locked }) => locked)).toEqual([false, false, false])
  expect(count.value).toBe(2n ** 60n + 1n)
  expect(point.snapshot()).toEqual({ x: 3, label: Buffer.from('child') })
  expect([...ints]).toEqual([-1, 2, -3])
  expect([...floats]).toEqual([0.5, 0.25])
  expect(points[1]!.x).toBe(7)
  expect(text.value.toString()).toBe('child')
  expect(new Uint8Array(memory.buffer)[0]).toBe(255)
  expect(total.value).toBe(42)
  for (const object of Object.values(objects)) object.close()
})

it('unrelated processes meet by name', async () => {
  const name = uniqueName('met')
  await using creator = await spawnFixture(FIXTURE)
  await using visitor = await spawnFixture(FIXTURE)
  await creator.call('create', name)
  expect(await visitor.call('attach', name)).toEqual(['creator', [1, 2, 3], 16])
  expect(await creator.call('look')).toEqual(['visitor', [1, 20, 3], 9])
  for (const child of [creator, visitor]) {
    child.call('letEnd').catch(() => {})
    expect(await child.ended()).toEqual({ code: 0, signal: null })
  }
  expect(ownSegments()).toEqual([])
})
