import {
  Barrier,
  Condition,
  Event,
  Lock,
  notify,
  Process,
  Queue,
  Semaphore,
  SharedArray,
  SharedState,
  Value,
  wait,
} from 'procshare'
import { describe, expect, it } from 'vitest'
import { shareError } from '../helpers/error-matchers.ts'
import { eventually } from '../helpers/eventually.ts'
import { type Peer, spawnFixture, startWorker, together } from '../helpers/fixture.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

const schema = {
  hits: Value('i', 1),
  temps: SharedArray('d', [1, 2]),
  label: SharedArray('c', 'parent'),
  jobs: Queue<{ from: string }>(),
  ready: Event(),
  slots: Semaphore(3),
  lock: Lock(),
  changed: Condition(),
  start: Barrier(2),
}

const FOUND = {
  hits: 1,
  temps: [1, 2],
  label: 'parent',
  job: { from: 'parent' },
  ready: false,
  slots: 3,
  locked: false,
  parties: 2,
}

function expectUsed(state: SharedState<typeof schema>): void {
  expect({
    hits: state.hits.value,
    temps: [...state.temps],
    label: state.label.value.toString().slice(0, 5),
    job: state.jobs.getSync({ timeoutMs: 0 }),
    ready: state.ready.isSet,
    slots: state.slots.value,
    broken: state.start.broken,
  }).toEqual({
    hits: 2,
    temps: [0.5, 0.5],
    label: 'child',
    job: { from: 'child' },
    ready: true,
    slots: 2,
    broken: true,
  })
}

describe.each<[string, (args?: unknown) => Promise<Peer>]>([
  ['another process', (args) => spawnFixture('state-user', args)],
  ['a worker', (args) => startWorker('state-user', args)],
])('a state reaches %s', (_title, start) => {
  it.each<[string, (peer: Peer, state: SharedState<typeof schema>) => Promise<unknown>]>([
    ['as a message', (peer, state) => peer.call('use', state.handle)],
    ['inside a message', (peer, state) => peer.call('useNested', { list: [state.handle] })],
    ['by its name', (peer, state) => peer.call('useName', state.name)],
    [
      'as handles of its members',
      (peer, state) =>
        peer.call(
          'useMembers',
          Object.fromEntries(Object.keys(schema).map((name) => [name, state[name as 'hits'].handle])),
        ),
    ],
  ])('%s', async (_way, send) => {
    using state = SharedState.create(uniqueName(), schema)
    await using peer = await start()
    state.jobs.putSync({ from: 'parent' })
    expect(await send(peer, state)).toEqual(FOUND)
    expectUsed(state)
  })

  it('at its start', async () => {
    using state = new SharedState(schema)
    state.jobs.putSync({ from: 'parent' })
    await using peer = await start(state.handle)
    expect(await peer.call('useArgs')).toEqual(FOUND)
    expectUsed(state)
  })

  it('and both wait for and notify elements of an array in it', async () => {
    using state = new SharedState({ first: SharedArray('i', 3), words: SharedArray('i', 3) })
    await using peer = await start()
    const waiting = peer.call('waitForWord', state.words.handle, 2)
    await eventually(() => notify(state.words, 2) === 1)
    expect(await waiting).toBe('ok')
    const notified = peer.call('notifyWord', state.words.handle, 1)
    expect(wait(state.words, 1, 0, 20_000)).toBe('ok')
    await notified
  })
})

it('a state can be passed to process.send', async () => {
  using state = new SharedState(schema)
  await using peer = await spawnFixture('state-user')
  state.jobs.putSync({ from: 'parent' })
  expect(await peer.call('use', state)).toEqual(FOUND)
  expectUsed(state)
})

it('a state may be an argument of a Process, together with one of its members', async () => {
  using state = new SharedState({ hits: Value('i'), lock: Lock(), jobs: Queue<string>() })
  const jobs = new URL('../fixtures/jobs.mjs', import.meta.url)
  const children = ['one', 'two', 'three'].map((name) =>
    new Process(jobs, { export: 'useState', args: [state, state.hits], name }).start(),
  )
  expect(await Promise.all(children.map((child) => child.join()))).toEqual([0, 0, 0])
  expect(state.hits.value).toBe(6)
  expect([state.jobs.getSync(), state.jobs.getSync(), state.jobs.getSync()].sort()).toEqual(['one', 'three', 'two'])
})

