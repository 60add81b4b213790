/** Values, arrays and plain memory in the state matrix. */
import { inspect } from 'node:util'
import { Event, Lock, RawArray, RawValue, SharedArray, SharedMemory, SharedState, Struct, Value } from 'procshare'
import {
  always,
  handleMembers,
  locking,
  lockOfMember,
  type Member,
  type Members,
  type Row,
  refMembers,
  untilClose,
} from './matrix.ts'

const Point = Struct({ x: 'd', y: 'd' })

const guardedMembers: Members = {
  ...handleMembers,
  ...refMembers,
  type: always((object) => object.type),
  lock: untilClose((object) => object.lock),
}

const inspected: Members = {
  [String(inspect.custom)]: always((object) => inspect(object)),
  peek: always((object) => object.peek()),
}

function scalarMembers(a: unknown, b: unknown): Members {
  return {
    ...guardedMembers,
    ...inspected,
    value: locking((value) => value.value),
    'value=': locking((value) => {
      value.value = a
    }),
    update: locking((value) => value.update((old: unknown) => old)),
    snapshot: locking((value) => value.snapshot()),
    load: locking((value) => value.load()),
    store: locking((value) => value.store(a)),
    exchange: locking((value) => value.exchange(a)),
    compareExchange: locking((value) => value.compareExchange(a, b)),
    add: locking((value) => value.add(b)),
    sub: locking((value) => value.sub(b)),
    and: locking((value) => value.and(b)),
    or: locking((value) => value.or(b)),
    xor: locking((value) => value.xor(b)),
  }
}

/** The same without a lock: nothing can be held. */
function unlocked(members: Members): Members {
  const table: Record<string, Member> = {}
  for (const [name, member] of Object.entries(members)) table[name] = { ...member, held: 'returns' }
  const lock = untilClose((object) => object.lock)
  return { ...table, lock: { ...lock, open: 'ERR_NO_LOCK', unlinked: 'ERR_NO_LOCK' } }
}

const arrayMembers: Members = {
  [String(inspect.custom)]: always((array) => inspect(array)),
  ...guardedMembers,
  snapshot: locking((array) => array.snapshot()),
  assign: locking((array) => array.assign([])),
}

export const viewRows: readonly Row[] = [
  {
    title: 'Value of an integer',
    make: (name) => Value.create(name, 'i', 1),
    members: scalarMembers(1, 2),
    lockOf: lockOfMember,
  },
  {
    title: 'Value of a 64-bit integer',
    make: (name) => Value.create(name, 'q', 1),
    members: scalarMembers(1n, 2n),
    lockOf: lockOfMember,
  },
  {
    title: 'Value with a given lock',
    make(name) {
      using lock = new Lock() // the value keeps it
      return Value.create(name, 'i', 1, { lock })
    },
    members: { ...scalarMembers(1, 2) },
  },
  {
    title: 'RawValue',
    make: (name) => RawValue.create(name, 'i', 1),
    members: unlocked(scalarMembers(1, 2)),
  },
  {
    title: 'Value of a struct',
    make: (name) => Value.create(name, Point, { x: 1 }),
    members: {
      ...guardedMembers,
      ...inspected,
      value: untilClose((value) => value.value.x),
      'value=': locking((value) => {
        value.value = { x: 1, y: 2 }
      }),
      assign: locking((value) => value.assign({ x: 1 })),
      update: locking((value) => value.update(() => {})),
      snapshot: locking((value) => value.snapshot()),
    },
    lockOf: lockOfMember,
  },
  {
    title: 'SharedArray of numbers',
    make: (name) => SharedArray.create(name, 'i', [1, 2]),
    members: arrayMembers,
    lockOf: lockOfMember,
  },
  {
    title: 'RawArray',
    make: (name) => RawArray.create(name, 'i', [1, 2]),
    members: unlocked(arrayMembers),
  },
  {
    title: 'SharedArray of characters',
    make: (name) => SharedArray.create(name, 'c', 'text'),
    members: {
      ...arrayMembers,
      value: locking((array) => array.value),
      'value=': locking((array) => {
        array.value = 'new'
      }),
      raw: locking((array) => array.raw),
      'raw=': locking((array) => {
        array.raw = 'new'
      }),
    },
    lockOf: lockOfMember,
  },
  {
    title: 'SharedArray of structs',
    make: (name) => SharedArray.create(name, Point, [{ x: 1 }]),
    members: {
      ...arrayMembers,
      length: always((array) => array.length),
      at: always((array) => array.at(0).x),
      set: locking((array) => array.set(0, { x: 1, y: 2 })),
      [String(Symbol.iterator)]: always((array) => [...array].map(({ x }) => x)),
      entries: always((array) => [...array.entries()]),
      every: always((array) => array.every(({ x }: { x: number }) => x)),
      filter: always((array) => array.filter(({ x }: { x: number }) => x)),
      find: always((array) => array.find(({ x }: { x: number }) => x)),
      findIndex: always((array) => array.findIndex(({ x }: { x: number }) => x)),
      forEach: always((array) => array.forEach(() => {})),
      keys: always((array) => [...array.keys()]),
      map: always((array) => array.map(({ x }: { x: number }) => x)),
      reduce: always((array) => array.reduce((sum: number, { x }: { x: number }) => sum + x, 0)),
      reduceRight: always((array) => array.reduceRight((sum: number, { x }: { x: number }) => sum + x, 0)),
      slice: always((array) => array.slice()),
      some: always((array) => array.some(({ x }: { x: number }) => x)),
      values: always((array) => [...array.values()]),
    },
    lockOf: lockOfMember,
  },
  {
    title: 'SharedMemory',
    make: (name) => SharedMemory.create(name, 10),
    members: {
      ...handleMembers,
      buffer: untilClose((memory) => memory.buffer),
      byteLength: untilClose((memory) => memory.byteLength),
      [String(inspect.custom)]: always((memory) => inspect(memory)),
    },
  },
  {
    title: 'SharedState',
    make: (name) => SharedState.create(name, { hits: Value('i'), ready: Event() }),
    members: {
      ...handleMembers,
      ...refMembers,
      [String(inspect.custom)]: always((state) => inspect(state)),
      hits: untilClose((state) => state.hits.value),
      ready: untilClose((state) => state.ready.set()),
    },
  },
]
