import { readFileSync } from 'node:fs'
import { runInNewContext } from 'node:vm'
import { Queue, RawArray, RawValue, SharedArray, SharedState, Struct, Value } from 'procshare'
import { describe, expect, it } from 'vitest'
import { native } from '../../lib/native.ts'
import { noCompiler, runC } from '../helpers/c-compiler.ts'
import { shareError, typeError } from '../helpers/error-matchers.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import {
  BIG_INTEGERS,
  FLOATS,
  floatArrayOf,
  HALF_ARRAY,
  INTEGERS,
  SCALARS,
  SMALL_INTEGERS,
} from '../helpers/scalar-types.ts'
import { uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

const INTEGER_ARRAYS = {
  signed: { 8: Int8Array, 16: Int16Array, 32: Int32Array, 64: BigInt64Array },
  unsigned: { 8: Uint8Array, 16: Uint16Array, 32: Uint32Array, 64: BigUint64Array },
}

function arrayClassOf(code: string, bits: 8 | 16 | 32 | 64): unknown {
  if (FLOATS.some((type) => type.code === code)) return floatArrayOf(bits)
  const isSigned = INTEGERS.find((type) => type.code === code)?.signed ?? false
  return INTEGER_ARRAYS[isSigned ? 'signed' : 'unsigned'][bits]
}

const half = HALF_ARRAY === undefined

it('knows each type by a code, by readable names, by those of C and ctypes, and by the constructor of its array', () => {
  const names = SCALARS.flatMap(({ code, alias, names }) => [code, alias, ...names])
  expect(new Set(names).size).toBe(names.length)
  expect(names.filter((name) => typeof name === 'function')).toHaveLength(half ? 10 : 11)
  let message = ''
  try {
    new Value('nonsense' as never)
  } catch (error) {
    ;({ message } = error as Error)
  }
  const named = (name: unknown) => (typeof name === 'function' ? name.name : `'${String(name)}'`)
  for (const name of names) expect(message).toContain(named(name))
})

describe.each(SCALARS)('the type $code', ({ code, alias, names, bits }) => {
  const all = [code, alias, ...names]

  it('has its size in C', () => {
    for (const name of all) {
      expect(Struct({ field: name }).byteLength).toBe(bits / 8)
      expect(Struct({ field: name }).alignment).toBe(bits / 8)
      using array = new RawArray(name, 3)
      expect(array.BYTES_PER_ELEMENT).toBe(bits / 8)
      expect(array.byteLength).toBe((bits / 8) * 3)
    }
  })

  it('has the typed array of its size and sign, under any name', () => {
    for (const name of all) {
      using array = new SharedArray(name, 1)
      expect(array).toBeInstanceOf(arrayClassOf(code, bits) as () => void)
      expect(array.type).toBe(code)
    }
  })

  it('is the same type under all its names: in values, arrays, structs and schemas', () => {
    using value = Value.create(uniqueName('scalar'), code)
    using array = SharedArray.create(uniqueName('scalars'), code, 2)
    using record = Value.create(uniqueName('struct'), Struct({ one: code, many: [code, 3] }))
    const stateName = uniqueName('state')
    using state = SharedState.create(stateName, { value: Value(code), array: RawArray(code, 2) })
    for (const name of all) {
      using sameValue = Value.attach(value.name, name)
      using sameArray = SharedArray.open(array.name, name, 2)
      using sameRecord = Value.open(record.name, Struct({ one: name, many: [name, 3] }))
      using sameState = SharedState.attach(stateName, { value: Value(name), array: RawArray(name, 2) })
      using raw = new RawValue(name)
      expect([sameValue.type, sameArray.type, raw.type]).toEqual([code, code, code])
      expect(sameRecord.snapshot()).toEqual(record.snapshot())
      expect(sameState.value.type).toBe(state.value.type)
    }
  })
})

it('are numbers up to 32 bits and bigints of 64', () => {
  for (const { code } of SMALL_INTEGERS) {
    using value = new Value(code)
    expect(typeof value.value).toBe('number')
  }
  for (const { code } of BIG_INTEGERS) {
    using value = new Value(code)
    expect(typeof value.value).toBe('bigint')
  }
})

it.skipIf(noCompiler)(`have the sizes of the C compiler${noCompiler ? ` (skipped: ${noCompiler})` : ''}`, () => {
  const lines = SCALARS.map(({ cType }) => `printf("%zu\\n", sizeof(${cType}));`)
  const sizes = runC(`#include <stdio.h>\n#include <stddef.h>\nint main(void) { ${lines.join(' ')} return 0; }`)
  expect(sizes.trim().split('\n').map(Number)).toEqual(SCALARS.map(({ bits }) => bits / 8))
})

it('are named by constructors of another realm as well', () => {
  const others = runInNewContext('[Float64Array, BigUint64Array, Uint8ClampedArray, Number]')
  using value = new Value(others[0] as typeof Float64Array, 0.5)
  using array = new SharedArray(others[1] as typeof BigUint64Array, 1)
  expect([value.type, array.type]).toEqual(['d', 'Q'])
  expect(() => new Value(others[2])).toThrow(typeError(/: write 'uint8'/))
  expect(() => new Value(others[3])).toThrow(typeError(/: write 'double'/))
})

it('are in the table of the guide, with all their names', () => {
  const guide = readFileSync(new URL('../../docs/guide/values-and-arrays.md', import.meta.url), 'utf8')
  for (const { code, alias, names } of SCALARS) {
    const row = guide.split('\n').find((line) => line.startsWith(`| \`'${code}'\` |`))
    const cells = row?.split('|').slice(2, 6).join(' ') ?? ''
    const listed = [...cells.matchAll(/`'?(\w+)'?`/g)].map(([, name]) => name)
    const called = [alias, ...names].map((name) => (typeof name === 'function' ? name.name : name))
    expect(listed.sort()).toEqual(called.sort())
  }
})

class Sub extends Float64Array {}

describe('a type that does not exist', () => {
  it.each([
    ['doubel', "did you mean 'double'?"],
    ['Double', "did you mean 'double'?"],
    ['INT32', "did you mean 'int32'?"],
    ['flaot', "did you mean 'float'?"],
    ['unt8', "did you mean 'int8' or 'uint8'?"],
    ['c_doble', "did you mean 'c_double'?"],
    ['I ', "did you mean 'I'?"],
    ['D', "did you mean 'd'?"],
    ['i32', "write 'int32'"],
    ['u8', "write 'uint8'"],
    ['f64', "write 'float64'"],
    ['unsigned long long', "write 'ulonglong'"],
    ['uint16_t', "write 'uint16'"],
    ['number', "write 'double' for any number, or 'int32' for an integer"],
    ['integer', "write 'int32', or 'int64' for a bigint"],
    ['boolean', "write 'bool'"],
    ['bigint', "write 'int64', or 'uint64'"],
    ['Float64Array', "write Float64Array without quotes, or 'float64'"],
    [Number, "write 'double' for any number, or 'int32' for an integer"],
    [BigInt, "write 'int64', or 'uint64'"],
    [Boolean, "write 'bool'"],
    [{ x: 'd' }, 'declare a record with Struct()'],
    [['i', 3], 'arrays are made by SharedArray'],
  ])('is refused with the right name: %o', (type, advice) => {
    const expected = typeError(/^type must be a scalar type or a Struct, got .*\): /)
    for (const make of [
      () => new Value(type as never),
      () => new RawArray(type as never, 1),
      () => Value.attach('nobody', type as never),
      () => SharedState.open(uniqueName('state'), { value: Value(type as never) }),
    ]) {
      expect(make).toThrow(expected)
      expect(make).toThrow(new RegExp(`: ${advice.replace(/[?()[\]]/g, '\\$&')}$`))
    }
    if (Array.isArray(type)) return
    expect(() => Struct({ a: [type as never, 2] })).toThrow(
      typeError(/^fields\.a\[0\] must be a scalar type, a Struct or \[type, length\], got .*: /),
    )
  })

  it.each(['string', String])('is refused with a hint about text: %o', (type) => {
    expect(() => new Value(type as never)).toThrow(typeError(/: write 'char' for bytes or 'wchar' for characters/))
  })

  it.each([Uint8ClampedArray, 'Uint8ClampedArray'])('is refused because it would clamp elements: %o', (type) => {
    expect(() => new SharedArray(type as never, 1)).toThrow(typeError(/: write 'uint8': values out of range are not/))
  })

  it.each(['nonsense', 'z', '', 'ii', 'double'.repeat(10_000), 5, null, undefined, Sub, () => {}])(
    'is refused with a list of all types if no name is similar (%#)',
    (type) => {
      expect(() => new Value(type as never)).toThrow(
        typeError(/^type must be one of 'c' \('char', 'c_char'\), .* or a Struct, got /),
      )
    },
  )
})

