import { SharedArray, Struct, type TypeName } from 'procshare'
import { describe, expect, it } from 'vitest'
import { rangeError, typeError, valueError } from '../helpers/error-matchers.ts'
import { managerOfThisFile } from '../helpers/manager.ts'
import { BIG_INTEGERS, FLOATS, limitsOf, roundTo, SCALARS, SMALL_INTEGERS } from '../helpers/scalar-types.ts'

const file = managerOfThisFile()

/** A value of each type that is not its zero. */
function sampleOf(code: TypeName): unknown {
  if (code === 'c' || code === 'u') return 'x'
  if (code === '?') return true
  return BIG_INTEGERS.some((type) => type.code === code) ? 1n : 1
}

describe('a managed value', () => {
  it.each(SCALARS)(
    'of type $code has its zero first, goes by all names of the type, and keeps what it is given',
    async ({ code, alias, names }) => {
      const { manager } = file
      const value = await manager.Value(code)
      const zero = { string: '\0', number: 0, bigint: 0n, boolean: false }[typeof sampleOf(code) as 'string']
      expect(await value.get()).toBe(zero)
      await value.set(sampleOf(code) as never)
      expect([await value.get(), await value.value]).toEqual([sampleOf(code), sampleOf(code)])
      for (const name of [alias, ...names]) {
        expect(await (await manager.Value(name, sampleOf(code) as never)).type).toBe(code)
        expect(manager.sync.Array(name, 2).type).toBe(code)
      }
      expect(await value.exchange(zero as never)).toBe(sampleOf(code))
      expect(await value.compareExchange(zero as never, sampleOf(code) as never)).toBe(zero)
      expect(await value.compareExchange(zero as never, zero as never)).toBe(sampleOf(code))
    },
  )

  it.each([...SMALL_INTEGERS, ...BIG_INTEGERS])(
    'of type $code refuses what does not fit, sums included',
    async (type) => {
      const { manager } = file
      const { min, max } = limitsOf(type)
      const of = (exact: bigint) => (type.bits === 64 ? exact : Number(exact)) as never
      const value = await manager.Value(type.code, of(max))
      await expect(value.set(of(max + 1n))).rejects.toThrow(rangeError(/^value must be an integer from/))
      await expect(value.add(of(min - 1n))).rejects.toThrow(rangeError())
      await expect(value.set(1.5 as never)).rejects.toThrow(rangeError())
      await expect(value.set('1' as never)).rejects.toThrow(typeError())
      await expect(manager.Value(type.code, of(min - 1n))).rejects.toThrow(rangeError(/^initial must be/))
      expect(await value.get()).toBe(of(max))
      await expect(value.add(of(1n))).rejects.toThrow(rangeError(/^the result of add\(\) must be an integer from/))
      expect(await value.get()).toBe(of(max))
      await value.set(of(min))
      await expect(value.sub(of(1n))).rejects.toThrow(rangeError(/^the result of sub\(\) must be an integer from/))
      expect(await value.get()).toBe(of(min))
      const array = await manager.Array(type.code, [of(max), of(min)] as never)
      await expect(array.add(0, of(1n))).rejects.toThrow(rangeError(/^the result of add\(\)/))
      await expect(array.sub(1, of(1n))).rejects.toThrow(rangeError(/^the result of sub\(\)/))
      expect(await array.toArray()).toEqual([of(max), of(min)])
      await value.set(of(6n))
      expect([await value.and(of(3n)), await value.or(of(1n)), await value.xor(of(2n)), await value.get()]).toEqual(
        [6n, 2n, 3n, 1n].map(of),
      )
    },
  )

  it.each(FLOATS)('of type $code computes as floats of that size', async ({ code, bits }) => {
    const round = (number: number) => roundTo(bits, number)
    const value = await file.manager.Value(code, 0.1)
    await value.add(0.2)
    expect(await value.get()).toBe(round(round(0.1) + 0.2))
    await expect(value.and(1 as never)).rejects.toThrow(
      typeError(/the type must be an integer type or bool for and\(\)/),
    )
    await value.set(NaN)
    expect(await value.compareExchange(NaN, 1)).toBe(NaN)
    expect(await value.get()).toBe(1)
  })

  it('has bits but no sums of booleans, and neither of characters', async () => {
    const { manager } = file
    const flag = await manager.Value('?', true)
    expect([await flag.and(false), await flag.or(true), await flag.xor(true), await flag.get()]).toEqual([
      true,
      false,
      true,
      false,
    ])
    await expect(flag.add(true as never)).rejects.toThrow(typeError(/a numeric type/))
    const char = await manager.Value('c', 'a')
    await expect(char.add('b' as never)).rejects.toThrow(typeError(/a numeric type/))
    await expect(char.set('ab')).rejects.toThrow(typeError())
    await expect(char.set('€')).rejects.toThrow(rangeError())
  })

  it('refuses unknown types, and structs', async () => {
    const isNear = /^type must be a scalar type, got 'int23' \(string\): did you mean 'int32'\?$/
    await expect(file.manager.Value('int23' as never)).rejects.toThrow(typeError(isNear))
    await expect(file.manager.Value(Number as never)).rejects.toThrow(typeError(/: write 'double' for any number/))
    await expect(file.manager.Array(Struct({ x: 'd' }) as never, 1)).rejects.toThrow(TypeError)
    await expect(file.manager.Array('z' as never, 1)).rejects.toThrow(typeError(/^type must be one of/))
  })

  it('loses no addition, is shown as in Python, and has a name', async () => {
    const { manager } = file
    const value = await manager.Value('i', 5, { name: 'hits' })
    await Promise.all(Array.from({ length: 1000 }, () => value.add(1)))
    expect(await value.show()).toBe("Value('i', 1005)")
    expect((await manager.Value('i', 0, { name: 'hits' })).equals(value)).toBe(true)
  })

  it('is a property in the blocking form, and a read-only one in the asynchronous form', async () => {
    const { manager } = file
    const value = await manager.Value('i', 5)
    const plain = manager.sync.of(value)
    plain.value += 2
    expect([plain.value, await value.value]).toEqual([7, 7])
    expect(() => {
      plain.value = 2 ** 40
    }).toThrow(rangeError())
    expect(() => {
      ;(value as { value: unknown }).value = 8
    }).toThrow(valueError(/set with set\(\)/))
    expect(plain.get()).toBe(7)
  })
})

