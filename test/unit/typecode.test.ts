import { RawArray, SharedArray, Struct, Value } from 'procshare'
import { describe, expect, it } from 'vitest'
import { noCompiler, runC } from '../helpers/c-compiler.ts'
import { typeError } from '../helpers/error-matchers.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { BIG_INTEGERS, INTEGERS, SCALARS, SMALL_INTEGERS } from '../helpers/scalar-types.ts'

expectNoLeftovers()

const ARRAY_CLASSES: Record<string, (bits: number) => unknown> = {
  signed: (bits) => ({ 8: Int8Array, 16: Int16Array, 32: Int32Array, 64: BigInt64Array })[bits],
  unsigned: (bits) => ({ 8: Uint8Array, 16: Uint16Array, 32: Uint32Array, 64: BigUint64Array })[bits],
  float: (bits) => ({ 32: Float32Array, 64: Float64Array })[bits],
}

function arrayClassOf(code: string, bits: number): unknown {
  const integer = INTEGERS.find((type) => type.code === code)
  const family = integer?.signed ? 'signed' : code === 'f' || code === 'd' ? 'float' : 'unsigned'
  return ARRAY_CLASSES[family]!(bits)
}

it('knows 15 types, each by a code and by an alias', () => {
  expect(new Set(SCALARS.flatMap(({ code, alias }) => [code, alias])).size).toBe(30)
  const listed = new RegExp(
    SCALARS.map(({ code, alias }) => `(?=.*'${code.replace('?', '\\?')}' \\(${alias}\\))`).join(''),
  )
  expect(() => new Value('nonsense' as never)).toThrow(typeError(listed))
})

describe.each(SCALARS)('type code $code', ({ code, alias, bits }) => {
  it('has the size that it has in C', () => {
    expect(Struct({ field: code }).byteLength).toBe(bits / 8)
    expect(Struct({ field: alias }).alignment).toBe(bits / 8)
    using array = new RawArray(code, 3)
    expect(array.BYTES_PER_ELEMENT).toBe(bits / 8)
    expect(array.byteLength).toBe((bits / 8) * 3)
  })

  it('is held by the typed array of its size and sign, under either name', () => {
    for (const name of [code, alias]) {
      using array = new SharedArray(name, 1)
      expect(array).toBeInstanceOf(arrayClassOf(code, bits) as () => void)
      expect(array.type).toBe(code)
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