describe.skipIf(half)('float16', () => {
  const type = 'float16'

  it('rounds to half precision at every write, with and without a lock', () => {
    for (const options of [{ lock: true }, { lock: false }]) {
      using value = new Value(type, 0.1, options)
      expect(value.value).toBe(0.0999755859375)
      expect(value.add(1)).toBe(0.0999755859375)
      expect(value.update((n) => n + 0.0001)).toBe(value.load())
      expect(value.exchange(65_519)).toBeCloseTo(1.1)
      expect(value.value).toBe(65_504)
      value.value = 65_520
      expect(value.compareExchange(Infinity, NaN)).toBe(Infinity)
      expect(value.compareExchange(NaN, -0)).toBeNaN()
      expect(value.value).toBe(-0)
    }
  })

  it('is a Float16Array in arrays and in fields, named by its constructor as well', () => {
    using array = new SharedArray(HALF_ARRAY as never as 'half', [0.1, 2])
    expect(array).toBeInstanceOf(HALF_ARRAY)
    expect([...array]).toEqual([0.0999755859375, 2])
    using record = new Value(Struct({ one: 'half', many: ['e', 2] }), { one: 0.1, many: [1, 0.1] })
    expect(record.value.many).toBeInstanceOf(HALF_ARRAY)
    expect(record.snapshot()).toEqual({ one: 0.0999755859375, many: [1, 0.0999755859375] })
  })

  it('travels through queues as a plain and as a shared array', () => {
    const queue = new Queue<unknown>()
    using shared = new SharedArray(type, [1, 2])
    const plain = HALF_ARRAY!.of(0.1, 2)
    queue.putSync({ shared, plain })
    queue.putSync(plain)
    const { value } = queue.tryGet() as { value: { shared: typeof shared; plain: unknown } }
    expect(value.plain).toBeInstanceOf(HALF_ARRAY)
    expect(value.plain).toEqual(plain)
    value.shared[0] = 7
    expect(shared[0]).toBe(7)
    expect(queue.tryGet()).toEqual({ value: plain })
    value.shared.close()
    queue.close()
  })
})