describe('a managed array', () => {
  it.each(SCALARS)(
    'of type $code is made of a length or of elements, and gives them as the type has them',
    async ({ code }) => {
      const { manager } = file
      const sample = sampleOf(code)
      const array = await manager.Array(code, [sample, sample, sample] as never)
      expect([await array.length, await array.at(1), await array.at(-3), await array.at(3)]).toEqual([
        3,
        sample,
        sample,
        undefined,
      ])
      expect(await array.toArray()).toEqual([sample, sample, sample])
      const zeros = await manager.Array(code, 2)
      expect((await zeros.toArray()).map(Number)).toEqual(
        code === 'c' || code === 'u' ? [0, 0].map(() => Number('\0')) : [0, 0],
      )
      await zeros.set(-1, sample as never)
      expect(await zeros.at(1)).toBe(sample)
      using shared = new SharedArray(code, [sample, sample, sample] as never)
      expect(await array.snapshot()).toEqual(shared.snapshot())
      expect(await array.slice(-1)).toEqual(shared.slice(-1))
      const seen: unknown[] = []
      for await (const element of array) seen.push(element)
      expect(seen).toEqual([sample, sample, sample])
    },
  )

  it('is made from text, typed arrays, shared arrays and iterables', async () => {
    const { manager } = file
    using shared = new SharedArray('i', [1, 2])
    expect(await (await manager.Array('i', shared)).toArray()).toEqual([1, 2])
    expect(await (await manager.Array('d', new Float64Array([0.5, NaN]))).toArray()).toEqual([0.5, NaN])
    expect(await (await manager.Array('B', Buffer.from('ab'))).toArray()).toEqual([97, 98])
    expect(await (await manager.Array('i', new Set([4, 5]).values())).toArray()).toEqual([4, 5])
    expect(await (await manager.Array('c', 'text')).toArray()).toEqual(['t', 'e', 'x', 't'])
    expect(await (await manager.Array('u', 'ü€')).toArray()).toEqual(['ü', '€'])
    expect(await (await manager.Array('i', [])).length).toBe(0)
  })

  it('shares no memory with the buffer that it was made from, nor with a snapshot', async () => {
    const array = await file.manager.Array('B', Buffer.from([1, 2, 3]))
    const before = await array.snapshot()
    const part = await array.slice(0, 2)
    await array.set(0, 9)
    expect([[...before], [...part], await array.at(0)]).toEqual([[1, 2, 3], [1, 2], 9])
  })

  it('refuses values that do not fit, and does not change then', async () => {
    const { manager } = file
    for (const wrong of [-1, 1.5, 2 ** 60]) await expect(manager.Array('i', wrong)).rejects.toThrow(RangeError)
    for (const wrong of [null, undefined, {}, 'text']) {
      await expect(manager.Array('i', wrong as never)).rejects.toThrow(typeError())
    }
    await expect(manager.Array('i', [1, 2 ** 31])).rejects.toThrow(rangeError(/^values\[1\] must be an integer from/))
    const array = await manager.Array('h', [1, 2, 3])
    await expect(array.assign([5, 40_000])).rejects.toThrow(rangeError(/^values\[1\]/))
    await expect(array.assign([5, 6], 2)).rejects.toThrow(rangeError(/at most 1 for the offset 2/))
    await expect(array.fill(40_000)).rejects.toThrow(rangeError())
    for (const index of [3, -4, 0.5]) {
      await expect(array.set(index, 0)).rejects.toThrow(rangeError(/^index must be/))
      await expect(array.add(index, 0)).rejects.toThrow(rangeError())
      await expect(array.compareExchange(index, 0, 0)).rejects.toThrow(rangeError())
    }
    await expect(array.set(0, 'x' as never)).rejects.toThrow(typeError())
    await expect(array.set('0' as never, 1)).rejects.toThrow(typeError(/^index/))
    expect(await array.toArray()).toEqual([1, 2, 3])
  })

  it('is changed in one step: elements, parts, sums', async () => {
    const array = await file.manager.Array('h', 5)
    await array.assign([1, 2], 3)
    await array.fill(7, 0, 2)
    await array.fill(8, -3, -2)
    expect(await array.toArray()).toEqual([7, 7, 8, 1, 2])
    expect([await array.add(0, -32_768), await array.at(0)]).toEqual([7, -32_761])
    expect([await array.sub(-1, 3), await array.and(2, 12), await array.or(2, 3), await array.xor(2, 1)]).toEqual([
      2, 8, 8, 11,
    ])
    expect([
      await array.exchange(3, 5),
      await array.compareExchange(3, 5, 6),
      await array.compareExchange(3, 5, 7),
    ]).toEqual([1, 5, 6])
    expect(await array.toArray()).toEqual([-32_761, 7, 10, 6, -1])
    await Promise.all(Array.from({ length: 500 }, () => array.add(1, 1)))
    expect(await array.at(1)).toBe(507)
    expect(await array.show()).toBe("Array('h', [ -32761, 507, 10, 6, -1 ])")
    expect(await (await file.manager.Array('b', 1000)).show()).toMatch(/^Array\('b', \[ 0, .*0, \.\.\. 900 more \]\)$/)
  })

  it('has the same methods in the blocking form', () => {
    const array = file.manager.sync.Array('q', [1n, 2])
    array.set(-1, 5)
    expect([array.length, array.add(0, 1), array.at(0), [...array]]).toEqual([2, 1n, 2n, [2n, 5n]])
    expect(array.snapshot()).toEqual(new BigInt64Array([2n, 5n]))
  })
})
