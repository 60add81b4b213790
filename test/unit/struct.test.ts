import { Struct, Value } from 'procshare'
import { describe, expect, it } from 'vitest'
import { rangeError, typeError, valueError } from '../helpers/error-matchers.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'

expectNoLeftovers()

describe('Struct', () => {
  it('has its fields, offsets, size and alignment', () => {
    const Point = Struct({ x: 'd', y: 'float32' })
    expect(Point.fields).toEqual({ x: 'd', y: 'float32' })
    expect(Point.offsets).toEqual({ x: 0, y: 8 })
    expect(Point.byteLength).toBe(16)
    expect(Point.alignment).toBe(8)
  })

  it('does not change with the object from which it was created', () => {
    const fields: Record<string, 'i'> = { x: 'i' }
    const One = Struct(fields)
    fields.y = 'i'
    expect(One.fields).toEqual({ x: 'i' })
    expect(Object.isFrozen(One.fields)).toBe(true)
  })

  it.each([null, undefined, 'i', 5, ['i'], () => {}])('refuses %o for an object of field types', (fields) => {
    expect(() => Struct(fields as never)).toThrow(typeError(/^fields must be an object of field types, got /))
  })

  it('refuses to be empty', () => {
    expect(() => Struct({})).toThrow(valueError(/at least one field/))
  })

  it.each(['0', '17', 'constructor', 'toJSON', '__proto__'])('refuses the field name %s', (name) => {
    const fields = Object.fromEntries([[name, 'i']]) as Record<string, 'i'>
    expect(() => Struct(fields)).toThrow(
      valueError(new RegExp(`without fields that are named like a number, .*, got '${name}'`)),
    )
  })

  it('accepts all other field names', () => {
    const names = ['acquire', 'lock', 'value', 'then', 'hasOwnProperty', 'toString', 'größe', 'a b', '']
    const Odd = Struct(Object.fromEntries(names.map((name) => [name, 'i' as const])))
    using value = new Value(Odd, Object.fromEntries(names.map((name, i) => [name, i])))
    expect(value.snapshot()).toEqual(Object.fromEntries(names.map((name, i) => [name, i])))
    value.value.acquire = 70
    expect(value.value.acquire).toBe(70)
  })

  it.each([undefined, null, 'z', 5, [], ['i'], ['i', 2, 3]])('refuses %o as the type of a field', (type) => {
    expect(() => Struct({ good: 'i', bad: type as never })).toThrow(
      typeError(/^fields\.bad must be one of 'c' \('char', 'c_char'\), .*, a Struct or \[type, length\], got /),
    )
  })

  it('names the position of a wrong type in a field', () => {
    expect(() => Struct({ grid: [['z' as never, 2], 3] })).toThrow(typeError(/^fields\.grid\[0\]\[0\] must be/))
  })

  it.each([0, -1, 1.5, Number.NaN, Infinity, '3', undefined])('refuses %o as the length of a field', (length) => {
    expect(() => Struct({ list: ['i', length as number] })).toThrow(
      rangeError(/^fields\.list\[1\] must be a length: an integer of at least 1, got /),
    )
  })

  it('refuses more fields than a segment can describe', () => {
    const fields = Object.fromEntries(Array.from({ length: 9_000 }, (_, i) => [`field${i}`, 'i' as const]))
    expect(() => new Value(Struct(fields))).toThrow(
      typeError(/^type must be small enough to be described in 65536 bytes of JSON/),
    )
  })
})
