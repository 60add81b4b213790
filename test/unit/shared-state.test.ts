import { inspect } from 'node:util'
import {
  attach,
  Barrier,
  Condition,
  Event,
  Lock,
  type Member,
  notify,
  Queue,
  Semaphore,
  SharedArray,
  SharedState,
  Value,
  wait,
  waitAsync,
} from 'procshare'
import { describe, expect, it } from 'vitest'
import { shareError, typeError, valueError } from '../helpers/error-matchers.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { MEMBER_KINDS } from '../helpers/member-kinds.ts'
import { ownSegments, uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

const small = () => ({ hits: Value('i', 1), lock: Lock() })

/** Two members of every kind, the first ones used. */
const everything = (): Record<string, Member<Disposable>> =>
  Object.fromEntries(MEMBER_KINDS.flatMap(({ member }, i) => ['a', 'b'].map((letter) => [`${letter}${i}`, member()])))

describe('a member', () => {
  it.each(MEMBER_KINDS.map((kind) => [kind.title, kind] as const))(
    'may be %s, which is what it would be on its own',
    async (_title, { member, kind, use, look }) => {
      using state = new SharedState({ before: Value('b', 1), object: member(), after: Value('b', 2) })
      const object = state.object as never
      const fresh = look(object)
      await use(object)
      const used = look(object)
      expect(used).not.toEqual(fresh)
      const handle = JSON.parse(JSON.stringify(object))
      expect(handle).toMatchObject({ kind, name: state.name, cell: expect.any(Number) })
      using again = attach(handle) as never
      expect(look(again)).toEqual(used)
      expect([state.before.value, state.after.value]).toEqual([1, 2])
    },
  )

  it('is not affected by other members of any kind', async () => {
    using state = new SharedState(everything()) as SharedState<Record<string, Member<Disposable>>>
    const looks = (letter: string) => MEMBER_KINDS.map(({ look }, i) => look(state[`${letter}${i}`] as never))
    const fresh = looks('b')
    expect(looks('a')).toEqual(fresh)
    for (const [i, { use }] of MEMBER_KINDS.entries()) await use(state[`a${i}`] as never)
    expect(looks('b')).toEqual(fresh)
    const used = looks('a')
    for (const [i, { use }] of MEMBER_KINDS.entries()) await use(state[`b${i}`] as never)
    expect(looks('a')).toEqual(used)
    expect(looks('b')).toEqual(used)
  })

  it('wakes its own waiters, and no others', async () => {
    using state = new SharedState({ one: Event(), other: Event(), slots: Semaphore(0), jobs: Queue<number>() })
    const isLate = expect(state.other.wait({ timeoutMs: 100 })).rejects.toThrow(shareError('ERR_TIMEOUT'))
    const waiting = Promise.all([state.one.wait(), state.slots.acquire(), state.jobs.get()])
    state.one.set()
    state.slots.release()
    state.jobs.putSync(7)
    expect(await waiting).toEqual([true, undefined, 7])
    await isLate
  })

  it('may be a Condition under the lock of another member, and a Barrier with an action of its own', async () => {
    let acted = 0
    const action = () => acted++
    using state = new SharedState({
      changed: Condition({ lock: { member: 'lock' } }),
      lock: Lock(),
      start: Barrier(1, { action }),
    })
    const { lock } = state
    expect(state.changed.lock).toBeInstanceOf(Lock)
    expect(lock.runSync(() => state.changed.notifyAll())).toBe(0)
    expect([await state.start.wait(), state.start.waitSync(), acted]).toEqual([0, 0, 2])
    using again = SharedState.attach(state.handle) as unknown as Disposable & { changed: Condition }
    using _guard = again.changed.lock.acquireSync()
    expect(lock.locked).toBe(true)
  })

  it.each([
    ['an Int32Array', SharedArray('i', 4)],
    ['one behind others', SharedArray('i', [0, 0, 0])],
  ])('may be %s with elements that support wait', async (_title, member) => {
    using state = new SharedState({ first: SharedArray('i', 2), words: member, last: SharedArray('i', 2) })
    const { words, first, last } = state
    expect(wait(words, 1, 0, 1)).toBe('timed-out')
    const waiting = waitAsync(words, 1, 0)
    const others = [waitAsync(words, 0, 0, 50), waitAsync(first, 1, 0, 50), waitAsync(last, 1, 0, 50)]
    expect([notify(words, 1), notify(words, 1)]).toEqual([1, 0])
    expect(await waiting.value).toBe('ok')
    expect(await Promise.all(others.map(({ value }) => value))).toEqual(Array(3).fill('timed-out'))
  })

  it('has no table of waiters in a state without arrays of integers', () => {
    using state = new SharedState({ reals: SharedArray('d', 2) })
    const words = new Int32Array(state.reals.buffer, state.reals.byteOffset, 4)
    expect(() => wait(words, 0, 0, 0)).toThrow(shareError('ERR_NO_WORDS'))
  })
})

describe('a state', () => {
  it('is found by name: create, attach, open', () => {
    const name = uniqueName()
    expect(() => SharedState.attach(name)).toThrow(shareError('ENOENT'))
    using state = SharedState.create(name, small())
    expect(() => SharedState.create(name, small())).toThrow(shareError('EEXIST'))
    using attached = SharedState.attach(name, small())
    using opened = SharedState.open(name, small())
    using unknown = SharedState.attach(name) as unknown as typeof state
    state.hits.add(1)
    expect([attached.hits.value, opened.hits.value, unknown.hits.value]).toEqual([2, 2, 2])
    expect(Object.keys(unknown)).toEqual(['hits', 'lock'])
    expect([state.name, attached.name]).toEqual([name, name])
    state.unlink()
    expect(() => SharedState.attach(name)).toThrow(shareError('ENOENT'))
    expect(() => attached.unlink()).toThrow(shareError('ENOENT'))
    using next = SharedState.open(name, small())
    expect(next.hits.value).toBe(1)
    expect(() => SharedState.attach(state.handle)).toThrow(shareError('ERR_STALE_HANDLE'))
  })

  it('may be anonymous, and without members', () => {
    using state = new SharedState({})
    using same = attach(state.handle) as SharedState
    expect(same).toBeInstanceOf(SharedState)
    expect(Object.keys(same)).toEqual([])
    expect(state.toJSON()).toEqual(state.handle)
    expect(inspect(state)).toBe(`SharedState "${state.name}" {  }`)
  })

  it('shows its name and members', () => {
    const state = new SharedState(small())
    expect(inspect(state)).toBe(`SharedState "${state.name}" { hits, lock }`)
    state.close()
    expect(inspect(state)).toBe(`SharedState "${state.name}" { hits, lock } (closed)`)
  })

  it('has members that cannot be replaced', () => {
    using state = new SharedState(small())
    expect(() => Object.assign(state, { hits: 5 })).toThrow(TypeError)
    expect(() => Reflect.deleteProperty(state, 'hits') || expect.fail()).toThrow()
  })

  it('persists until it is unlinked, with persist', () => {
    const name = uniqueName()
    SharedState.create(name, small(), { persist: true }).close()
    using state = SharedState.open(name, small())
    expect(state.hits.value).toBe(1)
    state.unlink()
  })

  it('leaves nothing behind if a member cannot be created', () => {
    const name = uniqueName()
    expect(() => SharedState.create(name, { hits: Value('i'), huge: SharedArray('d', 2 ** 45) })).toThrow()
    expect(ownSegments()).toEqual([])
  })
})

describe('a schema', () => {
  it.each([undefined, null, 5, 'text', () => {}])('is not %s', (schema) => {
    for (const make of [
      () => new SharedState(schema as never),
      () => SharedState.create(uniqueName(), schema as never),
      () => SharedState.open(uniqueName(), schema as never),
    ]) {
      expect(make).toThrow(typeError(/^schema must be an object of members/))
    }
  })

  it('can contain only members', () => {
    using value = new Value('i')
    for (const wrong of [Value, value, 5, undefined, {}, 'i']) {
      expect(() => new SharedState({ hits: wrong as never })).toThrow(typeError(/^schema\.hits must be a member/))
    }
  })

  it.each([
    ...['name', 'handle', 'toJSON', 'close', 'unlink', 'ref', 'unref', 'snapshot', 'update', 'memberCount'],
    ...['then', 'constructor', '__proto__'],
  ])('has no member called %s', (name) => {
    const schema = Object.fromEntries([[name, Value('i')]])
    expect(() => new SharedState(schema)).toThrow(valueError(new RegExp(`without the reserved member name "${name}"`)))
    expect(() => SharedState.attach('nobody', schema)).toThrow(valueError())
  })

  it.each([
    ['Value', (options: object) => Value('i', 1, options)],
    ['SharedArray', (options: object) => SharedArray('i', 1, options)],
    ['Semaphore', (options: object) => Semaphore(1, options)],
    ['Condition', (options: object) => Condition(options)],
    ['Barrier', (options: object) => Barrier(1, options)],
    ['Queue', (options: object) => Queue(options)],
  ])('refuses a %s with persist or mode, which are options of the state', (_title, make) => {
    expect(() => make({ persist: true })).toThrow(valueError(/^options\.persist must be passed to the SharedState/))
    expect(() => make({ mode: 0o600 })).toThrow(valueError(/^options\.mode must be passed to the SharedState/))
    expect(() => make({ unknown: 1 })).toThrow(valueError(/^options\.unknown is not a known option/))
  })

  it('is checked before a segment is created, and so are the options', () => {
    expect(() => new SharedState(small(), { lock: true } as never)).toThrow(valueError(/^options\.lock/))
    expect(() => new SharedState(small(), 5 as never)).toThrow(typeError(/^options/))
    expect(() => SharedState.create(5 as never, small())).toThrow(typeError())
    expect(() => SharedState.attach(5 as never)).toThrow(typeError())
    expect(() => SharedState.attach(uniqueName(), small(), { persist: true } as never)).toThrow(valueError())
  })
})

describe('close', () => {
  it('of a member closes only that member', async () => {
    using state = new SharedState({ one: Event(), other: Event() })
    const failing = state.one.wait()
    const other = state.other.wait()
    state.one.close()
    await expect(failing).rejects.toThrow(shareError('ERR_CLOSED'))
    expect(() => state.one.set()).toThrow(shareError('ERR_CLOSED'))
    state.other.set()
    expect(await other).toBe(true)
    expect(state.handle.kind).toBe('SharedState')
  })

  it('of the state closes all members, also those that wait', async () => {
    const state = new SharedState({
      event: Event(),
      slots: Semaphore(0),
      jobs: Queue(),
      lock: Lock(),
      changed: Condition(),
      start: Barrier(2),
      words: SharedArray('i', 1),
    })
    const guard = state.lock.acquireSync()
    const waits = [
      state.event.wait(),
      state.slots.acquire(),
      state.jobs.get(),
      state.lock.acquire(),
      state.changed.run(() => state.changed.wait()),
      state.start.wait(),
      waitAsync(state.words, 0, 0).value,
    ]
    const outcomes = Promise.allSettled(waits)
    await new Promise(setImmediate) // for the condition
    state.close()
    for (const outcome of await outcomes) {
      expect(outcome).toEqual({ status: 'rejected', reason: shareError('ERR_CLOSED') })
    }
    expect(() => guard.release()).toThrow(shareError('ERR_NOT_OWNER'))
    expect(() => state.handle).toThrow(shareError('ERR_CLOSED'))
    expect(() => state.event.set()).toThrow(shareError('ERR_CLOSED'))
    state.close()
  })

  it('of one object does not affect another object of the same state', async () => {
    using state = new SharedState(small())
    const other = SharedState.attach(state.handle, small())
    const member = attach(state.hits.handle) as Value<'i'>
    other.close()
    state.hits.add(1)
    expect(member.value).toBe(2)
    member.close()
    expect(state.hits.value).toBe(2)
  })

  it('of the state does not close a member that was attached by its own handle', () => {
    const state = new SharedState(small())
    using member = attach(state.hits.handle) as Value<'i'>
    state.close()
    member.add(1)
    expect(member.value).toBe(2)
  })
})
