/** What a Value or SharedArray holds: a scalar or a struct; how it is described in a segment, compared and revived. */
import { ShareError } from '../errors.ts'
import { findScalar, type ScalarType, whyUnsupported } from '../scalars/scalar.ts'
import { unknownTypeError } from '../scalars/unknown-type.ts'
import { Struct } from './struct.ts'
import { Layout } from './struct-layout.ts'
import type { StructFields } from './struct-types.ts'

export type ElementType = ScalarType | Layout

export function isStruct(type: ElementType): type is Layout {
  return type instanceof Layout
}

/** The type that the caller named. @throws `TypeError` that says what was most likely meant. */
export function elementTypeOf(type: unknown): ElementType {
  const found = type instanceof Layout ? type : findScalar(type)
  if (found === undefined) throw unknownTypeError('type', type, ['a Struct'])
  return found
}

/** A type as it stands in the description of a segment. */
export function describe(type: ElementType): unknown {
  return isStruct(type) ? { struct: type.schema } : type.code
}

/** For messages. */
function toText(description: unknown): string {
  return typeof description === 'string' ? `'${description}'` : JSON.stringify(description)
}

/**
 * The type of an attached segment: the expected one if its description is the same, or one made after the description when
 * none is expected. @throws {@link ShareError} `ERR_TYPE`.
 */
export function matchType(segment: string, found: unknown, expected: ElementType | undefined): ElementType {
  if (expected === undefined) return revive(segment, found)
  if (JSON.stringify(describe(expected)) === JSON.stringify(found)) return expected
  throw new ShareError('ERR_TYPE', { segment, detail: `it holds ${toText(found)}, not ${toText(describe(expected))}` })
}

function revive(segment: string, description: unknown): ElementType {
  try {
    return elementTypeOf(reviveField(segment, description))
  } catch (cause) {
    throw cause instanceof ShareError ? cause : new ShareError('ERR_CORRUPT', { segment, cause })
  }
}

/** From the form of Layout.schema back to what Struct() takes. */
function reviveField(segment: string, description: unknown): unknown {
  if (Array.isArray(description)) return [reviveField(segment, description[0]), description[1]]
  const unsupported = whyUnsupported(description)
  if (unsupported !== undefined) {
    const message = `segment "${segment}" holds elements of type '${String(description)}': ${unsupported}`
    throw new ShareError('ERR_TYPE', { segment, message })
  }
  if (typeof description !== 'object' || description === null) return description
  const { struct } = description as { struct: [string, unknown][] }
  return Struct(Object.fromEntries(struct.map(([name, type]) => [name, reviveField(segment, type)])) as StructFields)
}
