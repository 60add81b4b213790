import { inspect } from 'node:util'
import fc from 'fast-check'
import { attach, Member, RawValue, Struct, type TypeName, Value } from 'procshare'
import { describe, expect, it } from 'vitest'
import { rangeError, shareError, typeError, valueError } from '../helpers/error-matchers.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import {
  BIG_INTEGERS,
  BOOL,
  CHARACTERS,
  FLOATS,
  INTEGERS,
  type IntegerType,
  limitsOf,
  roundTo,
  SCALARS,
  type ScalarType,
  SMALL_INTEGERS,
  toJs,
  wrap,
} from '../helpers/scalar-types.ts'
import { uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

/** A value of any type, for tests that run over all of them. */
interface AnyValue extends Disposable {
  value: unknown
  readonly type: string
  readonly lock: { readonly locked: boolean }
  update(fn: (value: unknown) => unknown): unknown
  snapshot(): unknown
  load(): unknown
  store(value: unknown): unknown
  exchange(value: unknown): unknown
  compareExchange(expected: unknown, replacement: unknown): unknown
  add(value: unknown): unknown
  sub(value: unknown): unknown
  and(value: unknown): unknown
  or(value: unknown): unknown
  xor(value: unknown): unknown
}

function make(type: TypeName, initial?: unknown, lock?: boolean): AnyValue {
  const options = lock === undefined ? undefined : { lock }
  return new Value(type, initial as never, options) as unknown as AnyValue
}

const EITHER = [
  ['with a lock', { lock: true }],
  ['without a lock', { lock: false }],
] as const

const zeroOf = (type: TypeName): unknown => {
  const isNamed = ({ code, alias }: ScalarType) => code === type || alias === type
  if (BIG_INTEGERS.some(isNamed)) return 0n
  if (isNamed(BOOL)) return false
  return CHARACTERS.some(isNamed) ? '\0' : 0
}

describe.each(SCALARS)('Value of type $code', ({ code, alias }) => {
  it('starts at zero, under the code and under the alias', () => {
    for (const type of [code, alias]) {
      using value = make(type)
      expect(value.value).toBe(zeroOf(type))
      expect(value.load()).toBe(zeroOf(type))
      expect(value.snapshot()).toBe(zeroOf(type))
      expect(value.type).toBe(code)
    }
  })

  it('is the same type as its alias: one attaches to the other', () => {
    using value = make(alias)
    using same = Value.attach((value as unknown as Value).handle, code)
    expect((same as unknown as AnyValue).type).toBe(code)
  })
})

describe.each(INTEGERS)('Value of integer type $code', (type) => {
  const { min, max } = limitsOf(type)

  it.each(EITHER)('stores and returns its limits, %s', (_kind, { lock }) => {
    for (const limit of [min, max, 0n, 1n].map((exact) => toJs(type, exact))) {
      using value = make(type.code, limit, lock)
      expect(value.value).toBe(limit)
      value.value = toJs(type, 0n)
      expect(value.value).toBe(toJs(type, 0n))
      value.value = limit
      expect(value.value).toBe(limit)
      expect(value.exchange(toJs(type, 0n))).toBe(limit)
      expect(value.store(limit)).toBe(limit)
      expect(value.load()).toBe(limit)
    }
  })

  it('without a lock wraps in add and sub as in C, and refuses overflow in update', () => {
    using value = make(type.code, toJs(type, max), false)
    expect(value.add(toJs(type, 1n))).toBe(toJs(type, max))
    expect(value.value).toBe(toJs(type, min))
    expect(value.sub(toJs(type, 1n))).toBe(toJs(type, min))
    expect(value.value).toBe(toJs(type, max))
    expect(() => value.update((n) => toJs(type, BigInt(n as number) + 1n))).toThrow(
      rangeError(/^the result of fn must be/),
    )
    expect(value.value).toBe(toJs(type, max))
  })

  it('with a lock refuses values out of range in every operation, and neither value nor lock changes', () => {
    using value = make(type.code, toJs(type, max), true)
    const state = () => [value.value, value.lock.locked]
    for (const [limit, beyond] of [
      [max, 1n],
      [min, -1n],
    ] as const) {
      value.value = toJs(type, limit)
      const before = state()
      const outside = toJs(type, limit + beyond)
      const attempts: [RegExp, () => unknown][] = [
        [/^the result of fn must be/, () => value.update((n) => toJs(type, BigInt(n as number) + beyond))],
        [/^value must be/, () => (value.value = outside)],
        [/^value must be/, () => value.store(outside)],
        [/^value must be/, () => value.exchange(outside)],
        [/^replacement must be/, () => value.compareExchange(toJs(type, limit), outside)],
        beyond > 0n
          ? [/^the result of add\(\) must be an integer from/, () => value.add(toJs(type, 1n))]
          : [/^the result of sub\(\) must be an integer from/, () => value.sub(toJs(type, 1n))],
      ]
      if (min < 0n && beyond < 0n) attempts.push([/^the result of add\(\)/, () => value.add(toJs(type, -1n))])
      if (min < 0n && beyond > 0n) attempts.push([/^the result of sub\(\)/, () => value.sub(toJs(type, -1n))])
      for (const [message, attempt] of attempts) {
        expect(attempt).toThrow(rangeError(message))
        expect(state()).toEqual(before)
      }
    }
    // The operand alone may be as large as it likes, as long as the result fits.
    value.value = toJs(type, min)
    expect(value.add(toJs(type, max))).toBe(toJs(type, min))
    expect(value.value).toBe(toJs(type, min + max))
  })

  it.each(EITHER)('has the arithmetic of C, %s', (_kind, { lock }) => {
    using value = make(type.code, undefined, lock)
    const operand = fc.bigInt({ min, max })
    const operation = fc.constantFrom('add', 'sub', 'and', 'or', 'xor', 'exchange', 'compareExchange', 'update', 'set')
    let model = 0n
    const steps = fc.array(fc.tuple(operation, operand, fc.boolean()), { maxLength: 20 })
    const property = fc.property(steps, (list) => {
      for (const [name, exact, same] of list) {
        const before = toJs(type, model)
        const given = toJs(type, exact)
        const compared = same || exact === model
        const isSum = name === 'add' || name === 'sub'
        const sum = reference(name, model, exact, compared)
        if (lock !== false && isSum && (sum < min || sum > max)) {
          expect(() => apply(value, name, given, given)).toThrow(rangeError(/^the result of (add|sub)\(\)/))
          continue
        }
        const applied = apply(value, name, given, same ? before : given)
        model = wrap(type, sum)
        expect(applied).toBe(name === 'update' || name === 'set' ? toJs(type, model) : before)
        expect(value.value).toBe(toJs(type, model))
      }
    })
    fc.assert(property, { numRuns: 60 })
  })
})

function apply(value: AnyValue, name: string, given: unknown, expected: unknown): unknown {
  switch (name) {
    case 'update':
      return value.update(() => given)
    case 'set':
      value.value = given
      return value.value
    case 'compareExchange':
      return value.compareExchange(expected, given)
    default:
      return (value as unknown as Record<string, (operand: unknown) => unknown>)[name]!.call(value, given)
  }
}

function reference(name: string, old: bigint, operand: bigint, isEqual: boolean): bigint {
  switch (name) {
    case 'add':
      return old + operand
    case 'sub':
      return old - operand
    case 'and':
      return old & operand
    case 'or':
      return old | operand
    case 'xor':
      return old ^ operand
    case 'compareExchange':
      return isEqual ? operand : old
    default:
      return operand
  }
}

/** Everything that writes, by the name that its argument has in messages. */
const WRITERS: readonly (readonly [string, (value: AnyValue, bad: unknown) => unknown])[] = [
  ['value', (value, bad) => (value.value = bad)],
  ['value', (value, bad) => value.store(bad)],
  ['value', (value, bad) => value.exchange(bad)],
  ['expected', (value, bad) => value.compareExchange(bad, value.value)],
  ['replacement', (value, bad) => value.compareExchange(value.value, bad)],
  ['the result of fn', (value, bad) => value.update(() => bad)],
]
const ARITHMETIC: typeof WRITERS = [
  ['value', (value, bad) => value.add(bad)],
  ['value', (value, bad) => value.sub(bad)],
]
const BITWISE: typeof WRITERS = [
  ['value', (value, bad) => value.and(bad)],
  ['value', (value, bad) => value.or(bad)],
  ['value', (value, bad) => value.xor(bad)],
]

/** Asserts that nothing that writes takes `bad`, that each says what it got, and that nothing has changed afterwards. */
function expectRefused(
  type: TypeName,
  good: unknown,
  bad: unknown,
  error: (message: RegExp) => Error,
  writers = WRITERS,
): void {
  const got = `, got ${inspect(bad)}`
  const message = (name: string) => new RegExp(`^${name} must be [^]*${quoted(got)}`)
  if (bad !== undefined) expect(() => make(type, bad)).toThrow(error(message('initial')))
  for (const [, { lock }] of EITHER) {
    using value = make(type, good, lock)
    for (const [name, write] of writers) {
      expect(() => write(value, bad)).toThrow(error(message(name)))
      expect(value.value).toBe(good)
      if (lock) expect(value.lock.locked).toBe(false)
    }
  }
}

/** A pattern for the text itself. */
function quoted(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

describe('Value refuses values that its type cannot hold, and nothing changes:', () => {
  it.each(SMALL_INTEGERS)('numbers out of range or fractional in $code', (type) => {
    const { min, max } = limitsOf(type)
    const outside = [Number(min) - 1, Number(max) + 1, 0.5, -0.5, Number.NaN, Infinity, -Infinity, 2 ** 53, 1e300]
    for (const bad of outside) {
      expectRefused(type.code, 7, bad, rangeError, [...WRITERS, ...ARITHMETIC, ...BITWISE])
    }
    expect(() => make(type.code, Number(max) + 1)).toThrow(rangeError(new RegExp(`an integer from ${min} to ${max},`)))
  })

  it.each(SMALL_INTEGERS)('anything but numbers in $code', ({ code }) => {
    for (const bad of ['1', '', null, undefined, true, 1n, {}, [1], Symbol('s'), { valueOf: () => 1 }]) {
      expectRefused(code, 7, bad, typeError, [...WRITERS, ...ARITHMETIC, ...BITWISE])
    }
  })

  it.each(BIG_INTEGERS)('integers out of range in $code, and numbers that are not exact', (type) => {
    const { min, max } = limitsOf(type)
    const outside = [min - 1n, max + 1n, 2n ** 100n, 0.5, Number.NaN, Infinity, 2 ** 53, -(2 ** 53), 2 ** 64]
    if (!type.signed) outside.push(-1, -1n)
    for (const bad of outside) {
      expectRefused(type.code, 7n, bad, rangeError, [...WRITERS, ...ARITHMETIC, ...BITWISE])
    }
  })

  it.each(BIG_INTEGERS)('anything but integers in $code', ({ code }) => {
    for (const bad of ['1', null, undefined, true, {}, [1n], Symbol('s'), Object(1n)]) {
      expectRefused(code, 7n, bad, typeError, [...WRITERS, ...ARITHMETIC, ...BITWISE])
    }
  })

  it.each(FLOATS)('anything but numbers in $code', ({ code }) => {
    for (const bad of ['1', null, undefined, true, 1n, {}, [1]]) {
      expectRefused(code, 0.5, bad, typeError, [...WRITERS, ...ARITHMETIC])
    }
  })

  it('anything but booleans in ?', () => {
    for (const bad of [0, 1, 'true', null, undefined, 1n, {}]) {
      expectRefused('?', true, bad, typeError, [...WRITERS, ...BITWISE])
    }
  })

  it.each(CHARACTERS)('anything but one character in $code', ({ code, maxCode }) => {
    for (const bad of ['', 'ab', 65, null, undefined, true, Buffer.from('a'), ['a'], 'e\u0301']) {
      expectRefused(code, 'z', bad, typeError)
    }
    if (maxCode < 0x10ffff) expectRefused(code, 'z', String.fromCodePoint(maxCode + 1), rangeError)
  })
})

describe('Value of a 64-bit integer type', () => {
  it.each(BIG_INTEGERS)('accepts safe integers as numbers and returns bigints ($code)', ({ code }) => {
    using value = make(code, 5)
    expect(value.value).toBe(5n)
    value.value = Number.MAX_SAFE_INTEGER
    expect(value.value).toBe(BigInt(Number.MAX_SAFE_INTEGER))
    expect(value.add(1)).toBe(BigInt(Number.MAX_SAFE_INTEGER))
    expect(value.update((n) => (n as bigint) + 1n)).toBe(2n ** 53n + 1n)
    expect(value.update(() => 3)).toBe(3n)
    expect(value.compareExchange(3, 4)).toBe(3n)
    expect(value.value).toBe(4n)
  })
})

describe.each(FLOATS)('Value of float type $code', ({ code, bits }) => {
  const round = (n: number) => roundTo(bits, n)
  const numbers = fc.double()

  it.each(EITHER)('keeps every number, rounded to its size, %s', (_kind, { lock }) => {
    using value = make(code, undefined, lock)
    const property = fc.property(numbers, numbers, (first, second) => {
      value.value = first
      expect(value.value).toBe(round(first))
      expect(value.exchange(second)).toBe(round(first))
      expect(value.load()).toBe(round(second))
      expect(value.store(first)).toBe(first)
      expect(value.update(() => second)).toBe(round(second))
      expect(value.snapshot()).toBe(round(second))
    })
    fc.assert(property, { numRuns: 200 })
    for (const special of [Number.NaN, -0, 0, Infinity, -Infinity, Number.MIN_VALUE, 1.1, 1e300]) {
      using fresh = make(code, special, lock)
      expect(fresh.value).toBe(round(special))
    }
  })

  it.each(EITHER)('adds and subtracts with one rounding, %s', (_kind, { lock }) => {
    using value = make(code, undefined, lock)
    const property = fc.property(numbers, numbers, numbers, (first, second, third) => {
      value.value = first
      const sum = round(round(first) + second)
      expect(value.add(second)).toBe(round(first))
      expect(value.value).toBe(sum)
      expect(value.sub(third)).toBe(sum)
      expect(value.value).toBe(round(sum - third))
    })
    fc.assert(property, { numRuns: 200 })
  })

  it.each(EITHER)('compares bits, so NaN equals NaN and 0 differs from -0, %s', (_kind, { lock }) => {
    using value = make(code, Number.NaN, lock)
    expect(value.compareExchange(Number.NaN, 1.5)).toBeNaN()
    expect(value.value).toBe(1.5)
    value.value = -0
    expect(value.compareExchange(0, 2)).toBe(-0)
    expect(value.value).toBe(-0)
    expect(value.compareExchange(-0, 2)).toBe(-0)
    expect(value.value).toBe(2)
  })

  it.each(EITHER)('refuses bit operations, and names the types that have them, %s', (_kind, { lock }) => {
    using value = make(code, 1.5, lock)
    for (const name of ['and', 'or', 'xor'] as const) {
      const message = new RegExp(`^the type must be an integer type or bool for ${name}\\(\\), got '${code}'`)
      expect(() => value[name](1)).toThrow(typeError(message))
    }
    expect(value.value).toBe(1.5)
  })
})

describe.each(EITHER)('Value of bool %s', (_kind, { lock }) => {
  it('is only true or false', () => {
    using value = make(BOOL.code, true, lock)
    expect(value.value).toBe(true)
    value.value = false
    expect(value.value).toBe(false)
    expect(value.update((yes) => !yes)).toBe(true)
    expect(value.exchange(false)).toBe(true)
    expect(value.store(true)).toBe(true)
    expect(value.compareExchange(true, false)).toBe(true)
    expect(value.load()).toBe(false)
  })

  it('has the logical operations', () => {
    using value = make(BOOL.code, false, lock)
    for (const [first, second] of [
      [false, false],
      [false, true],
      [true, false],
      [true, true],
    ] as const) {
      for (const [name, result] of [
        ['and', first && second],
        ['or', first || second],
        ['xor', first !== second],
      ] as const) {
        value.value = first
        expect(value[name](second)).toBe(first)
        expect(value.value).toBe(result)
      }
    }
  })

  it('refuses arithmetic', () => {
    using value = make(BOOL.code, true, lock)
    expect(() => value.add(true)).toThrow(typeError(/^the type must be a numeric type for add\(\), got '\?'/))
    expect(() => value.sub(true)).toThrow(typeError(/^the type must be a numeric type for sub\(\)/))
    expect(value.value).toBe(true)
  })
})

describe.each(CHARACTERS)('Value of character type $code', ({ code, maxCode }) => {
  it.each(EITHER)('holds any one character of its range, %s', (_kind, { lock }) => {
    using value = make(code, 'x', lock)
    expect(value.value).toBe('x')
    for (const point of [0, 0x41, 0x7f, 0x80, 0xff, 0x3b1, 0xffff, 0x1f600, 0x10ffff].filter((n) => n <= maxCode)) {
      const character = String.fromCodePoint(point)
      value.value = character
      expect(value.value).toBe(character)
      expect(value.exchange('y')).toBe(character)
      expect(value.compareExchange('y', character)).toBe('y')
      expect(value.load()).toBe(character)
    }
    expect(value.update((old) => (old === 'q' ? 'r' : 'q'))).toBe('q')
  })

  it('refuses arithmetic and bit operations', () => {
    using value = make(code, 'x')
    for (const name of ['add', 'sub', 'and', 'or', 'xor'] as const) {
      expect(() => value[name]('y')).toThrow(typeError(new RegExp(`^the type must be a.* for ${name}\\(\\)`)))
    }
    expect(value.value).toBe('x')
  })
})

describe('Value.update', () => {
  it.each(EITHER)('passes the value to fn and returns the new one, %s', (_kind, { lock }) => {
    using value = new Value('i', 20, { lock })
    expect(value.update((n) => n + 1)).toBe(21)
    expect(value.value).toBe(21)
  })

  it.each(EITHER)('changes nothing if fn throws, passes the error on and releases the lock, %s', (_kind, { lock }) => {
    using value = new Value('i', 20, { lock })
    const error = new Error('mine')
    const update = () =>
      value.update(() => {
        throw error
      })
    expect(update).toThrow(error)
    expect(value.value).toBe(20)
    if (lock) expect(value.lock.locked).toBe(false)
  })

  it.each(EITHER)('refuses a promise, and changes nothing, %s', (_kind, { lock }) => {
    using value = new Value('i', 20, { lock })
    expect(() => value.update((async () => 21) as never)).toThrow(typeError(/^the result of fn must be .*Promise/))
    expect(() => value.update((() => undefined) as never)).toThrow(typeError(/got undefined$/))
    expect(value.value).toBe(20)
  })

  it.each(EITHER)('refuses values that are not functions, %s', (_kind, { lock }) => {
    using value = new Value('i', 20, { lock })
    for (const bad of [undefined, null, 5, 'n => n', {}]) {
      expect(() => value.update(bad as never)).toThrow(typeError(/^fn must be a function, got /))
    }
  })

  it('runs fn once under the lock, which fn may acquire again', () => {
    using value = new Value('i', 1)
    let runs = 0
    const result = value.update((n) => {
      runs++
      expect(value.lock.locked).toBe(true)
      value.value = 50
      expect(value.value).toBe(50)
      expect(value.update((inner) => inner + 1)).toBe(51)
      return n + 1
    })
    expect(result).toBe(2)
    expect(value.value).toBe(2)
    expect(runs).toBe(1)
    expect(value.lock.locked).toBe(false)
  })

  it('without a lock tries again if the value has changed during fn', () => {
    using value = new Value('i', 1, { lock: false })
    const seen: number[] = []
    const result = value.update((n) => {
      seen.push(n)
      if (seen.length < 3) value.add(10)
      return n + 1
    })
    expect(seen).toEqual([1, 11, 21])
    expect(result).toBe(22)
  })

  it('rounds a float to the precision of its type', () => {
    for (const [, { lock }] of EITHER) {
      using value = new Value('f', 0, { lock })
      expect(value.update(() => 1.1)).toBe(Math.fround(1.1))
      expect(value.update(() => 1e39)).toBe(Infinity)
    }
  })

  it.each(EITHER)('throws if fn closes the value, %s', (_kind, { lock }) => {
    for (const type of ['i', 'q', 'd', '?', 'c'] as const) {
      const value = make(type, undefined, lock)
      const update = () =>
        value.update((old) => {
          value[Symbol.dispose]()
          return old
        })
      expect(update).toThrow(shareError('ERR_CLOSED'))
      expect(() => value.value).toThrow(shareError('ERR_CLOSED'))
    }
  })
})

describe('Value', () => {
  it.each(['z', '', 'ii', 'nonsense', null, undefined, 5, Struct])(
    'refuses %o as a type, and lists the types',
    (type) => {
      const listed = /^type must be one of 'c' \('char', 'c_char'\), .*'\?' \('bool', 'c_bool'\) or a Struct, got /
      expect(() => new Value(type as never)).toThrow(typeError(listed))
      expect(() => Value.create(uniqueName(), type as never)).toThrow(typeError(listed))
      expect(() => Value.open(uniqueName(), type as never)).toThrow(typeError(listed))
    },
  )

  it('refuses misspelt and wrong options, and names them', () => {
    const refused = (options: unknown) => () => new Value('i', 0, options as never)
    expect(refused({ presist: true })).toThrow(
      valueError(/^options\.presist is not a known option: use lock, persist, mode or pidNamespaces$/),
    )
    expect(refused(null)).toThrow(typeError(/^options must be an object, got null/))
    expect(refused('lock')).toThrow(typeError(/^options must be an object/))
    expect(refused([])).toThrow(typeError(/^options must be an object/))
    expect(refused({ persist: 1 })).toThrow(typeError(/^options\.persist must be a boolean, got 1 \(number\)/))
    expect(refused({ mode: '600' })).toThrow(typeError(/^options\.mode must be an integer/))
    expect(refused({ mode: 0o1000 })).toThrow(rangeError(/^options\.mode must be an integer from 0 to 511/))
    for (const lock of [0, 1, null, '', 'lock', {}, { acquire() {} }]) {
      expect(refused({ lock })).toThrow(typeError(/^options\.lock must be a boolean, a Lock or an RLock/))
    }
  })

  it('treats undefined options as missing', () => {
    using value = new Value('i', undefined, { lock: undefined, persist: undefined, mode: undefined } as never)
    expect(value.lock.locked).toBe(false)
  })

  it('is created only with new; a call without new describes a member of a SharedState', () => {
    const member = Value('i', 5)
    expect(member).toBeInstanceOf(Member)
    expect(member).not.toBeInstanceOf(Value)
    expect(() => Value('z' as 'i')).toThrow(typeError(/^type must be/))
    expect(() => Value('b', 1000)).toThrow(rangeError())
  })

  it('is an instance of Value and RawValue, for every type', () => {
    using scalar = new Value('i')
    using struct = new Value(Struct({ x: 'd' }))
    using raw = new RawValue('i')
    for (const value of [scalar, struct, raw]) {
      expect(value).toBeInstanceOf(Value)
      expect(value).toBeInstanceOf(RawValue)
    }
    for (const other of [undefined, null, 5, {}, [], Value]) expect((other as object) instanceof Value).toBe(false)
  })

  it('shows its name and value, without the lock', async () => {
    using value = new Value('q', 7n)
    expect(inspect(value)).toBe(`Value "${value.name}" 7n`)
    const guard = await value.lock.acquire()
    expect(inspect(value)).toBe(`Value "${value.name}" 7n`)
    guard.release()
    value.close()
    expect(inspect(value)).toBe(`Value "${value.name}" (closed)`)
  })

  it('travels as its handle in JSON', () => {
    using value = new Value('d', 1.5)
    using same = attach(JSON.parse(JSON.stringify({ value })).value) as Value<'d'>
    same.value = 2.5
    expect(value.value).toBe(2.5)
  })

  it('is found by name: create, attach, open', () => {
    const name = uniqueName('value')
    expect(() => Value.attach(name)).toThrow(shareError('ENOENT', new RegExp(`"${name}"`)))
    using created = Value.create(name, 'i', 5)
    expect(created.name).toBe(name)
    expect(() => Value.create(name, 'i', 6)).toThrow(shareError('EEXIST', new RegExp(`"${name}"`)))
    using attached = Value.attach(name, 'i')
    using opened = Value.open(name, 'i', 99)
    expect(opened.value).toBe(5)
    attached.add(1)
    expect(created.value).toBe(6)
    expect(opened.value).toBe(6)
  })

  it('is created by open with the initial value if it does not exist', () => {
    using value = Value.open(uniqueName('value'), 'h', 12)
    expect(value.value).toBe(12)
  })

  it('refuses to attach with another type, and names the type', () => {
    using value = Value.create(uniqueName('value'), 'i', 5)
    const other = shareError('ERR_TYPE', /holds 'i', not 'd'/)
    expect(() => Value.attach(value.name, 'd')).toThrow(other)
    expect(() => Value.open(value.name, 'd')).toThrow(other)
    expect(() => Value.attach(value.name, Struct({ x: 'i' }))).toThrow(
      shareError('ERR_TYPE', /holds 'i', not \{"struct"/),
    )
    expect(() => Value.attach(value.name, 'z' as never)).toThrow(typeError(/^type must be one of/))
    expect(value.value).toBe(5)
  })

  it('gets its type from the segment if none is expected', () => {
    using value = new Value('Q', 2n ** 63n)
    using same = Value.attach(value.handle)
    expect((same as unknown as AnyValue).type).toBe('Q')
    expect((same as unknown as AnyValue).value).toBe(2n ** 63n)
  })

  it('refuses to open with another lock than its own', () => {
    using locked = Value.create(uniqueName('value'), 'i')
    using unlocked = Value.create(uniqueName('value'), 'i', 0, { lock: false })
    expect(() => Value.open(locked.name, 'i', 0, { lock: false })).toThrow(
      shareError('ERR_TYPE', /created with a lock, but/),
    )
    expect(() => Value.open(unlocked.name, 'i', 0, { lock: true })).toThrow(
      shareError('ERR_TYPE', /created with lock: false, but/),
    )
    expect(() => RawValue.attach(locked.name)).toThrow(shareError('ERR_TYPE', /created with a lock, but/))
    expect(() => RawValue.open(locked.name, 'i')).toThrow(shareError('ERR_TYPE', /created with a lock, but/))
    using same = Value.open(unlocked.name, 'i')
    expect(() => same.lock).toThrow(shareError('ERR_NO_LOCK'))
  })

  it('has no lock with lock: false, and reading lock is an error', () => {
    using value = new Value('i', 0, { lock: false })
    expect(() => value.lock).toThrow(shareError('ERR_NO_LOCK', /^Value ".*" was created with lock: false/))
  })

  it('returns the same lock each time', () => {
    using value = new Value('i')
    expect(value.lock).toBe(value.lock)
    expect(value.lock.name).toBe(value.name)
  })

  it('makes several steps one step under its lock', () => {
    using value = new Value('i', 1)
    value.lock.runSync(() => {
      value.value += 1
      value.value *= 10
    })
    expect(value.value).toBe(20)
  })

  it('refuses at once an operation that a task of this thread would block forever', async () => {
    using value = new Value('i', 1)
    const guard = await value.lock.acquire()
    expect(() => value.value).toThrow(shareError('ERR_DEADLOCK'))
    expect(() => value.add(1)).toThrow(shareError('ERR_DEADLOCK'))
    expect(() => value.update((n) => n + 1)).toThrow(shareError('ERR_DEADLOCK'))
    expect(() => (value.value = 9)).toThrow(shareError('ERR_DEADLOCK'))
    guard.release()
    expect(value.value).toBe(1)
    await value.lock.run(async () => {
      value.value = 2
      await null
      value.add(1)
    })
    expect(value.value).toBe(3)
  })
})

describe('Value, for each type of integer,', () => {
  it('never returns -0', () => {
    for (const type of SMALL_INTEGERS as IntegerType[]) {
      for (const [, { lock }] of EITHER) {
        using value = make(type.code, -0, lock)
        expect(value.value).toBe(0)
        expect(value.update(() => -0)).toBe(0)
        expect(value.exchange(-0)).toBe(0)
        expect(value.add(-0)).toBe(0)
      }
    }
  })
})
