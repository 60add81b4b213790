/** Namespace: named values. Names that begin with `_` are not for it: they belong to each proxy, as in Python. */
import { typeError, valueError } from '../../../validate.ts'
import type { Call } from '../call.ts'
import { type ManagedType, methods } from '../managed-type.ts'
import { entriesOf } from './arguments.ts'
import { Keyed } from './keys.ts'
import { isSame, sum, textOf } from './operations.ts'

type Names = Keyed<unknown>

function assertName(name: unknown): asserts name is string {
  if (typeof name !== 'string') throw typeError('name', 'a string', name)
  if (name === '' || name.startsWith('_'))
    throw valueError('name', 'a non-empty name that does not begin with "_"', name)
}

function assign(names: Names, given: unknown): void {
  const entries = entriesOf('values', given)
  for (const [name] of entries) assertName(name)
  for (const [name, value] of entries) names.set(name, value)
}

function set(names: Names, name: unknown, value: unknown): void {
  assertName(name)
  names.set(name, value)
}

function increment(names: Names, name: unknown, by: unknown = 1): unknown {
  assertName(name)
  const old = names.has(name) ? names.get(name) : typeof by === 'bigint' ? 0n : 0
  const result = sum(old, by, `the value of ${name}`)
  names.set(name, result)
  return result
}

function exchange(names: Names, name: unknown, value: unknown): unknown {
  assertName(name)
  const old = names.get(name)
  names.set(name, value)
  return old
}

function compareAndSet(names: Names, name: unknown, expected: unknown, value: unknown): boolean {
  assertName(name)
  if (!isSame(names.get(name), expected)) return false
  names.set(name, value)
  return true
}

const table = {
  get: (names: Names, _call: Call, name: unknown) => names.get(name),
  set: (names: Names, _call: Call, name: unknown, value: unknown) => set(names, name, value),
  has: (names: Names, _call: Call, name: unknown) => names.has(name),
  delete: (names: Names, _call: Call, name: unknown) => names.delete(name),
  assign: (names: Names, _call: Call, values: unknown) => assign(names, values),
  snapshot: (names: Names) => Object.fromEntries(names.entries() as Iterable<[string, unknown]>),
  increment: (names: Names, _call: Call, name: unknown, by: unknown) => increment(names, name, by),
  exchange: (names: Names, _call: Call, name: unknown, value: unknown) => exchange(names, name, value),
  compareAndSet: (names: Names, _call: Call, name: unknown, expected: unknown, value: unknown) =>
    compareAndSet(names, name, expected, value),
}

export const namespaceType: ManagedType = {
  name: 'Namespace',
  create([values = {}]) {
    const names: Names = new Keyed('Namespace')
    assign(names, values)
    return names
  },
  methods: methods(table),
  transactional: new Set(Object.keys(table)),
  show(object) {
    const entries = [...(object as Names).entries()].sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1))
    return `Namespace(${entries.map(([name, value]) => `${name}=${textOf(value)}`).join(', ')})`
  },
}
