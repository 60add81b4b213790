import { SharedArray } from 'procshare'
import { describe, expect, it } from 'vitest'
import { rangeError, shareError, typeError } from '../helpers/error-matchers.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { CHARACTERS } from '../helpers/scalar-types.ts'

expectNoLeftovers()

const wcharBytes = CHARACTERS[1].bits / 8

describe('an array of char', () => {
  it('is created from a length, a string (UTF-8), bytes, or characters', () => {
    const made = (given: unknown) => {
      using array = new SharedArray('c', given as never)
      return array.raw.toString('latin1')
    }
    expect(made(3)).toBe('\0\0\0')
    expect(made('hello')).toBe('hello')
    expect(made('é')).toBe('\xc3\xa9')
    expect(made(Buffer.from([0, 255]))).toBe('\0\xff')
    expect(made(['a', 'é', '\0'])).toBe('a\xe9\0')
    expect(made([65, 255])).toBe('A\xff')
    expect(made(new Set(['x', 'y']))).toBe('xy')
    expect(made(new Uint16Array([66]))).toBe('B')
    expect(made('')).toBe('')
  })

  it('refuses elements that are not bytes', () => {
    const refused = (given: unknown) => () => new SharedArray('c', given as never)
    expect(refused(['ab'])).toThrow(typeError(/^values\[0\] must be a string of one character up to U\+00FF, got 'ab'/))
    expect(refused(['Ā'])).toThrow(rangeError(/^values\[0\]/))
    expect(refused([256])).toThrow(rangeError(/^values\[0\] must be a character code from 0 to 255, got 256/))
    expect(refused([-1])).toThrow(rangeError(/^values\[0\]/))
    expect(refused([1.5])).toThrow(rangeError(/^values\[0\]/))
    expect(refused([null])).toThrow(typeError(/^values\[0\]/))
    expect(refused(new Uint16Array([65, 300]))).toThrow(rangeError(/^values\[1\]/))
    expect(refused(new Int8Array([-1]))).toThrow(rangeError(/^values\[0\]/))
  })

  it('has as its value the bytes up to the first NUL', () => {
    using array = new SharedArray('c', 5)
    expect(array.value).toEqual(Buffer.alloc(0))
    array.set(Buffer.from('ab\0cd'))
    expect(array.value).toEqual(Buffer.from('ab'))
    array.set(Buffer.from('abcde'))
    expect(array.value).toEqual(Buffer.from('abcde'))
    array.value[0] = 0
    expect(array.value.toString()).toBe('abcde')
  })

  it('writes a value and one NUL if there is room, and keeps the rest', () => {
    using array = new SharedArray('c', 'xxxxx')
    array.value = 'ab'
    expect(array.raw.toString('latin1')).toBe('ab\0xx')
    array.value = Buffer.from('12345')
    expect(array.raw.toString()).toBe('12345')
    array.value = 'né'
    expect(array.raw.toString('latin1')).toBe('n\xc3\xa9\x005')
    array.value = ''
    expect(array.raw.toString('latin1')).toBe('\0\xc3\xa9\x005')
    array.value = 'hello'
    array.value = array
    expect(array.value.toString()).toBe('hello')
  })

  it('refuses values that are too long or not bytes, and nothing changes', () => {
    using array = new SharedArray('c', 'xxxxx')
    const refused = (bad: unknown) => () => {
      array.value = bad as never
    }
    expect(refused('123456')).toThrow(rangeError(/^value must be at most 5 characters long, got '123456'/))
    expect(refused('12345é')).toThrow(rangeError(/^value/))
    for (const bad of [undefined, null, 5, ['a'], new Uint16Array(1), new ArrayBuffer(1)]) {
      expect(refused(bad)).toThrow(typeError(/^value must be a Uint8Array or a string, got /))
    }
    expect(array.raw.toString()).toBe('xxxxx')
  })

  it('has all its bytes as raw, and writing fewer keeps the rest', () => {
    using array = new SharedArray('c', 'a\0b')
    expect(array.raw).toEqual(Buffer.from('a\0b'))
    array.raw = 'z'
    expect(array.raw).toEqual(Buffer.from('z\0b'))
    array.raw = Buffer.from([1, 2, 3])
    expect([...array]).toEqual([1, 2, 3])
    array.raw = ''
    expect([...array]).toEqual([1, 2, 3])
    const copy = array.raw
    copy[0] = 99
    expect(array[0]).toBe(1)
    expect(() => {
      array.raw = 'four'
    }).toThrow(rangeError(/^raw must be at most 3 bytes long, got 'four'/))
    expect(() => {
      array.raw = 5 as never
    }).toThrow(typeError(/^raw must be a Uint8Array or a string, got 5/))
    expect([...array]).toEqual([1, 2, 3])
  })
})

