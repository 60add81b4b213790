/** Values that another realm made, as those of a program that a test framework or `node:vm` runs. */
import { createContext, runInContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { Lock, Queue, RawArray, SharedArray, Struct, Value } from '../../lib/index.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'

expectNoLeftovers()

const realm = createContext({ Buffer })
const there = (expression: string): unknown => runInContext(expression, realm)

describe('a queue', () => {
  const same: [expression: string, here: unknown][] = [
    ['[1, [2], { a: { b: 3 } }]', [1, [2], { a: { b: 3 } }]],
    [
      'new Map([[{ key: 1 }, new Set([1, "two"])], ["m", new Map()]])',
      new Map<unknown, unknown>([
        [{ key: 1 }, new Set([1, 'two'])],
        ['m', new Map()],
      ]),
    ], // prettier-ignore
    ['new Date(86_400_000)', new Date(86_400_000)],
    ['new Date(Number.NaN)', new Date(Number.NaN)],
    ['/pattern/giu', /pattern/giu],
    ['new Uint8Array([1, 2])', new Uint8Array([1, 2])],
    ['new Uint8ClampedArray([300])', new Uint8ClampedArray([255])],
    ['new Int16Array([-1])', new Int16Array([-1])],
    ['new Float64Array([0, 1.5, 2.5]).subarray(1)', new Float64Array([1.5, 2.5])],
    ['new BigInt64Array([-1n])', new BigInt64Array([-1n])],
    ['new Uint8Array([4, 5]).buffer', new Uint8Array([4, 5]).buffer],
    ['new DataView(new Uint8Array([9, 8, 7]).buffer, 1)', new DataView(new Uint8Array([8, 7]).buffer)],
  ]
  it.each(same)('delivers %s as an object of its own realm', (expression, here) => {
    using queue = new Queue<unknown>()
    queue.putManySync([there(expression), { deep: [there(expression)] }, new Set([there(expression)])])
    const alone = queue.getSync() as object
    expect(alone).toEqual(here)
    expect(alone.constructor).toBe((here as object).constructor)
    expect(queue.getSync()).toEqual({ deep: [here] })
    expect(queue.getSync()).toEqual(new Set([here]))
  })

  it('transfers errors with their class, code and cause', () => {
    using queue = new Queue<unknown>()
    queue.putSync(there('Object.assign(new RangeError("far", { cause: new TypeError("near") }), { code: "E_FAR" })'))
    queue.putSync(there('new AggregateError([new Error("one")], "all")'))
    const error = queue.getSync() as RangeError & { code: string }
    expect(error).toBeInstanceOf(RangeError)
    expect([error.message, error.code, (error.cause as Error).constructor]).toEqual(['far', 'E_FAR', TypeError])
    const all = queue.getSync() as AggregateError
    expect([all.constructor, all.message, all.errors[0].message]).toEqual([AggregateError, 'all', 'one'])
  })

  it('transfers an object that occurs twice as one', () => {
    using queue = new Queue<unknown>()
    queue.putSync(there('(() => { const m = new Map([[1, 2]]), a = new Float32Array([1]); return [m, a, m, a] })()'))
    const [map, array, sameMap, sameArray] = queue.getSync() as unknown[]
    expect([map, array]).toEqual([new Map([[1, 2]]), new Float32Array([1])])
    expect([map === sameMap, array === sameArray]).toEqual([true, true])
  })

  it.each([
    '(() => { const map = new Map(); map.set("self", map); return map })()',
    '(() => { const set = new Set(); set.add([set]); return set })()',
    'new (class extends Map {})()',
    'Promise.resolve()',
    'new WeakMap()',
    '() => {}',
  ])('refuses %s', (expression) => {
    using queue = new Queue<unknown>()
    expect(() => queue.putSync(there(expression))).toThrow(expect.objectContaining({ name: 'DataCloneError' }))
    expect(queue.isEmpty).toBe(true)
  })
})

describe('arguments', () => {
  it('are accepted like those of this realm', () => {
    using array = new SharedArray('d', there('new Float64Array([1, 2])') as Float64Array)
    expect([...array]).toEqual([1, 2])
    array.assign(there('[3, 4]') as number[])
    expect([...array]).toEqual([3, 4])
    using raw = new RawArray('b', there('new Set([5, 6])') as Set<number>)
    expect([...raw]).toEqual([5, 6])
    using text = new SharedArray('c', there('new Uint8Array([97, 98])') as Uint8Array)
    expect(text.value.toString()).toBe('ab')
    const Record = Struct({ name: ['c', 4], flags: ['?', 2] })
    using record = new Value(Record, there('({ name: new Uint8Array([120]), flags: [true, false] })') as never)
    expect([String(record.value.name), [...record.value.flags]]).toEqual(['x', [1, 0]])
  })

  it('are refused when they cannot be awaited or are no signal', async () => {
    using lock = new Lock()
    expect(() => lock.runSync(() => there('Promise.resolve()'))).toThrow(/^fn must be a function that does not return/)
    // biome-ignore lint/suspicious/noThenProperty: it is what is tested
    expect(() => lock.runSync(() => ({ then() {} }))).toThrow(/^fn must be a function that does not return a promise/)
    expect(lock.locked).toBe(false)
    const signal = there('({ aborted: false })') as AbortSignal
    await expect(lock.acquire({ signal })).rejects.toThrow('options.signal must be an AbortSignal')
  })
})
