import { RawArray, SharedArray, Struct } from 'procshare'
import { expect, it } from 'vitest'
import { shareError, valueError } from '../helpers/error-matchers.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

it('is an array without a lock', () => {
  using raw = new RawArray('i', [1, 2, 3])
  expect(raw).toBeInstanceOf(Int32Array)
  expect(() => raw.lock).toThrow(shareError('ERR_NO_LOCK', /^SharedArray ".*" was created with lock: false/))
  raw.assign([7], 1)
  expect([...raw.snapshot()]).toEqual([1, 7, 3])
})

it('may be empty, in a segment without payload', () => {
  using raw = new RawArray('d', 0)
  using same = RawArray.attach(raw.handle)
  expect(same).toHaveLength(0)
  expect([...raw.snapshot()]).toEqual([])
})

it('holds structs as well', () => {
  using raw = new RawArray(Struct({ x: 'i' }), 2)
  raw[1]!.x = 5
  raw.assign([{ x: 4 }])
  expect(raw.snapshot()).toEqual([{ x: 4 }, { x: 5 }])
})

it('attaches to any array without a lock, and to no array with one', () => {
  using unlocked = SharedArray.create(uniqueName(), 'i', 2, { lock: false })
  using locked = SharedArray.create(uniqueName(), 'i', 2)
  using raw = RawArray.attach(unlocked.name, 'i')
  raw[0] = 5
  expect(unlocked[0]).toBe(5)
  expect(() => RawArray.attach(locked.name)).toThrow(shareError('ERR_TYPE', /created with a lock, but/))
  expect(() => RawArray.open(locked.name, 'i', 2)).toThrow(shareError('ERR_TYPE', /created with a lock, but/))
  using created = RawArray.create(uniqueName(), 'i', [8])
  using opened = RawArray.open(created.name, 'i', 1)
  using same = SharedArray.attach(created.handle)
  expect([opened[0], same[0]]).toEqual([8, 8])
})

it('accepts the options of a segment, and no lock', () => {
  using raw = new RawArray('i', 1, { mode: 0o600 })
  expect(raw).toHaveLength(1)
  expect(() => new RawArray('i', 1, { lock: true } as never)).toThrow(
    valueError(/^options\.lock is not a known option: use persist, mode or pidNamespaces$/),
  )
  for (const bad of [5, null, []])
    expect(() => new RawArray('i', 1, bad as never)).toThrow(/^options must be an object/)
})
