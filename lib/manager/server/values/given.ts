/** Several values or entries as arguments: plain collections, or managed ones of the same server. */
import { typeError } from '../../../validate.ts'
import { Referent } from '../referent.ts'
import { Keyed } from './keyed.ts'

/** Objects in the server that consist of values. */
export abstract class ManagedValues {
  /** A copy of the values. */
  abstract copy(): unknown[]
}

/** Several values: an array, a set, a managed list or set. The receiving method never changes the result. */
export function valuesOf(name: string, given: unknown): readonly unknown[] {
  if (Array.isArray(given)) return given
  if (given instanceof Set) return [...given]
  if (given instanceof Referent && given.object instanceof ManagedValues) return given.object.copy()
  throw typeError(name, 'an array, a Set, or a managed list or set', given)
}

/** Several entries: an array of pairs, a map, a plain object, a managed dict. */
export function entriesOf(name: string, given: unknown): readonly (readonly [unknown, unknown])[] {
  if (given instanceof Map) return [...given]
  if (given instanceof Referent && given.object instanceof Keyed) {
    return [...given.object.entries()]
  }
  if (Array.isArray(given)) {
    for (const entry of given) {
      if (!Array.isArray(entry) || entry.length !== 2) throw typeError(`${name}[]`, 'a pair [key, value]', entry)
    }
    return given
  }
  if (Object.prototype.toString.call(given) === '[object Object]' && !(given instanceof Referent)) {
    return Object.entries(given as object)
  }
  throw typeError(name, 'an array of pairs, a Map, an object, or a managed dict', given)
}
