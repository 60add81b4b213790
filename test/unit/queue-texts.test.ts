/** Texts whose size in bytes is not their length, around all sizes at which their way through a queue changes. */
import fc from 'fast-check'
import { Queue, RawArray } from 'procshare'
import { describe, expect, it } from 'vitest'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

/** By the bytes that each takes in UTF-8. */
const CHARACTERS = ['a', 'é', '漢', '😀'] as const

const EXCHANGE_BYTES = 64 * 1024
const BOUNDARIES = [0, 31, 32, 255, 1024, 4096, EXCHANGE_BYTES / 3, EXCHANGE_BYTES, 2 * EXCHANGE_BYTES]

/** A text of about so many characters or bytes, of characters of one kind or with one of another kind in it. */
const text = fc
  .record({
    boundary: fc.constantFrom(...BOUNDARIES),
    off: fc.integer({ min: -40, max: 40 }),
    unit: fc.constantFrom('characters', 'bytes'),
    kind: fc.constantFrom(0, 1, 2, 3),
    other: fc.option(fc.constantFrom(0, 1, 2, 3), { nil: undefined }),
    isFirst: fc.boolean(),
  })
  .map(({ boundary, off, unit, kind, other, isFirst }) => {
    const size = Math.max(0, Math.floor(boundary) + off)
    const body = CHARACTERS[kind]!.repeat(unit === 'bytes' ? Math.floor(size / (kind + 1)) : size)
    if (other === undefined) return body
    return isFirst ? CHARACTERS[other] + body : body + CHARACTERS[other]
  })

const item = fc.oneof(
  text,
  text.map((key) => ({ [key]: 1 })),
  text.map((key) => [{ [key]: key }]),
  fc.tuple(text, text),
  text.map((one) => new Map([[one, one]])),
  fc.array(text, { maxLength: 4 }),
)

/** Without a difference over many lines when it fails. */
function expectSame(got: unknown, wanted: unknown): void {
  expect(same(got, wanted)).toBe(true)
}

function same(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return a === b
  const parts = (value: object) => (value instanceof Map ? [...value] : Object.entries(value))
  const [x, y] = [parts(a), parts(b)]
  return (
    a.constructor === b.constructor &&
    x.length === y.length &&
    x.every(([key, value], i) => key === y[i]![0] && same(value, y[i]![1]))
  )
}

describe.each([
  ['a queue', { byteLength: 8 * 1024 * 1024 }],
  ['a queue that spills', { byteLength: 5_000, spill: true }],
])('%s', (_title, options) => {
  it('transfers texts of any characters unchanged', async () => {
    using queue = new Queue<unknown>(options)
    await fc.assert(
      fc.asyncProperty(item, async (value) => {
        queue.putSync(value)
        expectSame(queue.getSync(), value)
        await queue.put(value)
        expectSame(await queue.get(), value)
        expect(queue.tryPut(value)).toBe(true)
        expectSame(queue.tryGet()!.value, value)
      }),
      { numRuns: 150 },
    )
  })
})

it('a queue brings many texts at once as they were', async () => {
  using queue = new Queue<unknown>({ byteLength: 16 * 1024 * 1024 })
  await fc.assert(
    fc.asyncProperty(fc.array(item, { minLength: 1, maxLength: 3 }), async (values) => {
      await queue.putMany(values)
      const got: unknown[] = []
      while (got.length < values.length) got.push(...(await queue.getMany(values.length)))
      queue.putManySync(values)
      while (got.length < 2 * values.length) got.push(...queue.getManySync(values.length))
      expectSame(got, [...values, ...values])
    }),
    { numRuns: 60 },
  )
})

it('a text of 22,000 characters of three bytes arrives as it was', () => {
  using queue = new Queue<unknown>()
  queue.putSync('漢'.repeat(22_000))
  expectSame(queue.getSync(), '漢'.repeat(22_000))
})

it.each(CHARACTERS)('an array of characters counts the bytes of %s', (character) => {
  const size = Buffer.byteLength(character)
  using chars = new RawArray('c', 4 * size)
  chars.value = character.repeat(4)
  expect(chars.value).toEqual(Buffer.from(character.repeat(4)))
  expect(() => {
    chars.value = character.repeat(5)
  }).toThrow(RangeError)
})

it.each(CHARACTERS)('a name counts the bytes of %s', (character) => {
  const create = (name: string) => {
    using queue = Queue.create<unknown>(name, { byteLength: 1024 })
    expect(queue.handle.name).toBe(name)
    using same = Queue.attach<unknown>(JSON.parse(JSON.stringify(queue.handle)))
    queue.putSync(character)
    expect(same.getSync()).toBe(character)
  }
  const start = uniqueName('n')
  create(start + character.repeat(5))
  expect(() => create(start + character.repeat(Math.floor(260 / Buffer.byteLength(character))))).toThrow()
})
