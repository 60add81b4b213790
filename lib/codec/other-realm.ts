/**
 * Built-in objects of another realm, such as those of a program that a test framework or `node:vm` runs. `instanceof` does not
 * recognise them, so msgpackr would write such a Map as an empty object. They are recognised by their internal slots, and arrive
 * as objects of the receiver's realm.
 */
import { types } from 'node:util'
import { segmentError } from '../errors/segment-messages.ts'

/** An object as its tag and its parts. */
type Parts = readonly [tag: string, ...parts: unknown[]]

const TypedArray = Object.getPrototypeOf(Uint8Array) as new () => object

const { Float16Array } = globalThis as { Float16Array?: Float32ArrayConstructor }

/** The classes of typed arrays that msgpackr writes by itself. */
export const KNOWN_ARRAYS = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
] as const

const TYPED_ARRAYS = new Map(
  [...KNOWN_ARRAYS, ...(Float16Array === undefined ? [] : [Float16Array])].map((Class) => [Class.name, Class]),
)

/** Whether it is a built-in object other than an array, a plain object or an error, and of another realm. */
export function isOfOtherRealm(value: object): boolean {
  // A realm may have single classes of another one: under Jest it has Uint8Array, and none of the other typed arrays.
  if (value instanceof Object) {
    if (!ArrayBuffer.isView(value) || value instanceof DataView) return false
    // msgpackr does not support Float16Array either.
    return !(value instanceof TypedArray) || tagOf(value) === 'Float16Array'
  }
  const tag = tagOf(value)
  return tag !== undefined && (value as object).constructor?.name === tag
}

/** The name of the class of a built-in object, found by its internal slots. */
function tagOf(value: object): string | undefined {
  if (types.isTypedArray(value)) return value[Symbol.toStringTag]
  if (types.isDate(value)) return 'Date'
  if (types.isMap(value)) return 'Map'
  if (types.isSet(value)) return 'Set'
  if (types.isRegExp(value)) return 'RegExp'
  if (types.isArrayBuffer(value)) return 'ArrayBuffer'
  return types.isDataView(value) ? 'DataView' : undefined
}

/** An object for which isOfOtherRealm() is true, as plain values. */
export function partsOfOther(value: object): Parts {
  const tag = tagOf(value)!
  if (ArrayBuffer.isView(value)) return [tag, Buffer.from(value.buffer, value.byteOffset, value.byteLength)]
  if (types.isArrayBuffer(value)) return [tag, Buffer.from(value)]
  if (types.isDate(value)) return [tag, value.getTime()]
  if (types.isRegExp(value)) return [tag, value.source, value.flags]
  return [tag, [...(value as Iterable<unknown>)]]
}

/** The object that the parts describe. @throws for invalid parts. */
export function otherFromParts([tag, first, second]: Parts): object {
  if (tag === 'Date') return new Date(first as number)
  if (tag === 'RegExp') return new RegExp(first as string, second as string)
  if (tag === 'Map') return new Map(first as [unknown, unknown][])
  if (tag === 'Set') return new Set(first as unknown[])
  if (!types.isUint8Array(first)) throw new TypeError('Expected bytes')
  const { buffer } = Uint8Array.prototype.slice.call(first)
  if (tag === 'ArrayBuffer') return buffer
  if (tag === 'DataView') return new DataView(buffer)
  const Class = TYPED_ARRAYS.get(tag)
  if (tag === 'Float16Array' && Class === undefined) {
    throw segmentError('ERR_TYPE', {
      unsupported: 'a Float16Array, which this runtime does not have and Node.js has from version 24 on',
    })
  }
  if (Class === undefined) throw new TypeError(`Unknown class ${tag}`)
  return new Class(buffer)
}