it('of many processes that open a state at once one creates it, and those with another schema are refused', async () => {
  await using peers = await together(Array.from({ length: 6 }, () => spawnFixture('state-user')))
  for (let round = 0; round < 10; round++) {
    const name = uniqueName()
    const outcomes = await Promise.all(peers.map((peer, i) => peer.call('openAs', name, i % 2 === 0 ? 'i' : 'd')))
    const refused = outcomes.filter((outcome) => outcome === 'ERR_LAYOUT')
    expect(refused).toHaveLength(3)
    expect(outcomes.filter((outcome) => outcome === 0)).toHaveLength(3)
    // They are all still there, or collected: a schema of the same type fits.
    const type = outcomes[0] === 0 ? 'i' : 'd'
    expect(() => SharedState.open(name, { hits: Value(type === 'i' ? 'd' : 'i') }).close()).toThrow(
      shareError('ERR_LAYOUT'),
    )
  }
})

describe('a signed description with a lie is refused:', () => {
  const member = (overrides: object = {}) => ({
    name: 'm',
    cell: 0,
    byteOffset: 0,
    description: { kind: 'Value', type: 'i', lock: 'none' },
    ...overrides,
  })
  const members = (...list: unknown[]) => JSON.stringify({ kind: 'SharedState', members: list })
  const kind = (name: string, rest: object = {}) => members(member({ description: { kind: name, ...rest } }))
  const nonsense = [null, 5, 'text', true, {}, [[]], { length: 1 }]

  it.each<[string, string[]]>([
    ['members that are no array', nonsense.map((list) => JSON.stringify({ kind: 'SharedState', members: list }))],
    ['members that are none', nonsense.map((each) => members(each))],
    ['descriptions that are none', nonsense.map((description) => members(member({ description })))],
    ['names that are none', [null, 5, [], {}].map((name) => members(member({ name })))],
    [
      'names that a state has itself',
      ['close', 'name', 'handle', 'toJSON', 'then', 'constructor'].map((name) => members(member({ name }))),
    ],
    ['a name twice', [members(member(), member({ cell: 128 }))]],
    [
      'offsets that are none, that are not aligned, and beyond the segment',
      [-64, 1, 63, 0.5, 2 ** 31, 2 ** 53, 1e300, '64', null, {}, 1024, 960].flatMap((offset) => [
        members(member({ byteOffset: offset })),
        members(member({ cell: offset, description: { kind: 'Lock' } })),
        members(member({ cell: offset, description: { kind: 'Semaphore', value: 1, recoverable: false } })),
      ]),
    ],
    [
      'payloads that end beyond the segment',
      [9, 17, 100, 2 ** 40].map((length) => kind('SharedArray', { type: 'd', length, lock: 'none' })),
    ],
    [
      'a place for waiters beyond the segment',
      [-64, 1, 64, 1024, 2 ** 40].map((words) =>
        JSON.stringify({
          kind: 'SharedState',
          words,
          members: [member({ name: 'x', description: { kind: 'Nothing' } })],
        }),
      ),
    ],
    ['members of unknown kinds', ['', 'Nothing', 'toString', '__proto__'].map((name) => kind(name))],
    ['a state within the state', [kind('SharedState'), kind('SharedState', { members: [member()] })]],
    ['a pipe, or foreign memory, within the state', [kind('Connection'), kind('Pipe'), kind('SharedMemory')]],
    [
      'objects over cells of zeros',
      ['Lock', 'RLock', 'Queue', 'JoinableQueue', 'SimpleQueue', 'Barrier', 'Condition'].map((name) => kind(name)),
    ],
    [
      'a value whose lock is in the state itself',
      [kind('Value', { type: 'i', lock: { procshare: 1, kind: 'SharedState', name: 'NAME', id: 'ID' } })],
    ],
    ['deep nesting', [`{"kind":"SharedState","members":${'['.repeat(20_000)}${']'.repeat(20_000)}}`]],
  ])('%s', async (_title, descriptions) => {
    await using hostile = await spawnFixture('state-user')
    const found = await hostile.call<Record<string, unknown>[]>('forge', uniqueName(), descriptions)
    for (const [i, { isHeld, ...outcomes }] of found.entries()) {
      const about = `${descriptions[i]!.slice(0, 300)}: ${JSON.stringify(outcomes)}`
      for (const outcome of Object.values(outcomes)) expect(outcome, about).toMatch(/^(ERR|E)_?[A-Z_]+$/)
      expect(isHeld, about).toBe(false)
    }
  })

  it('a description without a lie is accepted', async () => {
    await using peer = await spawnFixture('state-user')
    const found = await peer.call('forge', uniqueName(), [members(member({ cell: 64 }))])
    // Where the runtime makes shared buffers, the memory stays mapped until they are collected.
    const isHeld = expect.any(Boolean)
    expect(found).toEqual([{ plain: 'ok', schema: 'ok', open: 'ok', handle: 'ok', member: 'ok', isHeld }])
  })
})
