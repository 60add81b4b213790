/** dict: a map that lives in the server. */
import type { Call } from '../call.ts'
import { type ManagedType, methods } from '../managed-type.ts'
import { entriesOf, valuesOf } from './arguments.ts'
import { iterate } from './iterator.ts'
import { assertKeys, Keyed } from './keys.ts'
import { isSame, sum, textOf } from './operations.ts'

type Dict = Keyed<unknown>

function setMany(dict: Dict, entries: unknown): void {
  const pairs = entriesOf('entries', entries)
  assertKeys(pairs.map(([key]) => key))
  for (const [key, value] of pairs) dict.set(key, value)
}

function take(dict: Dict, key: unknown, fallback: unknown): unknown {
  if (!dict.has(key)) return fallback
  const value = dict.get(key)
  dict.delete(key)
  return value
}

function getOrInsert(dict: Dict, key: unknown, value: unknown): unknown {
  if (dict.has(key)) return dict.get(key)
  dict.set(key, value)
  return value
}

function setIfAbsent(dict: Dict, key: unknown, value: unknown): boolean {
  if (dict.has(key)) return false
  dict.set(key, value)
  return true
}

function exchange(dict: Dict, key: unknown, value: unknown): unknown {
  const old = dict.get(key)
  dict.set(key, value)
  return old
}

function increment(dict: Dict, key: unknown, by: unknown = 1): unknown {
  const result = dict.has(key) ? sum(dict.get(key), by, 'the value') : sum(typeof by === 'bigint' ? 0n : 0, by, '')
  dict.set(key, result)
  return result
}

function compareAndSet(dict: Dict, key: unknown, expected: unknown, value: unknown): boolean {
  if (!isSame(dict.get(key), expected)) return false
  dict.set(key, value)
  return true
}

function compareAndDelete(dict: Dict, key: unknown, expected: unknown): boolean {
  return dict.has(key) && isSame(dict.get(key), expected) && dict.delete(key)
}

function deleteMany(dict: Dict, given: unknown): number {
  const keys = valuesOf('keys', given)
  assertKeys(keys)
  return keys.filter((key) => dict.delete(key)).length
}

const plain = {
  get: (dict: Dict, _call: Call, key: unknown, fallback: unknown) => (dict.has(key) ? dict.get(key) : fallback),
  set: (dict: Dict, _call: Call, key: unknown, value: unknown) => dict.set(key, value),
  has: (dict: Dict, _call: Call, key: unknown) => dict.has(key),
  delete: (dict: Dict, _call: Call, key: unknown) => dict.delete(key),
  clear: (dict: Dict) => dict.clear(),
  size: (dict: Dict) => dict.size,
  pop: (dict: Dict, _call: Call, key: unknown, fallback: unknown) => take(dict, key, fallback),
  popItem: (dict: Dict) => dict.takeLast(),
  getOrInsert: (dict: Dict, _call: Call, key: unknown, value: unknown) => getOrInsert(dict, key, value),
  setIfAbsent: (dict: Dict, _call: Call, key: unknown, value: unknown) => setIfAbsent(dict, key, value),
  exchange: (dict: Dict, _call: Call, key: unknown, value: unknown) => exchange(dict, key, value),
  increment: (dict: Dict, _call: Call, key: unknown, by: unknown) => increment(dict, key, by),
  compareAndSet: (dict: Dict, _call: Call, key: unknown, expected: unknown, value: unknown) =>
    compareAndSet(dict, key, expected, value),
  compareAndDelete: (dict: Dict, _call: Call, key: unknown, expected: unknown) => compareAndDelete(dict, key, expected),
  getMany: (dict: Dict, call: Call, keys: unknown) =>
    call.session.assertReplyOf(valuesOf('keys', keys).map((key) => dict.get(key))),
  setMany: (dict: Dict, _call: Call, entries: unknown) => setMany(dict, entries),
  deleteMany: (dict: Dict, _call: Call, keys: unknown) => deleteMany(dict, keys),
  toMap: (dict: Dict, call: Call) => {
    call.session.assertReply(2 * dict.size)
    call.session.assertReplyOf([...dict.values()])
    return new Map(dict.entries())
  },
  toKeys: (dict: Dict, call: Call) => {
    call.session.assertReply(dict.size)
    return [...dict.keys()]
  },
  toValues: (dict: Dict, call: Call) => {
    call.session.assertReply(dict.size)
    return call.session.assertReplyOf([...dict.values()])
  },
}

export const dictType: ManagedType = {
  name: 'dict',
  create([entries = []]) {
    const dict: Dict = new Keyed('dict')
    setMany(dict, entries)
    return dict
  },
  methods: methods({
    ...plain,
    iterate: (dict: Dict, call, kind: unknown, count: unknown) => iterate(dict, call, kind, count),
  }),
  transactional: new Set(Object.keys(plain)),
  show: textOf,
}
