/** Two installed copies of the package in one process, as npm makes them when two dependencies ask for different versions. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import * as first from 'procshare'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { shareError } from '../helpers/error-matchers.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'

expectNoLeftovers()

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const copy = mkdtempSync(path.join(tmpdir(), 'procshare-copy-'))
let second: typeof first

beforeAll(async () => {
  for (const part of ['package.json', 'dist']) cpSync(path.join(ROOT, part), path.join(copy, part), { recursive: true })
  mkdirSync(path.join(copy, 'build/Release'), { recursive: true })
  cpSync(path.join(ROOT, 'build/Release/procshare.node'), path.join(copy, 'build/Release/procshare.node'))
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(copy, 'node_modules'))
  second = await import(pathToFileURL(path.join(copy, 'dist/index.mjs')).href)
})
afterAll(() => rmSync(copy, { recursive: true }))

describe('a lock that this thread holds through one copy', () => {
  it('is ERR_DEADLOCK for a blocking call through the other one, with and without a timeout', () => {
    using lock = new first.Lock()
    using same = second.Lock.attach(lock.handle)
    using value = new first.Value('i', 0, { lock: new first.RLock() })
    using sameValue = second.Value.attach(value.handle, 'i')
    const guard = lock.acquireSync()
    expect(() => same.acquireSync()).toThrow(expect.objectContaining({ code: 'ERR_DEADLOCK' }))
    expect(() => same.acquireSync({ timeoutMs: 10 })).toThrow(expect.objectContaining({ code: 'ERR_DEADLOCK' }))
    expect(same.tryAcquire()).toBeUndefined()
    guard.release()
    same.acquireSync().release()
    value.lock.runSync(() => {
      expect(() => sameValue.add(1)).toThrow(expect.objectContaining({ code: 'ERR_DEADLOCK' }))
    })
    expect(sameValue.add(1)).toBe(0)
    value.lock.close()
  })

  it('can be waited for asynchronously, because this thread may release it', async () => {
    using lock = new first.Lock()
    using same = second.Lock.attach(lock.handle)
    const guard = lock.acquireSync()
    const waiting = same.acquire({ timeoutMs: 20_000 })
    guard.release()
    ;(await waiting).release()
  })
})

describe('a shared object of the other copy', () => {
  it('arrives attached from a queue, alone and inside other values', () => {
    using queue = new first.Queue<unknown>()
    using value = new second.Value('i', 5)
    using array = new second.SharedArray('d', [1, 2])
    queue.putManySync([value, { deep: [array] }])
    using got = queue.getSync() as first.Value<'i'>
    expect(got).toBeInstanceOf(Object)
    expect(got.add(1)).toBe(5)
    expect(value.value).toBe(6)
    const { deep } = queue.getSync() as { deep: Float64Array[] }
    array[0] = 9
    expect([...deep[0]!]).toEqual([9, 2])
    ;(deep[0] as unknown as Disposable)[Symbol.dispose]()
  })

  it('arrives as an argument of a process even if it was closed right after the start', async () => {
    const value = new second.Value('i')
    const array = new second.SharedArray('i', 2)
    const lock = new second.Lock()
    using results = new first.Queue<number>()
    const args = [{ value, deep: [array, new Map([['lock', lock]])] }, results]
    const child = new first.Process(new URL('../fixtures/jobs.mjs', import.meta.url), {
      export: 'report',
      args,
    }).start()
    for (const object of [value, array, lock]) object.close()
    expect(await results.get({ timeoutMs: 20_000 })).toBe(1)
    expect(await child.join()).toBe(0)
  })

  it('is refused as a lock, with the paths of both copies', () => {
    using lock = new second.Lock()
    for (const make of [
      () => new first.Value('i', 0, { lock: lock as unknown as first.Lock }),
      () => new first.Condition({ lock: lock as unknown as first.Lock }),
    ]) {
      expect(make).toThrow(shareError('ERR_OTHER_COPY', new RegExp(`${copy}.*${ROOT}`)))
    }
  })
})
