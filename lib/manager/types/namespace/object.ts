/** Namespace: named values. Names that begin with `_` are not stored here: they belong to each proxy, as in Python. */

import { typeError, valueError } from '../../../validate.ts'
import { managedType } from '../../server/managed-type.ts'
import { entriesOf } from '../../server/values/given.ts'
import { Keyed } from '../../server/values/keyed.ts'
import { isSame } from '../../server/values/same.ts'
import { sum } from '../../server/values/sum.ts'
import { textOf } from '../../server/values/text.ts'
import { namespaceContract } from './contract.ts'

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

export const namespaceType = managedType(
  namespaceContract,
  ([values = {}]): Names => {
    const names: Names = new Keyed('Namespace')
    assign(names, values)
    return names
  },
  {
    methods: {
      get: (names, _request, name) => names.get(name),
      set: (names, _request, name, value) => set(names, name, value),
      has: (names, _request, name) => names.has(name),
      delete: (names, _request, name) => names.delete(name),
      assign: (names, _request, values) => assign(names, values),
      snapshot: (names) => Object.fromEntries(names.entries() as Iterable<[string, unknown]>),
      increment: (names, _request, name, by) => increment(names, name, by),
      exchange: (names, _request, name, value) => exchange(names, name, value),
      compareAndSet: (names, _request, name, expected, value) => compareAndSet(names, name, expected, value),
    },
    show(names) {
      const entries = [...names.entries()].sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1))
      return `Namespace(${entries.map(([name, value]) => `${name}=${textOf(value)}`).join(', ')})`
    },
  },
)
