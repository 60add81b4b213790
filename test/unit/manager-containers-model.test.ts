/**
 * Random operations on a list, dict and set of a manager and on a local model, which must answer the same: awaited one by one, all sent
 * at once, and in the blocking form.
 */
import { inspect, isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import type { ManagedProxy } from 'procshare'
import { describe, expect, it } from 'vitest'
import { managerOfThisFile } from '../helpers/manager.ts'

const file = managerOfThisFile()

/** An operation: its arguments, and what it does to the model. */
interface Operation<M> {
  readonly args: fc.Arbitrary<readonly unknown[]>
  // biome-ignore lint/suspicious/noExplicitAny: the arguments are those that were just made
  readonly run: (model: M, ...args: any[]) => unknown
}

type Step = readonly [method: string, args: readonly unknown[]]
type Outcome = { readonly value: unknown } | { readonly error: string }

const outcomeOf = (fn: () => unknown): Outcome => {
  try {
    return { value: fn() }
  } catch (error) {
    return { error: (error as Error).name }
  }
}

const later = (promise: Promise<unknown>): Promise<Outcome> =>
  promise.then(
    (value) => ({ value }),
    (error: Error) => ({ error: error.name }),
  )

/** Calls a method, or reads the property of that name. */
const perform = (proxy: object, [method, args]: Step): unknown => {
  const member = (proxy as Record<string, unknown>)[method]
  return typeof member === 'function' ? member.apply(proxy, args) : member
}

const forms: Record<string, (proxy: ManagedProxy, steps: readonly Step[]) => Promise<Outcome[]>> = {
  'one by one': async (proxy, steps) => {
    const outcomes: Outcome[] = []
    for (const step of steps) outcomes.push(await later(perform(proxy, step) as Promise<unknown>))
    return outcomes
  },
  'all at once': (proxy, steps) => Promise.all(steps.map((step) => later(perform(proxy, step) as Promise<unknown>))),
  'in the blocking form': async (proxy, steps) => {
    const blocking = file.manager.sync.of(proxy)
    return steps.map((step) => outcomeOf(() => perform(blocking, step)))
  },
}

function stepsOf<M>(operations: Record<string, Operation<M>>): fc.Arbitrary<Step[]> {
  const step = fc.oneof(
    ...Object.entries(operations).map(([method, { args }]) => args.map((some): Step => [method, some])),
  )
  return fc.array(step, { maxLength: 40 })
}

function compare<I, M>(
  what: string,
  make: (initial: I) => Promise<ManagedProxy>,
  model: (initial: I) => M,
  initial: fc.Arbitrary<I>,
  operations: Record<string, Operation<M>>,
): void {
  describe(what, () => {
    for (const [form, run] of Object.entries(forms)) {
      it(`answers every operation as a local one does, ${form}`, async () => {
        await fc.assert(
          fc.asyncProperty(initial, stepsOf(operations), async (start, steps) => {
            using proxy = await make(start)
            const local = model(start)
            const expected = steps.map(([method, args]) => outcomeOf(() => operations[method]!.run(local, ...args)))
            expect(await run(proxy, steps)).toEqual(expected)
          }),
          { numRuns: 120 },
        )
      })
    }
  })
}

const isSame = (a: unknown, b: unknown) => isDeepStrictEqual(a, b)
const number = fc.integer({ min: -3, max: 3 })
const value = fc.oneof(
  number,
  fc.constantFrom<unknown>('a', 'b', '1', null, undefined, true, 1n, NaN),
  fc.record({ n: number }, { noNullPrototype: true }),
  fc.array(number, { maxLength: 2 }),
)
const index = fc.integer({ min: -6, max: 6 })
const position = fc.option(index, { nil: undefined })

const rangeError = (): never => {
  throw new RangeError()
}
const typeError = (): never => {
  throw new TypeError()
}

/** The index of an item of a list, as writing operations take it. */
const at = (list: unknown[], i: number) =>
  i >= -list.length && i < list.length ? (i + list.length) % list.length : rangeError()

const sum = (old: unknown, by: number | bigint): unknown =>
  typeof old === typeof by ? (old as number) + (by as number) : typeError()

function pythonSlice(list: unknown[], start: number | undefined, end: number | undefined, step: number): unknown[] {
  const clamp = (i: number | undefined, lowest: number, highest: number, fallback: number) =>
    i === undefined ? fallback : Math.max(lowest, Math.min(highest, i < 0 ? i + list.length : i))
  const { length } = list
  const result = []
  if (step > 0) {
    for (let i = clamp(start, 0, length, 0); i < clamp(end, 0, length, length); i += step) result.push(list[i])
  } else {
    for (let i = clamp(start, -1, length - 1, length - 1); i > clamp(end, -1, length - 1, -1); i += step) {
      result.push(list[i])
    }
  }
  return result
}

compare<unknown[], unknown[]>(
  'a list',
  (initial) => file.manager.list(initial),
  (initial) => [...initial],
  fc.array(value, { maxLength: 6 }),
  {
    length: { args: fc.constant([]), run: (list) => list.length },
    at: { args: fc.tuple(index), run: (list, i) => list.at(i) },
    set: {
      args: fc.tuple(index, value),
      run: (list, i, item) => {
        list[at(list, i)] = item
      },
    },
    push: { args: fc.array(value, { maxLength: 3 }), run: (list, ...items) => list.push(...items) },
    extend: { args: fc.tuple(fc.array(value, { maxLength: 3 })), run: (list, items) => list.push(...items) },
    pop: {
      args: fc.oneof(fc.constant([]), fc.tuple(index)),
      run: (list, i = -1) => (list.length === 0 ? undefined : list.splice(at(list, i), 1)[0]),
    },
    shift: { args: fc.constant([]), run: (list) => list.shift() },
    unshift: { args: fc.array(value, { maxLength: 2 }), run: (list, ...items) => list.unshift(...items) },
    insert: {
      args: fc.tuple(index, value, value),
      run: (list, i, ...items) => {
        list.splice(i, 0, ...items)
        return list.length
      },
    },
    splice: {
      args: fc.oneof(fc.tuple(index), fc.tuple(index, index), fc.tuple(index, index, value, value)),
      run: (list, ...args) => (list.splice as (...args: unknown[]) => unknown[])(...args),
    },
    slice: {
      args: fc.oneof(
        fc.tuple(position, position),
        fc.tuple(
          position,
          position,
          number.filter((n) => n !== 0),
        ),
      ),
      run: (list, start, end, step = 1) => pythonSlice(list, start, end, step),
    },
    includes: { args: fc.tuple(value), run: (list, item) => list.some((one) => isSame(one, item)) },
    indexOf: {
      args: fc.oneof(fc.tuple(value), fc.tuple(value, index)),
      run: (list, item, from = 0) => {
        const start = from < 0 ? Math.max(0, list.length + from) : from
        return list.findIndex((one, i) => i >= start && isSame(one, item))
      },
    },
    lastIndexOf: {
      args: fc.oneof(fc.tuple(value), fc.tuple(value, index)),
      run: (list, item, from = list.length - 1) => {
        const last = from < 0 ? list.length + from : from
        return list.findLastIndex((one, i) => i <= last && isSame(one, item))
      },
    },
    count: { args: fc.tuple(value), run: (list, item) => list.filter((one) => isSame(one, item)).length },
    remove: {
      args: fc.tuple(value),
      run: (list, item) => {
        const i = list.findIndex((one) => isSame(one, item))
        if (i !== -1) list.splice(i, 1)
        return i !== -1
      },
    },
    clear: {
      args: fc.constant([]),
      run: (list) => {
        list.length = 0
      },
    },
    reverse: {
      args: fc.constant([]),
      run: (list) => {
        list.reverse()
      },
    },
    fill: {
      args: fc.tuple(value, position, position),
      run: (list, item, start, end) => {
        list.fill(item, start, end)
      },
    },
    exchange: {
      args: fc.tuple(index, value),
      run: (list, i, item) => {
        const old = list[at(list, i)]
        list[at(list, i)] = item
        return old
      },
    },
    increment: {
      args: fc.oneof(fc.tuple(index), fc.tuple(index, fc.constantFrom(2, 2n))),
      run: (list, i, by = 1) => {
        const place = at(list, i)
        list[place] = sum(list[place], by)
        return list[place]
      },
    },
    compareAndSet: {
      args: fc.tuple(index, value, value),
      run: (list, i, expected, item) => {
        const place = at(list, i)
        if (!isSame(list[place], expected)) return false
        list[place] = item
        return true
      },
    },
    toArray: { args: fc.constant([]), run: (list) => [...list] },
  },
)

/** A Map whose keys are what `inspect` shows: 1 is not '1', and arrays are what they consist of. */
class Model<V> {
  readonly map = new Map<string, readonly [unknown, V]>()
  has = (key: unknown) => this.map.has(inspect(key))
  get = (key: unknown) => this.map.get(inspect(key))?.[1]
  delete = (key: unknown) => this.map.delete(inspect(key))
  keys = () => [...this.map.values()].map(([key]) => key)
  set(key: unknown, item: V): void {
    this.map.set(inspect(key), [this.map.get(inspect(key))?.[0] ?? key, item])
  }
  last(): readonly [unknown, V] | undefined {
    const last = [...this.map.values()].at(-1)
    if (last !== undefined) this.delete(last[0])
    return last
  }
}

const key = fc.oneof(
  number,
  fc.constantFrom<unknown>(
    '1',
    'a',
    '__proto__',
    '',
    null,
    undefined,
    true,
    1n,
    NaN,
    [],
    ['a', 1],
    ['a', '1'],
    ['a,1'],
  ),
  fc.constantFrom(0, 1).map((ms) => new Date(ms)),
  fc.tuple(number, fc.constantFrom(new Date(5), 2n, null)),
)
const badKey = fc.constantFrom<unknown>({ a: 1 }, [[1]], new Map(), [{}])
const keys = fc.array(key, { maxLength: 4 })
const entries = fc.array(fc.tuple(key, value), { maxLength: 4 })

compare<[unknown, unknown][], Model<unknown>>(
  'a dict',
  (initial) => file.manager.dict(initial),
  (initial) => {
    const model = new Model<unknown>()
    for (const [one, item] of initial) model.set(one, item)
    return model
  },
  entries,
  {
    size: { args: fc.constant([]), run: (dict) => dict.map.size },
    get: {
      args: fc.oneof(fc.tuple(key), fc.tuple(key, fc.constant('fallback'))),
      run: (dict, one, fallback) => (dict.has(one) ? dict.get(one) : fallback),
    },
    set: { args: fc.tuple(key, value), run: (dict, one, item) => dict.set(one, item) },
    has: { args: fc.tuple(fc.oneof(key, badKey)), run: (dict, one) => (isBad(one) ? typeError() : dict.has(one)) },
    delete: { args: fc.tuple(key), run: (dict, one) => dict.delete(one) },
    clear: { args: fc.constant([]), run: (dict) => dict.map.clear() },
    pop: {
      args: fc.oneof(fc.tuple(key), fc.tuple(key, fc.constant('fallback'))),
      run: (dict, one, fallback) => {
        const item = dict.has(one) ? dict.get(one) : fallback
        dict.delete(one)
        return item
      },
    },
    popItem: { args: fc.constant([]), run: (dict) => dict.last() },
    getOrInsert: {
      args: fc.tuple(key, value),
      run: (dict, one, item) => {
        if (!dict.has(one)) dict.set(one, item)
        return dict.get(one)
      },
    },
    setIfAbsent: {
      args: fc.tuple(key, value),
      run: (dict, one, item) => {
        const isNew = !dict.has(one)
        if (isNew) dict.set(one, item)
        return isNew
      },
    },
    exchange: {
      args: fc.tuple(key, value),
      run: (dict, one, item) => {
        const old = dict.get(one)
        dict.set(one, item)
        return old
      },
    },
    increment: {
      args: fc.oneof(fc.tuple(key), fc.tuple(key, fc.constantFrom(2, 2n))),
      run: (dict, one, by = 1) => {
        dict.set(one, sum(dict.has(one) ? dict.get(one) : typeof by === 'bigint' ? 0n : 0, by))
        return dict.get(one)
      },
    },
    compareAndSet: {
      args: fc.tuple(key, value, value),
      run: (dict, one, expected, item) => {
        const isExpected = isSame(dict.get(one), expected)
        if (isExpected) dict.set(one, item)
        return isExpected
      },
    },
    compareAndDelete: {
      args: fc.tuple(key, value),
      run: (dict, one, expected) => dict.has(one) && isSame(dict.get(one), expected) && dict.delete(one),
    },
    getMany: { args: fc.tuple(keys), run: (dict, some) => some.map(dict.get) },
    setMany: {
      args: fc.tuple(fc.array(fc.tuple(fc.oneof({ weight: 9, arbitrary: key }, badKey), value), { maxLength: 4 })),
      run: (dict, some: [unknown, unknown][]) => {
        if (some.some(([one]) => isBad(one))) typeError()
        for (const [one, item] of some) dict.set(one, item)
      },
    },
    deleteMany: { args: fc.tuple(keys), run: (dict, some) => some.filter(dict.delete).length },
    toMap: { args: fc.constant([]), run: (dict) => new Map([...dict.map.values()]) },
    toKeys: { args: fc.constant([]), run: (dict) => dict.keys() },
    toValues: { args: fc.constant([]), run: (dict) => [...dict.map.values()].map(([, item]) => item) },
  },
)

function isBad(one: unknown): boolean {
  if (Array.isArray(one))
    return one.some((part) => typeof part === 'object' && part !== null && !(part instanceof Date))
  return typeof one === 'object' && one !== null && !(one instanceof Date)
}

const others = (some: unknown[]) => {
  const model = new Model<true>()
  for (const one of some) model.set(one, true)
  return model
}

compare<unknown[], Model<true>>('a set', (initial) => file.manager.set(initial), others, keys, {
  size: { args: fc.constant([]), run: (set) => set.map.size },
  add: { args: fc.tuple(key), run: (set, one) => addTo(set, one) },
  has: { args: fc.tuple(key), run: (set, one) => set.has(one) },
  delete: { args: fc.tuple(key), run: (set, one) => set.delete(one) },
  clear: { args: fc.constant([]), run: (set) => set.map.clear() },
  pop: { args: fc.constant([]), run: (set) => set.last()?.[0] },
  addMany: {
    args: fc.tuple(fc.array(fc.oneof({ weight: 9, arbitrary: key }, badKey), { maxLength: 4 })),
    run: (set, some) => (some.some(isBad) ? typeError() : some.filter((one: unknown) => addTo(set, one)).length),
  },
  hasMany: { args: fc.tuple(keys), run: (set, some) => some.map(set.has) },
  deleteMany: { args: fc.tuple(keys), run: (set, some) => some.filter(set.delete).length },
  retainMany: {
    args: fc.tuple(keys),
    run: (set, some) => set.keys().filter((one) => !others(some).has(one) && set.delete(one)).length,
  },
  toggleMany: {
    args: fc.tuple(keys),
    run: (set, some) => {
      for (const one of others(some).keys()) if (!set.delete(one)) addTo(set, one)
    },
  },
  union: { args: fc.tuple(keys), run: (set, some) => new Set(others([...set.keys(), ...some]).keys()) },
  intersection: { args: fc.tuple(keys), run: (set, some) => new Set(set.keys().filter(others(some).has)) },
  difference: {
    args: fc.tuple(keys),
    run: (set, some) => new Set(set.keys().filter((one) => !others(some).has(one))),
  },
  symmetricDifference: {
    args: fc.tuple(keys),
    run: (set, some) =>
      new Set([
        ...set.keys().filter((one) => !others(some).has(one)),
        ...others(some)
          .keys()
          .filter((one) => !set.has(one)),
      ]),
  },
  isSubsetOf: { args: fc.tuple(keys), run: (set, some) => set.keys().every(others(some).has) },
  isSupersetOf: { args: fc.tuple(keys), run: (set, some) => some.every(set.has) },
  isDisjointFrom: { args: fc.tuple(keys), run: (set, some) => !some.some(set.has) },
  toSet: { args: fc.constant([]), run: (set) => new Set(set.keys()) },
})

function addTo(set: Model<true>, one: unknown): boolean {
  if (set.has(one)) return false
  set.set(one, true)
  return true
}
