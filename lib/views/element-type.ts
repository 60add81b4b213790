/** Element types of a Value or SharedArray, which are scalars or structs: describes, compares and revives them. */
import { type Mismatch, segmentError } from '../errors/segment-messages.ts'
import { ShareError } from '../errors/share-error.ts'
import { findScalar, type ScalarType, whyUnsupported } from '../scalars/scalar.ts'
import { unknownTypeError } from '../scalars/unknown-type.ts'
import { Struct } from './struct.ts'
import { Layout } from './struct-layout.ts'
import type { StructFields } from './struct-types.ts'

export type ElementType = ScalarType | Layout

export function isStruct(type: ElementType): type is Layout {
  return type instanceof Layout
}

/** The type that the caller named. @throws `TypeError` with the most likely correct name. */
export function elementTypeOf(type: unknown): ElementType {
  const found = type instanceof Layout ? type : findScalar(type)
  if (found === undefined) throw unknownTypeError('type', type, ['a Struct'])
  return found
}

/** The form of a type in the description of a segment. */
export function describe(type: ElementType): unknown {
  return isStruct(type) ? { struct: type.schema } : type.code
}

/** How the type in a description differs from the expected one, if one is expected. */
export function typeMismatch(found: unknown, expected: ElementType | undefined): Mismatch | undefined {
  if (expected === undefined || JSON.stringify(describe(expected)) === JSON.stringify(found)) return undefined
  return { what: 'type', found, expected: describe(expected) }
}

/** The type in the description of a segment. @throws {@link ShareError} `ERR_CORRUPT` when it has no valid type. */
export function reviveType(segment: string, description: unknown): ElementType {
  try {
    return elementTypeOf(reviveField(segment, description))
  } catch (cause) {
    throw cause instanceof ShareError ? cause : segmentError('ERR_CORRUPT', { segment }, cause)
  }
}

/** Converts a field in the form of Layout.schema to the form that Struct() takes. */
function reviveField(segment: string, description: unknown): unknown {
  if (Array.isArray(description)) return [reviveField(segment, description[0]), description[1]]
  const unsupported = whyUnsupported(description)
  if (unsupported !== undefined) {
    throw segmentError('ERR_TYPE', {
      segment,
      unsupported: `elements of type '${String(description)}': ${unsupported}`,
    })
  }
  if (typeof description !== 'object' || description === null) return description
  const { struct } = description as { struct: [string, unknown][] }
  return Struct(Object.fromEntries(struct.map(([name, type]) => [name, reviveField(segment, type)])) as StructFields)
}
