/** Struct: records with C layout, and the accessors that read and write their fields directly in memory. */
import { typeError, valueError } from '../validate.ts'
import { Layout } from './struct-layout.ts'
import type { StructFields, StructType } from './struct-types.ts'

/**
 * Declares a record with C layout. The fields are in order and naturally aligned, so the layout is that of a C `struct` with
 * these fields.
 *
 * @remarks Fields are scalars, other structs, and `[type, length]` arrays of either. Reading a `char` array returns a `Buffer` up
 * to the first NUL. An array field can be set to the same values as a {@link SharedArray}, and a `char` array also to a string
 * (UTF-8). Setting a field checks the value as a {@link Value} does.
 * @throws `TypeError` for an unknown type or an invalid field name; `RangeError` for an array length below 1.
 * @example
 * ```ts
 * import { Struct, Value } from 'procshare'
 * const Point = Struct({ x: 'd', y: 'd' })
 * using point = new Value(Point, { x: 1.5, y: 2 })
 * point.value.x *= 2 // straight in memory, without the lock
 * point.update((p) => { p.y = p.x }) // under the lock, all or nothing
 * console.assert(point.snapshot().y === 3)
 * ```
 */
export function Struct<const F extends StructFields>(fields: F): StructType<F> {
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    throw typeError('fields', 'an object of field types', fields)
  }
  const names = Object.keys(fields)
  if (names.length === 0) throw valueError('fields', 'an object with at least one field', fields)
  for (const name of names) {
    // JavaScript would move a number to the front, and __proto__ is a special property.
    if (/^\d+$/.test(name) || name === '__proto__' || name === 'toJSON' || name === 'constructor') {
      throw valueError(
        'fields',
        'an object without fields that are named like a number, __proto__, constructor or toJSON',
        name,
      )
    }
  }
  return new Layout(fields)
}
