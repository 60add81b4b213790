import { attach, Lock, RLock, SharedArray, SharedMemory, Struct, Value } from 'procshare'
import { describe, expect, it } from 'vitest'
import { shareError, typeError, valueError } from '../helpers/error-matchers.ts'
import { expectNoLeftovers, segmentsOfThisProcess } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

describe('a lock that is passed to several objects', () => {
  it('is the lock of each, as the same object', () => {
    using lock = new RLock()
    using value = new Value('i', 1, { lock })
    using struct = new Value(Struct({ x: 'd' }), {}, { lock })
    using array = new SharedArray('i', 3, { lock })
    using records = SharedArray.create(uniqueName(), Struct({ x: 'd' }), 2, { lock })
    for (const object of [value, struct, array, records]) expect(object.lock).toBe(lock)
  })

  it('is acquired by the operations of each', () => {
    using lock = new Lock()
    using value = new Value('i', 1, { lock })
    using array = new SharedArray('i', 3, { lock })
    const guard = lock.acquireSync()
    expect(() => value.value).toThrow(shareError('ERR_DEADLOCK', new RegExp(`segment "${lock.name}"`)))
    expect(() => array.snapshot()).toThrow(shareError('ERR_DEADLOCK'))
    guard.release()
    expect(value.add(1)).toBe(1)
    expect(lock.locked).toBe(false)
  })

  it('makes steps on all of them one step if it is recursive', () => {
    using lock = new RLock()
    using first = new Value('i', 1, { lock })
    using second = new Value('i', 2, { lock })
    lock.runSync(() => {
      first.value += 10
      second.value += 20
      first.update((n) => n + second.value)
    })
    expect([first.value, second.value]).toEqual([33, 22])
  })

  it('may be the lock of another value', () => {
    using first = new Value('i', 1)
    using second = new Value('i', 2, { lock: first.lock })
    expect(second.lock).toBe(first.lock)
    first.lock.runSync(() => {
      second.value += first.value
    })
    using again = attach(second.handle) as unknown as Value<'i'>
    expect(again.lock.handle).toEqual(first.lock.handle)
    expect(again.value).toBe(3)
  })

  it('is found by processes that attach to the object', () => {
    using lock = new Lock()
    using value = Value.create(uniqueName(), 'i', 1, { lock })
    using same = Value.attach(value.name, 'i')
    using byHandle = attach(value.handle) as unknown as typeof value
    for (const attached of [same, byHandle]) {
      expect(attached.lock).toBeInstanceOf(Lock)
      expect(attached.lock.handle).toEqual(lock.handle)
      const guard = attached.lock.acquireSync()
      expect(lock.locked).toBe(true)
      guard.release()
    }
  })

  it('stays usable by the objects when the lock object is closed', () => {
    const lock = new Lock()
    using value = Value.create(uniqueName(), 'i', 1, { lock })
    lock.close()
    expect(value.add(1)).toBe(1)
    using same = Value.attach(value.name, 'i')
    same.lock.runSync(() => {
      expect(() => value.value).toThrow(shareError('ERR_DEADLOCK'))
    })
    expect(value.value).toBe(2)
  })

  it('disappears when the last object that uses it is closed', () => {
    const lock = new Lock()
    const value = new Value('i', 1, { lock })
    const array = new SharedArray('i', 1, { lock })
    const attached = attach(value.handle) as unknown as typeof value
    attached.lock.tryAcquire()!.release()
    for (const object of [lock, value, attached]) {
      object.close()
      expect(segmentsOfThisProcess()).toContain(lock.name)
    }
    array.close()
    expect(segmentsOfThisProcess()).toEqual([])
  })

  it('is closed by objects that found it by attaching, not by objects to which it was passed', () => {
    using lock = new Lock()
    const value = Value.create(uniqueName(), 'i', 1, { lock })
    const attached = Value.attach(value.name, 'i')
    const found = attached.lock
    attached.close()
    expect(() => found.locked).toThrow(shareError('ERR_CLOSED'))
    expect(() => attached.lock).toThrow(shareError('ERR_CLOSED'))
    value.close()
    expect(lock.locked).toBe(false)
  })

  it('is refused if it is closed or not a lock', () => {
    const lock = new Lock()
    lock.close()
    expect(() => new Value('i', 1, { lock })).toThrow(shareError('ERR_CLOSED', /^Lock ".*" was closed/))
    expect(() => new SharedArray('i', 1, { lock })).toThrow(shareError('ERR_CLOSED'))
    using memory = new SharedMemory(4)
    using value = new Value('i')
    for (const bad of [memory, value, {}, 'lock', 1, null]) {
      expect(() => new SharedArray('i', 1, { lock: bad as never })).toThrow(
        typeError(/^options\.lock must be a boolean, a Lock or an RLock, got /),
      )
    }
  })
})

