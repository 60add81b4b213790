import {
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  JoinableQueue,
  Lock,
  type Member,
  Queue,
  RawValue,
  RLock,
  Semaphore,
  SharedArray,
  SharedState,
  type StateSchema,
  Struct,
  Value,
} from 'procshare'
import { describe, expect, it } from 'vitest'
import { shareError } from '../helpers/error-matchers.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { MEMBER_KINDS } from '../helpers/member-kinds.ts'
import { ownSegments, uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

const base = () => ({ hits: Value('i'), temps: SharedArray('d', 10), jobs: Queue({ maxSize: 5 }) })

/** Every way to an existing state must refuse the other schema, and let go of the segment. */
function expectRefused(schema: StateSchema, other: StateSchema, message: RegExp): void {
  const name = uniqueName()
  const state = SharedState.create(name, schema)
  const { handle } = state
  for (const way of [
    () => SharedState.attach(name, other),
    () => SharedState.attach(handle, other),
    () => SharedState.open(name, other),
  ]) {
    expect(way).toThrow(shareError('ERR_LAYOUT', message))
  }
  state.close()
  expect(ownSegments()).toEqual([])
}

describe('a schema that differs from the state is refused with the first difference:', () => {
  it.each<[string, StateSchema, RegExp]>([
    ['a member that is missing', { ...base(), more: Lock() }, /it has no member "more"\. /],
    ['one too many', { hits: Value('i'), temps: SharedArray('d', 10) }, /its member "jobs" is not in the schema\. /],
    ['all too many', {}, /its member "hits" is not in the schema\. /],
    [
      'another name',
      { hits: Value('i'), temperatures: SharedArray('d', 10), jobs: Lock() },
      /its member 2 is "temps", not "temperatures"\. /,
    ],
    [
      'another order',
      { temps: base().temps, hits: base().hits, jobs: base().jobs },
      /its member 1 is "hits", not "temps"\. /,
    ],
    [
      'another kind',
      { ...base(), jobs: JoinableQueue({ maxSize: 5 }) },
      /its member "jobs" is a Queue, not a JoinableQueue\. /,
    ],
    ['another type', { ...base(), hits: Value('I') }, /its member "hits" (holds|has|was created with) /],
    ['no lock', { ...base(), hits: Value('i', 0, { lock: false }) }, /its member "hits" was created with a lock, but/],
    ['no lock, as RawValue', { ...base(), hits: RawValue('i') }, /its member "hits" was created with a lock, but/],
    ['another length', { ...base(), temps: SharedArray('d', 11) }, /its member "temps" (holds|has|was created with) /],
    [
      'another type of elements',
      { ...base(), temps: SharedArray('q', 10) },
      /its member "temps" (holds|has|was created with) /,
    ],
    [
      'another size of a queue',
      { ...base(), jobs: Queue({ maxSize: 6 }) },
      /its member "jobs" was created with maxSize: 5, not with maxSize: 6\. /,
    ],
    [
      'another length of a queue',
      { ...base(), jobs: Queue({ maxSize: 5, byteLength: 64 }) },
      /its member "jobs" (holds|has|was created with) /,
    ],
    [
      'a queue that spills',
      { ...base(), jobs: Queue({ maxSize: 5, spill: true }) },
      /its member "jobs" was created with spill: false, not/,
    ],
  ])('%s', (_title, other, message) => {
    expectRefused(base(), other, message)
  })

  it.each<[string, StateSchema, StateSchema, RegExp]>([
    [
      'parties of a barrier',
      { m: Barrier(2) },
      { m: Barrier(3) },
      /its member "m" was created with parties: 2, not with parties: 3\. /,
    ],
    [
      'a semaphore that is not bounded',
      { m: BoundedSemaphore(2) },
      { m: Semaphore(2) },
      /is a BoundedSemaphore, not a Semaphore\. /,
    ],
    [
      'the limit of a semaphore',
      { m: BoundedSemaphore(2) },
      { m: BoundedSemaphore(3) },
      /created with value: 2, not with value: /,
    ],
    [
      'a semaphore that recovers',
      { m: Semaphore(2) },
      { m: Semaphore(2, { recoverable: true }) },
      /recoverable: false, not with recoverable: true\. /,
    ],
    ['a lock that is not recursive', { m: Lock() }, { m: RLock() }, /its member "m" is a Lock, not an RLock\. /],
    [
      'the fields of a struct',
      { m: Value(Struct({ x: 'd', y: 'd' })) },
      { m: Value(Struct({ x: 'd', z: 'd' })) },
      /its member "m" holds /,
    ],
  ])('%s', (_title, schema, other, message) => {
    expectRefused(schema, other, message)
  })

  it('the lock of a condition', () => {
    const refused = /its member "m" was created with a different lock than the given one/
    const schema = (m: Member<Condition>): StateSchema => ({ m, lock: Lock(), other: RLock() })
    const underLock = schema(Condition({ lock: { member: 'lock' } }))
    expectRefused(underLock, schema(Condition({ lock: { member: 'other' } })), refused)
    expectRefused(schema(Condition()), underLock, refused)
  })

  it('the presence of a lock', () => {
    expectRefused({ m: Value('i') }, { m: RawValue('i') }, /its member "m" was created with a lock, but/)
    expectRefused({ m: RawValue('i') }, { m: Value('i') }, /its member "m" was created with lock: false, but/)
  })

  it('the kind', () => {
    for (const [i, { member, kind }] of MEMBER_KINDS.entries()) {
      const { member: otherMember, kind: otherKind } = MEMBER_KINDS[(i + 7) % MEMBER_KINDS.length]!
      if (kind === otherKind) continue
      expectRefused({ m: member() }, { m: otherMember() }, new RegExp(`"m" is an? ${kind}, not an? ${otherKind}\\. `))
    }
  })
})

it('an equal schema is accepted any number of times, in any notation', () => {
  const name = uniqueName()
  const schema = base()
  using first = SharedState.create(name, schema)
  using second = SharedState.open(name, schema)
  using third = SharedState.attach(name, {
    hits: Value('int32', 7),
    temps: SharedArray('float64', Array(10).fill(1)),
    jobs: Queue({ maxSize: 5, byteLength: 2 ** 20, spill: false }),
  })
  first.hits.add(1)
  // What a schema says about values is for the one who creates.
  expect([second.hits.value, third.hits.value, third.temps[0]]).toEqual([1, 1, 0])
})

it('one schema can be used for any number of states', () => {
  const schema = base()
  using first = new SharedState(schema)
  using second = new SharedState(schema)
  first.hits.add(1)
  expect(second.hits.value).toBe(0)
})

it('a state is not another kind of object, and not one of its members', () => {
  using value = Value.create(uniqueName(), 'i')
  expect(() => SharedState.attach(value.name)).toThrow(shareError('ERR_KIND', /a Value, not a SharedState/))
  expect(() => SharedState.open(value.name, base())).toThrow(shareError('ERR_KIND'))
  using state = SharedState.create(uniqueName(), { ...base(), event: Event() })
  expect(() => Value.attach(state.name)).toThrow(shareError('ERR_KIND', /a SharedState, not a Value/))
  expect(() => Event.open(state.name)).toThrow(shareError('ERR_KIND'))
  expect(() => Value.attach({ ...state.event.handle, kind: 'Value' })).toThrow(
    shareError('ERR_KIND', /no Value at cell/),
  )
  expect(() => Event.attach({ ...state.event.handle, cell: 7 })).toThrow(shareError('ERR_KIND'))
  expect(() => Event.attach({ ...state.event.handle, cell: 2 ** 50 })).toThrow(shareError('ERR_KIND'))
  expect(() => Value.attach(state.hits.handle, 'd')).toThrow(shareError('ERR_TYPE'))
})