describe.runIf(half)('float16, where the runtime has no Float16Array', () => {
  it.each(['e', 'float16', 'half'])('is refused with the reason, and with the runtimes that have it: %s', (type) => {
    const reason = /: it needs Float16Array, which this runtime does not have and Node\.js has from version 24 on$/
    expect(() => new Value(type as 'e')).toThrow(typeError(reason))
    expect(() => new SharedArray(type as 'e', 1)).toThrow(typeError(reason))
    expect(() => Struct({ a: [type as 'e', 2] })).toThrow(typeError(reason))
  })
})

it.runIf(half).each([
  ['a value', 'e'],
  ['a struct', { struct: [['a', ['e', 2]]] }],
])('%s of float16 cannot be attached to where the runtime has no Float16Array', (_what, type) => {
  const attachTo = (...expected: ['d'?]) => {
    const name = uniqueName('half')
    const segment = native.createSegment(name, 64, 64, JSON.stringify({ kind: 'Value', type, lock: 'none' }), 0o600)
    native.publishSegment(segment)
    try {
      return Value.attach(name, ...expected)
    } finally {
      native.closeSegment(segment)
    }
  }
  expect(() => attachTo()).toThrow(
    shareError('ERR_TYPE', /^Segment ".*" contains elements of type 'e': it needs Float16Array, which this runtime/),
  )
  expect(() => attachTo('d')).toThrow(shareError('ERR_TYPE', /not 'd'/))
})
