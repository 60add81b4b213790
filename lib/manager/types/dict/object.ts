/** dict: a map that lives in the server. */

import { managedType } from '../../server/managed-type.ts'
import { entriesOf, valuesOf } from '../../server/values/given.ts'
import { assertKeys, Keyed } from '../../server/values/keyed.ts'
import { isSame } from '../../server/values/same.ts'
import { sum } from '../../server/values/sum.ts'
import { textOf } from '../../server/values/text.ts'
import { iterate } from '../iterator/object.ts'
import { dictContract } from './contract.ts'

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

export const dictType = managedType(
  dictContract,
  ([entries = []]): Dict => {
    const dict: Dict = new Keyed('dict')
    setMany(dict, entries)
    return dict
  },
  {
    methods: {
      get: (dict, _request, key, fallback) => (dict.has(key) ? dict.get(key) : fallback),
      set: (dict, _request, key, value) => dict.set(key, value),
      has: (dict, _request, key) => dict.has(key),
      delete: (dict, _request, key) => dict.delete(key),
      clear: (dict) => dict.clear(),
      size: (dict) => dict.size,
      pop: (dict, _request, key, fallback) => take(dict, key, fallback),
      popItem: (dict) => dict.takeLast(),
      getOrInsert: (dict, _request, key, value) => getOrInsert(dict, key, value),
      setIfAbsent: (dict, _request, key, value) => setIfAbsent(dict, key, value),
      exchange: (dict, _request, key, value) => exchange(dict, key, value),
      increment: (dict, _request, key, by) => increment(dict, key, by),
      compareAndSet: (dict, _request, key, expected, value) => compareAndSet(dict, key, expected, value),
      compareAndDelete: (dict, _request, key, expected) => compareAndDelete(dict, key, expected),
      getMany: (dict, request, keys) =>
        request.client.assertReplyOf(valuesOf('keys', keys).map((key) => dict.get(key))),
      setMany: (dict, _request, entries) => setMany(dict, entries),
      deleteMany: (dict, _request, keys) => deleteMany(dict, keys),
      toMap: (dict, request) => {
        request.client.assertReply(2 * dict.size)
        request.client.assertReplyOf([...dict.values()])
        return new Map(dict.entries())
      },
      toKeys: (dict, request) => {
        request.client.assertReply(dict.size)
        return [...dict.keys()]
      },
      toValues: (dict, request) => {
        request.client.assertReply(dict.size)
        return request.client.assertReplyOf([...dict.values()])
      },
      iterate: (dict, request, kind, count) => iterate(dict, request, kind, count),
    },
    show: (dict) => textOf(dict),
  },
)
