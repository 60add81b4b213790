/** Members of a schema: what they hold (nothing), whose lock they have, and arrays of them. */
import {
  attach,
  Barrier,
  Condition,
  Event,
  Lock,
  type Member,
  Queue,
  RawArray,
  RLock,
  Semaphore,
  SharedArray,
  SharedMemory,
  SharedState,
  type StateSchema,
  Value,
} from 'procshare'
import { describe, expect, it } from 'vitest'
import { shareError, typeError, valueError } from '../helpers/error-matchers.ts'
import { DEADLINE_MS, spawnFixture } from '../helpers/fixture.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { MEMBER_KINDS } from '../helpers/member-kinds.ts'
import { ownSegments, uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

describe('a member, made without new,', () => {
  it.each(MEMBER_KINDS.map(({ title, member }) => [title, member] as const))(
    'refuses to be written to: %s',
    (_title, make) => {
      const member = make() as unknown as Record<string, unknown>
      for (const key of ['value', 'raw', '0', 'anything', 'className']) {
        expect(() => {
          member[key] = 1
        }).toThrow(TypeError)
      }
      expect(() => {
        member.value = 1
      }).toThrow(
        typeError(
          /^value must be a property of new (\w+)\(…\), got .+: \1\(…\) without new describes a member of a Shared/,
        ),
      )
    },
  )

  it('refuses to be read like an object that has a value or elements', () => {
    const value = Value('i', 5) as unknown as { value: number }
    const array = SharedArray('i', [5]) as unknown as number[]
    expect(() => value.value + 1).toThrow(typeError(/^value must be a property of new Value/))
    expect(() => array[0]).toThrow(typeError(/^0 must be a property of new SharedArray/))
    expect(() => {
      array[0]! += 1
    }).toThrow(typeError())
  })

  it('can be looked at, awaited and told from others', async () => {
    const member = RawArray('i', 3)
    expect(await member).toBe(member)
    expect(String(member)).toBe('[object Object]')
    expect(member).not.toBeInstanceOf(SharedArray)
    expect(() => structuredClone(member)).toThrow(/could not be cloned/)
  })

  it('is not made by a class that cannot be a member', () => {
    const asFunction = (Class: unknown) => Class as (...args: unknown[]) => unknown
    expect(() => asFunction(SharedMemory)(64)).toThrow(typeError(/^SharedMemory must be called with new/))
    expect(() => asFunction(SharedState)({})).toThrow(typeError(/^SharedState must be called with new/))
  })
})

describe('the option lock of a member', () => {
  it('is no lock object, which another process that says the schema could not have', () => {
    using lock = new Lock()
    const given = lock as never
    const refused = typeError(
      /^options\.lock must be .*, got Lock .*: make the lock a member of the schema, too, and name/,
    )
    expect(() => Value('i', 0, { lock: given })).toThrow(refused)
    expect(() => SharedArray('i', 3, { lock: given })).toThrow(refused)
    expect(() => Condition({ lock: given })).toThrow(refused)
  })

  it.each(['lock', 1, null, {}, [], { member: undefined }])('is nothing else either: %o', (lock) => {
    const bad = { lock } as never
    const refused = typeError(/^options\.lock(\.member)? must be /)
    for (const make of [() => Value('i', 0, bad), () => SharedArray('i', 3, bad), () => Condition(bad)]) {
      expect(make).toThrow(refused)
    }
    expect(() => Value('i', 0, { lock: { member: 5 } } as never)).toThrow(
      typeError(/^options\.lock\.member must be a str/),
    )
    expect(() => Value('i', 0, { lock: { membr: 'x' } } as never)).toThrow(
      valueError(/options\.lock\.membr is not a known/),
    )
    expect(() => Condition({ lock: true } as never)).toThrow(typeError(/^options\.lock must be \{ member: /))
  })

  it('names a member only in a schema', () => {
    const lock = { member: 'lock' } as never
    const refused = typeError(/^options\.lock must be a boolean, a Lock or an RLock, got /)
    expect(() => new Value('i', 0, { lock })).toThrow(refused)
    expect(() => SharedArray.open(uniqueName(), 'i', 3, { lock })).toThrow(refused)
    expect(() => new Condition({ lock })).toThrow(refused)
  })

  it.each<[string, StateSchema]>([
    ['that the schema lacks', { m: Value('i', 0, { lock: { member: 'other' } }) }],
    ['that has no lock', { m: Value('i', 0, { lock: { member: 'other' } }), other: Event() }],
    [
      'that has its lock from another one',
      { m: Value('i', 0, { lock: { member: 'other' } }), other: Condition({ lock: { member: 'last' } }), last: Lock() },
    ],
    ['that is itself', { other: Value('i', 0, { lock: { member: 'other' } }) }],
  ])('names no member %s', (_title, schema) => {
    expect(() => new SharedState(schema)).toThrow(
      valueError(
        /^options\.lock\.member of schema\.\w+ must be the name of a member that has a lock \(.+\), got 'other'/,
      ),
    )
    expect(ownSegments()).toEqual([])
  })

  it.each<[string, Member<Disposable>, boolean]>([
    ['a Lock', Lock(), false],
    ['an RLock', RLock(), true],
    ['a Value with a lock of its own', Value('d'), true],
    ['a Condition with a lock of its own', Condition(), true],
  ])('may be that of %s', (_title, member, isRecursive) => {
    const lock = { member: 'lock' }
    const schema = {
      first: Value('i', 1, { lock }),
      lock: member,
      list: SharedArray('i', 2, { lock }),
      changed: Condition({ lock }),
      other: Value('i'),
    }
    using state = new SharedState(schema)
    using again = SharedState.attach(state.handle, schema)
    using told = SharedState.attach<{ first: Value<'i'>; changed: Condition }>(state.handle)
    using alone = attach<Value<'i'>>(state.first.handle)
    const guard = state.first.lock.acquireSync()
    for (const object of [state.list, state.changed, again.first, told.first, told.changed, alone]) {
      expect([object.lock.locked, object.lock.handle]).toEqual([true, state.first.lock.handle])
    }
    expect(state.other.lock.locked).toBe(false)
    if (isRecursive) expect(alone.add(1)).toBe(1)
    else expect(() => alone.add(1)).toThrow(shareError('ERR_DEADLOCK'))
    guard.release()
    using same = attach<Lock>(state.first.lock.handle)
    same.runSync(() => expect(state.list.lock.locked).toBe(true))
  })

  it('is one lock in all processes, which outlives the one that holds it', async () => {
    const lock = { member: 'lock' }
    using state = new SharedState({ first: Value('i', 0, { lock }), lock: Lock(), second: Value('i', 0, { lock }) })
    await using peer = await spawnFixture('object-user')
    await peer.call('hold', state.first.lock.handle)
    expect([state.lock.tryAcquire(), state.second.lock.owner?.pid]).toEqual([undefined, peer.pid])
    await peer.kill()
    const guard = state.second.lock.acquireSync({ timeoutMs: DEADLINE_MS })
    expect(guard.abandoned).toBe(true)
    guard.release()
  })

  it('is part of what schemas are compared by', () => {
    const schema = (lock: boolean | { member: string }): StateSchema => ({
      a: Lock(),
      b: Lock(),
      m: Value('i', 0, { lock }),
    })
    using state = new SharedState(schema({ member: 'a' }))
    for (const other of [true, false, { member: 'b' }]) {
      expect(() => SharedState.attach(state.handle, schema(other))).toThrow(
        shareError('ERR_LAYOUT', /its member "m" was created with/),
      )
    }
  })
})

describe('an array of members', () => {
  const schema = () => ({
    total: Value('i'),
    workers: Array.from({ length: 3 }, (_, i) => Value('i', i)),
    pair: [Lock(), Queue<string>({ byteLength: 64 })] as const,
  })

  it('becomes an array of objects, in all processes and however it is attached to', () => {
    using state = SharedState.create(uniqueName(), schema())
    using same = SharedState.open(state.name, schema())
    using told = SharedState.attach<{ workers: readonly Value<'i'>[] }>(state.name)
    state.workers[1]!.add(10)
    for (const each of [state, same, told]) {
      expect(each.workers.map((worker) => worker.value)).toEqual([0, 11, 2])
      expect(Array.isArray(each.workers) && Object.isFrozen(each.workers)).toBe(true)
    }
    state.pair[1].putSync('x')
    expect([same.pair[1].getSync(), same.pair[0].locked]).toEqual(['x', false])
    expect(Object.keys(told)).toEqual(['total', 'workers', 'pair'])
  })

  it('has objects with handles of their own, which close with the state', () => {
    const state = new SharedState(schema())
    using alone = attach<Value<'i'>>(state.workers[2]!.handle)
    alone.add(1)
    expect(state.workers[2]!.value).toBe(3)
    state.close()
    expect(() => state.workers[2]!.value).toThrow(shareError('ERR_CLOSED'))
    expect(alone.value).toBe(3)
  })

  it('may share one lock, which may be an element', () => {
    using state = new SharedState({
      locks: [Lock(), Lock()],
      slots: Array.from({ length: 4 }, (_, i) => Value('i', 0, { lock: { member: `locks[${i % 2}]` } })),
    })
    state.locks[1]!.runSync(() =>
      expect(state.slots.map((slot) => slot.lock.locked)).toEqual([false, true, false, true]),
    )
  })

  it('is compared by its length, its kinds and their options', () => {
    using state = new SharedState(schema())
    const differs = (other: StateSchema, message: RegExp) =>
      expect(() => SharedState.attach(state.handle, { ...schema(), ...other })).toThrow(
        shareError('ERR_LAYOUT', message),
      )
    differs({ workers: [Value('i'), Value('i')] }, /its member 4 is "workers\[2\]", not "pair\[0\]"/)
    differs({ workers: Array.from({ length: 4 }, () => Value('i')) }, /its member 5 is "pair\[0\]", not "workers\[3\]"/)
    differs({ workers: [Value('i'), Value('d'), Value('i')] }, /its member "workers\[1\]" holds/)
    differs({ workers: [Value('i'), Semaphore(), Value('i')] }, /its member "workers\[1\]" is a Value, not a Semaphore/)
  })

  it('has at least one member, and nothing else', () => {
    const bad = (given: unknown) => () => new SharedState({ list: given as never })
    expect(bad([])).toThrow(valueError(/^schema\.list must be an array with at least one member, got \[\]/))
    expect(bad([Value('i'), 5])).toThrow(
      typeError(/^schema\.list\[1\] must be a member, such as Value\('i'\) without new, got 5/),
    )
    expect(bad([[Value('i')]])).toThrow(typeError(/^schema\.list\[0\] must be a member/))
    expect(bad(new Array(2))).toThrow(typeError(/^schema\.list\[0\] must be a member/))
    expect(() => new SharedState({ 'list[0]': Value('i') })).toThrow(
      valueError(/^schema must be an object without names such as/),
    )
  })
})

it('a schema is read once', () => {
  let reads = 0
  const schema = Object.defineProperty({ b: Barrier(2) } as StateSchema, 'a', {
    enumerable: true,
    get: () => (reads++ === 0 ? Value('i') : Lock()),
  })
  using state = new SharedState(schema)
  expect([reads, Object.keys(state)]).toEqual([1, ['b', 'a']])
})

describe('a Condition of a lock', () => {
  it('is made as in Python, and with the lock as an option', () => {
    using lock = new Lock()
    const name = uniqueName()
    using first = new Condition(lock)
    using second = Condition.create(name, lock, { mode: 0o600 })
    using third = Condition.open(name, lock)
    using fourth = new Condition({ lock })
    for (const condition of [first, second, third, fourth]) expect(condition.lock).toBe(lock)
    expect(lock.runSync(() => first.notifyAll())).toBe(0)
    using other = new RLock()
    expect(() => Condition.open(name, other)).toThrow(shareError('ERR_TYPE', /a different lock than the given one/))
  })

  it('has its lock in one place, and no other second argument than options', () => {
    using lock = new Lock()
    const make =
      (...args: unknown[]) =>
      () =>
        new Condition(...(args as []))
    expect(make(lock, { lock })).toThrow(valueError(/^options\.lock is not a known option/))
    expect(make(lock, lock)).toThrow(typeError(/^options must be a plain object/))
    expect(make({}, {})).toThrow(typeError(/^lock must be a Lock or an RLock, got \{\}/))
    expect(make(undefined, {})).toThrow(typeError(/^lock must be a Lock or an RLock, got undefined/))
    using value = new Value('i')
    expect(make(value)).toThrow(typeError(/^options must be a plain object/))
    using condition = new Condition(value.lock)
    expect(condition.lock).toBe(value.lock)
  })
})
