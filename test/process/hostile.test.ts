/**
 * Bytes that another program has damaged, cut off or made up: attaching is refused with a documented code, or gives an
 * object that does no harm. All of it happens in a child process, so that a crash is seen as one.
 */
import { afterAll, expect, it } from 'vitest'
import { type FixtureProcess, spawnFixture } from '../helpers/fixture.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

type Outcomes = Record<string, string>

/** What attaching may answer to bytes that are not those of a sound segment. */
const REFUSALS = ['ERR_ABI', 'ERR_CORRUPT', 'ERR_FOREIGN', 'ERR_KIND', 'ERR_LAYOUT', 'ERR_NOT_READY', 'ENOENT']

let current: FixtureProcess | undefined

/** One child does it all, unless it comes to harm. */
async function withChild<T>(act: (child: FixtureProcess, name: string) => Promise<T>): Promise<T> {
  current ??= await spawnFixture('lifetime-hostile')
  try {
    return await act(current, uniqueName('hostile'))
  } catch (error) {
    await current[Symbol.asyncDispose]()
    current = undefined
    throw error
  }
}

afterAll(async () => {
  await current?.[Symbol.asyncDispose]()
})

it.each([
  ['temporary', false],
  ['persistent', true],
])(
  'every damaged byte of the control block and the description of a %s segment is noticed',
  async (_title, persist) => {
    const { block, text, after } = await withChild((child, name) =>
      child.call<{ block: string[][]; text: string[][]; after: string }>('damageSegment', name, persist),
    )
    for (const [offset, outcomes] of block.entries()) {
      const isMagic = offset < 8
      const isMajorVersion = offset === 10 || offset === 11
      const isPidNamespace = offset >= 496 && offset < 504 // not a matter of the payload, which is all that is attached to here
      const expected = isPidNamespace
        ? 'ok'
        : isMagic && persist
          ? 'ERR_FOREIGN'
          : isMajorVersion
            ? 'ERR_LAYOUT'
            : 'ERR_CORRUPT'
      expect(outcomes, `byte ${offset} of the block`).toEqual([expected])
    }
    for (const [offset, outcomes] of text.entries()) {
      expect(outcomes, `byte ${offset} of the description`).toEqual(['ERR_CORRUPT'])
    }
    expect(after).toBe('ok')
  },
)

it('a damaged free lock works, appears held or is refused', async () => {
  const { outcomes, after } = await withChild((child, name) =>
    child.call<{ outcomes: string[][]; after: string }>('damageLock', name),
  )
  for (const [offset, seen] of outcomes.entries()) {
    expect(['ok', 'ERR_CORRUPT'], `byte ${offset} of the lock`).toEqual(expect.arrayContaining(seen))
  }
  expect(outcomes.flat()).toContain('ERR_CORRUPT')
  expect(after).toBe('ok')
})

it.each([false, true])('segments with a changed size are refused (persistent: %s)', async (persist) => {
  const sizes = [0, 1, 511, 512, 513, 4095, 4096, 4097, 8192, 2 ** 20, -1, -511, -512, -4096]
  await withChild(async (child, name) => {
    for (const size of sizes) {
      const outcomes = await child.call<Outcomes>('resize', name, persist, size)
      const context = JSON.stringify({ size, outcomes })
      // Without its block, a persistent one is memory like any other program's.
      expect([...REFUSALS, ...(persist ? ['ok'] : [])], context).toContain(outcomes.SharedMemory)
      for (const kind of ['Value', 'SharedArray', 'Lock', 'RLock']) expect(REFUSALS, context).toContain(outcomes[kind])
      expect(outcomes.listSegments, context).toBe('ok')
    }
  })
})

const page = (byte: string) => byte.repeat(4096)

it.each([
  ['an empty file', '', 'ERR_FOREIGN'],
  ['one byte', '01', 'ok'],
  ['a page of zeros', page('00'), 'ok'],
  ['a page of ones', page('ff'), 'ok'],
  ['text', Buffer.from('{"kind":"Value"}').toString('hex'), 'ok'],
  ['a size that is no page', page('7f').slice(0, 2 * 513), 'ok'],
  ['a directory', 'directory', 'ERR_FOREIGN'],
  ['a named pipe', 'pipe', 'ERR_FOREIGN'],
  ['a symbolic link', 'link', 'ERR_FOREIGN'],
  ['a symbolic link to nothing', 'dangling link', 'ERR_FOREIGN'],
])('%s is not taken for an object of the library', async (_title, what, asMemory) => {
  const outcomes = await withChild((child, name) => child.call<Outcomes>('foreign', name, what))
  const isMemory = !['directory', 'pipe', 'link', 'dangling link'].includes(what)
  expect(outcomes).toEqual({
    Value: 'ERR_FOREIGN',
    SharedArray: 'ERR_FOREIGN',
    Lock: 'ERR_FOREIGN',
    RLock: 'ERR_FOREIGN',
    SharedMemory: asMemory,
    listSegments: 'ok',
    create: 'EEXIST',
    open: 'ERR_FOREIGN',
    unlinkSegment: isMemory ? 'ok' : 'ERR_FOREIGN',
  })
})

