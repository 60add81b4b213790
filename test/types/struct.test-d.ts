// Compiled, never run: what TypeScript knows, and what it refuses.
import {
  SharedArray,
  Struct,
  type StructInit,
  type StructInput,
  type StructSnapshot,
  type StructView,
  Value,
} from 'procshare'
import { exactly } from './exactly.ts'

const Point = Struct({ x: 'd', y: 'float64' })
const All = Struct({
  id: 'q',
  on: '?',
  letter: 'c',
  numbers: ['i', 3],
  flags: ['?', 3],
  bigs: ['Q', 2],
  name: ['c', 8],
  title: ['u', 8],
  point: Point,
  path: [Point, 2],
  grid: [['h', 2], 2],
})

// Fields are typed by inference.
const all = new Value(All)
exactly<bigint>()(all.value.id)
exactly<boolean>()(all.value.on)
exactly<string>()(all.value.letter)
exactly<Int32Array>()(all.value.numbers)
exactly<Uint8Array>()(all.value.flags)
exactly<BigUint64Array>()(all.value.bigs)
exactly<Buffer>()(all.value.name)
exactly<string>()(all.value.title)
exactly<number>()(all.value.point.x)
exactly<number>()(all.value.path[1]!.y)
exactly<Int16Array>()(all.value.grid[0]!)
all.value.id = 5n
all.value.point.x += 1
all.value.numbers[0] = 5
all.value.path[0]!.x = 5

// Types go by any of their names.
const Named = Struct({
  double: 'double',
  long: 'c_longlong',
  real: Float64Array,
  big: BigInt64Array,
  reals: [Float64Array, 3],
  bigs: ['ulonglong', 2],
  text: ['c_char', 8],
  wide: ['c_wchar', 8],
})
const named = new Value(Named, { big: 1, reals: [1, 2], text: 'abc', wide: ['a', 98] })
exactly<number>()(named.value.double)
exactly<bigint>()(named.value.long)
exactly<number>()(named.value.real)
exactly<bigint>()(named.value.big)
exactly<Float64Array>()(named.value.reals)
exactly<BigUint64Array>()(named.value.bigs)
exactly<Buffer>()(named.value.text)
exactly<string>()(named.value.wide)
exactly<{
  double: number
  long: bigint
  real: number
  big: bigint
  reals: number[]
  bigs: bigint[]
  text: Buffer
  wide: string
}>()(named.snapshot())

// A snapshot is plain.
const copy = all.snapshot()
exactly<bigint>()(copy.id)
exactly<number[]>()(copy.numbers)
exactly<boolean[]>()(copy.flags)
exactly<Buffer>()(copy.name)
exactly<string>()(copy.title)
exactly<{ x: number; y: number }>()(copy.point)
exactly<number[][]>()(copy.grid)
exactly<number>()(All.offsets.numbers)
exactly<'d'>()(Point.fields.x)

// Some fields at first, all of them later.
new Value(Point, { x: 1 })
new Value(Point, {})
new Value(Point)
new Value(All, { id: 5, numbers: new Set([1]), name: 'text', title: 'text', path: [{ x: 1, y: 2 }], grid: [[1], [2]] })
new Value(All, { name: Buffer.from('x'), flags: [true], bigs: [1, 2n] })
new Value(Point, new Value(Point).value)
const point = Value.open('name', Point, { y: 1 })
point.value = { x: 1, y: 2 }
point.value.x = 5
exactly<{ x: number; y: number }>()(point.snapshot())
exactly<{ x: number; y: number }>()(point.update(({ x, y }) => ({ x: y, y: x })))
point.update((record) => {
  record.x += 1
})
exactly<number>()(Value.attach('name', Point).value.x)

// Fields are given by name or in order, also to records in records.
new Value(Point, [1, 2])
new Value(Point, [1])
new Value(All, [5n, true, 'a', [1, 2, 3], [], [1n], 'name', 'title', [1, 2], [[1, 2], { x: 3, y: 4 }], [[1], [2]]])
point.value = [1, 2]
point.update(() => [1, 2])
point.assign([1])
point.assign({ y: 2 })
const table = new SharedArray(Point, [[1.875, -6.25], { x: 1, y: 2 }])
table[0] = table[1]!
table.set(0, [1, 2])
table.assign([[1, 2], { x: 1, y: 2 }])

// Text and arrays are set as whatever they are made from.
all.assign({ name: 'text', title: 'text', numbers: [1, 2], path: [[1, 2]], grid: [[1], new Set([2])] })
all.value.name = Buffer.from('text')
all.value.numbers = Int32Array.of(1, 2, 3)
all.value.title = 'text'

// Arrays of structs have what arrays have that changes nothing.
exactly<number[]>()(table.map(({ x }) => x))
exactly<StructView<typeof Point.fields>[]>()(table.filter(({ x }) => x > 0))
exactly<StructView<typeof Point.fields> | undefined>()(table.find(({ y }, i, all) => y > i + all.length))
exactly<number>()(table.reduce((sum, { x }) => sum + x, 0))
exactly<boolean>()(table.some(({ x }) => x === 1))
for (const [i, { x }] of table.entries()) exactly<number>()(i + x)
exactly<{ x: number; y: number }>()({ ...table[0]! })

// The types have names.
type Fields = { readonly x: 'd'; readonly y: 'i' }
exactly<{ x: number; y: number }>()({} as StructSnapshot<Fields>)
exactly<{ x: number; y: number }>()({} as StructView<Fields>)
export const init: StructInit<Fields> = { y: 1 }
export const input: StructInput<Fields> = { x: 1, y: 1 }

// @ts-expect-error
Struct({ x: 'doubel' })
// @ts-expect-error
Struct({ x: Uint8ClampedArray })
// @ts-expect-error
Struct({ x: [Number, 2] })
// @ts-expect-error
Struct({ x: ['i'] })
// @ts-expect-error
Struct({ x: ['i', '3'] })
// @ts-expect-error
Struct(['i', 'd'])
// @ts-expect-error
Struct('i')
// @ts-expect-error
new Value(Point, { x: '1' })
// @ts-expect-error
new Value(Point, { z: 1 })
// @ts-expect-error
new Value(Point, 5)
// @ts-expect-error
new Value(All, { numbers: ['1'] })
// @ts-expect-error
new Value(All, { numbers: 5 })
// @ts-expect-error
new Value(All, { name: [true] })
// @ts-expect-error
new Value(All, { title: 5 })
// @ts-expect-error
new Value(All, { point: { x: 1 } })
// @ts-expect-error
point.value = { x: 1 }
// @ts-expect-error
point.value = { x: 1, y: 2, z: 3 }
// @ts-expect-error
point.value.x = '5'
// @ts-expect-error
new Value(Point, ['1'])
// @ts-expect-error
point.assign({ z: 1 })
// @ts-expect-error
point.assign({ x: '1' })
// @ts-expect-error
all.assign({ numbers: ['1'] })
// @ts-expect-error
point.value.z
// @ts-expect-error
all.value.path[0] = { x: 1, y: 2 }
// @ts-expect-error
point.update(() => ({ x: 1 }))
// @ts-expect-error
point.update(async () => ({ x: 1, y: 2 }))
// @ts-expect-error
Point.byteLength = 5
// @ts-expect-error
Point.fields.x = 'i'
