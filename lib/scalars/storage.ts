/**
 * How an element lies in memory: one record for each typed array. Byte order is the machine's; Node.js runs on little-endian
 * machines only.
 */

export type ScalarArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array

export type ScalarArrayConstructor = {
  new (length: number): ScalarArray
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): ScalarArray
  readonly BYTES_PER_ELEMENT: number
}

/** An element as a typed array holds it. */
export type RawElement = number | bigint

export interface Storage {
  readonly ArrayType: ScalarArrayConstructor
  /** The array of integers of the same size on which `Atomics` can operate: for integers the same array. */
  readonly BitsType: ScalarArrayConstructor
  read(bytes: DataView, at: number): RawElement
  write(bytes: DataView, at: number, raw: RawElement): void
}

// For V8: separate functions for each array, which it compiles to a plain load or store.

export const INT8: Storage = {
  ArrayType: Int8Array,
  BitsType: Int8Array,
  read: (bytes, at) => bytes.getInt8(at),
  write: (bytes, at, raw) => bytes.setInt8(at, raw as number),
}

export const UINT8: Storage = {
  ArrayType: Uint8Array,
  BitsType: Uint8Array,
  read: (bytes, at) => bytes.getUint8(at),
  write: (bytes, at, raw) => bytes.setUint8(at, raw as number),
}

export const INT16: Storage = {
  ArrayType: Int16Array,
  BitsType: Int16Array,
  read: (bytes, at) => bytes.getInt16(at, true),
  write: (bytes, at, raw) => bytes.setInt16(at, raw as number, true),
}

export const UINT16: Storage = {
  ArrayType: Uint16Array,
  BitsType: Uint16Array,
  read: (bytes, at) => bytes.getUint16(at, true),
  write: (bytes, at, raw) => bytes.setUint16(at, raw as number, true),
}

export const INT32: Storage = {
  ArrayType: Int32Array,
  BitsType: Int32Array,
  read: (bytes, at) => bytes.getInt32(at, true),
  write: (bytes, at, raw) => bytes.setInt32(at, raw as number, true),
}

export const UINT32: Storage = {
  ArrayType: Uint32Array,
  BitsType: Uint32Array,
  read: (bytes, at) => bytes.getUint32(at, true),
  write: (bytes, at, raw) => bytes.setUint32(at, raw as number, true),
}

export const INT64: Storage = {
  ArrayType: BigInt64Array,
  BitsType: BigInt64Array,
  read: (bytes, at) => bytes.getBigInt64(at, true),
  write: (bytes, at, raw) => bytes.setBigInt64(at, raw as bigint, true),
}

export const UINT64: Storage = {
  ArrayType: BigUint64Array,
  BitsType: BigUint64Array,
  read: (bytes, at) => bytes.getBigUint64(at, true),
  write: (bytes, at, raw) => bytes.setBigUint64(at, raw as bigint, true),
}

export const FLOAT32: Storage = {
  ArrayType: Float32Array,
  BitsType: Int32Array,
  read: (bytes, at) => bytes.getFloat32(at, true),
  write: (bytes, at, raw) => bytes.setFloat32(at, raw as number, true),
}

export const FLOAT64: Storage = {
  ArrayType: Float64Array,
  BitsType: BigInt64Array,
  read: (bytes, at) => bytes.getFloat64(at, true),
  write: (bytes, at, raw) => bytes.setFloat64(at, raw as number, true),
}

/** What the declarations of older runtimes lack. */
interface HalfView {
  getFloat16(at: number, littleEndian: boolean): number
  setFloat16(at: number, value: number, littleEndian: boolean): void
}

const { Float16Array } = globalThis as { Float16Array?: ScalarArrayConstructor }

/** Undefined in a runtime without `Float16Array`. */
export const FLOAT16: Storage | undefined = Float16Array && {
  ArrayType: Float16Array,
  BitsType: Int16Array,
  read: (bytes, at) => (bytes as unknown as HalfView).getFloat16(at, true),
  write: (bytes, at, raw) => (bytes as unknown as HalfView).setFloat16(at, raw as number, true),
}
