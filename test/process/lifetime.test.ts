/**
 * Lifetime: random histories of processes and workers that make, attach to, close, unlink and die, against a model that
 * says after each step which segments exist.
 *
 * LIFETIME_SEED=… repeats a run, LIFETIME_HISTORIES=… says how many there are; a failure prints the shortest history that fails.
 */
import { statSync } from 'node:fs'
import fc from 'fast-check'
import { attach, removeStaleSegments, unlinkSegment } from 'procshare'
import { afterAll, expect, it } from 'vitest'
import { type FixtureProcess, spawnFixture } from '../helpers/fixture.ts'
import { isNameInUse, namesInUse } from '../helpers/names-in-use.mjs'
import { namePrefix, uniqueName } from '../helpers/segment-names.ts'

const HISTORIES = Number(process.env.LIFETIME_HISTORIES ?? 1_000)
const ACTORS = 3
const SEED = Number(process.env.LIFETIME_SEED ?? Date.now() % 2 ** 31)

const KINDS = ['Value', 'SharedArray', 'SharedMemory', 'Lock'] as const

/** How many names a history has. Few, so that actors meet. */
const NAMES = 2

const STICKY = process.env.TEST_FALLBACKS ? 0o600 : 0o1000 // the mark of temporary memory is elsewhere there

/** Whether what is left of a name can go with the next sweep. */
function isTemporary(name: string): boolean {
  if (process.platform !== 'linux') return false // there it goes with its last user
  return (statSync(`/dev/shm/${name}`).mode & STICKY) !== 0
}

interface ModelSegment {
  readonly id: string
  readonly persistent: boolean
  users: number
}

interface ModelHandle {
  readonly token: number
  readonly segment: ModelSegment
  readonly slot: number
}

/** A name: what it means, and whether killed processes may have left it behind. */
class Slot {
  readonly kind: string
  readonly name: string
  segment: ModelSegment | undefined
  mayBeStale = false

  constructor(kind: string, name: string) {
    this.kind = kind
    this.name = name
  }

  get exists(): boolean {
    return isNameInUse(this.name)
  }

  close({ segment }: ModelHandle): void {
    if (--segment.users === 0 && !segment.persistent && this.segment === segment) this.segment = undefined
  }

  kill(handle: ModelHandle): void {
    const before = this.segment
    this.close(handle)
    if (before !== this.segment) this.mayBeStale = true
  }

  /** Attaching or creating clears away what is stale. */
  become(segment: ModelSegment | undefined): void {
    this.segment = segment
    this.mayBeStale = false
  }
}

type Place = 'main' | 'worker'

/** What the next one does to a name whose users were killed. */
const HEIRS = ['create', 'open', 'attach', 'unlinkByName', 'nobody'] as const
type Heir = (typeof HEIRS)[number]

/** A process, and what it and its worker hold. */
class Actor {
  readonly process: FixtureProcess
  readonly handles: Record<Place, ModelHandle[]> = { main: [], worker: [] }

  constructor(process: FixtureProcess) {
    this.process = process
  }

  /** New processes and workers cost most of the time: only those that hold something are ended. */
  get holdsAny(): boolean {
    return this.handles.main.length + this.handles.worker.length > 0
  }

  async run(place: Place, command: string, ...params: unknown[]): Promise<{ value?: unknown; code?: string }> {
    return await this.process.call(place === 'worker' ? 'runInWorker' : 'run', command, params)
  }

  takeAll(...places: Place[]): ModelHandle[] {
    return places.flatMap((place) => this.handles[place].splice(0))
  }
}

const spare: Promise<FixtureProcess>[] = []

async function nextActor(): Promise<Actor> {
  spare.push(spawnFixture('lifetime-actor'))
  return new Actor(await (spare.length > 1 ? spare.shift()! : spare.pop()!))
}

/** Actors are reused by the next history unless they have died. */
const actors: Actor[] = []

afterAll(async () => {
  const all = [...(await Promise.all(spare)), ...actors.map((actor) => actor.process)]
  await Promise.all(all.map((process) => process[Symbol.asyncDispose]()))
})

type Step = (history: History) => Promise<void>

let lastToken = 0

class History {
  readonly slots: readonly Slot[]
  readonly ids = new Set<string>()

  constructor(number: number) {
    this.slots = Array.from({ length: NAMES }, (_, i) => {
      const kind = KINDS[(number + i) % KINDS.length]!
      return new Slot(kind, uniqueName(kind))
    })
  }

