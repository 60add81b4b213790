/**
 * What a conformance case is written against: parties that attach to objects by handle and perform operations by name.
 * Three drivers make them: real processes, workers, and asynchronous tasks of one process, see drivers.ts.
 */
import type { Handle, Shareable } from 'procshare'

/**
 * What not every driver can do.
 *
 * - `block`: a party may call a blocking form that has to wait for another party
 * - `apart`: each party has a thread of its own, so that what belongs to a thread belongs to a party
 * - `end`: a party can be ended at any moment, also while it holds something or waits for it
 */
export type Capability = 'block' | 'apart' | 'end'

/** The error of an operation, as it arrives from a party. */
export interface Failure {
  readonly name: string
  readonly code?: string
  readonly message: string
  /** What was thrown, when that was no error. */
  readonly thrown?: unknown
}

export interface Outcome {
  readonly value?: unknown
  readonly error?: Failure
}

/** A guard that a party has. */
export interface GuardOf {
  readonly '@guard': number
  readonly abandoned: boolean
}

/** Something for a party to do; plain data, see actor.mjs. */
export type Step = { readonly do: string } & Readonly<Record<string, unknown>>

/** Whether a step may block the thread of its party. */
export const blocks = ({ do: what, method }: Step): boolean =>
  what === 'word' ? method === 'wait' : what === 'call' && String(method).endsWith('Sync')

/** An object, or its handle. */
export type Target = Handle | Shareable

export function handleOf(target: Target): Handle {
  return 'procshare' in target ? target : target.handle
}

export const call = (target: Target, method: string, ...args: unknown[]): Step => ({
  do: 'call',
  on: handleOf(target),
  method,
  args,
})
export const get = (target: Target, property: string): Step => ({ do: 'get', on: handleOf(target), property })
export const pause = (name: string): Step => ({ do: 'pause', name })
/** Steps inside `run` or `runSync` of a lock; gives `abandoned` and the outcomes of the steps. */
export const inside = (target: Target, method: string, steps: readonly Step[], ...args: unknown[]): Step => ({
  do: 'inside',
  on: handleOf(target),
  method,
  steps,
  args,
})

/** The error of an operation that a party performed. */
export class PartyError extends Error {
  readonly failure: Failure

  constructor(failure: Failure) {
    super(`${failure.name} ${failure.code ?? ''}: ${failure.message}`)
    this.failure = failure
  }
}

export function resultOf<T>({ value, error }: Outcome): T {
  if (error !== undefined) throw new PartyError(error)
  return value as T
}

/** An operation that has been started and may take its time. */
export interface Started<T = unknown> {
  /** What it gives, or a PartyError. */
  readonly value: Promise<T>
  /** Its error; fails if it has none. */
  readonly error: Promise<Failure>
  readonly settled: boolean
  /** Aborts its signal; the operation must have been given `{ signal: SIGNAL }`. */
  abort(reason: unknown): Promise<void>
}

/** Stands for the signal of the operation itself, in options. */
export const SIGNAL = '@own signal'

export interface Party {
  readonly pid: number
  readonly threadId: number
  /** Calls a method of an object and gives its result. */
  call<T = unknown>(target: Target, method: string, ...args: unknown[]): Promise<T>
  get<T = unknown>(target: Target, property: string): Promise<T>
  /** Performs any step. */
  perform<T = unknown>(step: Step): Promise<T>
  /** The error of a step; fails if it has none. */
  errorOf(step: Step): Promise<Failure>
  /**
   * Starts a method. When this resolves, an asynchronous method is waiting or has got what it wants; of a blocking one that
   * is certain after `waits`.
   */
  start<T = unknown>(target: Target, method: string, ...args: unknown[]): Promise<Started<T>>
  /** Starts any step. */
  begin<T = unknown>(step: Step): Promise<Started<T>>
  /** Asserts that an operation waits now: it has looked, and has not got it. */
  waits(started: Started): Promise<void>
  release(guard: GuardOf): Promise<void>
  resume(pause: string): Promise<void>
  /** Ends the party where it stands: SIGKILL, or `terminate()` of a worker. */
  end(): Promise<void>
  /** The party ends itself with `process.exit()`. */
  exit(): Promise<void>
}

/** What a case gets. */
export interface Stage {
  /** That many parties, which have nothing yet. */
  parties(count: number): Promise<Party[]>
  /** Gives the object back at the end of the case. */
  share<T extends Shareable & { close(): void }>(object: T): T
}

export interface Case {
  readonly name: string
  readonly needs?: readonly Capability[]
  run(stage: Stage): Promise<void>
}

export interface Driver {
  readonly name: string
  /** What its parties cannot do, and why. */
  readonly lacks: Partial<Record<Capability, string>>
  /** A new party. */
  start(): Promise<OwnedParty>
}

/** A party as its driver sees it. */
export interface OwnedParty extends Party, AsyncDisposable {
  readonly gone: boolean
  /** Makes it a party that has nothing; says how many guards a case has left. */
  reset(): Promise<number>
}

/** The two forms of what waits: the name of the method, and what a case needs that uses it. */
export const forms = [
  { form: 'waiting asynchronously', suffix: '', needs: [] as Capability[] },
  { form: 'blocking', suffix: 'Sync', needs: ['block'] as Capability[] },
] as const

/** As many as a case needs, and as many to take the places of those that it ends. */
const COMPANY = 6

/** Parties that outlive a case; for those that it ends others are started while the next cases play. */
export class Pool implements AsyncDisposable {
  readonly #driver: Driver
  readonly #parties: Promise<OwnedParty>[] = []

  constructor(driver: Driver) {
    this.#driver = driver
  }

  take(count: number): Promise<OwnedParty[]> {
    this.#fill()
    return Promise.all(this.#parties.slice(0, count))
  }

  async discard(party: OwnedParty): Promise<void> {
    for (const [i, one] of this.#parties.entries()) {
      if ((await one.catch(() => undefined)) !== party) continue
      this.#parties.splice(i, 1)
      break
    }
    await party[Symbol.asyncDispose]()
    this.#fill()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const started = await Promise.allSettled(this.#parties.splice(0))
    const parties = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    await Promise.all(parties.map((party) => party[Symbol.asyncDispose]()))
  }

  #fill(): void {
    while (this.#parties.length < COMPANY) {
      const starting = this.#driver.start()
      starting.catch(() => {}) // who takes it is told
      this.#parties.push(starting)
    }
  }
}

/** Plays a case with parties of a pool. */
export async function play(pool: Pool, { name, run }: Case): Promise<void> {
  const shared: { close(): void }[] = []
  let used: OwnedParty[] = []
  let failed = true
  let left: number[] = []
  try {
    await run({
      async parties(count) {
        used = await pool.take(count)
        return used
      },
      share(object) {
        shared.push(object)
        return object
      },
    })
    failed = false
  } finally {
    // A party that a failed case has left may be blocked for good.
    const lost = used.filter((party) => failed || party.gone)
    for (const party of lost) await pool.discard(party)
    left = await Promise.all(used.filter((party) => !lost.includes(party)).map((party) => party.reset()))
    for (const object of shared) object.close()
  }
  if (left.some((guards) => guards > 0)) throw new Error(`"${name}" has left guards with its parties`)
}
