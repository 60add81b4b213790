// Compiled, never run: what TypeScript knows, and what it refuses.
import { Array as AliasedArray, type AnyLock, RawArray, SharedArray, Struct } from 'procshare'
import { exactly } from './exactly.ts'

// An array of scalars is a typed array of the right type.
const ints: Int32Array = new SharedArray('i', 4)
const bytes: Uint8Array = new SharedArray('B', [1, 2])
const shorts: Int16Array = new SharedArray('int16', 4)
const doubles: Float64Array = new RawArray('d', 4)
const bigs: BigInt64Array = new SharedArray('q', 4)
const bigUnsigned: BigUint64Array = AliasedArray.create('name', 'Q', 4)
const flags: Uint8Array = new SharedArray('?', [true, false])
const text: Uint8Array = new SharedArray('c', 'hello')
const wide: Uint32Array | Uint16Array = new SharedArray('u', 'hello')
const longs: BigInt64Array | Int32Array = new SharedArray('l', 4)

// Under any name of the type.
exactly<Float64Array>()(new SharedArray(Float64Array, 4).snapshot())
exactly<Float64Array>()(new RawArray('c_double', 4).snapshot())
exactly<BigUint64Array>()(SharedArray.open('name', BigUint64Array, [1n, 2]).snapshot())
exactly<Uint8Array>()(SharedArray.attach('name', 'uchar').snapshot())
exactly<'H'>()(new SharedArray('c_ushort', 1).type)
exactly<Buffer>()(new SharedArray('c_char', 'text').value)
exactly<string>()(new SharedArray('c_wchar', 'text').value)
const floats: Float32Array = new SharedArray(Float32Array, new Set([1, 2]))
const named: Int32Array = new SharedArray('int', 4)
// @ts-expect-error
new SharedArray(Float64Array, [1n])
// @ts-expect-error
new SharedArray(Uint8Array, 'text')
// @ts-expect-error
new SharedArray(Uint8ClampedArray, 4)

export { bigs, bigUnsigned, bytes, doubles, flags, floats, ints, longs, named, shorts, text, wide }

exactly<number | undefined>()(new SharedArray('i', 4)[0])
exactly<bigint | undefined>()(new SharedArray('q', 4)[0])
exactly<Int32Array<ArrayBufferLike>>()(new SharedArray('i', 4).snapshot())
exactly<Int32Array<ArrayBuffer>>()(new SharedArray('i', 4).map((n) => n * 2))
exactly<AnyLock>()(new SharedArray('i', 4).lock)
exactly<number>()(Atomics.add(new SharedArray('i', 4), 0, 1))
exactly<bigint>()(Atomics.add(new SharedArray('q', 4), 0, 1n))
exactly<SharedArray<'i'>>()(new SharedArray('i', 4))
exactly<SharedArray<'i'>>()(SharedArray.attach('name', 'i'))
exactly<SharedArray<'i'>>()(SharedArray.open('name', 'i', 4, { lock: false }))
for (const n of new SharedArray('d', 4)) exactly<number>()(n)
new SharedArray('i', 4)[0]! += 1

// Text.
exactly<Buffer>()(new SharedArray('c', 4).value)
exactly<string>()(new SharedArray('u', 4).value)
exactly<Buffer>()(new SharedArray('c', 4).raw)
new SharedArray('c', 4).value = 'abc'
new SharedArray('c', 4).value = Buffer.from('abc')
new SharedArray('u', 4).value = 'abc'

// Initial elements come from any iterable.
new SharedArray('i', new Set([1, 2]))
new SharedArray('i', new Map([[1, 'x']]).keys())
new SharedArray('i', new Float32Array(3))
new SharedArray('i', new SharedArray('h', 3))
new SharedArray('q', [1, 2n])
new SharedArray('q', new BigInt64Array(2))
new SharedArray('?', new SharedArray('?', 3))
new SharedArray('c', ['a', 98])
new SharedArray('i', 4).assign([1, 2], 1)
new SharedArray('?', 4).assign(new SharedArray('?', 4).snapshot())

// Structs.
const Point = Struct({ x: 'd', n: 'q' })
const points = new SharedArray(Point, [{ x: 1 }, { n: 2n }])
exactly<number>()(points[0]!.x)
exactly<bigint>()(points[0]!.n)
exactly<number | undefined>()(points.at(-1)?.x)
exactly<{ x: number; n: bigint }[]>()(points.snapshot())
for (const point of points) exactly<number>()(point.x)
points[0] = { x: 1, n: 2n }
points.set(0, { x: 1, n: 2 })
points.assign([{ x: 1, n: 2n }], 1)

// @ts-expect-error
new SharedArray('integer', 4)
// @ts-expect-error
new SharedArray('i')
// @ts-expect-error
new SharedArray('i', '4')
// @ts-expect-error
new SharedArray('i', ['1'])
// @ts-expect-error
new SharedArray('i', [1n])
// @ts-expect-error
new SharedArray('?', [1])
// @ts-expect-error
new SharedArray('u', [true])
// @ts-expect-error
new SharedArray('i', 4, { lock: 1 })
// @ts-expect-error
new SharedArray('i', 4, { locked: true })
// @ts-expect-error
new RawArray('i', 4, { lock: true })
// @ts-expect-error
SharedArray.create('i', 4)
// @ts-expect-error
new SharedArray('i', 4)[0] = 1n
// @ts-expect-error
new SharedArray('i', 4)[0] = '1'
// @ts-expect-error
new SharedArray('i', 4).length = 5
// @ts-expect-error
new SharedArray('i', 4).assign(['1'])
// @ts-expect-error
new SharedArray('i', 4).assign('12')
// @ts-expect-error
new SharedArray('i', 4).value
// @ts-expect-error
new SharedArray('u', 4).value = 5
// @ts-expect-error
const wrong: Float64Array = new SharedArray('i', 4)

export { wrong }

// @ts-expect-error
new SharedArray(Point, [{ z: 1 }])
// @ts-expect-error
new SharedArray(Point, 'xy')
// @ts-expect-error
points.set(0, { x: 1 })
// @ts-expect-error
points.assign([{ x: 1 }])
// @ts-expect-error
points[0] = { x: 1, n: '2' }
// @ts-expect-error
points[0]!.z
// @ts-expect-error
new SharedArray(Point, [['1', 2]])
// @ts-expect-error
points.set(0, [1, true])
// @ts-expect-error
points.sort
// @ts-expect-error
points.push({ x: 1, n: 2n })