it.each([
  ['another major version of the layout', 'layout', '00000100', true, 'ERR_LAYOUT'],
  ['another major version that signs in another way', 'layout', '00000300', false, 'ERR_LAYOUT'],
  ['a later minor version of the layout', 'layout', '01000200', true, 'ok'],
  ['another C library', 'abi', '00000000', true, 'ERR_ABI'],
  ['a later use of reserved bytes', 'reserved', '0102030405', true, 'ok'],
] as const)('a segment of %s is reported as such', async (_title, field, hex, signs, expected) => {
  const outcomes = await withChild((child, name) => child.call<Outcomes>('patch', name, field, hex, signs))
  const isSound = expected === 'ok'
  expect(outcomes).toEqual({
    Value: expected,
    SharedArray: isSound ? 'ERR_KIND' : expected,
    SharedMemory: isSound ? 'ERR_KIND' : expected,
    Lock: isSound ? 'ERR_KIND' : expected,
    RLock: isSound ? 'ERR_KIND' : expected,
    listSegments: 'ok',
  })
})

interface Forgery {
  readonly description: string
  readonly payloadBytes?: number
  readonly cells?: 'none' | 'zero' | 'lock'
}

const nested = (depth: number, open: string, inner: string, close: string) =>
  open.repeat(depth) + inner + close.repeat(depth)
const valueText = (type: string, lock = '"none"') => `{"kind":"Value","type":${type},"lock":${lock}}`
const arrayText = (length: string, type = '"i"', lock = '"none"') =>
  `{"kind":"SharedArray","type":${type},"length":${length},"lock":${lock}}`
const lockHandle = (fields: object) =>
  JSON.stringify({ procshare: 1, kind: 'RLock', name: 'NAME', id: 'ID', ...fields })

const NOT_A_DESCRIPTION = [
  'null',
  '0',
  '"Value"',
  '[]',
  '{}',
  '{"kind":1}',
  '{"kind":["Value"]}',
  'kind',
  '{"kind":"Val',
]
const UNKNOWN_KINDS = ['Nonsense', '__proto__', 'constructor', 'toString', '', 'value']
const BAD_TYPES = [
  ...['null', '5', '[]', '{}', '""', '"x"', '"__proto__"', '"toString"', '["d",4]', 'true'],
  ...['{"struct":5}', '{"struct":null}', '{"struct":"ab"}', '{"struct":[]}', '{"struct":[["x"]]}', '{"struct":[5]}'],
  ...['__proto__', 'constructor', 'toJSON', '0'].map((name) => `{"struct":[["${name}","d"]]}`),
  ...['{"struct":[["x","b"],["x","b"]]}', '{"struct":[["x",["d",-1]]]}', '{"struct":[["x",["d",1.5]]]}'],
  ...['{"struct":[["x",["d",1e300]]]}', '{"struct":[["x",["d",9007199254740991]]]}'],
  '{"struct":[["x",[["d",1e15],1e15]]]}',
  '{"struct":[["x",[[[["d",1e15],1e15],1e15],1e15]]]}',
  `{"struct":[["x",{"struct":[["y","nonsense"]]}]]}`,
  nested(10_000, '[', '', ']'),
  nested(8_000, '[', '"i"', ',1]'),
  nested(2_000, '{"struct":[["x",', '"nonsense"', ']]}'),
]
const BAD_LENGTHS = [
  '-1',
  '1e300',
  '9007199254740993',
  'null',
  'true',
  '"x"',
  '1.5',
  '0',
  '{}',
  '[]',
  '3',
  nested(20_000, '[', '', ']'),
]
const BAD_LOCKS = [
  ...['null', 'true', '"Own"', '5', '[]', '{}', '"__proto__"', '{"procshare":1}', '{"procshare":2,"kind":"RLock"}'],
  ...['NAME-nobody', '../x', '', '.', 'x'.repeat(300), 'a\0b'].map((name) => lockHandle({ name })),
  ...['Value', 'SharedArray', 'SharedMemory', 'Lock', 'Nonsense', '__proto__', ''].map((kind) => lockHandle({ kind })),
  ...[-1, 0, 128, 1e9, 2 ** 53, 0.5, 'x'].map((cell) => lockHandle({ cell })),
  lockHandle({}),
  lockHandle({ id: '' }),
  nested(20_000, '[', '', ']'),
]

