/**
 * Every public member of every class in every state: it returns, or it throws a ShareError with the code that stands in the
 * tables of state-matrix/. A member that is missing there fails the first test of its class.
 */
import { Lock, RLock } from 'procshare'
import { afterEach, describe, expect, it } from 'vitest'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'
import { cleanups, outcomeOf, type Row, type Shared, type State } from './state-matrix/matrix.ts'
import { queueRows } from './state-matrix/queues.ts'
import { syncRows } from './state-matrix/sync.ts'
import { viewRows } from './state-matrix/views.ts'

/** By which copies of the package recognise each other's objects, and pass them to child processes; no member. */
const isOfCopies = (key: string | symbol) => typeof key === 'symbol' && key.description!.startsWith('procshare.')

expectNoLeftovers()

const TABLE = [...viewRows, ...syncRows, ...queueRows]

afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup()
})

async function put(row: Row, object: Shared, state: State): Promise<void> {
  if (state === 'closed') object.close()
  if (state === 'unlinked') object.unlink()
  if (state === 'held') {
    const guard = await row.lockOf?.(object as never).acquire()
    if (guard !== undefined) cleanups.push(() => guard[Symbol.dispose]())
  }
}

/** All members of an object but those that the language gives. */
function membersOf(object: object): string[] {
  const known = new Set<object>([Object.prototype, Int32Array.prototype, Uint8Array.prototype])
  const names = new Set<string>()
  for (let level = object; !known.has(level); level = Object.getPrototypeOf(level)) {
    if (level.constructor.name === 'Object') break
    for (const key of Reflect.ownKeys(level)) if (!isOfCopies(key)) names.add(String(key))
  }
  names.delete('constructor')
  names.delete('uncloneable') // no member: uncloneable.test.ts
  return [...names].filter((name) => !/^\d+$/.test(name)).sort()
}

describe.each(TABLE.map((row) => [row.title, row] as const))('%s', (_title, row) => {
  it('has exactly the members of this table', () => {
    using object = row.make(uniqueName())
    const known = Object.keys(row.members).filter((name) => !name.endsWith('=')) // a setter has a line of its own
    expect(membersOf(object)).toEqual(known.sort())
  })

  const states: State[] =
    row.lockOf === undefined ? ['open', 'closed', 'unlinked'] : ['open', 'closed', 'unlinked', 'held']

  it.each(states)('behaves as in the table when it is %s', async (state) => {
    for (const [name, member] of Object.entries(row.members)) {
      const object = row.make(uniqueName())
      cleanups.push(() => object.close())
      await put(row, object, state)
      const outcome = await outcomeOf(() => member.act(object))
      expect([name, outcome]).toEqual([name, member[state]])
      // Whatever has happened, the object can be closed, and a second time too.
      object.close()
      expect(await outcomeOf(() => object.close())).toBe('returns')
      for (const cleanup of cleanups.splice(0).reverse()) cleanup()
    }
  })
})

describe('the guard of a lock', () => {
  it.each([
    ['held', 'returns', false],
    ['released', 'ERR_NOT_OWNER', true],
    ['closed', 'ERR_NOT_OWNER', true],
    ['unlinked', 'returns', false],
  ] as const)('behaves as in the table when the lock is %s', async (state, outcome, isOver) => {
    for (const Class of [Lock, RLock]) {
      const lock = Class.create(uniqueName())
      const guard = await lock.acquire()
      if (state === 'released') guard.release()
      if (state === 'closed') lock.close()
      if (state === 'unlinked') lock.unlink()
      expect(guard.abandoned).toBe(false)
      expect(guard.released).toBe(isOver)
      expect(await outcomeOf(() => guard.release())).toBe(outcome)
      expect(await outcomeOf(() => guard[Symbol.dispose]())).toBe('returns')
      lock.close()
    }
  })
})
