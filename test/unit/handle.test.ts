import {
  attach,
  type Handle,
  Lock,
  listSegments,
  RLock,
  SharedArray,
  SharedMemory,
  Struct,
  unlinkSegment,
  Value,
} from 'procshare'
import { describe, expect, it } from 'vitest'
import { shareError, typeError } from '../helpers/error-matchers.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

interface Named extends Disposable {
  readonly name: string
  readonly handle: Handle
  toJSON(): Handle
}

const MAKERS: [string, () => Named, (target: Handle) => Named][] = [
  ['Value', () => new Value('i', 5), (handle) => Value.attach(handle)],
  ['Value', () => new Value(Struct({ x: 'd' })) as Named, (handle) => Value.attach(handle)],
  ['SharedArray', () => new SharedArray('i', 5), (handle) => SharedArray.attach(handle)],
  ['SharedArray', () => new SharedArray(Struct({ x: 'd' }), 5), (handle) => SharedArray.attach(handle)],
  ['SharedMemory', () => new SharedMemory(5), (handle) => SharedMemory.attach(handle)],
  ['Lock', () => new Lock(), (handle) => Lock.attach(handle)],
  ['RLock', () => new RLock(), (handle) => RLock.attach(handle)],
]

describe.each(MAKERS)('the handle of a %s', (kind, make, attachTo) => {
  it('is plain JSON', () => {
    using object = make()
    expect(object.handle).toEqual({
      procshare: 1,
      kind,
      name: object.name,
      id: expect.stringMatching(/^[0-9a-f]{16}$/),
    })
    expect(object.toJSON()).toEqual(object.handle)
    expect(JSON.parse(JSON.stringify({ deep: [object] }))).toEqual({ deep: [object.handle] })
    expect(structuredClone(object.handle)).toEqual(object.handle)
  })

  it('becomes the object again, by attach and by the attach of its class', () => {
    using object = make()
    const handle = JSON.parse(JSON.stringify(object)) as Handle
    using byAttach = attach(handle) as unknown as Named
    using byClass = attachTo(handle)
    for (const same of [byAttach, byClass]) {
      expect(same.handle).toEqual(object.handle)
      expect(Object.getPrototypeOf(same)).toBe(Object.getPrototypeOf(object))
    }
  })

  it('is stale if another segment has the name', () => {
    const object = make()
    const { handle } = object
    object[Symbol.dispose]()
    expect(() => attach(handle)).toThrow(shareError('ERR_STALE_HANDLE', /keep the object open/))
    using _other = Value.create(handle.name, 'i')
    const stale = shareError(
      'ERR_STALE_HANDLE',
      new RegExp(`^Segment "${handle.name}" of the handle was replaced by another one`),
    )
    expect(() => attach(handle)).toThrow(stale)
    expect(() => attachTo(handle)).toThrow(stale)
  })

  it('is refused by the attach of other classes', () => {
    using object = make()
    for (const [otherKind, , attachToOther] of MAKERS) {
      if (otherKind !== kind)
        expect(() => attachToOther(object.handle)).toThrow(shareError('ERR_KIND', / contains an? /))
    }
    expect(() => attach({ ...object.handle, kind: kind === 'Lock' ? 'RLock' : 'Lock' })).toThrow(shareError('ERR_KIND'))
  })
})

