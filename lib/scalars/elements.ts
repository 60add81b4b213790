/** The elements that a user gives for an array of scalars, checked and converted. */
import { types } from 'node:util'
import { typeError } from '../validate.ts'
import type { ScalarType } from './scalar.ts'
import type { RawElement, ScalarArray } from './storage.ts'

/** The elements that the caller gave: an array or typed array as it is, any other iterable as a list of its items. */
export function toList(given: unknown, name: string, expected: string): ArrayLike<unknown> {
  if (Array.isArray(given) || (ArrayBuffer.isView(given) && !types.isDataView(given))) {
    return given as ArrayLike<unknown>
  }
  const iterable = given as Iterable<unknown> | null | undefined
  if (typeof given === 'string' || typeof iterable?.[Symbol.iterator] !== 'function') {
    throw typeError(name, expected, given)
  }
  return [...iterable]
}

/** Elements as the typed array holds them, all checked: nothing is written before everything fits. */
export function encodeAll(type: ScalarType, values: unknown, name: string): ScalarArray {
  const isText = typeof values === 'string' && type.text !== undefined
  const list = isText ? type.text.elementsOf(values, name) : toList(values, name, 'an iterable of elements')
  if (list instanceof type.ArrayType && type.usesAllBits) return list as ScalarArray
  const elements = new type.ArrayType(list.length)
  const { min, max, isFloat } = type
  let i = 0
  try {
    for (; i < list.length; i++) {
      const item = list[i]
      // The test of encodeElement(), whose call would take twice as long here.
      const isUsual = typeof item === 'number' && item >= min && item <= max && (isFloat || Number.isInteger(item))
      elements[i] = isUsual ? item : encodeItem(type, list, item, name)
    }
  } catch (error) {
    // Again, for an error that names the element. Making the name for each element would take longer than all the rest.
    encodeItem(type, list, list[i], `${name}[${i}]`)
    throw error // the list has returned a different item this time
  }
  return elements
}

/** Elements of typed arrays are as memory holds them; characters may be their codes in any list. */
function encodeItem(type: ScalarType, list: ArrayLike<unknown>, item: unknown, name: string): RawElement {
  const isRaw = ArrayBuffer.isView(list) || (type.text !== undefined && typeof item === 'number')
  return isRaw ? type.encodeRaw(item, name) : type.encode(item, name)
}
