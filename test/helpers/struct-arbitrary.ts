/** Structs of all shapes, records to fill them, the expected contents afterwards, and the layout in C. */
import fc from 'fast-check'
import { type FieldType, Struct, type StructFields, type StructType, type TypeCode } from 'procshare'
import { BOOL, CHARACTERS, FLOATS, INTEGERS, limitsOf, roundTo, SCALARS, toJs } from './scalar-types.ts'

/** A field's type in a form that test code can take apart. */
export type Shape =
  | { readonly kind: 'scalar'; readonly code: TypeCode }
  | { readonly kind: 'array'; readonly element: Shape; readonly length: number }
  | { readonly kind: 'struct'; readonly fields: readonly Shape[] }

export type StructShape = Extract<Shape, { kind: 'struct' }>

const scalarShape = fc.constantFrom(...SCALARS.map(({ code }) => code)).map((code): Shape => ({ kind: 'scalar', code }))

function fieldShape(depth: number): fc.Arbitrary<Shape> {
  if (depth === 0) return scalarShape
  const inner = fieldShape(depth - 1)
  const array = fc
    .record({ element: inner, length: fc.integer({ min: 1, max: 5 }) })
    .map((found): Shape => ({ kind: 'array', ...found }))
  return fc.oneof({ weight: 4, arbitrary: scalarShape }, { weight: 2, arbitrary: array }, structShape(depth - 1))
}

/** A struct of up to six fields, nested up to `depth` times. */
export function structShape(depth = 2): fc.Arbitrary<StructShape> {
  return fc
    .array(fieldShape(depth), { minLength: 1, maxLength: 6 })
    .map((fields): StructShape => ({ kind: 'struct', fields }))
}

export const fieldName = (index: number): string => `f${index}`

/** What `Struct()` takes for the shape. */
export function toFields({ fields }: StructShape): StructFields {
  return Object.fromEntries(fields.map((field, i) => [fieldName(i), toFieldType(field)]))
}

function toFieldType(shape: Shape): FieldType {
  if (shape.kind === 'scalar') return shape.code
  if (shape.kind === 'array') return [toFieldType(shape.element), shape.length]
  return toStruct(shape)
}

export function toStruct(shape: StructShape): StructType<StructFields> {
  return Struct(toFields(shape))
}

/** The rules of C: fields in order, each at a multiple of its alignment, the whole a multiple of the largest one. */
export function layoutOf(shape: Shape): { size: number; alignment: number; offsets: number[] } {
  if (shape.kind === 'scalar') {
    const size = SCALARS.find(({ code }) => code === shape.code)!.bits / 8
    return { size, alignment: size, offsets: [] }
  }
  if (shape.kind === 'array') {
    const { size, alignment } = layoutOf(shape.element)
    return { size: size * shape.length, alignment, offsets: [] }
  }
  let end = 0
  let largest = 1
  const offsets = shape.fields.map((field) => {
    const { size, alignment } = layoutOf(field)
    while (end % alignment !== 0) end++
    const offset = end
    end += size
    largest = Math.max(largest, alignment)
    return offset
  })
  while (end % largest !== 0) end++
  return { size: end, alignment: largest, offsets }
}

/** A value to write into a field, and the value that reading gives afterwards. */
export interface Filling {
  readonly input: unknown
  readonly output: unknown
}

/** Values for a field of the shape. */
export function filling(shape: Shape): fc.Arbitrary<Filling> {
  if (shape.kind === 'scalar') return scalarFilling(shape.code)
  if (shape.kind === 'array') return arrayFilling(shape.element, shape.length)
  return fc.tuple(...shape.fields.map(filling)).map((fields) => ({
    input: Object.fromEntries(fields.map(({ input }, i) => [fieldName(i), input])),
    output: Object.fromEntries(fields.map(({ output }, i) => [fieldName(i), output])),
  }))
}

function scalarFilling(code: TypeCode): fc.Arbitrary<Filling> {
  const float = FLOATS.find((type) => type.code === code)
  return scalarValue(code).map((input) => ({ input, output: float ? roundTo(float.bits, input as number) : input }))
}

/** Values that the type can hold. */
export function scalarValue(code: TypeCode): fc.Arbitrary<unknown> {
  const integer = INTEGERS.find((type) => type.code === code)
  if (integer !== undefined) return fc.bigInt(limitsOf(integer)).map((exact) => toJs(integer, exact))
  if (FLOATS.some((type) => type.code === code)) return fc.double()
  if (code === BOOL.code) return fc.boolean()
  const { maxCode } = CHARACTERS.find((type) => type.code === code)!
  return fc.integer({ min: 0, max: maxCode }).map((point) => String.fromCodePoint(point))
}

function arrayFilling(element: Shape, length: number): fc.Arbitrary<Filling> {
  if (element.kind === 'scalar' && element.code === 'c') {
    const bytes = fc.uint8Array({ min: 1, maxLength: length }).map((array) => Buffer.from(array))
    return bytes.map((buffer) => ({ input: new Uint8Array(buffer), output: buffer }))
  }
  if (element.kind === 'scalar' && element.code === 'u') {
    // No lone surrogates: in a string they would join.
    const character = scalarValue('u').filter((text) => text !== '\0' && (text as string).isWellFormed())
    const characters = fc.array(character, { maxLength: length })
    return characters.map((list) => ({ input: list.join(''), output: list.join('') }))
  }
  const items = fc.array(filling(element), { maxLength: length })
  return items.map((list) => ({
    input: list.map(({ input }) => input),
    output: Array.from({ length }, (_, i) => (i < list.length ? list[i]!.output : zero(element))),
  }))
}

/** The value of a field in fresh memory. */
export function zero(shape: Shape): unknown {
  if (shape.kind === 'struct') {
    return Object.fromEntries(shape.fields.map((field, i) => [fieldName(i), zero(field)]))
  }
  if (shape.kind === 'array') {
    if (shape.element.kind === 'scalar' && shape.element.code === 'c') return Buffer.alloc(0)
    if (shape.element.kind === 'scalar' && shape.element.code === 'u') return ''
    return Array.from({ length: shape.length }, () => zero(shape.element))
  }
  const integer = INTEGERS.find((type) => type.code === shape.code)
  if (integer !== undefined) return toJs(integer, 0n)
  if (shape.code === BOOL.code) return false
  return CHARACTERS.some(({ code }) => code === shape.code) ? '\0' : 0
}