describe('attach', () => {
  it.each([
    undefined,
    null,
    5,
    'name',
    {},
    [],
    { procshare: 1, kind: 'Value', name: 'x' },
    { procshare: 2, kind: 'Value', name: 'x', id: '' },
    { procshare: '1', kind: 'Value', name: 'x', id: '' },
    { procshare: 1, kind: 5, name: 'x', id: '' },
    { procshare: 1, kind: 'Value', name: 5, id: '' },
    { procshare: 1, kind: 'Value', name: 'x', id: 5 },
    { procshare: 1, kind: 'Lock', name: 'x', id: '', cell: -1 },
    { procshare: 1, kind: 'Lock', name: 'x', id: '', cell: 0.5 },
    { procshare: 1, kind: 'Lock', name: 'x', id: '', cell: '0' },
  ])('refuses %o for a handle', (handle) => {
    expect(() => attach(handle as never)).toThrow(typeError(/^handle must be a handle of a shared object, got /))
    if (typeof handle === 'string') return
    expect(() => Value.attach(handle as never)).toThrow(typeError(/^(target|name) must be/))
  })

  it('refuses an unknown kind, and lists the kinds', () => {
    for (const kind of ['Nonsense', 'toString', '__proto__', '']) {
      const handle = { procshare: 1, kind, name: 'x', id: '' } as const
      expect(() => attach(handle)).toThrow(typeError(/^handle\.kind must be one of .*Value.*, got '/))
    }
  })

  it('checks the name in a handle like any other name', () => {
    expect(() => attach({ procshare: 1, kind: 'Value', name: '../x', id: '' })).toThrow(/^name must be well-formed/)
  })

  it('takes the options of attach', () => {
    using value = new Value('i', 5)
    using same = attach(value.handle, { anyOwner: true }) as unknown as Value<'i'>
    expect(same.value).toBe(5)
    expect(() => attach(value.handle, { anyowner: true } as never)).toThrow(/^options\.anyowner is not a known option/)
  })

  it('does not remove a segment in use that a stale handle names', () => {
    const name = uniqueName()
    const old = Value.create(name, 'i')
    const { handle } = old
    old.close()
    using value = Value.create(name, 'i', 5)
    expect(() => attach(handle)).toThrow(shareError('ERR_STALE_HANDLE'))
    expect(value.value).toBe(5)
    using same = Value.attach(name, 'i')
    expect(same.value).toBe(5)
  })

  it('does not keep the segment that a stale handle names', () => {
    const name = uniqueName()
    const old = Value.create(name, 'i', 1, { persist: true })
    const { handle } = old
    old.unlink()
    old.close()
    Value.create(name, 'i', 2, { persist: true }).close()
    expect(() => attach(handle)).toThrow(shareError('ERR_STALE_HANDLE'))
    expect(listSegments().find((segment) => segment.name === name)?.attached).toBe(false)
    unlinkSegment(name)
  })

  it('closes the segment again if it is of another kind', () => {
    const name = uniqueName()
    const value = Value.create(name, 'i')
    expect(() => Lock.attach(name)).toThrow(shareError('ERR_KIND'))
    value.close()
    expect(() => Value.attach(name)).toThrow(shareError('ENOENT'))
  })
})

describe('the handle of the lock of a value or array', () => {
  it('contains the position of the lock, and becomes an RLock', () => {
    using value = new Value('i')
    using array = new SharedArray('i', 3)
    for (const owner of [value, array]) {
      const handle = JSON.parse(JSON.stringify(owner.lock)) as Handle
      expect(handle).toEqual({ ...owner.handle, kind: 'RLock', cell: 0 })
      using lock = attach(handle) as RLock
      expect(lock).toBeInstanceOf(RLock)
      expect(lock.name).toBe(owner.name)
      expect(lock.handle).toEqual(handle)
      const guard = lock.acquireSync()
      expect(owner.lock.locked).toBe(true)
      guard.release()
      using again = RLock.attach(handle)
      expect(again.locked).toBe(false)
    }
  })

  it('keeps the memory of the value while it is open', () => {
    const value = new Value('i', 5)
    using lock = RLock.attach(value.lock.handle)
    const { handle } = value
    value.close()
    using again = Value.attach(handle, 'i')
    expect(again.value).toBe(5)
    expect(lock.tryAcquire()?.release()).toBeUndefined()
  })

  it('is refused if the segment has no such lock', () => {
    using value = new Value('i', 0)
    using unlocked = new Value('i', 0, { lock: false })
    using lock = new Lock()
    const refused = (handle: Handle) => () => attach(handle).handle
    expect(refused({ ...value.lock.handle, cell: 128 })).toThrow(shareError('ERR_KIND', /no RLock at cell 128/))
    expect(refused({ ...value.lock.handle, cell: 2 ** 52 })).toThrow(shareError('ERR_KIND'))
    expect(refused({ ...value.lock.handle, kind: 'Lock' })).toThrow(shareError('ERR_KIND', /no Lock at cell 0/))
    expect(refused({ ...unlocked.handle, kind: 'RLock', cell: 0 })).toThrow(shareError('ERR_KIND'))
    expect(refused({ ...value.handle, kind: 'RLock' })).toThrow(shareError('ERR_KIND', /a Value, not an RLock/))
    expect(refused({ ...lock.handle, kind: 'RLock', cell: 0 })).toThrow(shareError('ERR_KIND', /no RLock at/))
    using same = attach({ ...lock.handle, cell: 0 }) as Lock
    expect(same).toBeInstanceOf(Lock)
  })
})
