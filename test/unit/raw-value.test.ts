import { type Lock, RawValue, Struct, Value } from 'procshare'
import { expect, it } from 'vitest'
import { rangeError, shareError, valueError } from '../helpers/error-matchers.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

it('is a value without a lock', () => {
  using raw = new RawValue('i', 3)
  expect(raw.value).toBe(3)
  expect(() => raw.lock).toThrow(shareError('ERR_NO_LOCK'))
})

it('is exact without a lock: all read-modify-write operations work', () => {
  using raw = new RawValue('d', 0.5)
  expect(raw.add(1)).toBe(0.5)
  expect(raw.update((x) => x * 2)).toBe(3)
  expect(raw.compareExchange(3, 4)).toBe(3)
  expect(raw.exchange(5)).toBe(4)
  expect(raw.load()).toBe(5)
})

it('checks its values as Value does', () => {
  expect(() => new RawValue('b', 128)).toThrow(rangeError(/^initial must be an integer from -128 to 127, got 128/))
})

it('holds structs as well', () => {
  using raw = new RawValue(Struct({ x: 'i', y: 'i' }), { x: 1, y: 2 })
  raw.value.x = 5
  expect(raw.update((record) => ({ x: record.y, y: record.x }))).toEqual({ x: 2, y: 5 })
})

it('attaches to any value without a lock, and to no value with one', () => {
  using unlocked = Value.create(uniqueName(), 'i', 1, { lock: false })
  using locked = Value.create(uniqueName(), 'i', 1)
  using raw = RawValue.attach(unlocked.name, 'i')
  raw.add(1)
  expect(unlocked.value).toBe(2)
  expect(() => RawValue.attach(locked.name)).toThrow(shareError('ERR_TYPE', /created with a lock, but/))
  using created = RawValue.create(uniqueName(), 'i', 1)
  using same = Value.attach(created.handle, 'i')
  using opened = RawValue.open(created.name, 'i')
  same.value = 7
  expect(opened.value).toBe(7)
})

it('accepts the options of a segment, and no lock', () => {
  using raw = new RawValue('i', 0, { mode: 0o600, persist: false })
  expect(raw.value).toBe(0)
  const message = /^options\.lock is not a known option: use persist, mode or pidNamespaces$/
  expect(() => new RawValue('i', 0, { lock: true } as never)).toThrow(valueError(message))
  expect(() => new RawValue('i', 0, { lock: {} as Lock } as never)).toThrow(valueError(message))
  for (const bad of [5, 'persist', null, []]) {
    expect(() => new RawValue('i', 0, bad as never)).toThrow(/^options must be an object, got /)
  }
})