describe('open with a lock', () => {
  it('creates the object with that lock, or opens one that has it', () => {
    using lock = Lock.create(uniqueName())
    using value = Value.open(uniqueName(), 'i', 1, { lock })
    using same = Value.open(value.name, 'i', 2, { lock })
    using anotherHandle = Lock.attach(lock.name)
    using third = Value.open(value.name, 'i', 3, { lock: anotherHandle })
    expect(value.lock).toBe(lock)
    expect(same.lock).toBe(lock)
    expect(third.lock).toBe(anotherHandle)
    lock.runSync(() => expect(() => third.value).toThrow(shareError('ERR_DEADLOCK')))
    expect(third.value).toBe(1)
  })

  it('refuses an object that has another lock or none', () => {
    using lock = new Lock()
    using other = new Lock()
    using given = Value.create(uniqueName(), 'i', 1, { lock })
    using own = Value.create(uniqueName(), 'i', 1)
    using none = SharedArray.create(uniqueName(), 'i', 1, { lock: false })
    const refused = shareError('ERR_TYPE', /a different lock than the given one/)
    expect(() => Value.open(given.name, 'i', 1, { lock: other })).toThrow(refused)
    expect(() => Value.open(given.name, 'i', 1, { lock: true })).toThrow(
      shareError('ERR_TYPE', /with the lock of another object, but a lock of its own is expected/),
    )
    expect(() => Value.open(own.name, 'i', 1, { lock })).toThrow(refused)
    expect(() => SharedArray.open(none.name, 'i', 1, { lock })).toThrow(
      shareError('ERR_TYPE', /created with lock: false, but/),
    )
    expect(() => Value.open(given.name, 'i', 1, { lock: false })).toThrow(
      shareError('ERR_TYPE', /created with a lock, but/),
    )
    using unsaid = Value.open(given.name, 'i')
    expect(unsaid.lock.handle).toEqual(lock.handle)
  })
})

describe('a persistent object with the lock of another object', () => {
  it('needs a persistent lock', () => {
    using lock = new Lock()
    using value = new Value('i')
    const error = valueError(/^options\.lock must be a persistent lock, because options\.persist is true, got /)
    expect(() => Value.create(uniqueName(), 'i', 0, { lock, persist: true })).toThrow(error)
    expect(() => SharedArray.open(uniqueName(), 'i', 1, { lock: value.lock, persist: true })).toThrow(error)
  })

  it('finds it again after all objects were closed', () => {
    const lock = Lock.create(uniqueName(), { persist: true })
    const value = Value.create(uniqueName(), 'i', 5, { lock, persist: true })
    value.close()
    lock.close()
    using again = Value.attach(value.name, 'i')
    expect(again.lock.name).toBe(lock.name)
    expect(again.update((n) => n + 1)).toBe(6)
    again.lock.unlink()
    again.unlink()
  })

  it('can no longer be attached to when the lock was unlinked', () => {
    using lock = Lock.create(uniqueName(), { persist: true })
    using value = Value.create(uniqueName(), 'i', 5, { lock, persist: true })
    lock.unlink()
    expect(value.add(1)).toBe(5)
    expect(() => Value.attach(value.name)).toThrow(shareError('ERR_STALE_HANDLE', new RegExp(lock.name)))
    using impostor = Lock.create(lock.name)
    expect(() => Value.attach(value.name)).toThrow(shareError('ERR_STALE_HANDLE', new RegExp(impostor.name)))
    value.unlink()
  })

  it('is allowed to be temporary with a persistent lock', () => {
    using lock = new Lock({ persist: true })
    using value = new Value('i', 5, { lock })
    expect(value.value).toBe(5)
    lock.unlink()
  })
})

describe('the lock of an object', () => {
  it('can be used again after it was closed', () => {
    using value = new Value('i', 1)
    value.lock.close()
    expect(value.lock.runSync(() => value.value)).toBe(1)
    expect(value.lock).toBe(value.lock)
  })
})
