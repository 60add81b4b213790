/** Processes that make, find and remove one name at the same instant. */
import { randomInt } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { RawArray, removeStaleSegments, SharedArray } from 'procshare'
import { expect, it } from 'vitest'
import { type FixtureProcess, spawnFixture, together } from '../helpers/fixture.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { isNameInUse } from '../helpers/names-in-use.mjs'
import { uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

const STOP = 0

/** What contenders agree with, and the contenders. */
class Arena implements AsyncDisposable {
  readonly name = uniqueName('contested')
  readonly #contenders: number
  readonly #control = new RawArray('i', 3)
  readonly #ledger: SharedArray<'Q'>
  readonly #started: FixtureProcess[] = []

  constructor(contenders: number) {
    this.#contenders = contenders
    this.#ledger = new RawArray('Q', contenders + 1)
  }

  /** The contender `me`, from 1 on. */
  async start(me: number): Promise<FixtureProcess> {
    const [control, ledger] = [this.#control.name, this.#ledger.name]
    const contender = await spawnFixture('lifetime-contender', { me, contenders: this.#contenders, control, ledger })
    this.#started.push(contender)
    return contender
  }

  startAll(): Promise<FixtureProcess[]> {
    return together(Array.from({ length: this.#contenders }, (_, i) => this.start(i + 1)))
  }

  stop(): void {
    Atomics.store(this.#control, STOP, 1)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop()
    await Promise.all(this.#started.map((contender) => contender[Symbol.asyncDispose]()))
    this.#control.close()
    this.#ledger.close()
  }
}

it('exactly one of many processes that open a name at the same time creates it, and all get the same segment', async () => {
  const rounds = 150
  await using arena = new Arena(4)
  const contenders = await arena.startAll()
  const found = await Promise.all(
    contenders.map((one) =>
      one.call<{ id: string; value: number | string; isOwn: boolean }[]>('openTogether', arena.name, rounds),
    ),
  )
  const creators = new Set<number>()
  for (let round = 0; round < rounds; round++) {
    const views = found.map((view) => view[round]!)
    expect(new Set(views.map(({ id, value }) => `${id} ${value}`)).size, JSON.stringify(views)).toBe(1)
    expect(views.filter(({ isOwn }) => isOwn)).toHaveLength(1)
    creators.add(views.findIndex(({ isOwn }) => isOwn))
  }
  expect(creators.size).toBeGreaterThan(1) // else it was no race
})

it('there are never two segments of one name at one time, with any overlap of opening and closing', async () => {
  await using arena = new Arena(4)
  const contenders = await arena.startAll()
  const results = contenders.map((one) =>
    one.call<{ wrong: string[]; opened: number; created: number }>('churn', arena.name, true),
  )
  await Promise.all(contenders.map((one) => one.event('running')))
  await delay(2_000)
  arena.stop()
  for (const { wrong, opened, created } of await Promise.all(results)) {
    expect(wrong).toEqual([])
    expect(created).toBeGreaterThan(0)
    expect(opened).toBeGreaterThan(created)
  }
  expect(isNameInUse(arena.name)).toBe(false)
})

it('no process sees an incomplete segment, or waits for one, when its creator is killed', {
  timeout: 120_000,
}, async () => {
  const kills = 40
  await using arena = new Arena(4)
  const survivors = await Promise.all([arena.start(1), arena.start(2)])
  const results = survivors.map((one) => one.call<{ wrong: string[]; opened: number }>('churn', arena.name, true))
  /** One place among the contenders, with one victim after the other. */
  const sacrifice = async (me: number): Promise<void> => {
    for (let i = 0; i < kills / 2; i++) {
      const victim = await arena.start(me)
      void victim.call('churn', arena.name, false).catch(() => {})
      await victim.event('running')
      await delay(randomInt(30))
      await victim.kill()
      using array = SharedArray.open(arena.name, 'i', new Int32Array(20_000).fill(-1))
      const content = [...new Set(array)]
      expect(content).toHaveLength(1)
      expect(content[0]).not.toBe(0)
    }
  }
  await Promise.all([sacrifice(3), sacrifice(4)])
  arena.stop()
  for (const { wrong, opened } of await Promise.all(results)) {
    expect(wrong).toEqual([])
    expect(opened).toBeGreaterThan(kills)
  }
  removeStaleSegments()
  expect(isNameInUse(arena.name)).toBe(false)
})

it('attaching during the last close gives a complete object or ENOENT', async () => {
  const enough = 300
  await using arena = new Arena(3)
  const [creator, ...lookers] = await arena.startAll()
  const rounds = creator!.call<number>('comeAndGo', arena.name)
  const search = async (looker: FixtureProcess): Promise<void> => {
    for (let found = 0, absent = 0; found < enough || absent < enough; ) {
      const outcomes = await looker.call<{ found: number; absent: number; wrong: string[] }>('look', arena.name, 100)
      expect(outcomes.wrong).toEqual([])
      found += outcomes.found
      absent += outcomes.absent
    }
  }
  await Promise.all(lookers.map(search))
  arena.stop()
  expect(await rounds).toBeGreaterThan(enough)
  expect(isNameInUse(arena.name)).toBe(false)
})

it('closing an unlinked segment never removes a new one of its name', async () => {
  await using arena = new Arena(3)
  const [renewer, ...laggards] = await arena.startAll()
  const results = laggards.map((one) => one.call<{ wrong: string[]; closedAfterUnlink: number }>('lag', arena.name))
  expect(await renewer!.call('renew', arena.name, 300)).toEqual([])
  arena.stop()
  for (const { wrong, closedAfterUnlink } of await Promise.all(results)) {
    expect(wrong).toEqual([])
    expect(closedAfterUnlink).toBeGreaterThan(0)
  }
  expect(isNameInUse(arena.name)).toBe(false)
})

it('an unlinked segment stays usable while a new one has its name', async () => {
  const name = uniqueName('renewed')
  await using reader = await spawnFixture('lifetime-actor')
  using old = SharedArray.create(name, 'i', [1, 2, 3])
  expect(await reader.call('run', 'attach', [1, 'SharedArray', name])).toEqual({ value: old.handle.id })
  old.unlink()
  expect(() => SharedArray.attach(name)).toThrow(expect.objectContaining({ code: 'ENOENT' }))
  const { handle } = old
  {
    using renewed = SharedArray.create(name, 'i', [4])
    expect(renewed.handle.id).not.toBe(handle.id)
    expect(() => SharedArray.attach(handle)).toThrow(expect.objectContaining({ code: 'ERR_STALE_HANDLE' }))
    old[0] = 10
    expect(await reader.call('run', 'read', [1])).toEqual({ value: [10, 2, 3] })
    expect(() => old.unlink()).toThrow(expect.objectContaining({ code: 'ENOENT' }))
    await reader.call('run', 'close', [1])
    old.close()
    using same = SharedArray.attach(name)
    expect([...(same as Int32Array)]).toEqual([4])
  }
  expect(isNameInUse(name)).toBe(false)
})
