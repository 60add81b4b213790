/** set: a set that lives in the server. */

import { managedType } from '../../server/managed-type.ts'
import { ManagedValues, valuesOf } from '../../server/values/given.ts'
import { assertKeys, Keyed } from '../../server/values/keyed.ts'
import { textOf } from '../../server/values/text.ts'
import { iterate } from '../iterator/object.ts'
import { setContract } from './contract.ts'

/** The members are keys, compared like keys of dicts. */
class Members extends ManagedValues {
  readonly keyed = new Keyed<unknown>('set')

  override copy(): unknown[] {
    return [...this.keyed.keys()]
  }
}

/** Converts another collection into a keyed one, in which members are found at once. */
function othersOf(given: unknown): Keyed<unknown> {
  const others = new Keyed<unknown>('set')
  for (const value of valuesOf('others', given)) others.set(value, value)
  return others
}

function add({ keyed }: Members, value: unknown): boolean {
  if (keyed.has(value)) return false
  keyed.set(value, value)
  return true
}

function addMany(members: Members, given: unknown): number {
  const values = valuesOf('values', given)
  assertKeys(values)
  return values.filter((value) => add(members, value)).length
}

function deleteMany({ keyed }: Members, given: unknown): number {
  const values = valuesOf('values', given)
  assertKeys(values)
  return values.filter((value) => keyed.delete(value)).length
}

function retainMany(members: Members, given: unknown): number {
  const others = othersOf(given)
  return members.copy().filter((value) => !others.has(value) && members.keyed.delete(value)).length
}

function toggleMany(members: Members, given: unknown): void {
  for (const value of [...othersOf(given).keys()]) if (!members.keyed.delete(value)) add(members, value)
}

function union(members: Members, given: unknown): Set<unknown> {
  const others = [...othersOf(given).keys()]
  return new Set([...members.copy(), ...others.filter((value) => !members.keyed.has(value))])
}

function part(members: Members, given: unknown, isShared: boolean): Set<unknown> {
  const others = othersOf(given)
  return new Set(members.copy().filter((value) => others.has(value) === isShared))
}

function symmetricDifference(members: Members, given: unknown): Set<unknown> {
  const others = othersOf(given)
  return new Set([
    ...members.copy().filter((value) => !others.has(value)),
    ...[...others.keys()].filter((value) => !members.keyed.has(value)),
  ])
}

/** The largest number of members that are shown. */
const SHOWN = 100

function show({ keyed }: Members): string {
  const shown: unknown[] = []
  for (const member of keyed.keys()) {
    if (shown.length === SHOWN) break
    shown.push(member)
  }
  const more = keyed.size > SHOWN ? [`... ${keyed.size - SHOWN} more`] : []
  const parts = [...shown.map(textOf), ...more].join(', ')
  return `Set(${keyed.size}) {${parts === '' ? '' : ` ${parts} `}}`
}

export const setType = managedType(
  setContract,
  ([values = []]) => {
    const members = new Members()
    addMany(members, values)
    return members
  },
  {
    methods: {
      add: (set, _request, value) => add(set, value),
      has: (set, _request, value) => set.keyed.has(value),
      delete: (set, _request, value) => set.keyed.delete(value),
      clear: (set) => set.keyed.clear(),
      size: (set) => set.keyed.size,
      pop: (set) => set.keyed.takeLast()?.[0],
      addMany: (set, _request, values) => addMany(set, values),
      hasMany: (set, _request, values) => valuesOf('values', values).map((value) => set.keyed.has(value)),
      deleteMany: (set, _request, values) => deleteMany(set, values),
      retainMany: (set, _request, values) => retainMany(set, values),
      toggleMany: (set, _request, values) => toggleMany(set, values),
      union: (set, _request, others) => union(set, others),
      intersection: (set, _request, others) => part(set, others, true),
      difference: (set, _request, others) => part(set, others, false),
      symmetricDifference: (set, _request, others) => symmetricDifference(set, others),
      isSubsetOf: (set, _request, others) => part(set, others, false).size === 0,
      isSupersetOf: (set, _request, others) => valuesOf('others', others).every((value) => set.keyed.has(value)),
      isDisjointFrom: (set, _request, others) => part(set, others, true).size === 0,
      toSet: (set, request) => {
        request.client.assertReply(set.keyed.size)
        return new Set(set.keyed.keys())
      },
      iterate: ({ keyed }, request, kind, count) => iterate(keyed, request, kind, count),
    },
    show,
  },
)
