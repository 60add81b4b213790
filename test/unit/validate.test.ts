import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import {
  assertBoolean,
  assertFunction,
  assertInteger,
  assertSignal,
  assertString,
  assertTimeout,
  rangeError,
  takeOptions,
  typeError,
  valueError,
} from '../../lib/validate.ts'
import * as expected from '../helpers/error-matchers.ts'

describe('an error about an argument', () => {
  it('names the argument, the expected value, and the given value with its type', () => {
    expect(typeError('options.timeoutMs', 'a number', '5').message).toBe(
      "options.timeoutMs must be a number, got '5' (string)",
    )
    expect(typeError('x', 'y', null).message).toBe('x must be y, got null')
    expect(typeError('x', 'y', undefined).message).toBe('x must be y, got undefined')
    expect(typeError('x', 'y', 5n).message).toBe('x must be y, got 5n (bigint)')
    expect(typeError('x', 'y', Symbol('s')).message).toBe('x must be y, got Symbol(s) (symbol)')
    expect(typeError('x', 'y', -0).message).toBe('x must be y, got -0 (number)')
    expect(typeError('x', 'y', [1, [2]]).message).toBe('x must be y, got [ 1, [Array] ] (object)')
    expect(typeError('x', 'y', () => {}).message).toBe('x must be y, got [Function (anonymous)] (function)')
  })

  it('has the class and code that Node uses', () => {
    expect(typeError('x', 'y', 1)).toEqual(expected.typeError())
    expect(valueError('x', 'y', 1)).toEqual(expected.valueError())
    expect(rangeError('x', 'y', 1)).toEqual(expected.rangeError())
    expect(typeError('x', 'y', 1)).toBeInstanceOf(TypeError)
    expect(rangeError('x', 'y', 1)).toBeInstanceOf(RangeError)
  })

  it('stays short and on one line, for any value', () => {
    const message = typeError('x', 'y', { text: 'x'.repeat(10_000), list: Array.from({ length: 1_000 }) }).message
    expect(message.length).toBeLessThan(200)
    const keys = Array.from({ length: 20 }, (_, i) => [`aRatherLongKey${i}`, i])
    expect(message).not.toContain('\n')
    expect(typeError('x', 'y', Object.fromEntries(keys)).message).not.toContain('\n')
    expect(typeError('x', 'y', 'z'.repeat(10_000)).message.length).toBeLessThan(200)
  })
})

it('assertInteger accepts integers of a range', () => {
  for (const good of [0, 5, 10, -0]) expect(assertInteger('n', good, 0, 10)).toBeUndefined()
  for (const bad of [-1, 11, 0.5, Number.NaN, Infinity]) {
    expect(() => assertInteger('n', bad, 0, 10)).toThrow(
      expected.rangeError(/^n must be an integer from 0 to 10, got /),
    )
  }
  for (const bad of ['5', 5n, null, undefined, {}]) {
    expect(() => assertInteger('n', bad, 0, 10)).toThrow(expected.typeError(/^n must be an integer, got /))
  }
})

it('assertFunction, assertBoolean and assertString accept values of their type', () => {
  expect(assertFunction('f', () => {})).toBeUndefined()
  expect(assertBoolean('b', false)).toBeUndefined()
  expect(assertString('s', '')).toBeUndefined()
  expect(() => assertFunction('f', {})).toThrow(expected.typeError(/^f must be a function, got \{\}/))
  expect(() => assertBoolean('b', 0)).toThrow(expected.typeError(/^b must be a boolean, got 0/))
  expect(() => assertString('s', Object('x'))).toThrow(expected.typeError(/^s must be a string, got /))
})

it('takeOptions copies undefined, and objects with known keys', () => {
  const check = (value: unknown) => () => takeOptions('options', value as { a?: number; b?: number }, ['a', 'b'])
  for (const good of [undefined, {}, { a: 1 }, { b: undefined }, Object.create(null), runInNewContext('({ a: 1 })')])
    expect({ ...check(good)() }).toEqual({ ...(good as object) })
  for (const bad of [null, 5, 'a', true, [], () => {}]) {
    expect(check(bad)).toThrow(expected.typeError(/^options must be an object, got /))
  }
  for (const bad of [new Date(), new Map(), Object.create({ a: 1 }), new (class Options {})()]) {
    expect(check(bad)).toThrow(expected.typeError(/^options must be a plain object, got /))
  }
  expect(check({ A: 1 })).toThrow(expected.valueError(/^options\.A is not a known option: use a or b$/))
})

it('assertTimeout accepts undefined and milliseconds from 0 to Infinity', () => {
  for (const good of [undefined, 0, -0, 0.5, 1e9, Infinity]) expect(assertTimeout('t', good)).toBeUndefined()
  for (const bad of [-1, Number.NaN, -Infinity]) expect(() => assertTimeout('t', bad)).toThrow(expected.rangeError())
  for (const bad of ['1', null, 1n, new Date()]) expect(() => assertTimeout('t', bad)).toThrow(expected.typeError())
})

it('assertSignal accepts undefined and signals', () => {
  for (const good of [undefined, AbortSignal.abort(), new AbortController().signal]) {
    expect(assertSignal('s', good)).toBeUndefined()
  }
  for (const bad of [null, {}, new AbortController()])
    expect(() => assertSignal('s', bad)).toThrow(expected.typeError())
})