  async create(who: number, place: Place, which: number, persist: boolean): Promise<void> {
    const slot = this.slots[which]!
    const token = ++lastToken
    const { value, code } = await actors[who]!.run(place, 'create', token, slot.kind, slot.name, persist)
    if (slot.segment !== undefined) {
      expect(code).toBe('EEXIST')
      return
    }
    expect(code).toBeUndefined()
    this.#created(who, place, which, token, value as string, persist)
  }

  async open(who: number, place: Place, which: number, persist: boolean): Promise<void> {
    const slot = this.slots[which]!
    const token = ++lastToken
    const { value, code } = await actors[who]!.run(place, 'open', token, slot.kind, slot.name, persist)
    if (slot.segment !== undefined && slot.segment.persistent !== persist) {
      expect(code).toBe('ERR_TYPE')
      return
    }
    expect(code).toBeUndefined()
    if (slot.segment === undefined) this.#created(who, place, which, token, value as string, persist)
    else this.#attached(who, place, which, token, value as string)
  }

  async attach(who: number, place: Place, which: number): Promise<void> {
    const slot = this.slots[which]!
    const token = ++lastToken
    const { value, code } = await actors[who]!.run(place, 'attach', token, slot.kind, slot.name)
    if (slot.segment === undefined) {
      expect(code).toBe('ENOENT')
      slot.become(undefined)
    } else {
      expect(code).toBeUndefined()
      this.#attached(who, place, which, token, value as string)
    }
  }

  /** An attempt that fails must not change how long the segment lives. */
  async attachAsWrongKind(who: number, place: Place, which: number): Promise<void> {
    const slot = this.slots[which]!
    const { code } = await actors[who]!.run(place, 'attachAsWrongKind', slot.kind, slot.name)
    expect(code).toBe(slot.segment === undefined ? 'ENOENT' : 'ERR_KIND')
  }

  async close(who: number, place: Place, pick: number): Promise<void> {
    const handles = actors[who]!.handles[place]
    if (handles.length === 0) return
    const [handle] = handles.splice(pick % handles.length, 1)
    expect(await actors[who]!.run(place, 'close', handle!.token)).toEqual({})
    this.slots[handle!.slot]!.close(handle!)
  }

  async unlink(who: number, place: Place, pick: number): Promise<void> {
    const handles = actors[who]!.handles[place]
    const handle = handles[pick % handles.length]
    if (handle === undefined) return
    const slot = this.slots[handle.slot]!
    const { code } = await actors[who]!.run(place, 'unlink', handle.token)
    expect(code).toBe(slot.segment === handle.segment ? undefined : 'ENOENT')
    if (slot.segment === handle.segment) slot.become(undefined)
  }

  async unlinkByName(who: number, place: Place, which: number): Promise<void> {
    const slot = this.slots[which]!
    const { code } = await actors[who]!.run(place, 'unlinkByName', slot.name)
    if (slot.segment !== undefined) expect(code).toBeUndefined()
    else if (!slot.mayBeStale) expect(code).toBe('ENOENT')
    slot.become(undefined)
  }

  async endWorker(who: number, how: string): Promise<void> {
    const actor = actors[who]!
    if (actor.handles.worker.length === 0) return
    await actor.process.call('endWorker', how)
    for (const handle of actor.takeAll('worker')) this.slots[handle.slot]!.close(handle)
  }

  /** Ends the process, in a way in which it can still let go of what it holds. */
  async endProcess(who: number, how: string): Promise<void> {
    const actor = actors[who]!
    if (!actor.holdsAny) return
    void actor.process.call(how).catch(() => {})
    await actor.process.ended()
    for (const handle of actor.takeAll('main', 'worker')) this.slots[handle.slot]!.close(handle)
    actors[who] = await nextActor()
  }

  /** Another actor then comes upon what the dead one has left. */
  async kill(who: number, signal: NodeJS.Signals, next: Heir): Promise<void> {
    const actor = actors[who]!
    if (!actor.holdsAny) return
    await actor.process.kill(signal)
    for (const handle of actor.takeAll('main', 'worker')) this.slots[handle.slot]!.kill(handle)
    actors[who] = await nextActor()
    if (next === 'nobody') return
    for (const [which, slot] of this.slots.entries()) {
      if (slot.mayBeStale) await this[next]((who + 1) % ACTORS, 'main', which, false)
    }
  }

  /** What the system has is what the model says. */
  check(): void {
    for (const slot of this.slots) {
      if (slot.segment === undefined) {
        if (slot.mayBeStale) expect(!slot.exists || isTemporary(slot.name)).toBe(true)
        else expect(slot.exists, `${slot.name} is gone`).toBe(false)
      } else {
        const { kind, name } = slot
        const object = attach({ procshare: 1, kind, name, id: slot.segment.id }) as unknown as Disposable
        object[Symbol.dispose]()
        expect(slot.exists, `${slot.name} is there`).toBe(true)
      }
    }
  }

