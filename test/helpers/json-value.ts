import fc, { type Arbitrary, type JsonSharedConstraints, type JsonValue } from 'fast-check'

/** Arbitrary JSON values that can be sent: a field `__proto__` is refused. */
export function jsonValue(constraints: JsonSharedConstraints = {}): Arbitrary<JsonValue> {
  return fc.jsonValue(constraints).filter((value) => !JSON.stringify(value).includes('__proto__'))
}