describe('an array of wchar', () => {
  it('is created from a length, a string, characters or their codes', () => {
    const made = (given: unknown) => {
      using array = new SharedArray('u', given as never)
      return [...array]
    }
    expect(made(2)).toEqual([0, 0])
    expect(made('añ')).toEqual([0x61, 0xf1])
    expect(made(['a', 'ñ'])).toEqual([0x61, 0xf1])
    expect(made([97, 0])).toEqual([97, 0])
    expect(made(new Uint16Array([97]))).toEqual([97])
  })

  it.runIf(wcharBytes === 4)('holds one whole character in each element', () => {
    using array = new SharedArray('u', 'a😀')
    expect([...array]).toEqual([0x61, 0x1f600])
    expect(array.value).toBe('a😀')
    array[0] = 0xffffffff // as another language may write it
    expect(array.value).toBe('\u{10ffff}😀')
    expect(() => new SharedArray('u', [0x110000])).toThrow(
      rangeError(/^values\[0\] must be a character code from 0 to/),
    )
    expect(() => array.assign(new Uint32Array([0x110000]))).toThrow(rangeError(/^values\[0\]/))
  })

  it('has as its value the text up to the first NUL', () => {
    using array = new SharedArray('u', 5)
    expect(array.value).toBe('')
    array.value = 'año'
    expect(array.value).toBe('año')
    expect(array[3]).toBe(0)
    array.fill(0x78)
    array.value = 'ab'
    expect(String.fromCodePoint(...array)).toBe('ab\0xx')
    array.value = '12345'
    expect(array.value).toBe('12345')
  })

  it('refuses values that are too long or not text, and nothing changes', () => {
    using array = new SharedArray('u', 'xxxxx')
    const refused = (bad: unknown) => () => {
      array.value = bad as never
    }
    expect(refused('123456')).toThrow(rangeError(/^value must be at most 5 characters long, got '123456'/))
    for (const bad of [undefined, null, 5, ['a'], Buffer.from('a')]) {
      expect(refused(bad)).toThrow(typeError(/^value must be a string, got /))
    }
    expect(array.value).toBe('xxxxx')
  })

  it('has the bytes of its elements as raw', () => {
    using array = new SharedArray('u', 'ab')
    expect(array.raw).toHaveLength(2 * wcharBytes)
    expect(array.raw[wcharBytes]).toBe(0x62)
    array.raw = Buffer.from([0x63])
    expect(array.value).toBe('cb')
    expect(() => {
      array.raw = Buffer.alloc(2 * wcharBytes + 1)
    }).toThrow(rangeError(/^raw must be at most/))
  })
})

describe('text of arrays', () => {
  it('is read and written under the lock', async () => {
    for (const type of ['c', 'u'] as const) {
      using array = new SharedArray(type, 'abc') as SharedArray<'c'>
      const guard = await array.lock.acquire()
      const attempts = [
        () => array.value,
        () => array.raw,
        () => {
          array.value = 'x'
        },
        () => {
          array.raw = 'x'
        },
      ]
      for (const attempt of attempts) expect(attempt).toThrow(shareError('ERR_DEADLOCK'))
      guard.release()
      expect(String.fromCodePoint(...array)).toBe('abc')
    }
  })

  it('exists only in arrays of characters', () => {
    using bytes = new SharedArray('B', [65])
    expect('value' in bytes).toBe(false)
    expect('raw' in bytes).toBe(false)
  })
})
