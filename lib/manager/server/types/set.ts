/** set: a set that lives in the server. */
import type { Call } from '../call.ts'
import { type ManagedType, methods } from '../managed-type.ts'
import { ManagedValues, valuesOf } from './arguments.ts'
import { iterate } from './iterator.ts'
import { assertKeys, Keyed } from './keys.ts'
import { textOf } from './operations.ts'

/** The members are keys, compared as those of dicts are. */
class Members extends ManagedValues {
  readonly keyed = new Keyed<unknown>('set')

  override copy(): unknown[] {
    return [...this.keyed.keys()]
  }
}

/** Another collection as one of members, in which they are found at once. */
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

const plain = {
  add: (set: Members, _call: Call, value: unknown) => add(set, value),
  has: (set: Members, _call: Call, value: unknown) => set.keyed.has(value),
  delete: (set: Members, _call: Call, value: unknown) => set.keyed.delete(value),
  clear: (set: Members) => set.keyed.clear(),
  size: (set: Members) => set.keyed.size,
  pop: (set: Members) => set.keyed.takeLast()?.[0],
  addMany: (set: Members, _call: Call, values: unknown) => addMany(set, values),
  hasMany: (set: Members, _call: Call, values: unknown) =>
    valuesOf('values', values).map((value) => set.keyed.has(value)),
  deleteMany: (set: Members, _call: Call, values: unknown) => deleteMany(set, values),
  retainMany: (set: Members, _call: Call, values: unknown) => retainMany(set, values),
  toggleMany: (set: Members, _call: Call, values: unknown) => toggleMany(set, values),
  union: (set: Members, _call: Call, others: unknown) => union(set, others),
  intersection: (set: Members, _call: Call, others: unknown) => part(set, others, true),
  difference: (set: Members, _call: Call, others: unknown) => part(set, others, false),
  symmetricDifference: (set: Members, _call: Call, others: unknown) => symmetricDifference(set, others),
  isSubsetOf: (set: Members, _call: Call, others: unknown) => part(set, others, false).size === 0,
  isSupersetOf: (set: Members, _call: Call, others: unknown) =>
    valuesOf('others', others).every((value) => set.keyed.has(value)),
  isDisjointFrom: (set: Members, _call: Call, others: unknown) => part(set, others, true).size === 0,
  toSet: (set: Members, call: Call) => {
    call.session.assertReply(set.keyed.size)
    return new Set(set.keyed.keys())
  },
}

/** How many members are shown. */
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

export const setType: ManagedType = {
  name: 'set',
  create([values = []]) {
    const members = new Members()
    addMany(members, values)
    return members
  },
  methods: methods({
    ...plain,
    iterate: (set: Members, call, kind: unknown, count: unknown) => iterate(set.keyed, call, kind, count),
  }),
  transactional: new Set(Object.keys(plain)),
  show,
}
