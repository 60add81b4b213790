/** The error for an unknown type, which proposes the most likely names. */
import { type ArgumentError, list, typeError } from '../validate.ts'
import { SCALARS, whyUnsupported } from './scalar.ts'

/** The types to use instead of names from other languages. The names are in lower case. */
const ADVICE = new Map<string, string>(
  Object.entries({
    // Numbers of JavaScript, and their names in other languages.
    number: "'double' for any number, or 'int32' for an integer",
    integer: "'int32', or 'int64' for a bigint",
    bigint: "'int64', or 'uint64'",
    boolean: "'bool'",
    byte: "'uint8', or 'int8'",
    real: "'double'",
    decimal: "'double'",
    // Rust, Go, WebAssembly.
    i8: "'int8'",
    i16: "'int16'",
    i32: "'int32'",
    i64: "'int64'",
    u8: "'uint8'",
    u16: "'uint16'",
    u32: "'uint32'",
    u64: "'uint64'",
    f16: "'float16'",
    f32: "'float32'",
    f64: "'float64'",
    rune: "'wchar'",
    // C in several words, and its typedefs.
    'signed char': "'schar'",
    'unsigned char': "'uchar'",
    'unsigned short': "'ushort'",
    'unsigned int': "'uint'",
    unsigned: "'uint'",
    'unsigned long': "'ulong'",
    'long long': "'longlong'",
    'unsigned long long': "'ulonglong'",
    _bool: "'bool'",
    wchar_t: "'wchar'",
    size_t: "'uint64'",
    ssize_t: "'int64'",
    c_size_t: "'uint64'",
    c_ssize_t: "'int64'",
    ...Object.fromEntries(
      ['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64'].map((name) => [
        `${name}_t`,
        `'${name}'`,
      ]),
    ),
    // Types without a fixed size.
    string: "'char' for bytes or 'wchar' for characters, in a SharedArray or as a field ['char', length]",
    str: "'char' for bytes or 'wchar' for characters, in a SharedArray or as a field ['char', length]",
    text: "'char' for bytes or 'wchar' for characters, in a SharedArray or as a field ['char', length]",
    c_char_p: "['char', length] as a field, or a SharedArray of 'char'",
    c_wchar_p: "['wchar', length] as a field, or a SharedArray of 'wchar'",
    bytes: "'uint8', in a SharedArray or as a field ['uint8', length]",
    buffer: "'uint8', in a SharedArray or as a field ['uint8', length]",
    arraybuffer: "'uint8', in a SharedArray or as a field ['uint8', length]",
    uint8clampedarray: "'uint8': values out of range are not clamped in shared memory, but refused or wrapped",
  }),
)

/** The most names that are proposed. */
const MAX_PROPOSALS = 3

/** Longer texts are not compared with names. That would take long, and clients of a manager can send any text. */
const MAX_LENGTH = 20

/** All names of the types, those of typed arrays without quotes. */
function namesOf({ names }: { readonly names: readonly unknown[] }): string[] {
  return names.map((name) => (typeof name === 'function' ? name.name : `'${String(name)}'`))
}

/**
 * The error for a value that is not a type.
 * @param others - what is allowed there in addition to a scalar type, such as `a Struct`
 */
export function unknownTypeError(name: string, type: unknown, others: readonly string[]): ArgumentError {
  const advice = adviceFor(type, others)
  if (advice !== undefined) return typeError(name, list(['a scalar type', ...others], 'or'), type, advice)
  const all = SCALARS.map((scalar) => {
    const [first, ...rest] = namesOf(scalar)
    return `${first} (${rest.join(', ')})`
  })
  return typeError(name, list([`one of ${all.join(', ')}`, ...others], 'or'), type)
}

function adviceFor(type: unknown, others: readonly string[]): string | undefined {
  const unsupported = whyUnsupported(type)
  if (unsupported !== undefined) return unsupported
  const text = typeof type === 'function' ? type.name : type
  if (typeof text === 'string') {
    const written = text.trim().toLowerCase()
    const advice = ADVICE.get(written) ?? (written.endsWith('array') ? arrayNamed(written) : undefined)
    if (advice !== undefined) return `write ${advice}`
    const near = typeof type === 'string' ? nearest(text.trim()) : []
    return near.length === 0 ? undefined : `did you mean ${list(near, 'or')}?`
  }
  if (Array.isArray(type)) return others.includes('[type, length]') ? undefined : 'arrays are made by SharedArray'
  const isRecord = typeof type === 'object' && type !== null && others.includes('a Struct')
  return isRecord ? 'declare a record with Struct()' : undefined
}

/** The advice for the name of a typed array that is passed as a text. */
function arrayNamed(written: string): string | undefined {
  const type = SCALARS.find(({ names }) =>
    names.some((name) => typeof name === 'function' && name.name.toLowerCase() === written),
  )
  return type && `${type.ArrayType.name} without quotes, or '${String(type.names[1])}'`
}

/** The names that differ least from the given text, if they differ little. */
function nearest(given: string): string[] {
  const written = given.toLowerCase()
  const names = SCALARS.flatMap((type) => type.names.filter((name) => typeof name === 'string'))
  const same = names.filter((name) => name.toLowerCase() === written)
  if (same.includes(given)) return [`'${given}'`]
  if (same.length > 0) return same.map((name) => `'${name}'`)
  if (written.length < 3 || written.length > MAX_LENGTH) return []
  const most = written.length < 5 ? 1 : 2
  const distances = names
    .filter((name) => name.length > 1)
    .map((name) => ({ name, distance: distanceOf(written, name) }))
  const least = Math.min(...distances.map(({ distance }) => distance))
  if (least > most) return []
  const near = distances.filter(({ distance }) => distance === least)
  return near.slice(0, MAX_PROPOSALS).map(({ name }) => `'${name}'`)
}

/** The number of steps from one text to the other. A step inserts, removes or replaces a character, or swaps two. */
function distanceOf(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const changed = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const swapped = isSwap ? rows[i - 2]![j - 2]! + 1 : Infinity
      row.push(Math.min(changed, swapped, rows[i - 1]![j]! + 1, row[j - 1]! + 1))
    }
    rows.push(row)
  }
  return rows[a.length]![b.length]!
}
