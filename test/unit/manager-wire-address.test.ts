import fc from 'fast-check'
import { expect, it } from 'vitest'
import { assertAddress, formatAddress, parseAddress, socketOptions } from '../../lib/manager/address.ts'
import { rangeError, shareError, typeError, valueError } from '../helpers/error-matchers.ts'

const port = fc.integer({ min: 0, max: 65_535 })
const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6())

it('an address survives its conversion to text and back', () => {
  const path = fc
    .string({ minLength: 1, maxLength: 20 })
    .filter((text) => !text.includes('\0') && !text.startsWith('tcp://'))
  fc.assert(
    fc.property(fc.oneof(path, fc.record({ host, port })), (address) => {
      assertAddress('address', address)
      expect(parseAddress(formatAddress(address))).toEqual(address)
    }),
  )
})

it('an IPv6 address has brackets as text', () => {
  expect(formatAddress({ host: '::1', port: 80 })).toBe('tcp://[::1]:80')
  expect(socketOptions({ host: '::1', port: 80 })).toEqual({ host: '::1', port: 80 })
  expect(socketOptions('/a/path')).toEqual({ path: '/a/path' })
})

it.each([
  [undefined, typeError(/^address must be a path, or \{ host, port \}/)],
  [null, typeError()],
  [5, typeError()],
  ['', valueError()],
  ['a\0b', valueError(/without NUL/)],
  [{ host: 'localhost' }, typeError(/^address\.port/)],
  [{ port: 1 }, typeError(/^address\.host/)],
  [{ host: '', port: 1 }, valueError(/^address\.host/)],
  [{ host: 'a', port: 65_536 }, rangeError(/^address\.port/)],
  [{ host: 'a', port: -1 }, rangeError(/^address\.port/)],
  [{ host: 'a', port: 1, path: '/x' }, valueError(/^address\.path/)],
  [`/${'x'.repeat(103)}`, shareError('ENAMETOOLONG', /at most 103 bytes/)],
])('%j is no address', (address, error) => {
  expect(() => assertAddress('address', address)).toThrow(error)
})

it('the longest path is measured in bytes', () => {
  expect(() => assertAddress('address', `/${'x'.repeat(102)}`)).not.toThrow()
  expect(() => assertAddress('address', `/${'é'.repeat(51)}`)).not.toThrow()
  expect(() => assertAddress('address', `/${'é'.repeat(52)}`)).toThrow(shareError('ENAMETOOLONG'))
})