  /** After a failure: whatever has happened, the next history finds actors without handles. */
  async abandon(): Promise<void> {
    for (const [i, { process }] of actors.entries()) {
      await process[Symbol.asyncDispose]()
      actors[i] = await nextActor()
    }
    for (const { name } of this.slots) if (isNameInUse(name)) unlinkSegment(name)
  }

  /** All close what they have; persistent segments stay until they are unlinked. Then nothing is left. */
  async end(): Promise<void> {
    for (const actor of actors) {
      for (const place of ['main', 'worker'] as const) {
        if (actor.handles[place].length === 0) continue
        expect(await actor.run(place, 'closeAll')).toEqual({})
      }
      for (const handle of actor.takeAll('main', 'worker')) this.slots[handle.slot]!.close(handle)
    }
    this.check()
    for (const { segment, name } of this.slots) if (segment !== undefined) unlinkSegment(name)
    if (this.slots.some((slot) => slot.mayBeStale)) removeStaleSegments()
    expect(namesInUse().filter((name) => name.startsWith(namePrefix))).toEqual([])
  }

  #created(who: number, place: Place, slot: number, token: number, id: string, persistent: boolean): void {
    expect(this.ids.has(id)).toBe(false)
    this.ids.add(id)
    const segment = { id, persistent, users: 1 }
    this.slots[slot]!.become(segment)
    actors[who]!.handles[place].push({ token, segment, slot })
  }

  #attached(who: number, place: Place, slot: number, token: number, id: string): void {
    const segment = this.slots[slot]!.segment!
    expect(id).toBe(segment.id)
    segment.users++
    actors[who]!.handles[place].push({ token, segment, slot })
  }
}

const who = fc.nat({ max: ACTORS - 1 })
const which = fc.nat({ max: NAMES - 1 })
const place = fc.oneof(
  { arbitrary: fc.constant<Place>('main'), weight: 4 },
  { arbitrary: fc.constant<Place>('worker'), weight: 1 },
)
const pick = fc.nat({ max: 5 })
const signal = fc.constantFrom<NodeJS.Signals>('SIGKILL', 'SIGTERM')

/** A step, printed as a call when a history fails. */
function step<T extends unknown[]>(method: keyof History, params: fc.Arbitrary<T>): fc.Arbitrary<Step> {
  return params.map((values) => {
    const run: Step = (history) => (history[method] as (...values: T) => Promise<void>).apply(history, values)
    return Object.assign(run, { [fc.toStringMethod]: () => `${method}(${values.join(', ')})` })
  })
}

const steps = fc.array(
  fc.oneof(
    { weight: 24, arbitrary: step('create', fc.tuple(who, place, which, fc.boolean())) },
    { weight: 16, arbitrary: step('open', fc.tuple(who, place, which, fc.boolean())) },
    { weight: 32, arbitrary: step('attach', fc.tuple(who, place, which)) },
    { weight: 3, arbitrary: step('attachAsWrongKind', fc.tuple(who, place, which)) },
    { weight: 36, arbitrary: step('close', fc.tuple(who, place, pick)) },
    { weight: 10, arbitrary: step('unlink', fc.tuple(who, place, pick)) },
    { weight: 4, arbitrary: step('unlinkByName', fc.tuple(who, place, which)) },
    {
      weight: 10,
      arbitrary: step('endWorker', fc.tuple(who, fc.constantFrom('terminate', 'exit', 'throw', 'finish'))),
    },
    { weight: 2, arbitrary: step('endProcess', fc.tuple(who, fc.constantFrom('exit', 'throw', 'finish'))) },
    { weight: 5, arbitrary: step('kill', fc.tuple(who, signal, fc.constantFrom(...HEIRS))) },
  ),
  { minLength: 5, maxLength: 20, size: 'max' },
)

it(`a segment exists exactly as long as it should, in ${HISTORIES} random histories (LIFETIME_SEED=${SEED})`, {
  timeout: 600_000,
}, async () => {
  while (actors.length < ACTORS) actors.push(await nextActor())
  let count = 0
  const runHistory = async (history: Step[]): Promise<void> => {
    const run = new History(count++)
    try {
      for (const one of history) {
        await one(run)
        run.check()
      }
      await run.end()
    } catch (error) {
      await run.abandon()
      throw error
    }
  }
  await fc.assert(fc.asyncProperty(steps, runHistory), { seed: SEED, numRuns: HISTORIES, endOnFailure: false })
})
