/** Closing a lock: pending acquisitions, guards, held locks, and the report that a lock was abandoned. */
import { Lock, RLock, SharedArray, Value } from 'procshare'
import { describe, expect, it } from 'vitest'
import { shareError } from '../helpers/error-matchers.ts'
import { expectNoLeftovers, segmentsOfThisProcess } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'
import { isPending, turns } from '../helpers/turns.ts'

expectNoLeftovers()

describe.each([
  ['Lock', Lock],
  ['RLock', RLock],
] as const)('closing a %s', (kind, AnyLock) => {
  const closed = shareError('ERR_CLOSED', new RegExp(`^${kind} ".*" was closed$`))

  it('closes one object, idempotently, and removes the name with the last one', async () => {
    const lock = new AnyLock()
    using same = AnyLock.attach(lock.handle)
    lock.close()
    lock.close()
    lock[Symbol.dispose]()
    await expect(lock.acquire()).rejects.toEqual(closed)
    expect(() => lock.acquireSync()).toThrow(closed)
    expect(() => lock.tryAcquire()).toThrow(closed)
    expect(() => lock.locked).toThrow(closed)
    same.acquireSync().release()
    same.close()
    expect(segmentsOfThisProcess()).toEqual([])
  })

  it('rejects the pending acquisitions of this object, and no others', async () => {
    using lock = new AnyLock()
    const same = AnyLock.attach(lock.handle)
    const guard = await lock.acquire()
    const closing = [same.acquire(), same.run(() => {}), same.acquire({ timeoutMs: 60_000 })]
    const staying = lock.acquire()
    same.close()
    for (const attempt of closing) await expect(attempt).rejects.toEqual(closed)
    expect(await isPending(staying)).toBe(true)
    guard.release()
    ;(await staying).release()
    expect(lock.locked).toBe(false)
  })

  it('rejects pending acquisitions also when it is the last object', async () => {
    const lock = new AnyLock()
    await lock.acquire()
    const attempts = Array.from({ length: 10 }, () => lock.acquire())
    lock.close()
    for (const attempt of attempts) await expect(attempt).rejects.toEqual(closed)
  })

  it('keeps guards valid while another object is open', async () => {
    const lock = new AnyLock()
    using same = AnyLock.attach(lock.handle)
    const guard = await lock.acquire()
    lock.close()
    expect(same.locked).toBe(true)
    guard.release()
    expect(same.locked).toBe(false)
  })

  it.each(['acquireSync', 'acquire'] as const)(
    'that is held releases it as abandoned, and ends the guard of %s',
    async (how) => {
      const lock = AnyLock.create(uniqueName(), { persist: true })
      const guard = await lock[how]()
      lock.close()
      using again = AnyLock.attach(lock.name)
      expect(again.locked).toBe(false)
      expect(() => guard.release()).toThrow(shareError('ERR_NOT_OWNER'))
      guard[Symbol.dispose]()
      const next = await again.acquire()
      expect(next.abandoned).toBe(true)
      next.release()
      const second = again.acquireSync()
      expect(second.abandoned).toBe(false)
      second.release()
      again.unlink()
    },
  )

  it('that is held is reported to exactly one next owner, by every form of acquisition', async () => {
    const name = uniqueName()
    const asks: ((lock: Lock | RLock) => Promise<boolean> | boolean)[] = [
      (lock) => lock.run(({ abandoned }) => abandoned),
      (lock) => lock.runSync(({ abandoned }) => abandoned),
      (lock) => {
        using guard = lock.tryAcquire()
        return guard!.abandoned
      },
      (lock) => {
        using guard = lock.acquireSync()
        return guard.abandoned
      },
    ]
    AnyLock.create(name, { persist: true }).close()
    for (const ask of asks) {
      const lock = AnyLock.attach(name)
      lock.acquireSync()
      lock.close()
      using next = AnyLock.attach(name)
      expect(await ask(next)).toBe(true)
      expect(await ask(next)).toBe(false)
    }
    using last = AnyLock.attach(name)
    last.unlink()
  })

  it('inside run and runSync releases it as abandoned too', async () => {
    const name = uniqueName()
    const lock = AnyLock.create(name, { persist: true })
    lock.runSync(() => lock.close())
    const second = AnyLock.attach(name)
    expect(second.runSync(({ abandoned }) => abandoned)).toBe(true)
    await second.run(async () => {
      second.close()
      await turns()
    })
    using third = AnyLock.attach(name)
    expect(third.runSync(({ abandoned }) => abandoned)).toBe(true)
    expect(third.runSync(({ abandoned }) => abandoned)).toBe(false)
    third.unlink()
  })

  it('is not needed for a new lock of the same name after unlink', async () => {
    const name = uniqueName()
    using lock = AnyLock.create(name)
    lock.unlink()
    const guard = await lock.acquire()
    using other = AnyLock.create(name)
    other.acquireSync().release()
    guard.release()
    expect(() => lock.unlink()).toThrow(shareError('ENOENT'))
    expect(other.locked).toBe(false)
  })
})

describe('the report that a lock was abandoned', () => {
  it('is not consumed by operations of a value, which cannot return it, and reaches the next guard', () => {
    const value = Value.create(uniqueName(), 'i', 1, { persist: true })
    value.lock.acquireSync()
    value.close()
    using again = Value.attach(value.name, 'i')
    again.value = 2
    expect(again.value).toBe(2)
    expect(again.update((n) => n + 1)).toBe(3)
    again.add(1)
    expect(again.snapshot()).toBe(4)
    const guard = again.lock.acquireSync()
    expect(guard.abandoned).toBe(true)
    guard.release()
    expect(again.lock.runSync(({ abandoned }) => abandoned)).toBe(false)
    again.unlink()
  })

  it('is not consumed by operations of an array', () => {
    const array = SharedArray.create(uniqueName(), 'c', 3, { persist: true })
    array.lock.acquireSync()
    array.close()
    using again = SharedArray.attach(array.name, 'c')
    again.value = 'ab'
    again.assign([1])
    again.raw = 'x'
    again.snapshot()
    expect(again.lock.runSync(({ abandoned }) => abandoned)).toBe(true)
    again.unlink()
  })
})