const FORGERIES: [string, Forgery[]][] = [
  ['what is not a description', NOT_A_DESCRIPTION.map((description) => ({ description }))],
  ['unknown kinds', UNKNOWN_KINDS.map((kind) => ({ description: JSON.stringify({ kind, type: 'i', lock: 'none' }) }))],
  ['nonsense types', BAD_TYPES.map((type) => ({ description: valueText(type) }))],
  ['nonsense types of arrays', BAD_TYPES.map((type) => ({ description: arrayText('2', type) }))],
  ['nonsense lengths', BAD_LENGTHS.map((length) => ({ description: arrayText(length) }))],
  ['nonsense locks', BAD_LOCKS.map((lock) => ({ description: valueText('"i"', lock), payloadBytes: 4 }))],
  ['nonsense locks of arrays', BAD_LOCKS.map((lock) => ({ description: arrayText('2', '"i"', lock) }))],
  [
    'locks that are not in the cells',
    (['none', 'zero'] as const).flatMap((cells) => [
      { description: valueText('"i"', '"own"'), payloadBytes: 4, cells },
      { description: arrayText('2', '"i"', '"own"'), cells },
      { description: '{"kind":"Lock"}', payloadBytes: 0, cells },
      { description: '{"kind":"RLock"}', payloadBytes: 0, cells },
    ]),
  ],
  [
    'payloads that do not fit the type',
    [0, 1, 3, 5, 8, 100_000].map((payloadBytes) => ({ description: valueText('"i"'), payloadBytes })),
  ],
  ['a kind of 60,000 letters', [{ description: JSON.stringify({ kind: 'x'.repeat(60_000) }) }]],
  ['deep nesting beside the kind', [{ description: `{"kind":"Value","x":${nested(30_000, '[', '', ']')}}` }]],
]

/** Who answers "ok" to each of the forged segments. None of them may answer with an error that is not documented. */
async function believers(forgeries: readonly Forgery[]): Promise<string[][]> {
  const results = await withChild((child, name) => child.call<Outcomes[]>('forge', name, forgeries))
  return results.map(({ listSegments, ...outcomes }, i) => {
    const context = JSON.stringify({ ...forgeries[i], outcomes }).slice(0, 2_000)
    expect(listSegments, context).toBe('ok')
    for (const outcome of Object.values(outcomes)) expect(outcome, context).toMatch(/^(ok|E[A-Z_]+)$/)
    return Object.keys(outcomes).filter((what) => outcomes[what] === 'ok')
  })
}

it.each(FORGERIES)('a signed description with a lie is refused: %s', async (_title, forgeries) => {
  const found = await believers(forgeries)
  for (const [i, who] of found.entries()) expect(who, forgeries[i]!.description.slice(0, 200)).toEqual([])
})

it('a signed description without a lie is accepted from any program', async () => {
  const asValue = ['Value', 'typed Value', 'opened Value', 'attached Value']
  const asArray = ['SharedArray', 'typed SharedArray', 'opened SharedArray', 'attached SharedArray']
  const lockElsewhere = lockHandle({ name: 'NAME-model' })
  const found = await believers([
    { description: valueText('"i"'), payloadBytes: 4 },
    { description: valueText('"i"', '"own"'), payloadBytes: 4, cells: 'lock' },
    { description: valueText('"i"', lockElsewhere), payloadBytes: 4 },
    { description: valueText('{"struct":[["x","d"]]}') },
    { description: valueText('{"struct":[["x","d"]],"__proto__":{"struct":[]}}') },
    { description: arrayText('2') },
    { description: arrayText('2', '"i"', lockElsewhere) },
    { description: arrayText('2', '{"struct":[["x","i"]]}') },
    { description: '{"kind":"Lock"}', payloadBytes: 0, cells: 'lock' },
    { description: '{"kind":"RLock"}', payloadBytes: 0, cells: 'lock' },
    { description: '' },
  ])
  const [untyped, untypedArray] = [
    ['Value', 'attached Value'],
    ['SharedArray', 'attached SharedArray'],
  ]
  expect(found).toEqual([
    ...[asValue, asValue, asValue, untyped, untyped],
    ...[asArray, asArray, untypedArray],
    ...[['Lock'], ['RLock'], ['SharedMemory']],
  ])
})
